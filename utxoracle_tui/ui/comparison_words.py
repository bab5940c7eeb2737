"""Two windows set side by side in words: a line for each figure, what it is of either, and how far they are apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from rich.table import Table
from rich.text import Text

from utxoracle_tui import formats
from utxoracle_tui.engine.pricing import PricedWindow
from utxoracle_tui.engine.validation import Limits, validate
from utxoracle_tui.ui.verdict_words import verdict

Side = Literal["A", "B"]
_NONE = "–"
_WINDOW_COLUMNS = 12
"""A column of a window that is narrower has a figure on several lines."""


def _signed(value: float, digits: int) -> str:
    """With its sign, and + for what rounds to nothing."""
    return f"{round(value, digits) + 0.0:+,.{digits}f}"


@dataclass(frozen=True, slots=True)
class _Line:
    what: str
    words: Callable[[PricedWindow], str]
    figure: Callable[[PricedWindow], float | None] | None = None
    apart: Callable[[float], str] = lambda difference: _signed(difference, 0)


def titles(window: PricedWindow) -> str:
    """What the blocks of a window are."""
    day = window.window.day
    blocks = window.window.blocks
    return f"{day.day} UTC" if day is not None else f"{blocks.first}–{blocks.last}"


def comparison(windows: Sequence[PricedWindow | None], waiting: Sequence[str], limits: Limits) -> Table:
    """The price and what it rests on; `waiting` is what to say of a window that isn't there."""
    return _table(windows, waiting, _FIGURES, limits)


def filter_comparison(windows: Sequence[PricedWindow | None], waiting: Sequence[str]) -> Table:
    """What each filter left out, as a share of the transactions of either."""
    return _table(windows, waiting, _FILTERS)


def _table(
    windows: Sequence[PricedWindow | None],
    waiting: Sequence[str],
    lines: Sequence[_Line],
    limits: Limits | None = None,
) -> Table:
    """Of the lines, after that of the prices where there are limits for these."""
    first, second = windows
    table = Table.grid(padding=(0, 2))
    # where there is no room for all, the windows' own words go on in a second line
    table.add_column(no_wrap=True)
    for _ in windows:
        table.add_column(overflow="fold", min_width=_WINDOW_COLUMNS)
    table.add_column(no_wrap=True, overflow="ellipsis")
    heads = [titles(window) if window else words for window, words in zip(windows, waiting, strict=True)]
    table.add_row("", *(f"{side}  {head}" for side, head in zip("AB", heads, strict=True)), "B - A", style="bold")
    if limits is not None:
        table.add_row("price", *(_price(window, limits) for window in windows), _prices_apart(first, second))
    for line in lines:
        cells = [line.words(window) if window else _NONE for window in windows]
        table.add_row(line.what, *cells, _apart(line, first, second))
    return table


def _price(window: PricedWindow | None, limits: Limits) -> Text:
    if window is None:
        return Text(_NONE)
    price_usd = window.price.price_usd
    text = Text(formats.usd(price_usd) if price_usd is not None else "no price", "bold")
    return text.append("  ").append_text(verdict(valid=validate(window.price, limits).valid))


def _prices_apart(first: PricedWindow | None, second: PricedWindow | None) -> Text:
    of_first = first.price.price_usd if first else None
    of_second = second.price.price_usd if second else None
    if of_first is None or of_second is None:
        return Text(_NONE)
    apart = of_second - of_first
    share = f"({_signed(apart / of_first * 100, 2)} %)"
    return Text(f"{'+' if apart >= 0 else '-'}{formats.usd(abs(apart))} {share}", "bold")


def _apart(line: _Line, first: PricedWindow | None, second: PricedWindow | None) -> str:
    if line.figure is None or first is None or second is None:
        return ""
    figures = line.figure(first), line.figure(second)
    if figures[0] is None or figures[1] is None:
        return ""
    return line.apart(figures[1] - figures[0])


def _points(window: PricedWindow) -> float | None:
    return float(len(window.price.points.usd)) if window.price.points else None


def _spread_pct(window: PricedWindow) -> float | None:
    return window.price.spread.deviation_pct * 100 if window.price.spread else None


def _spread(window: PricedWindow) -> str:
    spread = window.price.spread
    return f"± {formats.whole_usd(spread.deviation_usd)} ({spread.deviation_pct * 100:.1f} %)" if spread else _NONE


def _blocks(window: PricedWindow) -> str:
    blocks = window.window.blocks
    return f"{window.price.outputs.n_blocks}, {blocks.first}–{blocks.last}"


def _began(window: PricedWindow) -> str:
    times = window.price.outputs.block_times
    first, last = (datetime.fromtimestamp(int(times[end]), UTC) for end in (0, -1))
    return f"{first:%m-%d %H:%M} – {last:{'%H:%M' if first.date() == last.date() else '%m-%d %H:%M'}}"


def _octave(window: PricedWindow) -> str:
    octave = window.price.octave
    if octave is None:
        return _NONE
    suspect = "SUSPECT " if window.price.octave_suspect else ""
    return f"{suspect}{formats.percent(octave.margin)} over {formats.whole_usd(octave.rival_usd)}"


def _of_all(counted: Callable[[PricedWindow], int]) -> Callable[[PricedWindow], float | None]:
    def share_pct(window: PricedWindow) -> float | None:
        total = window.price.outputs.filters.total
        return counted(window) / total * 100 if total else None

    return share_pct


def _filter(what: str, counted: Callable[[PricedWindow], int]) -> _Line:
    def words(window: PricedWindow) -> str:
        total = window.price.outputs.filters.total
        share = f"  {formats.percent(counted(window) / total)}" if total else ""
        return f"{counted(window):,}{share}"

    return _Line(what, words, _of_all(counted), lambda apart: f"{_signed(apart, 2)} % of all")


_FIGURES = (
    _Line(
        "confidence",
        lambda window: f"{window.price.confidence.value:.2f}",
        lambda window: window.price.confidence.value,
        lambda apart: _signed(apart, 2),
    ),
    _Line("spread", _spread, _spread_pct, lambda apart: f"{_signed(apart, 1)} %"),
    _Line("points", lambda window: f"{_points(window) or 0:,.0f}", _points),
    _Line("octave", _octave),
    _Line("blocks", _blocks, lambda window: float(window.price.outputs.n_blocks)),
    _Line("time (UTC)", _began),
)
_FILTERS = (
    _Line(
        "transactions",
        lambda window: f"{window.price.outputs.filters.total:,}",
        lambda window: float(window.price.outputs.filters.total),
    ),
    _filter("over 5 inputs", lambda window: window.price.outputs.filters.inputs),
    _filter("not 2 outputs", lambda window: window.price.outputs.filters.outputs),
    _filter("OP_RETURN", lambda window: window.price.outputs.filters.op_return),
    _filter("witness > 500 B", lambda window: window.price.outputs.filters.witness),
    _filter("spent inside", lambda window: window.price.outputs.filters.same_window),
    _filter("counted", lambda window: window.price.outputs.filters.passed),
)
