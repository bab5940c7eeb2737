"""The histogram of amounts over logarithmic bins: section 3 of the method."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

BINS_PER_DECADE = 200
FIRST_EXPONENT, LAST_EXPONENT = -6, 5
N_BINS = 1 + BINS_PER_DECADE * (LAST_EXPONENT - FIRST_EXPONENT + 1)
FIRST_BIN, LAST_BIN = 201, 1600  # 0.00001 up to 100 BTC; all others are emptied
BIN_CAP = 0.008
ROUND_BTC_BINS = (
    *(201, 401, 461, 496, 540, 601, 661, 696, 740),
    *(801, 861, 896, 940, 1001, 1061, 1096, 1140, 1201),
)


@cache
def bin_edges() -> NDArray[np.float64]:
    """The 2401 lower edges of the bins, in BTC: 0, then 200 a decade from 1e-6 up.

    From scalar `pow`; numpy's own power differs in the last digit, and the edges enter the rough price.
    """
    exponents = range(FIRST_EXPONENT, LAST_EXPONENT + 1)
    edges = [0.0, *(10 ** (e + b / BINS_PER_DECADE) for e in exponents for b in range(BINS_PER_DECADE))]
    result = np.array(edges)
    result.flags.writeable = False
    return result


def count_amounts(amounts_btc: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many amounts lie in each bin: edge k <= amount < edge k+1. Amounts are below 1e6 BTC."""
    edges = bin_edges()
    with np.errstate(divide="ignore"):
        near = (np.log10(amounts_btc) - FIRST_EXPONENT) * BINS_PER_DECADE
    # a hair's breadth off at the edges, which the edges set right: a seventh of the time of a search
    indexes = (np.clip(near, -1, N_BINS - 2) + 1).astype(np.intp)
    indexes -= amounts_btc < edges[indexes]
    indexes += amounts_btc >= np.append(edges, np.inf)[indexes + 1]
    return np.bincount(indexes, minlength=N_BINS).astype(np.float64)


def smooth_round_btc(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Steps 1 and 2: empty the outer bins, replace each round-BTC bin by the mean of its neighbours.

    In place in order, so that later means see earlier replacements.
    """
    curve = counts.copy()
    curve[:FIRST_BIN] = 0
    curve[LAST_BIN + 1 :] = 0
    for k in ROUND_BTC_BINS:
        curve[k] = 0.5 * (curve[k + 1] + curve[k - 1])
    return curve


def curve_sum(curve: NDArray[np.float64]) -> float:
    """Sum of bins 201 to 1600, left to right."""
    return float(np.cumsum(curve[FIRST_BIN : LAST_BIN + 1])[-1])


def normalise(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Step 3: divide by the sum, then cap each bin at 0.008. The sum must not be zero."""
    result = curve.copy()
    inner = slice(FIRST_BIN, LAST_BIN + 1)
    result[inner] = np.minimum(curve[inner] / curve_sum(curve), BIN_CAP)
    return result
