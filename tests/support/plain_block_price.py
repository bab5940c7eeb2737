"""The block price once more, read off its rules line by line, in plain Python without numpy.

Slow, literal and separate from the core: every point is added to every cell near it by itself. Log prices are counted
in cells of 0.05 %, a point in the cell nearest to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from tests.support.plain_method import LADDER_USD, near_round_btc

CELL = 0.0005
RATIOS = tuple(r for step in (1 / 10, 1 / 5, 1 / 4, 0.3, 1 / 3, 0.4, 0.5, 0.6, 2 / 3, 3 / 4) for r in (step, 1 / step))


@dataclass(frozen=True)
class Reading:
    price_usd: float
    low_usd: float
    high_usd: float
    confidence: float
    rival: float | None
    """Points of the strongest other price near by as a share of the price's own; None without own points."""
    octave: float | None
    reason: str


class BlockPrice:
    """The method, block by block."""

    def __init__(self, start_usd: float) -> None:
        self._centre = _cell(math.log(start_usd))
        self._p = _shares([math.exp(-(((k * CELL) / 0.05) ** 2) / 2) for k in range(-500, 501)])
        self._last_time: int | None = None
        self._last_usd = start_usd
        self._points: list[list[int]] = []
        self._counted: list[dict[float, list[float]]] = []

    def add(self, time: int, amounts_btc: Iterable[float]) -> Reading:
        minutes = 10.0 if self._last_time is None else min(max((time - self._last_time) / 60, 1.0), 120.0)
        self._drift(minutes)
        distinct = {round(amount * 1e8) for amount in amounts_btc}
        kept = [sats / 1e8 for sats in sorted(distinct) if not near_round_btc(sats / 1e8)]
        points = [_cell(math.log(usd) - math.log(amount)) for amount in kept for usd in LADDER_USD]
        self._weigh(points)
        middle = self._quantile(0.5)
        cell = _cell(middle)
        near = [x for k, x in zip(self._cells(), self._p, strict=True) if abs(k - cell) <= 10]
        low, high, confidence = self._quantile(0.05), self._quantile(0.95), sum(near)
        self._move(cell)
        self._points.append(points)
        price = math.exp(middle)
        rival = self._rival()
        octave = self._octave(points, middle, confidence, leap=abs(price / self._last_usd - 1) > 0.05)
        self._last_time, self._last_usd = time, price
        reason = ""
        if confidence < 0.5:
            reason = "uncertain"
        elif rival is None or rival > 1:
            reason = "rival"
        elif octave is None or octave > 1:
            reason = "octave"
        return Reading(price, math.exp(low), math.exp(high), confidence, rival, octave, reason)

    def _cells(self) -> range:
        return range(self._centre - 500, self._centre + 501)

    def _drift(self, minutes: float) -> None:
        deviation = 0.004 * math.sqrt(minutes / 10) / CELL
        # beyond four deviations, a weight is below 0.0004
        weights = [math.exp(-((d / deviation) ** 2) / 2) for d in range(math.ceil(4 * deviation) + 1)]
        n = len(weights)
        moved = [
            sum(x * weights[abs(k - j)] for j, x in enumerate(self._p[max(k - n + 1, 0) : k + n], max(k - n + 1, 0)))
            for k in range(1001)
        ]
        self._p = [0.999 * x + 0.001 / 1001 for x in _shares(moved)]

    def _weigh(self, points: list[int]) -> None:
        points = [c for c in points if abs(c - self._centre) < 520]
        added = [0.2 * _triangle(points, k) for k in self._cells()]
        scale = min(1.0, 6 / max(added)) if max(added) > 0 else 1.0
        self._p = _shares([x * math.exp(a * scale) for x, a in zip(self._p, added, strict=True)])

    def _quantile(self, share: float) -> float:
        below = 0.0
        for k, x in zip(self._cells(), self._p, strict=True):
            if below + x >= share:
                return (k - 0.5 + (share - below) / x) * CELL
            below += x
        raise AssertionError("the shares add up to 1")

    def _move(self, centre: int) -> None:
        known = dict(zip(self._cells(), self._p, strict=True))
        self._centre = centre
        self._p = [known.get(k, 0.0) for k in self._cells()]

    def _rival(self) -> float | None:
        cells = self._cells()
        near = [c for points in self._points[-3:] for c in points if abs(c - self._centre) < 520]
        own = max(_triangle(near, k) for k in cells if abs(k - self._centre) <= 6)
        other = max(_triangle(near, k) for k in cells if abs(k - self._centre) > 30)
        return _ratio(other, own)

    def _octave(self, points: list[int], log_price: float, confidence: float, *, leap: bool) -> float | None:
        sums = {
            r: [_triangle(points, _cell(log_price + math.log(r)) + d) for d in range(-20, 21)] for r in (1.0, *RATIOS)
        }
        if leap:
            self._counted.clear()
        if confidence >= 0.5:
            self._counted.append(sums)
        blocks = self._counted[-144:] or [sums]
        total = {r: [sum(column) for column in zip(*(block[r] for block in blocks), strict=True)] for r in sums}
        return _ratio(max(max(total[r]) for r in RATIOS), max(total[1.0][14:27]))


def _ratio(other: float, own: float) -> float | None:
    if other == 0:
        return 0.0
    return other / own if own else None


def _triangle(points: Iterable[int], cell: int) -> float:
    return sum(10 - abs(point - cell) for point in points if abs(point - cell) < 10) / 10


def _cell(log_price: float) -> int:
    return round(log_price / CELL)


def _shares(values: list[float]) -> list[float]:
    total = sum(values)
    return [x / total for x in values]
