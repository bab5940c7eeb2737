"""Is the price an octave off? Two independent looks at the same window.

The reference's rules lock on to twice the price easily: on the eleven real blocks 799990-800000 (market about
$29.8k) they give $59.6k. The histogram's own margin over the slide an octave away is thin (0.5 to 8 % on real
blocks) whether the answer is right or wrong, so a second test counts, price by price, how many amounts are round
USD sums there: a doubled price has more of them at half its height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utxoracle_core.points import USD_LADDER, near_round_btc
from utxoracle_core.rough import FIRST_SLIDE, LAST_SLIDE, RoughPrice, slide_of_ratio, slide_price_usd
from utxoracle_core.window import SATS_PER_BTC

LADDER_RATIOS = tuple(
    sorted(
        ratio for step in (1 / 10, 1 / 5, 1 / 4, 0.3, 1 / 3, 0.4, 0.5, 0.6, 2 / 3, 3 / 4) for ratio in (step, 1 / step)
    )
)
"""The prices, as a share of the one found, at which the same amounts look like round USD sums, too."""

_OCTAVE = 2.0
_SLIDE_REACH = 4
_OWN_REACH = 0.003
_RIVAL_REACH = 0.01
_TRIANGLE = 0.005
_CELL = 0.0005
_NEIGHBOURHOOD = 400
_LEAST_REACH_SATS = 10
_ABOVE_NEIGHBOURS = 2.0


@dataclass(frozen=True, slots=True)
class OctaveCheck:
    """What speaks for another price. Prices in USD per BTC."""

    rival_slide: int
    """The best slide about a factor of two away, up or down."""
    rival_score: float
    rival_usd: float
    margin: float
    """(best score - rival score) / best score."""
    ladder_ratio: float
    """Round USD sums at the strongest other price of the ladder, as a share of those at the price itself."""
    ladder_rival_usd: float

    @property
    def other_usd(self) -> float:
        """The other candidate that has the stronger case."""
        return self.ladder_rival_usd if self.ladder_ratio >= 1 else self.rival_usd


def slide_rival(rough: RoughPrice) -> tuple[int, float]:
    """The best slide within four of an octave up or down, and its score."""
    octave = round(slide_of_ratio(_OCTAVE))
    best = rough.best_slide - FIRST_SLIDE
    found: list[int] = []
    for centre in (best - octave, best + octave):
        found.extend(k for k in range(centre - _SLIDE_REACH, centre + _SLIDE_REACH + 1) if 0 <= k < len(rough.scores))
    rival = max(found, key=lambda k: float(rough.scores[k]))
    return rival + FIRST_SLIDE, float(rough.scores[rival])


def ladder_rival(amounts_btc: NDArray[np.float64], price_usd: float) -> tuple[float, float]:
    """The ratio of the ladder with the most round USD sums, and how many as a share of those at the price.

    Amounts count as `_weighed`, those near a round BTC amount don't. A sum counts by a triangle of ±0.5 %; the place
    with the most is sought within 0.3 % of the price, and within 1 % of a rival. Rivals that no slide stands for
    (below about $10k or above $507k) are not looked at.
    """
    amounts, weights = _weighed(amounts_btc)
    kept = ~near_round_btc(amounts)
    cells = _log_price_cells(amounts[kept], weights[kept], price_usd)
    own = _peak(cells, 0.0, _OWN_REACH)
    possible = [ratio for ratio in LADDER_RATIOS if _LEAST_USD <= price_usd * ratio <= _MOST_USD]
    strengths = [(_peak(cells, float(np.log(ratio)), _RIVAL_REACH), ratio) for ratio in possible]
    strongest, ratio = max(strengths)
    return ratio, strongest / own if own > 0 else float("inf")


def _weighed(amounts_btc: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The distinct amounts, and how much each counts.

    As often as it occurs, up to one more than twice what the others within 0.25 % of it (10 sats at the least) occur
    on average: one amount paid a thousand times says little. Counting each amount once would not do: a few thousand
    sats have too few different values for the payments of a full day, so that a price would lose against lower ones.
    """
    sats = np.sort(np.rint(amounts_btc * SATS_PER_BTC).astype(np.int64))
    distinct, counts = np.unique(sats, return_counts=True)
    reach = np.maximum(distinct // _NEIGHBOURHOOD, _LEAST_REACH_SATS)
    around = np.searchsorted(sats, distinct + reach, side="right") - np.searchsorted(sats, distinct - reach)
    others_each = (around - counts) / (2 * reach)
    return distinct / SATS_PER_BTC, np.minimum(counts, 1 + _ABOVE_NEIGHBOURS * others_each)


_LEAST_USD, _MOST_USD = slide_price_usd(LAST_SLIDE), slide_price_usd(FIRST_SLIDE)
_SPAN = float(np.log(max(LADDER_RATIOS))) + 0.05


def _log_price_cells(
    amounts: NDArray[np.float64], weights: NDArray[np.float64], price_usd: float
) -> NDArray[np.float64]:
    """Weights of ln(usd / amount / price), over the ladder, in cells of 0.05 %, smoothed with the triangle."""
    log_amounts = np.log(amounts * price_usd)
    n_cells = 2 * round(_SPAN / _CELL) + 1
    counts = np.zeros(n_cells)
    for usd in USD_LADDER:
        index = np.rint((np.log(usd) - log_amounts) / _CELL).astype(np.int64) + n_cells // 2
        inside = (index >= 0) & (index < n_cells)
        counts += np.bincount(index[inside], weights[inside], minlength=n_cells)
    half = round(_TRIANGLE / _CELL)
    triangle = 1 - np.abs(np.arange(-half, half + 1)) / half
    return np.convolve(counts, triangle, "same")


def _peak(cells: NDArray[np.float64], log_ratio: float, reach: float) -> float:
    centre = len(cells) // 2 + log_ratio / _CELL
    low, high = round(centre - reach / _CELL), round(centre + reach / _CELL)
    return float(cells[low : high + 1].max())


def check_octave(rough: RoughPrice, amounts_btc: NDArray[np.float64], price_usd: float) -> OctaveCheck:
    """Both looks at a priced window: `amounts_btc` are its kept outputs."""
    slide, score = slide_rival(rough)
    ratio, share = ladder_rival(amounts_btc, price_usd)
    return OctaveCheck(
        rival_slide=slide,
        rival_score=score,
        rival_usd=slide_price_usd(slide),
        margin=(rough.best_score - score) / rough.best_score,
        ladder_ratio=share,
        ladder_rival_usd=price_usd * ratio,
    )
