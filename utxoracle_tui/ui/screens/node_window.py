"""One window of a node in detail: the block window before the tip, which it follows, or whatever else is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from utxoracle_tui.engine.live_window import Doing, WindowReading
from utxoracle_tui.engine.request import Day, Last, Request
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.key_names import key_of
from utxoracle_tui.ui.screens.window_detail import WindowDetail
from utxoracle_tui.ui.widgets.header import Header

if TYPE_CHECKING:
    from utxoracle_tui.ui.node_console import NodeConsole

_NOT_ON_A_NODE = frozenset({"price_all"})


class NodeWindow(WindowDetail):
    """The window that was asked for last; the block window follows the tip by itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "price_yesterday", "Yesterday", id="window.yesterday"),
        Binding("b", "price_block_window", "144 blocks", id="window.newest"),
        # in the help only: the footer of a narrow terminal has no room for them
        Binding("l", "ask_last", "Last", id="window.last", show=False),
        Binding("h", "ask_heights", "Heights", id="window.heights", show=False),
        Binding("escape", "back", "Back", id="window.back"),
    ]

    def __init__(self, parts: EngineParts, first: Request) -> None:
        """`first` is what is shown to begin with."""
        super().__init__(parts.pricing, parts.limits, parts.heading, None, parts.exports)
        self._parts = parts
        self._first = first
        self._follows = False

    def compose_heading(self) -> ComposeResult:
        """The header of all screens."""
        yield Header(self._parts, "dashboard")

    def begin(self) -> None:
        """Show the first window, or what there is of it."""
        cast("NodeConsole", self.app).newest_signal.subscribe(self, self._newest_read)
        if self._first == Last():
            self._follow()
        else:
            self.ask_for(self._first)

    def ask_for(self, request: Request) -> None:
        """Have a window priced; the block window before the tip is priced by the engine anyway."""
        if request == Last():
            self._parts.newest.ask()
            self._follow()
            return
        self._follows = False
        super().ask_for(request)

    def _follow(self) -> None:
        self._follows = True
        self._request = Last()
        self.workers.cancel_group(self, "window")
        reading = self._parts.newest.reading
        if reading.result is not None:
            self.show_result(reading.result)
            self.show_line(reading.result, reading.line)
        self._newest_read(reading)

    def _newest_read(self, reading: WindowReading) -> None:
        if not self._follows:
            return
        if reading.doing is Doing.WAITING:
            self.show_idle("The node hasn't answered yet.")
        elif reading.doing is Doing.SYNCING:
            self.show_idle(
                f"The node is syncing and is left alone; {key_of(self, 'window.newest')} prices its last 144 blocks."
            )
        elif reading.doing is Doing.WORKING:
            if reading.progress is None:
                self.show_working(Last())
            else:
                self.show_progress(reading.progress)
        elif reading.doing is Doing.FAILED and reading.trouble is not None:
            self.show_failure(Last(), reading.trouble)
        elif reading.result is not None:
            if reading.result is not self._result:
                self.show_result(reading.result)
            self.show_line(reading.result, reading.line)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what makes no sense on a node."""
        return action not in _NOT_ON_A_NODE and super().check_action(action, parameters)

    def action_price_yesterday(self) -> None:
        """Price the newest day that can be asked for."""
        self.ask_for(Day())

    def action_price_block_window(self) -> None:
        """Show the 144 blocks before the tip, and follow the tip from then on."""
        self.ask_for(Last())

    def action_back(self) -> None:
        """Stop what was asked for here, or go back to the dashboard."""
        if not self._follows and any(worker.group == "window" and worker.is_running for worker in self.workers):
            self.action_cancel()
        else:
            self.app.pop_screen()
