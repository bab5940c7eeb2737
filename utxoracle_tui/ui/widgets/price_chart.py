"""The dual price chart: the price on the chain and the exchange's over time, and how far they are apart below it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.chart.cursor import next_stop, read_at
from utxoracle_tui.engine.chart.history import PriceRange
from utxoracle_tui.store.statistics import BASES, Basis
from utxoracle_tui.ui import price_words
from utxoracle_tui.ui.chart_view import ChartView, following, preset_view, view_of
from utxoracle_tui.ui.key_names import key_of
from utxoracle_tui.ui.price_glyphs import Style
from utxoracle_tui.ui.price_pictures import LABEL_COLUMNS, Frame, Marks, divergence_picture, price_picture
from utxoracle_tui.ui.shown_chart import ShownChart
from utxoracle_tui.ui.store_words import READING
from utxoracle_tui.ui.widgets.chart import Chart

_PAGE_COLUMNS = 20
_STRIP_ROWS = ((18, 5), (30, 7))
"""The height of the whole below which the strip has so many rows: two for the axis, and an odd number, for zero is in
the middle one.
"""
_STRIP_ROWS_AT_MOST = 9
_LEGEND_LINES = 2


class PriceChart(Vertical, can_focus=True):
    """Shows a span of the stored prices, and says which span it wants to be given."""

    DEFAULT_CSS = """
    PriceChart { height: 1fr; }
    PriceChart > #chart-heading { height: 1; color: $primary; }
    PriceChart:focus > #chart-heading { text-style: reverse; }
    PriceChart > #divergence { height: 5; }
    PriceChart > #readout { height: 1; }
    PriceChart > #chart-legend { height: 2; }
    PriceChart > #chart-words { height: 1fr; display: none; padding: 0 1; }
    PriceChart.-in-words > Chart { display: none; }
    PriceChart.-in-words > #chart-legend { display: none; }
    PriceChart.-in-words > #chart-words { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "cursor(-1)", "Cursor left", id="chart.left", show=False),
        Binding("right", "cursor(1)", "Cursor right", id="chart.right", show=False),
        Binding("pageup", f"cursor(-{_PAGE_COLUMNS})", "Cursor far left", id="chart.page_left", show=False),
        Binding("pagedown", f"cursor({_PAGE_COLUMNS})", "Cursor far right", id="chart.page_right", show=False),
        Binding("home", "cursor_end(-1)", "Cursor to the first", id="chart.home", show=False),
        Binding("end", "cursor_end(1)", "Cursor to the last", id="chart.end", show=False),
        Binding("plus,equals_sign", "zoom(True)", "Zoom", key_display="+", id="chart.zoom_in"),
        Binding("minus", "zoom(False)", "Zoom out", key_display="-", id="chart.zoom_out", show=False),
        Binding("comma,shift+left", "pan(-1)", "Earlier", key_display=",", id="chart.pan_left", show=False),
        Binding("full_stop,shift+right", "pan(1)", "Later", key_display=".", id="chart.pan_right", show=False),
        Binding("f", "fit", "Fit", id="chart.fit", show=False),
        Binding("n", "follow", "Live", id="chart.follow", show=False),
        Binding("D", "preset('day')", "1 day", id="chart.range_day", show=False),
        Binding("W", "preset('week')", "7 days", id="chart.range_week", show=False),
        Binding("M", "preset('month')", "30 days", id="chart.range_month", show=False),
        Binding("Q", "preset('quarter')", "90 days", id="chart.range_quarter", show=False),
        Binding("Y", "preset('year')", "A year", id="chart.range_year", show=False),
        Binding("A", "preset('all')", "All", id="chart.range_all", show=False),
        Binding("t", "basis", "Basis", id="chart.basis"),
        Binding("m", "mark", "Mark", id="chart.mark"),
        Binding("enter", "range_again", "Marked range", id="chart.range_again", show=False),
        Binding("i", "in_words", "Words", id="chart.in_words"),
        Binding("escape", "clear", "Clear marks", id="chart.clear", show=False),
    ]

    class Wanted(Message):
        """The series from `start_s`, 0 for all there is, to before `end_s` are to be given to `show`."""

        def __init__(self, chart: PriceChart, start_s: float, end_s: float) -> None:
            self.chart = chart
            self.start_s = start_s
            self.end_s = end_s
            super().__init__()

        @property
        def control(self) -> PriceChart:
            """The chart that wants them."""
            return self.chart

    class RangeMarked(Message):
        """The operator has marked a range: the moments of its first and its last figure, unix seconds, both in it."""

        def __init__(self, from_s: float, to_s: float) -> None:
            self.from_s = from_s
            self.to_s = to_s
            super().__init__()

    class BasisChanged(Message):
        """The divergence is shown on another basis."""

        def __init__(self, basis: Basis) -> None:
            self.basis = basis
            super().__init__()

    def __init__(
        self,
        *,
        preset: str = "day",
        view: ChartView | None = None,
        basis: Basis = "block",
        ascii_only: bool = False,
        id: str | None = None,
    ) -> None:
        """`preset` is the name of the range to begin with, where there is no `view`; `ascii_only` draws without braille
        and blocks.
        """
        super().__init__(id=id)
        self._first_preset = preset
        self._view = view
        self._wanted: tuple[float, float] | None = None
        self._range: PriceRange | None = None
        self._basis: Basis = basis
        self._ascii = ascii_only
        self._marks = Marks()
        self._trouble: str | None = None

    @property
    def basis(self) -> Basis:
        """On which basis the divergence is shown."""
        return self._basis

    @property
    def view(self) -> ChartView:
        """The span that is shown."""
        if self._view is None:
            self._view = preset_view(self._first_preset, clock.now_s())
        return self._view

    @property
    def style(self) -> Style:
        """What can be drawn with."""
        if self._ascii:
            return Style.ASCII
        return Style.LETTERS if self.app.no_color else Style.COLOUR

    def use_ascii(self, ascii_only: bool) -> None:
        """Draw with ASCII characters alone, or no longer."""
        self._ascii = ascii_only
        self._redraw()

    def compose(self) -> ComposeResult:
        """Heading, prices, divergence, the figures at the cursor, legend; or all of it in words."""
        yield Static(id="chart-heading", markup=False)
        yield Chart("", id="prices", least_rows=3)
        yield Chart("", id="divergence", least_rows=4)
        yield Static(id="chart-words", markup=False)
        yield Static(id="readout", markup=False)
        yield Static(id="chart-legend", markup=False)

    def on_mount(self) -> None:
        """Ask for the first span."""
        self.reload()

    def on_resize(self) -> None:
        """Share out the rows."""
        rows = self.size.height
        strip = next((strip for below, strip in _STRIP_ROWS if rows < below), _STRIP_ROWS_AT_MOST)
        self.query_one("#divergence").styles.height = strip
        self._redraw()

    def reload(self) -> None:
        """Ask for the series again: the store has changed, or time has passed."""
        self._go(self.view.at(clock.now_s()))

    def show(self, found: PriceRange | None) -> None:
        """Show the series that were wanted; others, which are late, are dropped. None: no store is open yet."""
        if found is not None and (found.series.start_s, found.series.end_s) != self._wanted:
            return
        self._range = found
        self._trouble = None
        extent = found.series.extent if found is not None else None
        if extent is not None and self.view.preset == "all":
            self._view = replace(self.view, start_s=extent[0])
        self._redraw()

    def show_trouble(self, sentence: str) -> None:
        """Say why the series can't be read; what was shown last stays."""
        self._trouble = sentence
        self._redraw()

    def _go(self, view: ChartView) -> None:
        self._view = view
        start_s = 0.0 if view.preset == "all" else view.start_s
        self._wanted = (start_s, view.end_s)
        self.post_message(self.Wanted(self, *self._wanted))
        self._redraw()

    def shown(self) -> ShownChart | None:
        """The chart as it stands, to be kept; None when there is nothing on it."""
        if self._range is None or not len(self._range.stops):
            return None
        frame, view = self._frame(self._range), self.view
        charts = [self.query_one(f"#{name}", Chart).drawn for name in ("prices", "divergence")]
        words = [self.query_one(f"#{name}", Static).content for name in ("chart-heading", "readout", "chart-legend")]
        heading, readout, legend = (word if isinstance(word, Text) else Text(str(word)) for word in words)
        return ShownChart(
            f"prices-{view.title.replace(' ', '-')}",
            {"what": "price chart", **price_words.facts(frame)},
            [heading, *charts, readout, legend],
        )

    def _frame(self, found: PriceRange) -> Frame:
        view = self.view
        return Frame(found.series, view.start_s, view.end_s, self._basis, self.style, self._marks)

    @property
    def _column_s(self) -> float:
        return self.view.span_s / max(self.size.width - LABEL_COLUMNS - 1, 1)

    def _redraw(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        view, width = self.view, self.size.width
        self._update("#chart-heading", price_words.heading(view, self._basis, width))
        prices, strip = self.query_one("#prices", Chart), self.query_one("#divergence", Chart)
        if self._range is None or view.start_s <= 0:
            prices.show_fitted(_nothing, self._trouble or self._sentence(view))
            strip.show_fitted(_nothing, "")
            self._update("#chart-legend", Text(""))
            self._update("#chart-words", Text(self._trouble or self._sentence(view)))
            self._update("#readout", Text(""))
            return
        frame = self._frame(self._range)
        prices.show_fitted(partial(price_picture, frame), self._sentence(view))
        strip.show_fitted(
            partial(divergence_picture, frame),
            f"No divergence on the basis {self._basis} in this span; {key_of(self, 'chart.basis')}: another basis.",
        )
        self._update("#chart-legend", price_words.legend(frame, width, _LEGEND_LINES))
        self._show_readout()
        if self.has_class("-in-words"):
            statistics = self._range.statistics[self._basis]
            self._update("#chart-words", Text(price_words.summary(frame, statistics)))

    def _sentence(self, view: ChartView) -> str:
        if self._range is None:
            return READING
        if self._range.series.extent is None and view.start_s <= 0:
            return "Nothing is stored yet: the first round stores a price at each of the last blocks."
        span = formats.utc_span(view.start_s, view.end_s)
        shows_all, newest = key_of(self, "chart.range_all"), key_of(self, "chart.follow")
        return f"No price is stored from {span}. {shows_all} shows all there is, {newest} the newest."

    def _show_readout(self) -> None:
        if self._trouble is not None:
            self._update("#readout", Text(f"✗ {self._trouble}", "red", no_wrap=True, overflow="ellipsis"))
            return
        at_s = self._marks.cursor_s
        if at_s is None:
            at_s = self._last_stop()
        if at_s is None or self._range is None:
            self._update("#readout", Text(""))
            return
        reading = read_at(self._range.series, self._basis, at_s, self._column_s)
        is_cursor = self._marks.cursor_s is not None
        self._update(
            "#readout", price_words.readout(reading, self._basis, self.size.width, self.style, is_cursor=is_cursor)
        )

    def _last_stop(self) -> float | None:
        """The last figure in the span."""
        if self._range is None:
            return None
        stops = self._range.stops[: self._range.stops.searchsorted(self.view.end_s)]
        return float(stops[-1]) if len(stops) and stops[-1] >= self.view.start_s else None

    def _update(self, where: str, text: Text) -> None:
        static = self.query_one(where, Static)
        if static.content != text:
            static.update(text, layout=False)

    def _mark(self, **changes: float | None) -> None:
        self._marks = replace(self._marks, **changes)
        self._redraw()

    def action_cursor(self, columns: int) -> None:
        """Move the cursor by about so many columns, to a figure; the first time, to the last figure in the span."""
        if self._range is None:
            return
        at_s = self._marks.cursor_s
        found = self._last_stop() if at_s is None else None
        if found is None:
            from_s = self.view.end_s if at_s is None else at_s
            found = next_stop(self._range.stops, from_s, columns * self._column_s)
        if found is None:
            return
        self._marks = replace(self._marks, cursor_s=found)
        moved = self.view.shifted_to(found, clock.now_s())
        if moved is not self.view:
            self._go(moved)
        else:
            self._redraw()

    def action_cursor_end(self, direction: int) -> None:
        """Move the cursor to the first (-1) or the last (1) figure of the span."""
        if self._range is None:
            return
        edge_s = self.view.end_s if direction > 0 else self.view.start_s
        found = self._last_stop() if direction > 0 else next_stop(self._range.stops, edge_s, 0.0)
        if found is not None and self.view.start_s <= found < self.view.end_s:
            self._mark(cursor_s=found)

    def action_zoom(self, inwards: bool) -> None:
        """Half or double the span, around the cursor if there is one; at the most, show all there is."""
        first_s = self._range.first_s if self._range is not None else None
        self._go(self.view.zoomed(inwards, self._marks.cursor_s, clock.now_s(), first_s))

    def action_pan(self, direction: int) -> None:
        """Go to earlier or later times."""
        self._go(self.view.panned(direction, clock.now_s()))

    def action_fit(self) -> None:
        """Fit the span to the marked range, or to the figures that there are in it."""
        first_s, last_s = self._marks.range_start_s, self._marks.range_end_s
        if first_s is None or last_s is None:
            if self._range is None or not len(self._range.stops):
                return
            first_s, last_s = next_stop(self._range.stops, self.view.start_s, 0.0), self._last_stop()
        if first_s is not None and last_s is not None:
            self._go(view_of(min(first_s, last_s), max(first_s, last_s), clock.now_s()))

    def action_follow(self) -> None:
        """Follow the time again."""
        self._marks = replace(self._marks, cursor_s=None)
        self._go(following(self.view, clock.now_s()))

    def action_preset(self, name: str) -> None:
        """Show one of the ranges that have a key, up to now."""
        self._go(preset_view(name, clock.now_s()))

    def action_basis(self) -> None:
        """Compare on the next basis."""
        order: tuple[Basis, ...] = ("block", *(basis for basis in BASES if basis != "block"))
        self._basis = order[(order.index(self._basis) + 1) % len(order)]
        self._redraw()
        self.post_message(self.BasisChanged(self._basis))

    def action_mark(self) -> None:
        """Mark one end of a range at the cursor, then the other."""
        at_s = self._marks.cursor_s if self._marks.cursor_s is not None else self._last_stop()
        if at_s is None:
            return
        start_s, end_s = self._marks.range_start_s, self._marks.range_end_s
        if start_s is None or end_s is not None:
            self._mark(cursor_s=at_s, range_start_s=at_s, range_end_s=None)
            return
        self._mark(cursor_s=at_s, range_end_s=at_s)
        self.action_range_again()

    def action_range_again(self) -> None:
        """Ask what is to be done with the marked range."""
        start_s, end_s = self._marks.range_start_s, self._marks.range_end_s
        if start_s is not None and end_s is not None:
            self.post_message(self.RangeMarked(min(start_s, end_s), max(start_s, end_s)))

    def action_clear(self) -> None:
        """Take away the marks and the cursor."""
        self._marks = Marks()
        self._redraw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape is the screen's where there is nothing to clear."""
        return action != "clear" or self._marks != Marks()

    def action_in_words(self) -> None:
        """Say what the chart shows in a paragraph, or draw it again."""
        self.toggle_class("-in-words")
        self._redraw()


def _nothing(columns: int, rows: int) -> None:
    return None
