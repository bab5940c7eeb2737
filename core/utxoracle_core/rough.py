"""The rough price: where the stencils fit the histogram best (section 5 of the method)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from utxoracle_core.histogram import BINS_PER_DECADE, bin_edges
from utxoracle_core.stencil import STENCIL_BINS, smooth_stencil, spike_stencil

FIRST_SLIDE, LAST_SLIDE = -141, 200
SMOOTH_BELOW_SLIDE = 150
SMOOTH_WEIGHT = 0.65
_HUNDRED_USD_BIN = 601
_STENCIL_LEFT = 402
_HUNDRED_USD = 100.0


@dataclass(frozen=True, slots=True)
class RoughPrice:
    """Where the stencils landed. Slides run from -141 to 200; a slide up is a price down."""

    price_usd: int
    best_slide: int
    best_score: float
    neighbour: int
    """The neighbour that the price was refined with: +1 or -1."""
    scores: NDArray[np.float64]
    """(342,), the score of every slide from -141 on"""


def slide_price_usd(slide: int) -> float:
    """The price at which $100 falls on the bin that `slide` names."""
    return float(_HUNDRED_USD / bin_edges()[_HUNDRED_USD_BIN + slide])


def slide_of_ratio(ratio: float) -> float:
    """How many slides a price that is `ratio` times as high lies below."""
    return float(np.log10(ratio) * BINS_PER_DECADE)


def stencil_start(slide: int) -> int:
    """The histogram bin under the first bin of the stencil."""
    return _HUNDRED_USD_BIN - _STENCIL_LEFT + slide


@cache
def _slides() -> NDArray[np.int64]:
    return np.arange(FIRST_SLIDE, LAST_SLIDE + 1)


def _scores(curve: NDArray[np.float64], stencil: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of products with the stencil at every slide, each sum in order."""
    windows = np.lib.stride_tricks.sliding_window_view(curve, STENCIL_BINS)
    return np.cumsum(windows[stencil_start(FIRST_SLIDE) : stencil_start(LAST_SLIDE) + 1] * stencil, axis=1)[:, -1]


def _spike_score(curve: NDArray[np.float64], slide: int) -> float:
    start = stencil_start(slide)
    return float(np.cumsum(curve[start : start + STENCIL_BINS] * spike_stencil())[-1])


def rough_price(curve: NDArray[np.float64]) -> RoughPrice | None:
    """Slide the stencils over a normalised histogram, (2401,), and refine with one neighbour.

    None when no slide scores above zero, for which the reference has no answer.
    """
    scores = _scores(curve, spike_stencil())
    smooth = _slides() < SMOOTH_BELOW_SLIDE
    scores[smooth] = scores[smooth] + _scores(curve, smooth_stencil())[smooth] * SMOOTH_WEIGHT
    best = int(np.argmax(scores))
    best_score = float(scores[best])
    if not best_score > 0:
        return None
    slide = best + FIRST_SLIDE
    up, down = _spike_score(curve, slide + 1), _spike_score(curve, slide - 1)
    neighbour, neighbour_score = (-1, down) if down > up else (1, up)
    mean = float(np.cumsum(scores)[-1]) / len(scores)
    a1, a2 = best_score - mean, abs(neighbour_score - mean)
    if a1 + a2 == 0:
        return None
    w1, w2 = a1 / (a1 + a2), a2 / (a1 + a2)
    price = int(w1 * slide_price_usd(slide) + w2 * slide_price_usd(slide + neighbour))
    return RoughPrice(price, slide, best_score, neighbour, scores)
