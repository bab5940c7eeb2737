"""The dashboard: the node, and the window that is priced from it; the block window follows the tip by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.worker import WorkerState

from utxoracle_tui import clock
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.request import Day, Last
from utxoracle_tui.sources.http import Backoff
from utxoracle_tui.sources.node_replies import ChainInfo
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.messages import WindowFailed, WindowPriced
from utxoracle_tui.ui.screens.window_detail import WindowDetail
from utxoracle_tui.ui.widgets.header import Header
from utxoracle_tui.ui.widgets.progress_line import ProgressLine

if TYPE_CHECKING:
    from utxoracle_tui.ui.node_console import NodeConsole

_NOT_ON_A_NODE = frozenset({"price_all"})


_FAR_BEHIND_BLOCKS = 6
_AGAIN = Backoff(first_s=5.0, most_s=60.0)
"""Before a block window that failed is asked for once more, where no new block asks for it sooner."""


def _is_syncing(chain: ChainInfo) -> bool:
    """Whether the node has better things to do than to serve blocks, and a tip that runs ahead every second."""
    return bool(chain.initial_download) or chain.headers - chain.blocks > _FAR_BEHIND_BLOCKS


class Dashboard(WindowDetail):
    """The node on top; below it the window that was asked for last."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "price_yesterday", "Yesterday", id="dashboard.yesterday"),
        Binding("b", "price_block_window", "144 blocks", id="dashboard.block_window"),
        # in the help only: the footer of a narrow terminal has no room for them
        Binding("l", "ask_last", "Last", id="window.last", show=False),
        Binding("h", "ask_heights", "Heights", id="window.heights", show=False),
    ]

    def __init__(self, parts: EngineParts) -> None:
        super().__init__(parts.pricing, parts.heading, None)
        self._parts = parts
        self._tip: str | None = None
        self._failures = 0
        self._again_at_s: float | None = None

    def compose_heading(self) -> ComposeResult:
        """The header of all screens."""
        yield Header(self._parts, "dashboard")

    def begin(self) -> None:
        """The first window is asked for when the node answers."""
        self._request = Last()
        console = cast("NodeConsole", self.app)
        console.node_signal.subscribe(self, self._node_read)
        if console.node is not None:
            self._node_read(console.node)

    def after_failure(self, message: WindowFailed) -> str:
        """The block window is tried again by itself, unless that is of no use before the next block."""
        if message.request != Last() or not message.may_pass:
            return ""
        self._failures += 1
        wait_s = _AGAIN.delay_s(self._failures, 1.0)
        self._again_at_s = clock.elapsed_s() + wait_s
        return f" It is tried again in {wait_s:.0f} s."

    @on(WindowPriced)
    def _round_of(self, message: WindowPriced) -> None:
        if message.request == Last():
            self._failures, self._again_at_s = 0, None
            cast("NodeConsole", self.app).store_bridge.priced(message.result)

    def _node_read(self, reading: NodeReading) -> None:
        if reading.trouble or reading.chain is None:
            return
        if reading.chain.best_hash == self._tip and not self._is_due_again():
            return
        if _is_syncing(reading.chain):
            if not self._has_result:
                self.query_one(ProgressLine).idle(
                    "The node is syncing and is left alone; b prices its last 144 blocks."
                )
            return
        if self._is_pricing():
            # the new tip is still new at the next reading
            return
        follows = isinstance(self._request, Last)
        if follows or self._tip is None:
            self._again_at_s = None
            self.ask_for(self._request)
        self._tip = reading.chain.best_hash

    def _is_due_again(self) -> bool:
        """Whether the block window failed, and the wait for another try is over."""
        return self._again_at_s is not None and clock.elapsed_s() >= self._again_at_s

    def _is_pricing(self) -> bool:
        running = (WorkerState.PENDING, WorkerState.RUNNING)
        return any(worker.group == "window" and worker.state in running for worker in self.workers)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what makes no sense on a node."""
        return action not in _NOT_ON_A_NODE and super().check_action(action, parameters)

    def action_price_yesterday(self) -> None:
        """Price the newest day that can be asked for."""
        self.ask_for(Day())

    def action_price_block_window(self) -> None:
        """Price the 144 blocks before the tip, and follow the tip from then on."""
        self.ask_for(Last())
