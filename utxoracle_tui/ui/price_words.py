"""What the price chart says in words: its legend, the figures at the cursor, and all of it as a paragraph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from utxoracle_tui import formats
from utxoracle_tui.engine.chart.cursor import BlockAt, CursorReading, FigureAt
from utxoracle_tui.engine.chart.figures import facts_of
from utxoracle_tui.engine.chart.levels import ALERT_PCT, LARGE_PCT, Level, level_of, levels
from utxoracle_tui.engine.chart.series import Codes, Flags, Floats, GapReason, Source, State, inside
from utxoracle_tui.engine.chart.statistics import RangeStatistics
from utxoracle_tui.store.statistics import Basis
from utxoracle_tui.ui.chart_view import ChartView
from utxoracle_tui.ui.price_glyphs import Style
from utxoracle_tui.ui.price_pictures import Frame

_LEVEL_STYLE = {Level.LARGE: "bold yellow", Level.ALERT: "bold red"}
_WIDE_COLUMNS, _WIDEST_COLUMNS = 110, 140
Words = NDArray[np.str_]
_WEAK = np.array(["weak" if state is State.LOW_CONFIDENCE else "" for state in State])
"""What a paragraph calls a block price that is no plain one, by its state; below, window and exchange prices."""
_OF_STATES = np.array(["" if state is State.VALID else state.word for state in State])
_OF_SOURCES = np.array(
    [{Source.OWN: "", Source.PUBLIC: "public (fallback)"}.get(source, source.word) for source in Source]
)


@dataclass(frozen=True, slots=True)
class _Entry:
    mark: str
    words: str
    style: str


def divergence(pct: float | None, style: Style = Style.COLOUR, *, brief: bool = False) -> Text:
    """A divergence with its sign, and a word and a mark where it is large; `brief` leaves the word out."""
    if pct is None or np.isnan(pct):
        return Text("-" if style is Style.ASCII else "–", "dim")
    level = level_of(pct)
    figure = formats.signed_percent(pct)
    if level is Level.ALERT:
        return Text(f"! {figure}" if brief else f"! ALERT {figure}", _LEVEL_STYLE[level])
    if level is Level.LARGE:
        up, down = ("^", "v") if style is Style.ASCII else ("▲", "▼")
        mark, word = (up, "high") if pct > 0 else (down, "low")
        return Text(f"{mark} {figure}" if brief else f"{mark} {figure} {word}", _LEVEL_STYLE[level])
    return Text(figure)


def heading(view: ChartView, basis: Basis, width: int) -> Text:
    """What is shown: the span, whether it follows the time, and on which basis; with both ends where there is room."""
    whole, short = "all there is", "all there is"
    if view.start_s > 0:
        whole, short = (words(view.start_s, view.end_s) for words in (formats.utc_span, formats.short_utc_span))
    state, hint = ("live", "") if view.follows else ("still", " (n: live)")
    forms = (
        (f"{view.title} · {state}{hint} · divergence: {basis}", whole),
        (f"{view.title} · {state}{hint} · divergence: {basis}", short),
        (f"{view.title} · {state} · divergence: {basis}", short),
        (f"{view.title} · {state} · {basis}", short),
    )
    what, span = next((form for form in forms if len(" · ".join(form)) <= width), forms[-1])
    text = Text(what, "bold", no_wrap=True)
    text.append(f" · {span}", "not bold")
    text.truncate(width, overflow="ellipsis")
    return text


def legend(frame: Frame, width: int, lines: int) -> Text:
    """The marks that are on the chart and how many there are of each, in at most so many lines."""
    text, used, line = Text(no_wrap=True), 0, 1
    entries = _entries(frame)
    for number, entry in enumerate(entries):
        length = len(entry.mark) + 1 + len(entry.words) + 2
        if used and used + length > width:
            if line == lines:
                text.append(f"+{len(entries) - number}", "dim")
                break
            text.append("\n")
            used, line = 0, line + 1
        text.append(entry.mark, entry.style)
        text.append(f" {entry.words}  ", "dim")
        used += length
    return text


def _entries(frame: Frame) -> list[_Entry]:
    """What there is in the span, the lines first and then what is out of the ordinary."""
    series, glyphs = frame.series, frame.glyphs
    blocks, windows, exchange = series.blocks, series.windows, series.exchange
    states = blocks.state[inside(blocks.time_s, frame.start_s, frame.end_s)]
    of_windows = windows.state[inside(windows.time_s, frame.start_s, frame.end_s)]
    sources = exchange.source[inside(exchange.time_s, frame.start_s, frame.end_s)]
    over_large, over_alert = _over(frame)
    priced = _count(states, State.VALID) + _count(states, State.LOW_CONFIDENCE)
    line, orphaned = glyphs.line_sample, glyphs.states[State.ORPHANED]
    counted = [
        (glyphs.block or line, "block", priced, "green"),
        (glyphs.exchange or line, "exchange", _count(sources, Source.OWN), "red"),
        (glyphs.window, "window", _count(of_windows, State.VALID), "rgb(138,106,59)"),
        (glyphs.alert, f"ALERT, over {ALERT_PCT:g} %:", over_alert, "bold red"),
        (f"{glyphs.high}{glyphs.low}", f"over {LARGE_PCT:g} %:", over_large, "bold yellow"),
        (glyphs.gap, "no price", _count(states, State.GAP), "yellow"),
        (glyphs.weak, "weak", _count(states, State.LOW_CONFIDENCE), "green"),
        *(
            (glyphs.states[state], state.word, _count(of_windows, state), "yellow")
            for state in (State.NOT_VALID, State.LOW_CONFIDENCE, State.IMPORTED, State.UNKNOWN)
        ),
        (orphaned, "orphaned", _count(of_windows, State.ORPHANED) + _count(states, State.ORPHANED), "yellow"),
        (glyphs.public, "PUBLIC", _count(sources, Source.PUBLIC), "red"),
        (glyphs.daily, "daily exchange", _count(sources, Source.DAILY), "red"),
        (glyphs.imported_exchange, "imported exchange", _count(sources, Source.IMPORTED), "red"),
    ]
    found = [_Entry(mark, f"{words} {count:,}", style) for mark, words, count, style in counted if count]
    return [*found, _Entry(glyphs.band, "band", "green")] if priced else found


def _count(codes: Codes, code: int) -> int:
    return int(np.count_nonzero(codes == code))


def readout(reading: CursorReading, basis: Basis, width: int, style: Style, *, is_cursor: bool) -> Text:
    """The figures at a moment in one line: of the prices, on a narrow terminal, those that the basis compares."""
    wide, widest = width >= _WIDE_COLUMNS, width >= _WIDEST_COLUMNS
    text = Text("at " if is_cursor else "last ", "bold" if is_cursor else "dim", no_wrap=True)
    text.append(formats.utc_minute(reading.time_s), "bold")
    if reading.block is not None:
        text.append(f" #{reading.block.height}")
    if basis == "block" or wide:
        text.append(" block ", "dim")
        _append_block(text, reading.block, with_band=widest)
    if basis != "block":
        text.append(" window ", "dim")
        _append_window(text, reading.window)
    text.append(" exchange " if wide else " exch ", "dim")
    _append_exchange(text, reading.exchange)
    text.append(f" {basis} " if wide else " ", "dim")
    text.append_text(divergence(reading.divergence.pct if reading.divergence else None, style))
    if basis == "block" and wide:
        text.append(" window ", "dim")
        _append_window(text, reading.window)
    text.truncate(width, overflow="ellipsis")
    return text


def _append_window(text: Text, window: FigureAt | None) -> None:
    if window is None:
        text.append("none")
        return
    text.append(formats.usd(window.price_usd), "bold")
    if window.state is not State.VALID:
        text.append(f" {window.state.word}", "yellow")


def _append_exchange(text: Text, exchange: FigureAt | None) -> None:
    if exchange is None:
        text.append("none")
        return
    text.append(formats.usd(exchange.price_usd), "bold")
    if exchange.source is not Source.OWN:
        word = exchange.source.word
        text.append(f" {word.upper() if exchange.source is Source.PUBLIC else word}", "yellow")


def _append_block(text: Text, block: BlockAt | None, *, with_band: bool) -> None:
    if block is None:
        text.append("none")
    elif block.price_usd is None:
        text.append(f"none: {block.gap.word}", "yellow")
    else:
        text.append(formats.usd(block.price_usd), "bold")
        if with_band and block.low_usd is not None and block.high_usd is not None:
            text.append(f" ({formats.whole_usd(block.low_usd)}–{formats.whole_usd(block.high_usd)})", "dim")
        if block.state is not State.VALID:
            text.append(" orphaned" if block.state is State.ORPHANED else " weak", "yellow")


def summary(frame: Frame, statistics: RangeStatistics) -> str:
    """What the chart shows, as one paragraph."""
    series = frame.series
    blocks, windows, exchange = series.blocks, series.windows, series.exchange
    on_chain, of_windows = (np.where(_kept(line.state), line.price_usd, np.nan) for line in (blocks, windows))
    parts = [
        f"From {formats.utc_minute(frame.start_s)} to {formats.utc_minute(frame.end_s)} UTC.",
        _course(frame, "The block price", blocks.time_s, on_chain, _WEAK[blocks.state]),
        _course(frame, "The window price", windows.time_s, of_windows, _OF_STATES[windows.state]),
        _course(frame, "The exchange price", exchange.time_s, exchange.price_usd, _OF_SOURCES[exchange.source]),
        _course_of_divergence(frame, statistics),
        _gaps(frame, statistics),
    ]
    return " ".join(parts)


def facts(frame: Frame) -> dict[str, object]:
    """What a file with the figures of a span says of them first."""
    return {
        "from": formats.utc_minute(frame.start_s) if frame.start_s > 0 else None,
        "to": formats.utc_minute(frame.end_s),
        "basis": frame.basis,
        **facts_of(frame.series, frame.start_s, frame.end_s),
    }


def _kept(states: Codes) -> Flags:
    kept: Flags = states != State.ORPHANED
    return kept


def _course(frame: Frame, subject: str, times: Floats, prices: Floats, out_of_the_ordinary: Words) -> str:
    """How a price went; `out_of_the_ordinary` is what each figure is, an empty word for a plain one."""
    here = inside(times, frame.start_s, frame.end_s)
    known = ~np.isnan(prices[here])
    at, price, words = times[here][known], prices[here][known], out_of_the_ordinary[here][known]
    if not len(price):
        return f"{subject} is not known anywhere in it."
    low, high = int(price.argmin()), int(price.argmax())
    count = formats.plural(len(price), "figure")
    named = [f"{np.count_nonzero(words == word):,} {word}" for word in dict.fromkeys(words.tolist()) if word]
    count += f", of which {', '.join(named)}" if named else ""
    if price[low] == price[high]:
        when = f"on {formats.utc_minute(at[0])}" if len(price) == 1 else "throughout"
        return f"{subject} was {formats.usd(price[0])} {when} ({count})."
    return (
        f"{subject} went from {formats.usd(price[0])} to {formats.usd(price[-1])} ({count}), with "
        f"{formats.usd(price[low])} as its lowest on {formats.utc_minute(at[low])} and {formats.usd(price[high])} "
        f"as its highest on {formats.utc_minute(at[high])}."
    )


def _course_of_divergence(frame: Frame, statistics: RangeStatistics) -> str:
    low_pct, high_pct = statistics.smallest_pct, statistics.largest_pct
    low_at, high_at = statistics.smallest_time_s, statistics.largest_time_s
    if statistics.mean_pct is None or low_pct is None or high_pct is None or low_at is None or high_at is None:
        return f"There is no divergence on the basis {statistics.basis}."
    over_large, over_alert = _over(frame)
    mean, low, high = map(formats.signed_percent, (statistics.mean_pct, low_pct, high_pct))
    found = f"{mean} in the mean, from {low} on {formats.utc_minute(low_at)} to {high} on {formats.utc_minute(high_at)}"
    if statistics.count == 1:
        found = f"{mean} on {formats.utc_minute(low_at)}, its only figure"
    return (
        f"The divergence on the basis {statistics.basis} is {found}; {over_large:,} of {statistics.count:,} over "
        f"{LARGE_PCT:g} %, {over_alert:,} over {ALERT_PCT:g} %."
    )


def _over(frame: Frame) -> tuple[int, int]:
    """How many divergences are over what is large, and over what is an alert: those are large as well."""
    pairs = frame.series.comparisons[frame.basis]
    here = inside(pairs.time_s, frame.start_s, frame.end_s)
    size = levels(pairs.divergence_pct[here][_kept(pairs.state[here])])
    alerts = _count(size, Level.ALERT)
    return _count(size, Level.LARGE) + alerts, alerts


def _gaps(frame: Frame, statistics: RangeStatistics) -> str:
    blocks = frame.series.blocks
    here = inside(blocks.time_s, frame.start_s, frame.end_s)
    reasons = blocks.gap[here][blocks.state[here] == State.GAP]
    words = [
        f"{_count(reasons, reason):,} {reason.word}"
        for reason in GapReason
        if reason is not GapReason.NONE and _count(reasons, reason)
    ]
    found = "No stored block is without a price"
    if len(reasons):
        verb = "has" if len(reasons) == 1 else "have"
        found = f"{formats.plural(len(reasons), 'block')} {verb} no price ({', '.join(words)})"
    if statistics.blocks_covered is not None:
        found += f"; {formats.percent(statistics.blocks_covered)} of the blocks have one"
    if statistics.hours_covered is not None:
        found += f"; {formats.percent(statistics.hours_covered)} of the hours have a divergence"
    return f"{found}."
