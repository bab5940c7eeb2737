"""The dashboard: both prices on one time axis, how far they are apart, the newest figures, and the stack."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.chart.figures import just_after
from utxoracle_tui.engine.chart.history import PriceRange
from utxoracle_tui.engine.jobs.wanted import Days
from utxoracle_tui.engine.live_rounds import StoreReading, store_not_open
from utxoracle_tui.engine.live_window import Doing, WindowReading
from utxoracle_tui.engine.request import Day, Last, Request, title_of
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.store.exporting import Format
from utxoracle_tui.ui import stack_words, store_words
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.exporting import ExportingScreen, write_chart
from utxoracle_tui.ui.guard import guarded
from utxoracle_tui.ui.job_asking import JobAsking
from utxoracle_tui.ui.key_names import key_of
from utxoracle_tui.ui.remembered import Arranged, ShownSpan, remembered
from utxoracle_tui.ui.screens.export_choice import ExportForm
from utxoracle_tui.ui.screens.node_window import NodeWindow
from utxoracle_tui.ui.screens.range_choice import RangeAction, RangeChoice
from utxoracle_tui.ui.widgets.divergence_cards import DivergenceCards
from utxoracle_tui.ui.widgets.divergence_table import DivergenceRows, DivergenceTable
from utxoracle_tui.ui.widgets.header import Header
from utxoracle_tui.ui.widgets.key_line import KeyLine
from utxoracle_tui.ui.widgets.price_chart import PriceChart
from utxoracle_tui.ui.widgets.progress_line import ProgressLine
from utxoracle_tui.ui.widgets.steady_text import SteadyText

if TYPE_CHECKING:
    from utxoracle_tui.ui.node_console import NodeConsole

_VIEWS = ("chart", "figures", "stack")
_TALL_ROWS = 34
"""From so many on all views are shown at once."""
_WIDE_COLUMNS = 110
_KEYS_OF_THE_SPAN = frozenset(
    f"chart.{name}"
    for name in (
        *("zoom_in", "zoom_out", "pan_left", "pan_right", "fit", "follow", "basis"),
        *(f"range_{span}" for span in ("day", "week", "month", "quarter", "year", "all")),
    )
)
"""Of the chart's keys those that change what the table shows as well: they work wherever the focus is."""
_MOVE_ON_EVERY_S = 30.0
"""How often a chart that follows the time is asked to move on; it does so in coarser steps of its own."""


class Dashboard(JobAsking, ExportingScreen):
    """What an operator looks at all day. Low terminals show the chart, the figures or the stack."""

    CSS = """
    Dashboard ProgressLine { padding: 0 1; }
    Dashboard #notice { height: auto; padding: 0 1; color: $error; display: none; }
    Dashboard #below { height: 9; }
    Dashboard DivergenceTable { width: 1fr; }
    Dashboard #stack { width: 41; height: 100%; padding: 0 0 0 1; border-left: solid $border; }
    Dashboard.-very-tall #below { height: 16; }
    Dashboard.-very-wide #stack { width: 84; }
    Dashboard.-narrow #stack { display: none; }
    Dashboard.-low PriceChart, Dashboard.-low DivergenceCards, Dashboard.-low #below { display: none; }
    Dashboard.-low.-view-chart PriceChart { display: block; }
    Dashboard.-low.-view-figures DivergenceCards, Dashboard.-low.-view-figures #below { display: block; }
    Dashboard.-low.-view-figures #stack { display: none; }
    Dashboard.-low.-view-figures #below, Dashboard.-low.-view-stack #below { height: 1fr; }
    Dashboard.-low.-view-stack #below, Dashboard.-low.-view-stack #stack { display: block; }
    Dashboard.-low.-view-stack #stack { width: 1fr; border-left: none; }
    Dashboard.-low.-view-stack DivergenceTable { display: none; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-low"), (_TALL_ROWS, "-tall"), (56, "-very-tall")]  # noqa: RUF012
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE_COLUMNS, "-wide"), (160, "-very-wide")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "next_view", "View", id="dashboard.view"),
        Binding("w", "open_window", "Window", id="dashboard.window"),
        Binding("y", "open_yesterday", "Yesterday", id="dashboard.yesterday", show=False),
        Binding("e", "export", "Export", id="dashboard.export", show=False),
        *(
            replace(binding, action=f"on_chart({binding.action!r})", show=False)
            for binding in PriceChart.BINDINGS
            if isinstance(binding, Binding) and binding.id in _KEYS_OF_THE_SPAN
        ),
    ]

    def __init__(self, parts: EngineParts) -> None:
        super().__init__(parts)
        self._view = _VIEWS[0]
        self._store_state: tuple[object, ...] | None = None
        self._range: PriceRange | None = None

    def compose(self) -> ComposeResult:
        """Header, what is at work, chart, figures, stack, keys."""
        console, before = cast("NodeConsole", self.app), remembered(self)
        yield Header(self._parts, "dashboard")
        yield ProgressLine()
        yield Static("", id="notice", markup=False)
        yield PriceChart(view=before.chart.view(clock.now_s()), basis=before.basis, ascii_only=console.look.ascii)
        yield DivergenceCards()
        with Horizontal(id="below"):
            yield DivergenceTable()
            yield SteadyText(id="stack")
        yield KeyLine()

    def on_mount(self) -> None:
        """Show what is known already, and what comes."""
        console = cast("NodeConsole", self.app)
        console.newest_signal.subscribe(self, self._newest_read)
        console.stack_signal.subscribe(self, self._stack_read)
        console.store_signal.subscribe(self, self._store_read)
        console.look_signal.subscribe(self, lambda look: self.query_one(PriceChart).use_ascii(look.ascii))
        self._view = remembered(self).view
        self._show_view()
        self._newest_read(self._parts.newest.reading)
        if console.stack is not None:
            self._stack_read(console.stack)
        self.set_interval(_MOVE_ON_EVERY_S, self.query_one(PriceChart).reload)
        self.call_after_refresh(self._focus_shown)

    def _newest_read(self, reading: WindowReading) -> None:
        line, notice = self.query_one(ProgressLine), self.query_one("#notice", Static)
        notice.display = reading.trouble is not None
        if reading.trouble is not None:
            notice.update(f"✗ {reading.trouble}")
        if reading.doing is Doing.WORKING:
            line.working(title_of(Last()), reading.progress)
        elif reading.doing is Doing.SYNCING:
            opens, prices = key_of(self, "dashboard.window"), key_of(self, "window.newest")
            line.idle(
                f"The node is syncing and is left alone; {opens} opens its newest window, {prices} there prices it."
            )
        elif reading.result is not None:
            took = formats.span(reading.result.elapsed_s)
            line.idle(f"{title_of(Last())}: done in {took} · {key_of(self, 'dashboard.window')} opens it")

    def _stack_read(self, reading: StackReading) -> None:
        panel = self.query_one("#stack", SteadyText)
        size = panel.content_size
        panel.update(stack_words.sources(reading, size.width or None, size.height))

    def _store_read(self, reading: StoreReading) -> None:
        state = store_words.state(reading)
        if state != self._store_state:
            self._store_state = state
            self.query_one(PriceChart).reload()

    @on(PriceChart.Wanted)
    def _wanted(self, message: PriceChart.Wanted) -> None:
        self.post_message(Arranged(chart=ShownSpan.of(message.chart.view)))
        self._load(message.start_s, message.end_s)

    @work(exclusive=True, group="history", exit_on_error=False)
    @guarded
    async def _load(self, start_s: float, end_s: float) -> None:
        chart = self.query_one(PriceChart)
        try:
            found = await self._parts.history.load(start_s, end_s)
        except OperatorError as error:
            chart.show_trouble(error.message)
            return
        self._range = found
        chart.show(found)
        if found is None:
            nothing = store_words.nothing_to_read(cast("NodeConsole", self.app).stored) or store_words.READING
            chart.show_trouble(nothing)
            self.query_one(DivergenceTable).show_nothing(nothing)
        self._show_figures()

    @on(PriceChart.BasisChanged)
    def _show_figures(self) -> None:
        basis, found = self.query_one(PriceChart).basis, self._range
        self.post_message(Arranged(basis=basis))
        self.query_one(DivergenceCards).show(found.statistics[basis] if found is not None else None)
        if found is not None:
            self.query_one(DivergenceTable).show(found.series.rows.from_moment(found.series.start_s), basis)

    @on(PriceChart.RangeMarked)
    def _range_marked(self, message: PriceChart.RangeMarked) -> None:
        from_s, to_s = message.from_s, message.to_s
        first, last = (datetime.fromtimestamp(at_s, UTC).date() for at_s in (from_s, to_s))

        def chosen(action: RangeAction | None) -> None:
            if action == "backfill":
                self.ask_for_backfill(Days(first, last))
            elif action == "rerun":
                self.ask_for_rerun(Days(first, last), f"the days {first} to {last}" if first < last else str(first))
            elif action is not None:
                self.export(lambda: self._write_range(action, from_s, to_s))

        self.app.push_screen(RangeChoice(from_s, to_s, first, last), chosen)

    async def _write_range(self, form: Format, from_s: float, to_s: float) -> tuple[str, Path]:
        # the chart may have moved on from where the first mark was set
        found = await self._parts.history.load(from_s, just_after(to_s))
        if found is None:
            raise store_not_open()
        written = await self._parts.exports.write_range(found.series, from_s, to_s, form)
        return formats.plural(written.count, "figure"), written.path

    def action_export(self) -> None:
        """Keep the chart or the figures below it in a file."""
        chart, rows = self.query_one(PriceChart).shown(), self.query_one(DivergenceTable).shown()
        forms: dict[ExportForm, str] = {}
        if rows is not None:
            forms |= {"csv": "the figures", "json": "the figures"}
        if chart is not None:
            forms |= {"text": "the chart", "svg": "the chart"}

        async def write(form: ExportForm) -> tuple[str, Path]:
            if chart is not None and form in {"text", "svg"}:
                return await write_chart(self._parts.exports, chart, form, dark=self.app.current_theme.dark)
            assert rows is not None
            head = {**(chart.head if chart is not None else {}), "what": "the figures of the price chart"}
            as_json: Format = "json" if form == "json" else "csv"
            return "The figures", await self._parts.exports.write_rows("figures", head, rows, as_json)

        self.ask_for_export(forms, write)

    def _show_view(self) -> None:
        for view in _VIEWS:
            self.set_class(self._view == view, f"-view-{view}")

    def _focus_shown(self) -> None:
        """Keys go to what is on the screen; with the stack alone, to the screen itself."""
        around = self.focused.ancestors_with_self if self.focused is not None else []
        if around and all(node.display for node in around if isinstance(node, Widget)):
            return
        shows_all = self.size.height >= _TALL_ROWS
        if shows_all or self._view == "chart":
            self.set_focus(self.query_one(PriceChart))
        else:
            self.set_focus(self.query_one(DivergenceRows) if self._view == "figures" else None)

    def on_resize(self) -> None:
        """The key for views is of use on low terminals only, and these don't show everything that had the focus."""
        self.refresh_bindings()
        self.call_after_refresh(self._focus_shown)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide the key for views where all of them are shown."""
        return action != "next_view" or self.size.height < _TALL_ROWS

    def action_next_view(self) -> None:
        """Show the next of chart, figures and stack where only one has room."""
        self._view = _VIEWS[(_VIEWS.index(self._view) + 1) % len(_VIEWS)]
        self._show_view()
        self.post_message(Arranged(view=self._view))
        self.call_after_refresh(self._focus_shown)

    async def action_on_chart(self, action: str) -> None:
        """Do what a key of the chart does, wherever the focus is."""
        await self.query_one(PriceChart).run_action(action)

    def action_open_window(self) -> None:
        """Open the newest block window in detail."""
        self._open(Last())

    def action_open_yesterday(self) -> None:
        """Open the newest day that can be asked for."""
        self._open(Day())

    def _open(self, request: Request) -> None:
        self.app.push_screen(NodeWindow(self._parts, request))
