"""The central price of many points: section 7 of the method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Central:
    """The point with the least sum of distances to the others, and the spread around it."""

    price_usd: float
    deviation_usd: float
    """Median absolute deviation from the price."""
    n_points: int


def within(points_usd: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """The points strictly inside (low, high)."""
    return points_usd[(low < points_usd) & (points_usd < high)]


def central(points_usd: NDArray[np.float64], low: float, high: float) -> Central | None:
    """The central one of the points strictly inside (low, high); None when there is none.

    Sums run left to right and are grouped as in the reference: rounding decides between the two middle points.
    """
    x = np.sort(within(points_usd, low, high))
    n = len(x)
    if n == 0:
        return None
    sums = np.cumsum(x)
    index = np.arange(n)
    left = np.concatenate(([0.0], sums[:-1]))
    right = sums[-1] - sums
    distance = (x * index - left) + (right - x * (n - index - 1))
    price = float(x[np.argmin(distance)])
    return Central(price, _median(np.abs(x - price)), n)


def _median(values: NDArray[np.float64]) -> float:
    middle = len(values) // 2
    ordered = np.partition(values, (max(middle - 1, 0), middle))
    if len(values) % 2:
        return float(ordered[middle])
    return (float(ordered[middle - 1]) + float(ordered[middle])) / 2
