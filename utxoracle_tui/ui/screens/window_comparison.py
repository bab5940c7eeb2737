"""Two windows side by side: a day against a day, or a day against the block window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Static

from utxoracle_core import BlockReading
from utxoracle_tui.engine.pricing import PricedWindow, WindowPricing
from utxoracle_tui.engine.request import Request, read_day, read_heights, read_last, title_of
from utxoracle_tui.engine.validation import Limits
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.ui.bridge import PricingBridge
from utxoracle_tui.ui.comparison_words import comparison, filter_comparison
from utxoracle_tui.ui.guard import guarded
from utxoracle_tui.ui.messages import (
    BlockLineReady,
    WindowFailed,
    WindowPriced,
    WindowProgress,
    WindowStarted,
)
from utxoracle_tui.ui.pictures import Picture, histogram, scatter
from utxoracle_tui.ui.widgets.chart import Chart
from utxoracle_tui.ui.widgets.key_line import KeyLine
from utxoracle_tui.ui.widgets.progress_line import ProgressLine

_VIEWS = ("scatter", "histogram", "filters")
_SIDES = ("A", "B")


def read_window(text: str) -> Request:
    """A window as it is typed: a day, heights, or a number of blocks. Raises `OperatorError`."""
    if text.isdecimal():
        return read_last(text)
    for read in (read_day, read_heights):
        try:
            return read(text)
        except OperatorError:
            continue
    message = f"{text!r} is no window; write a day (2024-02-29), heights (799990-800000) or a number of blocks (144)."
    raise OperatorError("usage", message, Exit.USAGE)


class WindowComparison(Screen[None]):
    """Both windows are worked out, one after the other, and what there is of them is shown."""

    CSS = """
    WindowComparison #heading { height: 1; background: $panel; color: $primary; text-style: bold; }
    WindowComparison ProgressLine { padding: 0 1; }
    WindowComparison #notice { height: auto; padding: 0 1; color: $error; display: none; }
    WindowComparison #figures { height: auto; padding: 0 1; }
    WindowComparison #filters { height: auto; padding: 1 1; display: none; }
    WindowComparison #charts { height: 1fr; }
    WindowComparison .panel { width: 1fr; border: round $border; border-title-color: $primary; }
    WindowComparison .legend { height: 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    WindowComparison.-view-filters #charts { display: none; }
    WindowComparison.-view-filters #filters { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "next_view", "View", id="comparison.view"),
        Binding("x", "swap", "Swap", id="comparison.swap"),
        Binding("escape", "back", "Back", id="comparison.back"),
    ]

    def __init__(self, pricing: WindowPricing, limits: Limits, heading: str, first: Request, second: Request) -> None:
        super().__init__()
        self._limits = limits
        self._bridge = PricingBridge(pricing, self)
        self._heading = heading
        self._requests = [first, second]
        self._results: dict[Request, PricedWindow] = {}
        self._lines: dict[Request, Sequence[BlockReading]] = {}
        self._failures: dict[Request, str] = {}
        self._at_work: Request = first
        self._view = _VIEWS[0]

    def compose(self) -> ComposeResult:
        """What is compared, the figures, and a chart of each."""
        yield Static(self._heading, id="heading", markup=False)
        yield ProgressLine()
        yield Static("", id="notice", markup=False)
        yield Static(id="figures")
        yield Static(id="filters")
        with Horizontal(id="charts"):
            for side in _SIDES:
                with Vertical(id=f"side-{side}", classes="panel"):
                    yield Chart("This window has nothing to draw.")
                    yield Static("", classes="legend", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Work both out."""
        self._show_view()
        self._price()

    @work(exclusive=True, exit_on_error=False)
    @guarded
    async def _price(self) -> None:
        for request in self._requests:
            await self._bridge.price(request)

    @on(WindowStarted)
    def _started(self, message: WindowStarted) -> None:
        self._at_work = message.request
        self.query_one(ProgressLine).working(title_of(message.request))

    @on(WindowProgress)
    def _progressed(self, message: WindowProgress) -> None:
        self.query_one(ProgressLine).working(title_of(self._at_work), message.progress)

    @on(WindowPriced)
    def _priced(self, message: WindowPriced) -> None:
        self._results[message.request] = message.result
        self._settle()

    @on(BlockLineReady)
    def _has_line(self, message: BlockLineReady) -> None:
        for request, result in self._results.items():
            if result is message.result:
                self._lines[request] = message.readings
        self._show()

    @on(WindowFailed)
    def _failed(self, message: WindowFailed) -> None:
        self._failures[message.request] = message.sentence
        notice = self.query_one("#notice", Static)
        notice.update("\n".join(f"✗ {sentence}" for sentence in dict.fromkeys(self._failures.values())))
        notice.display = True
        self._settle()

    def _settle(self) -> None:
        if all(request in self._results or request in self._failures for request in self._requests):
            self.query_one(ProgressLine).idle(f"{title_of(self._requests[0])} against {title_of(self._requests[1])}")
        self._show()

    def _show(self) -> None:
        windows = [self._results.get(request) for request in self._requests]
        waiting = [
            f"{'no price' if request in self._failures else '…'}: {title_of(request)}" for request in self._requests
        ]
        self.query_one("#figures", Static).update(comparison(windows, waiting, self._limits))
        self.query_one("#filters", Static).update(filter_comparison(windows, waiting))
        for side, request, words in zip(_SIDES, self._requests, waiting, strict=True):
            panel = self.query_one(f"#side-{side}")
            panel.border_title = f"{side}: {title_of(request)}" if request in self._results else f"{side}: {words}"
            if request in self._results or request in self._failures:
                self._show_chart(side, self._picture(request))

    def _show_chart(self, side: str, picture: Picture | None) -> None:
        self.query_one(f"#side-{side} Chart", Chart).show(picture)
        self.query_one(f"#side-{side} .legend", Static).update(picture.legend if picture else "")

    def _picture(self, request: Request) -> Picture | None:
        result = self._results.get(request)
        if result is None:
            return None
        if self._view == "histogram":
            return histogram(result.price)
        return scatter(result.price, self._lines.get(request, ()))

    def _show_view(self) -> None:
        for view in _VIEWS:
            self.set_class(self._view == view, f"-view-{view}")
        self._show()

    def action_next_view(self) -> None:
        """Show scatter, histogram or filters of both."""
        self._view = _VIEWS[(_VIEWS.index(self._view) + 1) % len(_VIEWS)]
        self._show_view()

    def action_swap(self) -> None:
        """Let the first be the second."""
        self._requests.reverse()
        self._show()

    def action_back(self) -> None:
        """Stop what is at work, and go back."""
        self.workers.cancel_node(self)
        self.app.pop_screen()
