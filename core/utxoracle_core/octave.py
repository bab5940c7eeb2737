"""Is the price an octave off? Two independent looks at the same window.

The reference's rules lock on to twice the price easily: on the eleven real blocks 799990-800000 (market about
$29.8k) they give $59.6k. The histogram's own margin over the slide an octave away is thin (0.5 to 8 % on real
blocks) whether the answer is right or wrong, so a second test counts, price by price, how many amounts are round
USD sums there: a doubled price has more of them at half its height. It is the octave test of the block price, with
the points of all blocks counted about the price of the window. On the windows of six blocks and more among these
eleven, its ratio is 1.20 to 1.28 for the seven doubled prices, and 0.90 to 0.92 for the fourteen right ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from utxoracle_core.block_grid import cell_of
from utxoracle_core.block_ladder import LADDER_REACH_CELLS, ladder_sums, strongest_ratio
from utxoracle_core.block_points import count_points, distinct_amounts
from utxoracle_core.rough import FIRST_SLIDE, RoughPrice, slide_of_ratio, slide_price_usd

_OCTAVE = 2.0
_SLIDE_REACH = 4
_SUSPECT_RATIO = 1.0
_LOST_MARGIN, _LOST_RATIO = 0.02, 0.95
_THIN_MARGIN, _THIN_RATIO = 0.01, 0.93
_MAX_AMOUNTS_AT_ONCE = 4000


class Look(StrEnum):
    """One of the two looks at a window."""

    HISTOGRAM = "histogram"
    LADDER = "ladder"


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
    def lost(self) -> bool:
        """Whether neither look tells the price from the other candidate."""
        return self.margin < _LOST_MARGIN and self.ladder_ratio >= _LOST_RATIO

    @property
    def suspected_by(self) -> tuple[Look, ...]:
        """The looks by which the price may be a factor off.

        The ladder says so when another price has as many round USD sums. The histogram does when its margin is thin
        and the ladder nearer to a tie than it is for any right price of six real blocks or more.
        """
        thin = self.margin < _THIN_MARGIN and self.ladder_ratio >= _THIN_RATIO
        by_ladder = (Look.LADDER,) if self.ladder_ratio >= _SUSPECT_RATIO else ()
        return (*by_ladder, Look.HISTOGRAM) if thin or self.lost else by_ladder

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


def ladder_rival(
    amounts_btc: NDArray[np.float64], price_usd: float, heights: NDArray[np.int32] | None = None
) -> tuple[float, float]:
    """The ratio of the ladder with the most round USD sums, and how many as a share of those at the price.

    Each distinct amount counts once in every block (`heights`, (n_outputs,); None for amounts of one block), those near
    a round BTC amount don't. Distinct amounts of a whole day would not do: a few thousand sats have too few different
    values for the payments of a full day, so that a price would lose against lower ones. Where more than 4,000 amounts
    in a row have the same height, they are taken for several blocks: a block hardly has more, and amounts that came
    without their blocks are counted as well as others.
    """
    log_price = float(np.log(price_usd))
    middle = cell_of(log_price)
    distinct = distinct_amounts(amounts_btc, () if heights is None else _block_begins(heights))
    points = count_points(distinct, middle - LADDER_REACH_CELLS, middle + LADDER_REACH_CELLS)
    ratio, strongest, own = strongest_ratio(ladder_sums(points, log_price))
    return ratio, strongest / own if own else float("inf")


def _block_begins(heights: NDArray[np.int32]) -> NDArray[np.intp]:
    """The places in which the amounts of another block begin, the first one included."""
    place = np.arange(len(heights))
    begins = np.diff(heights, prepend=-1) != 0
    in_block = place - np.maximum.accumulate(np.where(begins, place, 0))
    return np.flatnonzero(in_block % _MAX_AMOUNTS_AT_ONCE == 0)


def check_octave(
    rough: RoughPrice, amounts_btc: NDArray[np.float64], price_usd: float, heights: NDArray[np.int32] | None = None
) -> OctaveCheck:
    """Both looks at a priced window: `amounts_btc` are its kept outputs, `heights` the blocks they are from."""
    slide, score = slide_rival(rough)
    ratio, share = ladder_rival(amounts_btc, price_usd, heights)
    return OctaveCheck(
        rival_slide=slide,
        rival_score=score,
        rival_usd=slide_price_usd(slide),
        margin=(rough.best_score - score) / rough.best_score,
        ladder_ratio=share,
        ladder_rival_usd=price_usd * ratio,
    )
