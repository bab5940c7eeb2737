"""What the two prices of a span say of each other, on one basis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from utxoracle_tui.engine.chart.series import Comparisons, Floats, PriceSeries, State, inside
from utxoracle_tui.store.statistics import Basis, statistics

_HOUR_S, _DAY_S = 3_600.0, 86_400.0
_HOURS_A_DAY = 24
_WINDOW_NOT_VALID = (State.NOT_VALID, State.LOW_CONFIDENCE, State.GAP)
_NOT_VALID: dict[Basis, tuple[State, ...]] = {
    "spot": _WINDOW_NOT_VALID,
    "window": _WINDOW_NOT_VALID,
    # a weak block price is one all the same
    "block": (State.GAP,),
}


@dataclass(frozen=True, slots=True)
class RangeStatistics:
    """Of the figures of a span that are not orphaned; None where a figure can't be had."""

    basis: Basis
    start_s: float
    end_s: float
    count: int
    """Divergences."""
    mean_pct: float | None
    largest_pct: float | None
    largest_time_s: float | None
    smallest_pct: float | None
    smallest_time_s: float | None
    correlation: float | None
    """Pearson's, of the two prices; None for fewer than three pairs."""
    share_valid: float | None
    """0 to 1. Of window prices, those that are valid; of block prices, those that are no gap."""
    hours_covered: float | None
    """The share of the span's hours that have a divergence, 0 to 1; a daily one covers its day."""
    blocks_covered: float | None
    """The share of the heights from the first to the last stored one that have a price, 0 to 1."""


def range_statistics(series: PriceSeries, basis: Basis, start_s: float, end_s: float) -> RangeStatistics:
    """Statistics of a part of the series; of what lies before `read_s`."""
    pairs = series.comparisons[basis]
    here = inside(pairs.time_s, start_s, end_s)
    times, state, divergence = pairs.time_s[here], pairs.state[here], pairs.divergence_pct[here]
    found = statistics(_columns(pairs, here, _NOT_VALID[basis]))
    on_basis = found.spot
    known = np.where(state == State.ORPHANED, np.nan, divergence)
    at_largest = float(times[np.nanargmax(known)]) if on_basis.count else None
    at_smallest = float(times[np.nanargmin(known)]) if on_basis.count else None
    until_s = min(end_s, series.read_s)
    return RangeStatistics(
        basis=basis,
        start_s=start_s,
        end_s=end_s,
        count=on_basis.count,
        mean_pct=on_basis.mean_pct,
        largest_pct=on_basis.largest_pct,
        largest_time_s=at_largest,
        smallest_pct=on_basis.smallest_pct,
        smallest_time_s=at_smallest,
        correlation=found.correlation,
        share_valid=found.share_valid,
        hours_covered=_hours_covered(pairs, known, here, start_s, until_s) if until_s > start_s else None,
        blocks_covered=_blocks_covered(series, start_s, end_s),
    )


def _columns(pairs: Comparisons, here: slice, not_valid: tuple[State, ...]) -> dict[str, Floats]:
    """The pairs as the columns of observations: what the statistics of the store are of."""
    state = pairs.state[here]
    valid = np.where(np.isin(state, not_valid), 0.0, 1.0)
    valid[np.isin(state, (State.UNKNOWN, State.IMPORTED))] = np.nan
    # a divergence can be known where one of its prices isn't any more
    both = ~(np.isnan(pairs.onchain_usd[here]) | np.isnan(pairs.exchange_usd[here]))
    return {
        "time_s": pairs.time_s[here],
        "orphaned": (state == State.ORPHANED).astype(np.float64),
        "valid": valid,
        "divergence_spot_pct": pairs.divergence_pct[here],
        "divergence_window_pct": np.full(len(state), np.nan),
        "divergence_block_pct": np.full(len(state), np.nan),
        "onchain_usd": np.where(both, pairs.onchain_usd[here], np.nan),
        "exchange_usd": pairs.exchange_usd[here],
    }


def _hours_covered(pairs: Comparisons, known: Floats, here: slice, start_s: float, end_s: float) -> float:
    first, last = int(start_s // _HOUR_S), int(-(-end_s // _HOUR_S))
    there = ~np.isnan(known)
    times, daily = pairs.time_s[here][there], pairs.daily[here][there]
    midnights = times[daily] // _DAY_S * _HOURS_A_DAY
    of_days = (midnights[:, np.newaxis] + np.arange(_HOURS_A_DAY)).ravel()
    hours = np.unique(np.concatenate([times[~daily] // _HOUR_S, of_days]))
    return float(np.count_nonzero((hours >= first) & (hours < last)) / (last - first))


def _blocks_covered(series: PriceSeries, start_s: float, end_s: float) -> float | None:
    blocks = series.blocks
    here = inside(blocks.time_s, start_s, end_s)
    on_chain = blocks.state[here] != State.ORPHANED
    heights = blocks.height[here][on_chain]
    if not len(heights):
        return None
    priced = np.unique(heights[~np.isnan(blocks.price_usd[here][on_chain])])
    return len(priced) / float(heights.max() - heights.min() + 1)
