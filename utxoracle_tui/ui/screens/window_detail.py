"""One window in detail: its price, the scatter of its points, its histogram, and what the filters left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.widgets import Static

from utxoracle_core import BlockReading, HeightRange
from utxoracle_core.selection import BLOCK_WINDOW
from utxoracle_tui import formats
from utxoracle_tui.engine.folder_pricing import FolderPricing
from utxoracle_tui.engine.pricing import PricedWindow, WindowPricing
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import (
    Day,
    Everything,
    Request,
    read_day,
    read_heights,
    read_last,
    title_of,
)
from utxoracle_tui.engine.screen_export import ScreenExport
from utxoracle_tui.engine.validation import Limits
from utxoracle_tui.ui.bridge import PricingBridge
from utxoracle_tui.ui.exporting import ExportingScreen, write_chart
from utxoracle_tui.ui.messages import (
    BlockLineReady,
    WindowCancelled,
    WindowFailed,
    WindowPriced,
    WindowProgress,
    WindowStarted,
)
from utxoracle_tui.ui.pictures import Picture, histogram, scatter
from utxoracle_tui.ui.screens.ask import Ask
from utxoracle_tui.ui.screens.export_choice import ExportForm
from utxoracle_tui.ui.screens.window_comparison import WindowComparison, read_window
from utxoracle_tui.ui.shown_chart import ShownChart
from utxoracle_tui.ui.widgets.chart import Chart
from utxoracle_tui.ui.widgets.key_line import KeyLine
from utxoracle_tui.ui.widgets.progress_line import ProgressLine
from utxoracle_tui.ui.widgets.summary import FilterSummary, PriceSummary, facts, file_name, text_of

_VIEWS = ("scatter", "histogram", "filters")
_WIDE_COLUMNS = 110
_ONE_DAY = timedelta(days=1)


def of_folder(pricing: FolderPricing, limits: Limits) -> WindowDetail:
    """The screen on a folder of raw blocks."""
    folder = pricing.folder
    network = "main network" if folder.is_main else "NOT the main network"
    blocks = HeightRange(folder.base, folder.tip)
    heading = (
        f" utxoracle-tui · {folder.path.name or folder.path} · {network} · "
        f"{formats.plural(len(blocks), 'block')}, {blocks.first}–{blocks.last}"
    )
    return WindowDetail(pricing, limits, heading, blocks, ScreenExport(lambda: None, None, heading.strip()))


class WindowDetail(ExportingScreen):
    """Prices windows and shows the one that was asked for last.

    Wide terminals show scatter, histogram and filters side by side; narrow ones show one of them at a time.
    """

    CSS_PATH = "window_detail.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE_COLUMNS, "-wide")]  # noqa: RUF012  (Textual has it as an instance's)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "next_view", "View", id="window.view"),
        Binding("d", "ask_day", "Date", id="window.day"),
        Binding("left_square_bracket", "step_day(-1)", "Day −", key_display="[", id="window.previous_day"),
        Binding("right_square_bracket", "step_day(1)", "Day +", key_display="]", id="window.next_day"),
        Binding("l", "ask_last", "Last", id="window.last"),
        Binding("h", "ask_heights", "Heights", id="window.heights"),
        Binding("c", "compare", "Compare", id="window.compare", show=False),
        Binding("e", "export", "Export", id="window.export", show=False),
        Binding("a", "price_all", "All", id="window.all"),
        Binding("escape", "cancel", "Stop", id="window.cancel", show=False),
    ]

    def __init__(
        self,
        pricing: WindowPricing,
        limits: Limits,
        heading: str,
        heights: HeightRange | None,
        exports: ScreenExport,
    ) -> None:
        """`heading` says what the blocks are of; `heights` are those that can be had, None for a node's."""
        super().__init__()
        self._pricing = pricing
        self._limits = limits
        self._exports = exports
        self._bridge = PricingBridge(pricing, self)
        self._heading = heading
        self._heights = heights
        self._request: Request = Everything()
        self._result: PricedWindow | None = None
        self._view = _VIEWS[0]

    def compose(self) -> ComposeResult:
        """Header, progress, price, charts, keys."""
        yield from self.compose_heading()
        yield ProgressLine()
        yield Static("", id="notice", markup=False)
        with Horizontal(id="top"):
            yield PriceSummary(id="summary")
            with Container(id="filters", classes="panel"):
                yield FilterSummary()
        with Horizontal(id="charts"):
            with Vertical(id="scatter", classes="panel"):
                yield Chart("This window has no price points.")
                yield Static("", classes="legend", markup=False)
            with Vertical(id="histogram", classes="panel"):
                yield Chart("No amount of this window passes the filters.")
                yield Static("", classes="legend", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin with all blocks of the folder."""
        self.query_one("#scatter").border_title = "price points over the blocks"
        self.query_one("#histogram").border_title = "amounts in BTC under the stencil"
        self.query_one("#filters").border_title = "transactions"
        self._show_view()
        self.begin()

    def compose_heading(self) -> ComposeResult:
        """What the blocks are of."""
        yield Static(self._heading, id="heading", markup=False)

    def begin(self) -> None:
        """Ask for the first window: all blocks."""
        self.ask_for(Everything())

    def ask_for(self, request: Request) -> None:
        """Have a window priced; work on another one is stopped."""
        self._price(request)

    @work(exclusive=True, group="window", exit_on_error=False)
    async def _price(self, request: Request) -> None:
        await self._bridge.price(request)

    @on(WindowStarted)
    def _started(self, message: WindowStarted) -> None:
        self.show_working(message.request)

    @on(WindowProgress)
    def _progressed(self, message: WindowProgress) -> None:
        self.show_progress(message.progress)

    @on(WindowPriced)
    def _priced(self, message: WindowPriced) -> None:
        self.show_result(message.result)

    @on(BlockLineReady)
    def _has_line(self, message: BlockLineReady) -> None:
        self.show_line(message.result, message.readings)

    @on(WindowFailed)
    def _failed(self, message: WindowFailed) -> None:
        self.show_failure(message.request, message.sentence)

    @on(WindowCancelled)
    def _cancelled(self) -> None:
        self._settle("stopped; what was read is kept for the next time", "yellow")

    def show_working(self, request: Request) -> None:
        """Say that a window is being priced; the one before stays, and looks it."""
        self._request = request
        self.query_one(ProgressLine).working(title_of(request))
        self._notice("")
        self.query_one("#top").set_class(self._result is not None, "-previous")

    def show_progress(self, progress: Progress) -> None:
        """Say how far the window is."""
        self.query_one(ProgressLine).working(title_of(self._request), progress)

    def show_result(self, result: PricedWindow) -> None:
        """Show a window."""
        self._result = result
        self.query_one("#top").remove_class("-previous")
        self.query_one(PriceSummary).show(result, self._limits)
        self.query_one(FilterSummary).show(result)
        self._show_picture("#scatter", scatter(result.price))
        self._show_picture("#histogram", histogram(result.price))
        self.query_one(ProgressLine).idle(f"{title_of(self._request)}: done in {formats.span(result.elapsed_s)}")

    def show_line(self, result: PricedWindow, readings: Sequence[BlockReading]) -> None:
        """Show the prices at the blocks of a window over its points, if it is still the one that is shown."""
        if result is self._result and readings:
            self._show_picture("#scatter", scatter(result.price, readings))

    def show_failure(self, request: Request, sentence: str) -> None:
        """Say why a window has no price."""
        self._notice(f"✗ {sentence}")
        self._settle(f"{title_of(request)}: no price", "bold red")

    def show_idle(self, sentence: str) -> None:
        """Say why nothing is going on."""
        self.query_one(ProgressLine).idle(sentence)

    @property
    def _has_result(self) -> bool:
        return self._result is not None

    def _settle(self, sentence: str, style: str) -> None:
        if self._result is not None:
            sentence += " (shown below: the window before)"
        self.query_one(ProgressLine).idle(sentence, style)

    def _notice(self, sentence: str) -> None:
        notice = self.query_one("#notice", Static)
        notice.update(sentence)
        notice.display = bool(sentence)

    def _show_picture(self, panel: str, picture: Picture | None) -> None:
        self.query_one(f"{panel} Chart", Chart).show(picture)
        self.query_one(f"{panel} .legend", Static).update(picture.legend if picture else "")

    def _show_view(self) -> None:
        for view in _VIEWS:
            self.set_class(self._view == view, f"-view-{view}")

    def on_resize(self) -> None:
        """The key for views is of use on narrow terminals only."""
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide the key for views where all of them are shown."""
        return action != "next_view" or self.size.width < _WIDE_COLUMNS

    def action_next_view(self) -> None:
        """Show the next of scatter, histogram and filters where only one has room."""
        self._view = _VIEWS[(_VIEWS.index(self._view) + 1) % len(_VIEWS)]
        self._show_view()

    def action_ask_day(self) -> None:
        """Ask for a UTC day."""
        start = ""
        if isinstance(self._request, Day) and self._request.day:
            start = self._request.day.isoformat()
        self._ask("Which UTC day? (YYYY-MM-DD)", start, read_day)

    def action_ask_last(self) -> None:
        """Ask for a number of blocks before the tip."""
        most = len(self._heights) - 1 if self._heights else BLOCK_WINDOW
        self._ask("How many blocks before the tip?", str(min(BLOCK_WINDOW, most)), read_last)

    def action_ask_heights(self) -> None:
        """Ask for a range of heights."""
        start = f"{self._heights.first}-{self._heights.last}" if self._heights else ""
        self._ask("Which heights? (A-B, both included)", start, read_heights)

    def _ask(self, question: str, start: str, read: Callable[[str], Request]) -> None:
        def answered(request: Request | None) -> None:
            if request is not None:
                self.ask_for(request)

        self.app.push_screen(Ask(question, start, read), answered)

    def action_compare(self) -> None:
        """Set the window beside another one."""
        shown = self._request

        def answered(other: Request | None) -> None:
            if other is not None:
                self.app.push_screen(WindowComparison(self._pricing, self._limits, self._heading, shown, other))

        question = "Compare with which window? (a day, heights A-B, or a number of blocks before the tip)"
        self.app.push_screen(Ask(question, "", read_window), answered)

    def action_export(self) -> None:
        """Keep the window as it is shown in a file."""
        chart = self._shown()

        async def write(form: ExportForm) -> tuple[str, Path]:
            assert chart is not None
            return await write_chart(self._exports, chart, form, dark=self.app.current_theme.dark)

        self.ask_for_export({"text": "the window", "svg": "the window"} if chart is not None else {}, write)

    def _shown(self) -> ShownChart | None:
        result = self._result
        if result is None:
            return None
        parts = [text_of(result, self._limits)]
        for panel in ("scatter", "histogram"):
            chart = self.query_one(f"#{panel} Chart", Chart)
            if chart.size.width:
                legend = str(self.query_one(f"#{panel} .legend", Static).content)
                parts += [Text(""), chart.drawn, Text(legend)]
        return ShownChart(file_name(result), facts(result), parts)

    def action_price_all(self) -> None:
        """Price all blocks of the folder as one window."""
        self.ask_for(Everything())

    def action_step_day(self, step: int) -> None:
        """Go to the day before or after; from any other window, to the newest day."""
        request = self._request
        if isinstance(request, Day):
            shown = request.day or (self._result and self._result.window.day and self._result.window.day.day)
            if shown:
                self.ask_for(Day(shown + step * _ONE_DAY))
                return
        self.ask_for(Day())

    def action_cancel(self) -> None:
        """Stop the work on a window."""
        self.workers.cancel_group(self, "window")
