"""One stored window in detail, worked out again from its blocks; where these can't be had, what is stored of it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from utxoracle_tui.engine.request import Request, title_of
from utxoracle_tui.store.records import Window
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.screens.window_detail import WindowDetail
from utxoracle_tui.ui.stored_window_words import stored_words
from utxoracle_tui.ui.widgets.chart import Chart
from utxoracle_tui.ui.widgets.summary import PriceSummary

_NEEDS_BLOCKS = "To draw its points, the blocks are needed from the node."


class OpenedWindow(WindowDetail):
    """What is stored stands there until the window is worked out, and stays if it can't be."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back", id="window.back")]

    def __init__(self, parts: EngineParts, request: Request, stored: Window | None = None) -> None:
        """`stored` is what the store has of the window, if that is known."""
        super().__init__(parts.pricing, parts.limits, parts.heading, None, parts.exports)
        self._first = request
        self._stored = stored

    def begin(self) -> None:
        """Ask for the window that was opened."""
        self.ask_for(self._first)

    def show_working(self, request: Request) -> None:
        """As for any window; meanwhile one sees what is stored."""
        super().show_working(request)
        if not self._has_result:
            stored = self._stored_of(request)
            self.query_one(PriceSummary).update("" if stored is None else stored_words(stored))

    def show_failure(self, request: Request, sentence: str) -> None:
        """As for any window, unless there is something stored to show."""
        if self._has_result or self._stored_of(request) is None:
            super().show_failure(request, sentence)
            return
        self._notice(f"▲ It can't be worked out here: {sentence}")
        self._settle(f"{title_of(request)}: as it is stored", "yellow")
        for chart in self.query(Chart):
            chart.show(None, _NEEDS_BLOCKS)

    def _stored_of(self, request: Request) -> Window | None:
        return self._stored if request == self._first else None

    def action_back(self) -> None:
        """Go back to the table."""
        self.action_cancel()
        self.app.pop_screen()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what makes no sense on a node."""
        return action != "price_all" and super().check_action(action, parameters)
