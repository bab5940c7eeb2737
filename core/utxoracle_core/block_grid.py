"""The probability over log price that a block price is read from (method `block-grid-1`, rules 1, 2 and 4).

The cells are absolute: cell k stands for the prices exp((k ± 1/2) * 0.0005), whatever the grid is centred on. So runs
from different starts come to the same figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CELL = 0.0005
"""Width of a cell in ln(price)."""
HALF_CELLS = 500
"""Cells to each side of the last price: 25 %."""
N_CELLS = 2 * HALF_CELLS + 1

_START_SPREAD = 0.05
_DRIFT_PER_10_MIN = 0.004
_MIN_MINUTES, _MAX_MINUTES, _UNKNOWN_MINUTES = 1.0, 120.0, 10.0
_KERNEL_DEVIATIONS = 4
_EVEN_SHARE = 0.001
_CONFIDENT_CELLS = 10
_LOW, _MIDDLE, _HIGH = 0.05, 0.5, 0.95


def cell_of(log_price: float) -> int:
    """The cell that a ln(price) falls in."""
    return round(log_price / CELL)


def price_of(cell: float) -> float:
    """The price in USD at the middle of a cell, or anywhere between."""
    return math.exp(cell * CELL)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a grid says: prices in USD per BTC."""

    log_price: float
    """ln of the median."""
    low_usd: float
    """5 % of the probability lie below."""
    high_usd: float
    """5 % of the probability lie above."""
    confidence: float
    """Probability of the price's cell and the ten to each side: within ±0.5 %."""

    @property
    def price_usd(self) -> float:
        """The median."""
        return math.exp(self.log_price)

    @property
    def cell(self) -> int:
        """The cell of the median."""
        return cell_of(self.log_price)


class PriceGrid:
    """The probability of 1,001 prices about the last one. For each block: `drift`, `weigh`, `settle`."""

    __slots__ = ("_probability", "centre")

    def __init__(self, start_price_usd: float) -> None:
        """Begin with a Gaussian of 5 % around the cell of `start_price_usd`, which has to be positive."""
        if not (start_price_usd > 0 and math.isfinite(start_price_usd)):
            raise ValueError(f"a start price is a positive number of dollars, not {start_price_usd}")
        self.centre = cell_of(math.log(start_price_usd))
        """The cell in the middle."""
        offsets = np.arange(-HALF_CELLS, HALF_CELLS + 1)
        self._probability = _shares(np.exp(-0.5 * (offsets * (CELL / _START_SPREAD)) ** 2))

    @property
    def first(self) -> int:
        """The lowest cell of the grid."""
        return self.centre - HALF_CELLS

    @property
    def last(self) -> int:
        """The highest cell of the grid."""
        return self.centre + HALF_CELLS

    def drift(self, minutes: float | None) -> None:
        """Let the price wander for the minutes since the last header; None where these are not known."""
        minutes = _UNKNOWN_MINUTES if minutes is None else min(max(minutes, _MIN_MINUTES), _MAX_MINUTES)
        spread_cells = _DRIFT_PER_10_MIN * math.sqrt(minutes / 10) / CELL
        reach = math.ceil(_KERNEL_DEVIATIONS * spread_cells)
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spread_cells) ** 2)
        moved = _shares(np.convolve(self._probability, kernel, "same"))
        self._probability = (1 - _EVEN_SHARE) * moved + _EVEN_SHARE / N_CELLS

    def weigh(self, log_evidence: NDArray[np.float64]) -> None:
        """Multiply with exp of the evidence of a block, (1001,), for the cells from `first` to `last`."""
        self._probability = _shares(self._probability * np.exp(log_evidence))

    def settle(self) -> Estimate:
        """Read the price off, and move the grid by whole cells so that it is about that price."""
        cumulated = np.cumsum(self._probability)
        low, middle, high = (self._quantile(cumulated, share) for share in (_LOW, _MIDDLE, _HIGH))
        cell = cell_of(middle)
        place = cell - self.first
        near = self._probability[max(place - _CONFIDENT_CELLS, 0) : place + _CONFIDENT_CELLS + 1]
        estimate = Estimate(middle, math.exp(low), math.exp(high), float(near.sum()))
        self._move_to(cell)
        return estimate

    def _quantile(self, cumulated: NDArray[np.float64], share: float) -> float:
        """The ln(price) below which `share` of the probability lies, a cell's own being spread evenly over it."""
        # rounding may leave the last sum a hair below 1, though never below 95 %
        index = int(np.searchsorted(cumulated, share))
        below = float(cumulated[index - 1]) if index else 0.0
        inside = (share - below) / float(self._probability[index])
        return (self.first + index - 0.5 + inside) * CELL

    def _move_to(self, centre: int) -> None:
        steps = centre - self.centre
        moved = np.zeros(N_CELLS)
        if steps >= 0:
            moved[: N_CELLS - steps] = self._probability[steps:]
        else:
            moved[-steps:] = self._probability[:steps]
        self._probability, self.centre = moved, centre


def _shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = values / values.sum()
    return shares
