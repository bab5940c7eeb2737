"""Is a price a round factor off? The octave test of the method `block-grid-1` (rule 5).

Of a price that is twice the right one, half the payments still look like round USD sums: $10 is taken for $20. But at
half the height there are more of them. So the points at the price are counted against those at the prices a ratio of
the ladder away.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utxoracle_core.block_grid import CELL, HALF_CELLS
from utxoracle_core.block_points import TRIANGLE_CELLS, PointCounts, triangle_sums_inside

LADDER_RATIOS = tuple(
    sorted(
        ratio for step in (1 / 10, 1 / 5, 1 / 4, 0.3, 1 / 3, 0.4, 0.5, 0.6, 2 / 3, 3 / 4) for ratio in (step, 1 / step)
    )
)
"""The prices, as a share of the one found, at which the same amounts look like round USD sums, too."""

OWN_REACH_CELLS = 6
"""The price itself is sought within ±0.3 %."""
COUNTED_BLOCKS = 144

_REACH_CELLS = 20
_LOG_RATIOS = np.log(np.array((1.0, *LADDER_RATIOS)))[:, np.newaxis]
_COUNTED = np.arange(-_REACH_CELLS - TRIANGLE_CELLS, _REACH_CELLS + TRIANGLE_CELLS + 1)
_SUMS_SHAPE = (len(_LOG_RATIOS), 2 * _REACH_CELLS + 1)
_OWN = slice(_REACH_CELLS - OWN_REACH_CELLS, _REACH_CELLS + OWN_REACH_CELLS + 1)

LADDER_REACH_CELLS = math.ceil(math.log(max(LADDER_RATIOS)) / CELL) + _REACH_CELLS + TRIANGLE_CELLS + 1
"""How far from the price points have to be counted."""
BLOCK_REACH_CELLS = HALF_CELLS + LADDER_REACH_CELLS
"""How far from the middle of a grid, wherever on it the price will be."""

LadderSums = NDArray[np.int64]
"""(21, 41): triangle sums within 1 % of the price, then of the price times each ratio."""


@dataclass(frozen=True, slots=True)
class Contender:
    """The strongest other price. In USD per BTC."""

    price_usd: float
    ratio: float | None
    """Its points as a share of those at the price found; None when that one has no points."""

    @staticmethod
    def of(price_usd: float, points: int, own: int) -> Contender | None:
        """Of so many points against so many at the price found; None without any."""
        return Contender(price_usd, points / own if own else None) if points else None

    @property
    def stronger(self) -> bool:
        """Whether it has more points than the price found."""
        return self.ratio is None or self.ratio > 1


def ladder_sums(points: PointCounts, log_price: float) -> LadderSums:
    """The triangle sums about a price and about those a ratio of the ladder away."""
    centres = np.rint((log_price + _LOG_RATIOS) / CELL).astype(np.int64)
    return triangle_sums_inside(points.counts[centres + (_COUNTED - points.first)])


def strongest_ratio(sums: LadderSums) -> tuple[float, int, int]:
    """The ratio of the ladder with the most points, how many they are, and how many the price itself has."""
    strengths = sums[1:].max(axis=1)
    strongest = int(np.argmax(strengths))
    return LADDER_RATIOS[strongest], int(strengths[strongest]), int(sums[0, _OWN].max())


def ladder_contender(sums: LadderSums, price_usd: float) -> Contender | None:
    """The price a round factor away with the most points; None when none has any."""
    ratio, points, own = strongest_ratio(sums)
    return Contender.of(price_usd * ratio, points, own)


class LadderCounts:
    """The sums of the last blocks together, each about its own price."""

    __slots__ = ("_blocks", "_total")

    def __init__(self) -> None:
        self._blocks: deque[LadderSums] = deque()
        self._total: LadderSums = np.zeros(_SUMS_SHAPE, np.int64)

    def forget(self) -> None:
        """Begin anew: what was counted was counted about another price."""
        self._blocks.clear()
        self._total = np.zeros_like(self._total)

    def add(self, sums: LadderSums) -> None:
        """Count a block; of 145, the oldest is dropped."""
        self._blocks.append(sums)
        self._total += sums
        if len(self._blocks) > COUNTED_BLOCKS:
            self._total -= self._blocks.popleft()

    def contender(self, newest: LadderSums, price_usd: float) -> Contender | None:
        """The strongest other price over all blocks counted; by the newest alone where none is."""
        return ladder_contender(self._total if self._blocks else newest, price_usd)
