"""The price chart and its divergence strip as pictures, from the series of a span; pure, for a thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from utxoracle_core.block_price import STALE_AFTER_S
from utxoracle_tui.engine.chart.levels import ALERT_PCT, LARGE_PCT
from utxoracle_tui.engine.chart.reduction import Envelope, HeldLine, envelope, hold_until
from utxoracle_tui.engine.chart.series import Codes, Flags, Floats, PriceSeries, Source, State, inside
from utxoracle_tui.engine.exchange_mean import HELD_S
from utxoracle_tui.store.statistics import Basis
from utxoracle_tui.ui.axes import price_range, price_ticks, time_ticks
from utxoracle_tui.ui.cells import DOTS_A_COLUMN, Axis, Canvas, CellPicture, room_in
from utxoracle_tui.ui.pictures import Colour, Tick
from utxoracle_tui.ui.price_glyphs import GLYPHS, Glyphs, Style

LABEL_COLUMNS = 8
"""The same on both charts, so that they share their time axis, and always, so that nothing jumps."""
_AXIS_FROM_ROWS = 8
"""With fewer rows the prices need all of them; the strip below has the axis."""
_DAY_S = 86_400.0
_MOST_MEDIANS = 3.0
_STRIP_ENDS_PCT = (2.5, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0)
_BLOCKS: Colour = "success"
_BAND: Colour = "band"
_STATE_COLOUR: dict[State, Colour] = {State.IMPORTED: "accent"}


@dataclass(frozen=True, slots=True)
class Marks:
    """What the operator has put on the chart: unix seconds."""

    cursor_s: float | None = None
    range_start_s: float | None = None
    range_end_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What both charts are of."""

    series: PriceSeries
    start_s: float
    end_s: float
    basis: Basis
    style: Style
    marks: Marks

    @property
    def glyphs(self) -> Glyphs:
        """The marks of its style."""
        return GLYPHS[self.style]


def price_picture(frame: Frame, columns: int, rows: int) -> CellPicture | None:
    """The three prices over time in so many cells; None where there is none in the span."""
    axis = Axis.LINE if rows >= _AXIS_FROM_ROWS else Axis.NONE
    room = room_in(columns, rows, LABEL_COLUMNS, axis)
    bounds = _bounds(frame)
    if bounds is None:
        return None
    canvas = Canvas(room, (frame.start_s, frame.end_s), bounds)
    _draw_blocks_band(canvas, frame)
    _draw_marks(canvas, frame)
    _draw_window(canvas, frame)
    _draw_blocks(canvas, frame)
    _draw_exchange(canvas, frame)
    _draw_states_of_prices(canvas, frame)
    _draw_cursor_point(canvas, frame)
    return _picture(canvas, frame, price_ticks(bounds, room.rows), axis)


def divergence_picture(frame: Frame, columns: int, rows: int) -> CellPicture | None:
    """The divergence over time, up and down from zero; None where there is none in the span."""
    room = room_in(columns, rows, LABEL_COLUMNS, Axis.LABELLED)
    pairs = frame.series.comparisons[frame.basis]
    here = inside(pairs.time_s, frame.start_s, frame.end_s)
    known = ~np.isnan(pairs.divergence_pct[here])
    if not known.any():
        return None
    largest = float(np.abs(pairs.divergence_pct[here][known]).max())
    end = next((end for end in _STRIP_ENDS_PCT if end >= largest), largest)
    canvas = Canvas(room, (frame.start_s, frame.end_s), (-end, end))
    glyphs = frame.glyphs
    for threshold in (-LARGE_PCT, LARGE_PCT):
        canvas.across(threshold, glyphs.threshold, "quiet")
    canvas.across(0.0, glyphs.zero, "quiet")
    _draw_marks(canvas, frame)
    _draw_bars(canvas, frame)
    marks = {**glyphs.states, State.LOW_CONFIDENCE: glyphs.weak} if frame.basis == "block" else glyphs.states
    on_chain = pairs.state[pairs.state != State.ORPHANED]
    valid = _cells_of(canvas, _those(_divergence_line(frame), on_chain == State.VALID))
    _draw_states(canvas, pairs.time_s[here], pairs.divergence_pct[here], pairs.state[here], marks, valid=valid)
    return _picture(canvas, frame, _percent_ticks(canvas, end), Axis.LABELLED)


def _bounds(frame: Frame) -> tuple[float, float] | None:
    """The ends of the price axis: of all prices, and of the band around those at blocks."""
    series, found = frame.series, _band_ends(frame)
    for times, prices in (
        (series.blocks.time_s, series.blocks.price_usd),
        (series.windows.time_s, series.windows.price_usd),
        (series.exchange.time_s, series.exchange.price_usd),
    ):
        values = prices[inside(times, frame.start_s, frame.end_s)]
        values = values[~np.isnan(values)]
        if len(values):
            found += [float(values.min()), float(values.max())]
    return price_range(min(found), max(found)) if found else None


def _band_ends(frame: Frame) -> list[float]:
    """The lowest and the highest that the band around valid block prices reaches; nothing without any.

    A band can be as wide as it likes. One counts for no more than a few times the median, so that it doesn't press all
    others, and the lines, into a row or two.
    """
    blocks = frame.series.blocks
    here = inside(blocks.time_s, frame.start_s, frame.end_s)
    price, below, above = blocks.price_usd[here], blocks.low_usd[here], blocks.high_usd[here]
    valid = (blocks.state[here] == State.VALID) & ~(np.isnan(price) | np.isnan(below) | np.isnan(above))
    if not valid.any():
        return []
    price, below, above = price[valid], (price - below)[valid], (above - price)[valid]
    low = price - np.minimum(below, _MOST_MEDIANS * np.median(below))
    high = price + np.minimum(above, _MOST_MEDIANS * np.median(above))
    return [float(low.min()), float(high.max())]


def _held_blocks(frame: Frame, low: Floats, high: Floats) -> HeldLine:
    blocks = frame.series.blocks
    on_chain = blocks.state != State.ORPHANED
    times = blocks.time_s[on_chain]
    until = hold_until(times, STALE_AFTER_S, frame.series.read_s, blocks.breaks[on_chain])
    return HeldLine(times, low[on_chain], high[on_chain], until)


def _reduced(frame: Frame, line: HeldLine, columns: int) -> Envelope:
    return envelope(line, frame.start_s, frame.end_s, columns)


def _line(
    canvas: Canvas, frame: Frame, line: HeldLine, glyph: str, colour: Colour, *, shared_with: Colour | None = None
) -> None:
    """A line of braille dots, or of characters where it has one."""
    if not glyph:
        canvas.dots(_reduced(frame, line, canvas.columns * DOTS_A_COLUMN), colour, shared_with)
        return
    canvas.fill(_reduced(frame, line, canvas.columns), glyph, colour, shared_with)


def _draw_blocks_band(canvas: Canvas, frame: Frame) -> None:
    """The two edges of the band, dotted."""
    blocks = frame.series.blocks
    priced = ~np.isnan(blocks.price_usd)
    for edge in (blocks.low_usd, blocks.high_usd):
        known = np.where(priced, edge, np.nan)
        line = _held_blocks(frame, known, known)
        if frame.style is Style.ASCII:
            canvas.fill(_reduced(frame, line, canvas.columns), frame.glyphs.band, _BAND)
            continue
        dots = _reduced(frame, line, canvas.columns * DOTS_A_COLUMN)
        dots.low[1::DOTS_A_COLUMN] = np.nan
        canvas.dots(dots, _BAND)


def _draw_blocks(canvas: Canvas, frame: Frame) -> None:
    price = frame.series.blocks.price_usd
    _line(canvas, frame, _held_blocks(frame, price, price), frame.glyphs.block, _BLOCKS)


def _draw_block_states(canvas: Canvas, frame: Frame, valid_blocks: Flags, valid: Flags) -> None:
    blocks, glyphs = frame.series.blocks, frame.glyphs
    price = blocks.price_usd
    weak = blocks.state == State.LOW_CONFIDENCE
    # the line of the exchange goes through most of them, and is no reason to take them for sure
    canvas.mark(blocks.time_s[weak], price[weak], glyphs.weak, _BLOCKS, valid_blocks)
    gaps = canvas.column_of(blocks.time_s[blocks.state == State.GAP])
    canvas.put(gaps, np.zeros_like(gaps), glyphs.gap, "warning", but_for=valid)
    orphaned = blocks.state == State.ORPHANED
    canvas.mark(blocks.time_s[orphaned], price[orphaned], glyphs.states[State.ORPHANED], "warning", valid)


def _window_line(frame: Frame) -> HeldLine:
    windows = frame.series.windows
    kept = windows.state != State.ORPHANED
    times, price = windows.time_s[kept], windows.price_usd[kept]
    until = hold_until(times, np.where(windows.daily[kept], _DAY_S, HELD_S), frame.series.read_s)
    return HeldLine(times, price, price, until)


def _draw_window(canvas: Canvas, frame: Frame) -> None:
    _ends(canvas, frame, _window_line(frame), frame.glyphs.window, "secondary")


def _ends(canvas: Canvas, frame: Frame, line: HeldLine, glyph: str, colour: Colour) -> None:
    """The least and the greatest value of each column, and nothing between them: for lines that are to be quiet."""
    reduced = _reduced(frame, line, canvas.columns)
    for end in (reduced.low, reduced.high):
        canvas.fill(Envelope(end, end), glyph, colour)


def _draw_states_of_prices(canvas: Canvas, frame: Frame) -> None:
    """Mark what is out of the ordinary, where no valid price stands: that is the one to be read there."""
    blocks, windows, exchange = frame.series.blocks, frame.series.windows, _exchange_line(frame)
    on_chain, kept = (states[states != State.ORPHANED] for states in (blocks.state, windows.state))
    block_line = _held_blocks(frame, blocks.price_usd, blocks.price_usd)
    valid_blocks = _cells_of(canvas, _those(block_line, on_chain == State.VALID))
    valid_windows = _cells_of(canvas, _those(_window_line(frame), kept == State.VALID))
    own_exchange = _cells_of(canvas, _those(exchange, frame.series.exchange.source == Source.OWN))
    valid = valid_blocks | valid_windows | own_exchange
    _draw_block_states(canvas, frame, valid_blocks, valid)
    here = inside(windows.time_s, frame.start_s, frame.end_s)
    times, prices, states = windows.time_s[here], windows.price_usd[here], windows.state[here]
    _draw_states(canvas, times, prices, states, frame.glyphs.states, valid=valid)


def _those(line: HeldLine, which: Flags) -> HeldLine:
    """The values of a line that are wanted and known; each holds as long as in it."""
    known = which & ~np.isnan(line.high)
    return HeldLine(line.time_s[known], line.low[known], line.high[known], line.until_s[known])


def _cells_of(canvas: Canvas, line: HeldLine) -> Flags:
    """The cells that the values of a line stand in; of the newest, which is the one that holds now, all of them."""
    found = canvas.cells_at(line.time_s, line.high)
    if len(line.time_s):
        first, last = (max(int(canvas.column_of(at)), 0) for at in (line.time_s[-1], line.until_s[-1]))
        columns = np.arange(first, min(last + 1, canvas.columns))
        row = int(canvas.row_of(line.high[-1]))
        if 0 <= row < canvas.rows:
            found[row, columns] = True
    return found


def _draw_states(
    canvas: Canvas, times: Floats, values: Floats, states: Codes, marks: Mapping[State, str], *, valid: Flags
) -> None:
    for state, glyph in marks.items():
        of_state = states == state
        canvas.mark(times[of_state], values[of_state], glyph, _STATE_COLOUR.get(state, "warning"), valid)


def _exchange_line(frame: Frame) -> HeldLine:
    exchange = frame.series.exchange
    most_s = np.where(exchange.source == Source.DAILY, _DAY_S, HELD_S)
    until = hold_until(exchange.time_s, most_s, frame.series.read_s)
    return HeldLine(exchange.time_s, exchange.price_usd, exchange.price_usd, until)


def _draw_exchange(canvas: Canvas, frame: Frame) -> None:
    exchange, every = frame.series.exchange, _exchange_line(frame)
    for source in (Source.DAILY, Source.IMPORTED, Source.PUBLIC, Source.OWN):
        of_source = exchange.source == source
        if of_source.any():
            line = _those(every, of_source)
            if source is Source.DAILY:
                _ends(canvas, frame, line, frame.glyphs.daily, "error")
            else:
                _line(canvas, frame, line, frame.glyphs.of_source(source), "error", shared_with=_BLOCKS)


def _divergence_line(frame: Frame) -> HeldLine:
    pairs = frame.series.comparisons[frame.basis]
    kept = pairs.state != State.ORPHANED
    times, value = pairs.time_s[kept], pairs.divergence_pct[kept]
    most_s = np.where(pairs.daily[kept], _DAY_S, HELD_S)
    return HeldLine(times, value, value, hold_until(times, most_s, frame.series.read_s))


def _draw_bars(canvas: Canvas, frame: Frame) -> None:
    """Bars from zero, the far end of large ones marked; a gap has none."""
    line, glyphs = _divergence_line(frame), frame.glyphs
    bars = _reduced(frame, line, canvas.columns * (1 if glyphs.bar else DOTS_A_COLUMN))
    from_zero = Envelope(np.minimum(bars.low, 0.0), np.maximum(bars.high, 0.0))
    if glyphs.bar:
        canvas.fill(from_zero, glyphs.bar, "foreground")
    else:
        canvas.dots(from_zero, "foreground")
    reduced = _reduced(frame, line, canvas.columns)
    middles = frame.start_s + (np.arange(canvas.columns) + 0.5) * (frame.end_s - frame.start_s) / canvas.columns
    for ends, sign, glyph in ((reduced.high, 1, glyphs.high), (reduced.low, -1, glyphs.low)):
        large, alert = ends * sign > LARGE_PCT, ends * sign > ALERT_PCT
        canvas.mark(middles[large], ends[large], glyph, "warning")
        canvas.mark(middles[alert], ends[alert], glyphs.alert, "error")


def _draw_marks(canvas: Canvas, frame: Frame) -> None:
    marks, glyphs = frame.marks, frame.glyphs
    for edge_s in (marks.range_start_s, marks.range_end_s):
        if edge_s is not None:
            canvas.down(edge_s, glyphs.range_edge, "accent")
    if marks.cursor_s is not None:
        canvas.down(marks.cursor_s, glyphs.cursor, "primary")


def _draw_cursor_point(canvas: Canvas, frame: Frame) -> None:
    blocks, at_s = frame.series.blocks, frame.marks.cursor_s
    if at_s is not None:
        here = blocks.time_s == at_s
        canvas.mark(blocks.time_s[here], blocks.price_usd[here], frame.glyphs.at_cursor, "foreground")


def _percent_ticks(canvas: Canvas, end: float) -> list[Tick]:
    """Zero, both thresholds where they are rows apart from it, and both ends where there is room as well."""
    zero = int(canvas.row_of(0.0))
    found = [Tick(float(zero), "0 %")]
    for value in (LARGE_PCT, end):
        row = int(canvas.row_of(value))
        if row - max(int(tick.at) for tick in found) >= 1 and (value == LARGE_PCT or end > 2 * LARGE_PCT):
            found += [Tick(float(row), f"+{value:g} %"), Tick(float(canvas.row_of(-value)), f"-{value:g} %")]
    return found


def _picture(canvas: Canvas, frame: Frame, y_ticks: list[Tick], x_axis: Axis) -> CellPicture:
    return CellPicture(
        glyphs=canvas.glyphs,
        colours=canvas.colours,
        x_ticks=time_ticks(frame.start_s, frame.end_s, canvas.columns),
        y_ticks=y_ticks,
        label_columns=LABEL_COLUMNS,
        x_axis=x_axis,
        ascii=frame.style is Style.ASCII,
    )
