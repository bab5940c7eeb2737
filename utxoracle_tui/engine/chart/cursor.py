"""What stands at a moment of the chart: real figures only, none in between two of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from utxoracle_core.block_price import STALE_AFTER_S
from utxoracle_tui.engine.chart.series import Comparisons, Floats, GapReason, PriceSeries, Source, State
from utxoracle_tui.engine.exchange_mean import HELD_S
from utxoracle_tui.store.statistics import Basis

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class BlockAt:
    """The block that is nearest."""

    time_s: float
    height: int
    price_usd: float | None
    low_usd: float | None
    high_usd: float | None
    confidence: float | None
    state: State
    gap: GapReason


@dataclass(frozen=True, slots=True)
class FigureAt:
    """A price that held at the moment, and since when; `state` of a window price, `source` of the exchange's."""

    time_s: float
    price_usd: float
    state: State = State.UNKNOWN
    source: Source = Source.NONE


@dataclass(frozen=True, slots=True)
class DivergenceAt:
    """How far the two prices beside it are apart."""

    time_s: float
    pct: float
    state: State
    source: Source


@dataclass(frozen=True, slots=True)
class CursorReading:
    """All figures at a moment; None where there is none near."""

    time_s: float
    block: BlockAt | None
    window: FigureAt | None
    exchange: FigureAt | None
    divergence: DivergenceAt | None


def stops(series: PriceSeries) -> Floats:
    """The moments of all figures, in order, each once: where a cursor can stand."""
    lines = (series.blocks.time_s, series.windows.time_s, series.exchange.time_s)
    return np.unique(np.concatenate(lines))


def next_stop(at_s: Floats, from_s: float, by_s: float) -> float | None:
    """The first stop at least `by_s` away, before for a negative one; else the last one that way. None without any."""
    if not len(at_s):
        return None
    if by_s >= 0:
        return float(at_s[min(int(np.searchsorted(at_s, from_s + by_s)), len(at_s) - 1)])
    return float(at_s[max(int(np.searchsorted(at_s, from_s + by_s, side="right")) - 1, 0)])


def read_at(series: PriceSeries, basis: Basis, time_s: float, near_s: float) -> CursorReading:
    """The figures at a moment: of blocks and comparisons the nearest within `near_s`, else what still holds.

    The prices that the basis compares are those of one comparison, so that its divergence is theirs.
    """
    at_block = _block_number(series, time_s, near_s)
    pairs = series.comparisons[basis]
    at_pair = at_block if basis == "block" else _pair_number(pairs, time_s, near_s)
    pair = None if at_pair is None or np.isnan(pairs.onchain_usd[at_pair]) else at_pair
    window = _window(series, time_s, near_s)
    if pair is not None and basis != "block":
        window = FigureAt(
            float(pairs.time_s[pair]), float(pairs.onchain_usd[pair]), state=State(int(pairs.state[pair]))
        )
    return CursorReading(
        time_s=time_s,
        block=None if at_block is None else _block(series, at_block),
        window=window,
        exchange=_exchange(series, time_s, near_s) if pair is None else _exchange_of(pairs, pair),
        divergence=None if pair is None else _divergence(pairs, pair),
    )


def _near_or_held(times: Floats, time_s: float, near_s: float, holds_s: Floats) -> int | None:
    """The nearest of the times within `near_s`, else the last one before, while it holds; never one to come."""
    after = int(np.searchsorted(times, time_s, side="right"))
    around = [n for n in (after - 1, after) if 0 <= n < len(times) and abs(float(times[n]) - time_s) <= near_s]
    if around:
        return min(around, key=lambda n: abs(float(times[n]) - time_s))
    return after - 1 if after and time_s - times[after - 1] <= holds_s[after - 1] else None


def _block_number(series: PriceSeries, time_s: float, near_s: float) -> int | None:
    blocks = series.blocks
    return _near_or_held(blocks.time_s, time_s, near_s, np.where(blocks.breaks, 0.0, STALE_AFTER_S))


def _pair_number(pairs: Comparisons, time_s: float, near_s: float) -> int | None:
    there = np.flatnonzero(~np.isnan(pairs.onchain_usd))
    holds_s = np.where(pairs.daily[there], _DAY_S, STALE_AFTER_S)
    n = _near_or_held(pairs.time_s[there], time_s, near_s, holds_s)
    return None if n is None else int(there[n])


def _block(series: PriceSeries, n: int) -> BlockAt:
    blocks = series.blocks
    return BlockAt(
        time_s=float(blocks.time_s[n]),
        height=int(blocks.height[n]),
        price_usd=_known(blocks.price_usd[n]),
        low_usd=_known(blocks.low_usd[n]),
        high_usd=_known(blocks.high_usd[n]),
        confidence=_known(blocks.confidence[n]),
        state=State(int(blocks.state[n])),
        gap=GapReason(int(blocks.gap[n])),
    )


def _window(series: PriceSeries, time_s: float, near_s: float) -> FigureAt | None:
    windows = series.windows
    n = int(np.searchsorted(windows.time_s, time_s, side="right")) - 1
    if n < 0 or np.isnan(windows.price_usd[n]):
        return None
    holds_s = _DAY_S if windows.daily[n] else max(HELD_S, near_s)
    if time_s - windows.time_s[n] > holds_s:
        return None
    return FigureAt(float(windows.time_s[n]), float(windows.price_usd[n]), state=State(int(windows.state[n])))


def _exchange(series: PriceSeries, time_s: float, near_s: float) -> FigureAt | None:
    exchange = series.exchange
    n = int(np.searchsorted(exchange.time_s, time_s, side="right")) - 1
    if n < 0:
        return None
    source = Source(int(exchange.source[n]))
    if time_s - exchange.time_s[n] > (_DAY_S if source is Source.DAILY else max(HELD_S, near_s)):
        return None
    return FigureAt(float(exchange.time_s[n]), float(exchange.price_usd[n]), source=source)


def _exchange_of(pairs: Comparisons, n: int) -> FigureAt | None:
    price_usd = _known(pairs.exchange_usd[n])
    if price_usd is None:
        return None
    return FigureAt(float(pairs.time_s[n]), price_usd, source=Source(int(pairs.source[n])))


def _divergence(pairs: Comparisons, n: int) -> DivergenceAt | None:
    pct = _known(pairs.divergence_pct[n])
    if pct is None:
        return None
    return DivergenceAt(float(pairs.time_s[n]), pct, State(int(pairs.state[n])), Source(int(pairs.source[n])))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
