"""Keeping what a screen shows in a file: the choice of a form, the file, and the word of where it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from textual import work

from utxoracle_tui.engine.screen_export import ScreenExport
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.ui.guard import guarded
from utxoracle_tui.ui.returning import Returning
from utxoracle_tui.ui.screens.export_choice import ExportChoice, ExportForm
from utxoracle_tui.ui.shown_chart import ShownChart

_TOLD_S = 6.0
"""Long enough to see where the file is; the path is on the clipboard."""
NOTHING_TO_EXPORT = "There is nothing to export here yet."


class ExportingScreen(Returning[None]):
    """A screen whose contents can be kept."""

    def ask_for_export(
        self, forms: Mapping[ExportForm, str], write: Callable[[ExportForm], Awaitable[tuple[str, Path]]]
    ) -> None:
        """Ask in which of the `forms`, and have it written; `write` gives what was written, and where."""
        if not forms:
            self.notify(NOTHING_TO_EXPORT)
            return

        def chosen(form: ExportForm | None) -> None:
            if form is not None:
                self.export(lambda: write(form))

        self.app.push_screen(ExportChoice(forms), chosen)

    @work(group="export", exit_on_error=False)
    @guarded
    async def export(self, write: Callable[[], Awaitable[tuple[str, Path]]]) -> None:
        """Have something written, and say where it is."""
        try:
            what, path = await write()
        except OperatorError as error:
            self.notify(error.message, severity="error", timeout=10)
            return
        self.app.copy_to_clipboard(str(path))
        self.notify(f"{what} written to {path}; the path is on the clipboard.", timeout=_TOLD_S)


async def write_chart(exports: ScreenExport, chart: ShownChart, form: ExportForm, *, dark: bool) -> tuple[str, Path]:
    """Write a chart as text or as a picture; what was written, and where. Raises `OperatorError`."""
    head = exports.head()
    made = chart.as_svg(head, dark=dark) if form == "svg" else chart.as_text(head)
    ending = "svg" if form == "svg" else "txt"
    return "The chart", await exports.write_text(f"{chart.name}.{ending}", made)
