"""Price points: what each amount says of the price when it is taken for a round USD amount (section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

USD_LADDER = (5, 10, 15, 20, 25, 30, 40, 50, 100, 150, 200, 300, 500, 1000)
REACH = 0.25
ROUND_BTC_REACH = 0.0001
_ROUND_BTC_RUNS = (
    (0.00005, 0.0001, 0.00001),
    (0.0001, 0.001, 0.00001),
    (0.001, 0.01, 0.0001),
    (0.01, 0.1, 0.001),
    (0.1, 1, 0.01),
)
_SIEVE_FROM, _SIEVE_CELLS = -5.0, 4000
"""Cells of 0.06 %, counted from below the first band: bands reach into one in sixteen."""


@dataclass(frozen=True, slots=True)
class PricePoints:
    """Price points in order of output and ladder."""

    usd: NDArray[np.float64]
    """(n_points,), USD per BTC"""
    heights: NDArray[np.int32]
    """(n_points,), the block each comes from"""


@cache
def round_btc_amounts() -> NDArray[np.float64]:
    """The 366 round BTC amounts, by adding up steps as floats: the error of the sums decides at the edges."""
    amounts = []
    for start, limit, step in _ROUND_BTC_RUNS:
        amount = start
        while amount < limit:
            amounts.append(amount)
            amount += step
    result = np.array(amounts)
    result.flags.writeable = False
    return result


@cache
def _round_btc_bands() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends of the 366 bands about the round amounts, in order of both."""
    rounds = round_btc_amounts()
    return rounds - ROUND_BTC_REACH * rounds, rounds + ROUND_BTC_REACH * rounds


@cache
def _sieve() -> NDArray[np.bool_]:
    """For each cell of log10(amount), from that of the first band to that of the last, whether a band may reach it."""
    low, high = _round_btc_bands()
    first, last = _sieve_cells(low) - 1, _sieve_cells(high) + 1
    cells = np.zeros(int(last.max()) + 2, np.bool_)
    for start, stop in zip(first, last, strict=True):
        cells[start : stop + 1] = True
    return cells


def _sieve_cells(amounts_btc: NDArray[np.float64]) -> NDArray[np.intp]:
    return ((np.log10(amounts_btc) - _SIEVE_FROM) * _SIEVE_CELLS).astype(np.intp)


def near_round_btc(amounts_btc: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which amounts lie strictly within 0.01 % of a round BTC amount. They have to be positive."""
    sieve = _sieve()
    cells = np.clip(_sieve_cells(amounts_btc), 0, len(sieve) - 1)
    rows = np.flatnonzero(sieve[cells])
    near = np.zeros(len(amounts_btc), np.bool_)
    near[rows] = _in_a_band(amounts_btc[rows])
    return near


def _in_a_band(amounts_btc: NDArray[np.float64]) -> NDArray[np.bool_]:
    low, high = _round_btc_bands()
    # the bands are in order and at most two overlap (0.00999… and 0.01), so the two below decide
    below = np.searchsorted(low, amounts_btc, side="left") - 1
    nearest = (below >= 0) & (amounts_btc < high[np.maximum(below, 0)])
    second = (below >= 1) & (amounts_btc < high[np.maximum(below - 1, 0)])
    return nearest | second


def price_points(amounts_btc: NDArray[np.float64], heights: NDArray[np.int32], rough_price_usd: int) -> PricePoints:
    """Every `usd / amount` for which the amount lies strictly within 25 % of `usd / rough price`.

    Amounts near a round BTC amount give none; one amount may give several.
    """
    centres = [usd / rough_price_usd for usd in USD_LADDER]
    bands = [(centre - REACH * centre, centre + REACH * centre) for centre in centres]
    plausible = (amounts_btc > bands[0][0]) & (amounts_btc < bands[-1][1])
    rows = np.flatnonzero(plausible)
    rows = rows[~near_round_btc(amounts_btc[rows])]
    amounts = amounts_btc[rows]
    hits = np.empty((len(amounts), len(USD_LADDER)), np.bool_)
    for column, (low, high) in enumerate(bands):
        hits[:, column] = (low < amounts) & (amounts < high)
    # in the order of the outputs, and of the ladder within each
    output, step = np.divmod(np.flatnonzero(hits), len(USD_LADDER))
    usd = np.array(USD_LADDER, np.float64)[step] / amounts[output]
    return PricePoints(usd, heights[rows[output]])
