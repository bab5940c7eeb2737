"""What a chart shows, as plain data: made from results, drawn by `widgets.chart`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from utxoracle_core import BlockReading
from utxoracle_core.histogram import FIRST_BIN, LAST_BIN, bin_edges
from utxoracle_core.price import WindowPrice
from utxoracle_core.rough import slide_price_usd, stencil_start
from utxoracle_core.stencil import SPIKE_WEIGHTS, STENCIL_BINS
from utxoracle_tui import formats

Colour = Literal["primary", "accent", "warning", "foreground", "secondary", "success", "error", "quiet", "band"]
"""Of the theme; `quiet` and `band` are the foreground and the colour for success, near the background."""


class Mark(Enum):
    """How a series is drawn; each is told apart without colour."""

    DOTS = "braille"
    BARS = "bars"
    DOWN = "▼"
    UP = "△"
    STEPS = "▪"


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Points to draw; x and y of equal length."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    mark: Mark
    colour: Colour


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A whole chart. `level` is a line across at that y."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    series: Sequence[Series]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    level: float | None
    legend: str


def scatter(price: WindowPrice, line: Sequence[BlockReading] = ()) -> Picture | None:
    """The intraday scatter: price points in the plot range over the blocks, the price as a line across.

    `line` are block prices to show over it; where a block has none, there is a gap.

    As in the method's own plot, the points are spread evenly from the first height to the last, in chain order.
    None when there is no price to plot.
    """
    if price.points is None or price.spread is None or price.price_usd is None:
        return None
    outputs, spread = price.outputs, price.spread
    first, last = float(outputs.first_height), float(outputs.last_height)
    if outputs.n_blocks == 1:
        last = first + 1
    x = np.linspace(first, last, len(price.points.usd))
    y = price.points.usd
    shown = (spread.plot_low_usd < y) & (y < spread.plot_high_usd)
    lines = np.linspace(spread.plot_low_usd, spread.plot_high_usd, 5)
    series = [Series(x[shown], y[shown], Mark.DOTS, "primary")]
    legend = f"· {np.count_nonzero(shown):,} shown  ━ price {formats.usd(price.price_usd)}"
    if line:
        inside = [r for r in line if r.price_usd and spread.plot_low_usd < r.price_usd < spread.plot_high_usd]
        series.append(_steps(inside, x, price.points.heights))
        legend += "  ▪ block price"
        silent = sum(reading.price_usd is None for reading in line)
        legend += f", none at {formats.plural(silent, 'block')}" if silent else ""
    return Picture(
        x_range=(first, last),
        y_range=(spread.plot_low_usd, spread.plot_high_usd),
        series=series,
        x_ticks=_height_ticks(outputs.first_height, outputs.last_height),
        y_ticks=[Tick(float(value), formats.whole_usd(float(value))) for value in lines],
        level=price.price_usd,
        legend=legend,
    )


def _steps(line: Sequence[BlockReading], x: NDArray[np.float64], heights: NDArray[np.int32]) -> Series:
    """Block prices in the middle of the points of their block, whose heights are in order."""
    at = [reading.height for reading in line]
    first, end = np.searchsorted(heights, at, side="left"), np.searchsorted(heights, at, side="right")
    there = end > first
    prices = np.array([reading.price_usd for reading in line], np.float64)
    middles = (x[first[there]] + x[end[there] - 1]) / 2
    return Series(middles, prices[there], Mark.STEPS, "success")


def _height_ticks(first: int, last: int) -> list[Tick]:
    places = sorted({round(first + (last - first) * share) for share in (0, 0.25, 0.5, 0.75, 1)})
    return [Tick(float(height), str(height)) for height in places]


def histogram(price: WindowPrice) -> Picture | None:
    """The histogram of amounts under the stencil where it landed, and where it would stand at the other price.

    None when nothing was counted.
    """
    if price.curve is None or price.rough is None:
        return None
    start = stencil_start(price.rough.best_slide)
    low, high = max(start, FIRST_BIN), min(start + STENCIL_BINS, LAST_BIN)
    bins = np.arange(low, high + 1)
    heights = price.curve[low : high + 1]
    top = float(heights.max()) or 1.0
    series = [Series(bins.astype(np.float64), heights, Mark.BARS, "primary")]
    legend = f"█ amounts  ▼ round USD at {formats.whole_usd(slide_price_usd(price.rough.best_slide))}"
    if price.octave is not None:
        series.append(_spikes(stencil_start(price.octave.rival_slide), top * 1.15, (low, high), Mark.UP, "accent"))
        legend += f"  △ at {formats.whole_usd(price.octave.rival_usd)}"
    series.append(_spikes(start, top * 1.35, (low, high), Mark.DOWN, "warning"))
    return Picture(
        x_range=(float(low), float(high)),
        y_range=(0.0, top * 1.4),
        series=series,
        x_ticks=_amount_ticks(low, high),
        y_ticks=[Tick(top * share, f"{top * share * 100:.2f}%") for share in (0, 0.5, 1)],
        level=None,
        legend=legend,
    )


def _spikes(start: int, height: float, bins: tuple[int, int], mark: Mark, colour: Colour) -> Series:
    at = np.array([start + k for k in SPIKE_WEIGHTS if bins[0] <= start + k <= bins[1]], np.float64)
    return Series(at, np.full(len(at), height), mark, colour)


def _amount_ticks(low: int, high: int) -> list[Tick]:
    edges = bin_edges()
    decades = (k for k in range(1, len(edges), 200) if low <= k <= high)
    return [Tick(float(k), f"{edges[k]:.5f}".rstrip("0").rstrip(".")) for k in decades]
