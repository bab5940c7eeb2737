"""The price of a window, from its outputs to the answer, with all that a screen wants to show of the way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from utxoracle_core.central import Central, central
from utxoracle_core.confidence import Confidence, judge
from utxoracle_core.histogram import (
    FIRST_BIN,
    LAST_BIN,
    count_amounts,
    curve_sum,
    normalise,
    smooth_round_btc,
)
from utxoracle_core.octave import OctaveCheck, check_octave
from utxoracle_core.points import PricePoints, price_points
from utxoracle_core.rough import RoughPrice, rough_price
from utxoracle_core.window import WindowOutputs

METHOD = "utxoracle-9.1"
CENTRAL_REACH = 0.05
SPREAD_REACH = 0.1
MIN_PLOT_RANGE, MAX_PLOT_RANGE = 0.05, 0.20
MIN_BLOCKS = 36
"""A quarter of a day. The shorter windows that real blocks were at hand for doubled in half of the cases."""
_FLAT_DISPERSION = 3.0


class Outcome(StrEnum):
    """How a window ended. All but the first are reasons not to trust a figure, or for there being none."""

    PRICED = "priced"
    NO_CANDIDATES = "no_candidates"
    """No output passed the filters into bins 201 to 1600."""
    NO_SIGNAL = "no_signal"
    """No slide scores above zero: the amounts are where no round USD sum can be."""
    NO_POINTS = "no_points"
    """No price point lies within 5 % of the rough price."""
    FLAT_HISTOGRAM = "flat_histogram"
    """Every bin holds about the same; the figure would be the same on any flat histogram."""
    TOO_FEW_BLOCKS = "too_few_blocks"
    """Fewer than 36 blocks: the rules double easily on short windows."""

    @property
    def sentence(self) -> str:
        """The outcome for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Outcome.PRICED: "The window has a price.",
    Outcome.NO_CANDIDATES: "No output of these blocks passes the filters, so there is nothing to price.",
    Outcome.NO_SIGNAL: "The amounts of these blocks lie where no round USD sum can be; there is no price.",
    Outcome.NO_POINTS: "No payment lies within 5 % of the rough price; there is no price.",
    Outcome.FLAT_HISTOGRAM: "The amounts are spread evenly, without round USD sums; the figure means nothing.",
    Outcome.TOO_FEW_BLOCKS: f"Fewer than {MIN_BLOCKS} blocks: on short windows the rules often give twice the price.",
}


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the points lie from the price, and the range that a plot shows."""

    deviation_usd: float
    deviation_pct: float
    """`dev_pct` of the method: the deviation as a share of the ±10 % band, 0 to 0.5."""
    plot_range: float
    """0.05 to 0.20 of the price."""
    plot_low_usd: float
    plot_high_usd: float


@dataclass(frozen=True, slots=True)
class WindowPrice:
    """The answer for one window. Parts that the rules don't reach are None."""

    outputs: WindowOutputs
    outcome: Outcome
    curve: NDArray[np.float64] | None
    """(2401,), the histogram after section 3"""
    curve_sum: float
    rough: RoughPrice | None
    points: PricePoints | None
    central: Central | None
    spread: Spread | None
    octave: OctaveCheck | None
    confidence: Confidence

    @property
    def price_usd(self) -> float | None:
        """The figure that the rules give, whether or not it is to be trusted; None when they give none."""
        return self.central.price_usd if self.central else None

    @property
    def octave_suspect(self) -> bool:
        """Whether the price may be a factor off; `octave` says by which look, and names the other candidate."""
        return self.confidence.octave_suspect


def price_window(outputs: WindowOutputs, *, min_blocks: int = MIN_BLOCKS) -> WindowPrice:
    """Price a window by sections 3 to 7 of the method. Never raises on odd input: see `Outcome`.

    A window of fewer than `min_blocks` is priced all the same, with the outcome `TOO_FEW_BLOCKS`.
    """
    curve = smooth_round_btc(count_amounts(outputs.amounts_btc))
    total = curve_sum(curve)
    if total == 0:
        return _unpriced(outputs, Outcome.NO_CANDIDATES)
    outcome = _first_doubt(outputs, curve, min_blocks)
    curve = normalise(curve)
    rough = rough_price(curve)
    if rough is None:
        return _unpriced(outputs, Outcome.NO_SIGNAL, curve, total)
    points = price_points(outputs.amounts_btc, outputs.amount_heights, rough.price_usd)
    reach = CENTRAL_REACH * rough.price_usd
    middle = central(points.usd, rough.price_usd - reach, rough.price_usd + reach)
    if middle is None:
        return _unpriced(outputs, Outcome.NO_POINTS, curve, total, rough, points)
    spread = _spread(points.usd, middle.price_usd)
    octave = check_octave(rough, outputs.amounts_btc, middle.price_usd, outputs.amount_heights)
    confidence = judge(octave, middle.n_points, spread.deviation_pct, trusted=outcome is Outcome.PRICED)
    return WindowPrice(outputs, outcome, curve, total, rough, points, middle, spread, octave, confidence)


def _unpriced(  # noqa: PLR0917
    outputs: WindowOutputs,
    outcome: Outcome,
    curve: NDArray[np.float64] | None = None,
    total: float = 0.0,
    rough: RoughPrice | None = None,
    points: PricePoints | None = None,
) -> WindowPrice:
    return WindowPrice(outputs, outcome, curve, total, rough, points, None, None, None, Confidence.none())


def _first_doubt(outputs: WindowOutputs, counts: NDArray[np.float64], min_blocks: int) -> Outcome:
    if outputs.n_blocks < min_blocks:
        return Outcome.TOO_FEW_BLOCKS
    if _is_flat(counts):
        return Outcome.FLAT_HISTOGRAM
    return Outcome.PRICED


def _is_flat(counts: NDArray[np.float64]) -> bool:
    """Whether the bins differ no more than chance would have it, as amounts drawn evenly give.

    The variance of such counts equals their mean; on real blocks it is hundreds of times as high.
    """
    inner = counts[FIRST_BIN : LAST_BIN + 1]
    mean = float(inner.mean())
    return mean >= 1 and float(inner.var()) <= _FLAT_DISPERSION * mean


def _spread(points_usd: NDArray[np.float64], price_usd: float) -> Spread:
    up, down = price_usd + SPREAD_REACH * price_usd, price_usd - SPREAD_REACH * price_usd
    wide = central(points_usd, down, up)
    # the price itself is one of the points inside the band
    deviation_usd = wide.deviation_usd if wide else 0.0
    deviation_pct = deviation_usd / (up - down)
    plot_range = 0.05 + (deviation_pct - 0.17) * ((0.15 - 0.05) / (0.20 - 0.17))
    plot_range = min(max(plot_range, MIN_PLOT_RANGE), MAX_PLOT_RANGE)
    return Spread(
        deviation_usd=deviation_usd,
        deviation_pct=deviation_pct,
        plot_range=plot_range,
        plot_low_usd=price_usd - plot_range * price_usd,
        plot_high_usd=price_usd + plot_range * price_usd,
    )
