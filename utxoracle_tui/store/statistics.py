"""How far the two prices were apart over a span, from the columns of its observations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Basis = Literal["spot", "window", "block"]
BASES: tuple[Basis, ...] = ("spot", "window", "block")
_FEWEST_FOR_CORRELATION = 3


@dataclass(frozen=True, slots=True)
class DivergenceStatistics:
    """Signed percent on one basis, over the observations that have it."""

    count: int
    mean_pct: float | None
    largest_pct: float | None
    smallest_pct: float | None


@dataclass(frozen=True, slots=True)
class SpanStatistics:
    """What a span's observations say. Orphaned ones are left out: their blocks are not on the chain."""

    count: int
    orphaned: int
    spot: DivergenceStatistics
    window: DivergenceStatistics
    block: DivergenceStatistics
    correlation: float | None
    """Pearson's, of the on-chain price and the exchange price, where both are known; None for fewer than three."""
    share_valid: float | None
    """Of those of which it is known, 0 to 1."""
    first_time_s: float | None
    last_time_s: float | None


def statistics(columns: Mapping[str, NDArray[np.float64]]) -> SpanStatistics:
    """Statistics of the columns of observations."""
    on_chain = columns["orphaned"] == 0
    kept = {name: column[on_chain] for name, column in columns.items()}
    times, valid = kept["time_s"], kept["valid"][~np.isnan(kept["valid"])]
    return SpanStatistics(
        count=len(times),
        orphaned=int(np.count_nonzero(~on_chain)),
        spot=_divergence(kept["divergence_spot_pct"]),
        window=_divergence(kept["divergence_window_pct"]),
        block=_divergence(kept["divergence_block_pct"]),
        correlation=_correlation(kept["onchain_usd"], kept["exchange_usd"]),
        share_valid=float(valid.mean()) if len(valid) else None,
        first_time_s=float(times[0]) if len(times) else None,
        last_time_s=float(times[-1]) if len(times) else None,
    )


def _divergence(column: NDArray[np.float64]) -> DivergenceStatistics:
    known = column[~np.isnan(column)]
    if not len(known):
        return DivergenceStatistics(0, None, None, None)
    return DivergenceStatistics(len(known), float(known.mean()), float(known.max()), float(known.min()))


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    both = ~(np.isnan(first) | np.isnan(second))
    if np.count_nonzero(both) < _FEWEST_FOR_CORRELATION:
        return None
    a, b = first[both] - first[both].mean(), second[both] - second[both].mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else None
