"""The points of a block as counts in cells of log price (method `block-grid-1`, rule 3).

A point is one of the 14 USD amounts over one of the block's *distinct* amounts: an amount paid 150 times in a block
counts once. Amounts near a round BTC amount give none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utxoracle_core.block_grid import CELL
from utxoracle_core.points import USD_LADDER, near_round_btc
from utxoracle_core.window import SATS_PER_BTC

Amounts = NDArray[np.float64]

TRIANGLE_CELLS = 10
"""Half the width of the triangle by which a point counts: 0.5 %. Sums are in tenths of a point."""

_AT_ONCE = 8192
_USD_CELLS = np.log(np.array(USD_LADDER, np.float64))[:, np.newaxis] / CELL


@dataclass(frozen=True, slots=True)
class PointCounts:
    """How many points lie in each cell from `first` on."""

    first: int
    counts: NDArray[np.int64]
    """(n_cells,)"""

    def between(self, first: int, last: int) -> NDArray[np.int64]:
        """The counts of the cells `first` to `last`; 0 for those that were not looked at."""
        found = np.zeros(last - first + 1, np.int64)
        low, high = max(first, self.first), min(last + 1, self.first + len(self.counts))
        if low < high:
            found[low - first : high - first] = self.counts[low - self.first : high - self.first]
        return found


def distinct_amounts(amounts_btc: NDArray[np.float64], begins: Sequence[int] | NDArray[np.intp] = ()) -> Amounts:
    """The amounts in BTC that give points: each once, ascending.

    Or once in each of the blocks that begin at `begins`, (n_blocks,), the first at 0: one block after the other, those
    of each ascending.
    """
    sats = np.rint(amounts_btc * SATS_PER_BTC).astype(np.int64)
    if len(begins) > 1:
        # a block at a time is sorted in half the time that all of a day take at once
        distinct = np.concatenate([_sorted_distinct(block) for block in np.split(sats, begins[1:])])
    else:
        distinct = _sorted_distinct(sats)
    amounts: Amounts = distinct / SATS_PER_BTC
    return amounts[~near_round_btc(amounts)]


def _sorted_distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sorts the array itself."""
    keys.sort()
    is_first = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
    return keys[is_first]


def count_points(distinct_btc: NDArray[np.float64], first: int, last: int) -> PointCounts:
    """Count the points of `distinct_amounts` in the cells `first` to `last`."""
    n_cells = last - first + 1
    # one cell more at both ends takes what lies beyond
    counts = np.zeros(n_cells + 2, np.int64)
    amount_cells = np.log(distinct_btc) / CELL
    for start in range(0, len(amount_cells), _AT_ONCE):
        cells = _USD_CELLS - amount_cells[start : start + _AT_ONCE]
        np.rint(cells, out=cells)
        cells -= first - 1
        cells.clip(0, n_cells + 1, out=cells)
        counts += np.bincount(cells.astype(np.intp).ravel(), minlength=n_cells + 2)
    return PointCounts(first, counts[1:-1])


def triangle_sums(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each cell, the points around it in tenths: ten for one in the cell, one less for each cell farther away."""
    padded = np.zeros(len(counts) + 2 * TRIANGLE_CELLS, np.int64)
    padded[TRIANGLE_CELLS:-TRIANGLE_CELLS] = counts
    return triangle_sums_inside(padded)


def triangle_sums_inside(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same for runs of cells, (…, n_cells), but for the ten at both ends: (…, n_cells - 20)."""
    # a triangle is a box folded with itself, and a box a difference of running sums
    return _box_sums(_box_sums(counts))[..., 2 * TRIANGLE_CELLS - 1 : -1]


def _box_sums(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each cell, the sum of the ten that end with it."""
    running = np.cumsum(values, axis=-1)
    sums = running.copy()
    sums[..., TRIANGLE_CELLS:] -= running[..., :-TRIANGLE_CELLS]
    return sums
