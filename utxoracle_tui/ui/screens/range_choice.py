"""What is to be done with a range that was marked on the chart."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from utxoracle_tui import formats
from utxoracle_tui.ui.key_names import key_of, may_change

RangeAction = Literal["csv", "json", "backfill", "rerun"]
_CHANGES = frozenset({"range.backfill", "range.rerun"})


class RangeChoice(ModalScreen[RangeAction | None]):
    """The choice, or None."""

    CSS = """
    RangeChoice { align: center middle; }
    RangeChoice > Vertical {
        width: 66; max-width: 90%; height: auto; border: round $primary; padding: 1 2; background: $panel;
    }
    RangeChoice Label { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "choose('csv')", "Export as CSV", id="range.csv"),
        Binding("j", "choose('json')", "Export as JSON lines", id="range.json"),
        Binding("b", "choose('backfill')", "Backfill", id="range.backfill"),
        Binding("r", "choose('rerun')", "Rerun", id="range.rerun"),
        Binding("escape", "choose(None)", "Nothing", id="range.nothing"),
    ]

    def __init__(self, from_s: float, to_s: float, first: date, last: date) -> None:
        """`from_s` and `to_s` are the marks, `first` and `last` the UTC days that the range between them touches."""
        super().__init__()
        self._from_s, self._to_s = from_s, to_s
        self._first, self._last = first, last

    def compose(self) -> ComposeResult:
        """The marks, the days, and a line for each choice."""
        span = formats.utc_span(self._from_s, self._to_s)
        days = formats.plural((self._last - self._first).days + 1, "day")
        touched = str(self._first) if self._first == self._last else f"{self._first} to {self._last}"
        lines = "\n".join(
            f"{key_of(self, binding):<4} {what}"
            for binding, what in self._choices()
            if may_change(self) or binding not in _CHANGES
        )
        with Vertical():
            yield Label(f"{span}\nin {days}: {touched}\n\n{lines}", markup=False)

    def _choices(self) -> list[tuple[str, str]]:
        """The binding and the words of each."""
        days, missing = ("day", ", if it is missing") if self._first == self._last else ("days", " that are missing")
        return [
            ("range.csv", "export the figures between the marks, as CSV"),
            ("range.json", "the same as JSON lines"),
            ("range.backfill", f"backfill the whole {days}{missing}"),
            ("range.rerun", f"work the whole {days} out anew"),
            ("range.nothing", f"nothing; the marks stay, and {key_of(self, 'chart.range_again')} asks again"),
        ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without the right to change anything, a range can only be exported."""
        return f"range.{parameters[0] if parameters else ''}" not in _CHANGES or may_change(self)

    def action_choose(self, action: RangeAction | None) -> None:
        """Answer."""
        self.dismiss(action)
