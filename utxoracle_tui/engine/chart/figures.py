"""The figures of a span as the rows of a file: each as it was measured, in order of time, and what they are of."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from utxoracle_core import BLOCK_METHOD
from utxoracle_core.price import METHOD
from utxoracle_tui import formats
from utxoracle_tui.engine.chart.series import Floats, GapReason, PriceSeries, Source, State, inside
from utxoracle_tui.store.exporting import Row

_NO_FIGURE: Row = dict.fromkeys(
    (
        "time",
        "figure",
        "height",
        "price_usd",
        "low_usd",
        "high_usd",
        "confidence",
        "state",
        "reason",
        "exchange_usd",
        "exchange_mean_usd",
        "exchange_source",
        "divergence_block_pct",
        "divergence_spot_pct",
        "divergence_window_pct",
    )
)
"""All columns, whatever the figure is."""


def just_after(time_s: float) -> float:
    """The end of a span that a moment is the last of, as spans don't have their end in them."""
    return math.nextafter(time_s, math.inf)


def facts_of(series: PriceSeries, start_s: float, end_s: float) -> dict[str, object]:
    """What has to be said of the figures from `start_s` to before `end_s`: heights, methods, exchange sources."""
    blocks, windows, exchange = series.blocks, series.windows, series.exchange
    heights = blocks.height[inside(blocks.time_s, start_s, end_s)]
    has_windows = len(windows.time_s[inside(windows.time_s, start_s, end_s)]) > 0
    sources = exchange.source[inside(exchange.time_s, start_s, end_s)]
    return {
        "first_height": int(heights.min()) if len(heights) else None,
        "last_height": int(heights.max()) if len(heights) else None,
        "methods": [name for name, there in ((BLOCK_METHOD, len(heights) > 0), (METHOD, has_windows)) if there],
        "exchange_sources": sorted({Source(int(code)).word for code in set(sources.tolist())} - {Source.NONE.word}),
    }


def rows_of(series: PriceSeries, start_s: float, end_s: float) -> list[Row]:
    """The block, window and exchange prices from `start_s` to before `end_s`, by time; None where there is no value."""
    found = [
        *_blocks(series, start_s, end_s),
        *_windows(series, start_s, end_s),
        *_exchange(series, start_s, end_s),
    ]
    found.sort(key=lambda timed: timed[0])
    return [{**_NO_FIGURE, "time": formats.utc_iso(time_s), **row} for time_s, row in found]


def _blocks(series: PriceSeries, start_s: float, end_s: float) -> Iterator[tuple[float, Row]]:
    blocks = series.blocks
    here = inside(blocks.time_s, start_s, end_s)
    for n in range(here.start, here.stop):
        gap = GapReason(int(blocks.gap[n]))
        yield (
            float(blocks.time_s[n]),
            {
                "figure": "block price",
                "height": int(blocks.height[n]),
                "price_usd": _known(blocks.price_usd, n),
                "low_usd": _known(blocks.low_usd, n),
                "high_usd": _known(blocks.high_usd, n),
                "confidence": _known(blocks.confidence, n),
                "state": State(int(blocks.state[n])).word,
                "reason": None if gap is GapReason.NONE else gap.word,
                "exchange_usd": _known(blocks.exchange_usd, n),
                "exchange_source": _source(int(blocks.source[n])),
                "divergence_block_pct": _known(blocks.divergence_pct, n),
            },
        )


def _windows(series: PriceSeries, start_s: float, end_s: float) -> Iterator[tuple[float, Row]]:
    windows, pairs, spot = series.windows, series.comparisons["window"], series.comparisons["spot"]
    # rounds alone are compared with the exchange at their moment
    of_round = np.cumsum(~windows.daily) - 1
    here = inside(windows.time_s, start_s, end_s)
    for n in range(here.start, here.stop):
        row: dict[str, str | float | int | None] = {
            "figure": "window price of a day" if windows.daily[n] else "window price",
            "height": None if np.isnan(windows.height[n]) else int(windows.height[n]),
            "price_usd": _known(windows.price_usd, n),
            "confidence": _known(windows.confidence, n),
            "state": State(int(windows.state[n])).word,
            "exchange_mean_usd": _known(pairs.exchange_usd, n),
            "exchange_source": _source(int(pairs.source[n])),
            "divergence_window_pct": _known(pairs.divergence_pct, n),
        }
        if not windows.daily[n]:
            row["exchange_usd"] = _known(spot.exchange_usd, int(of_round[n]))
            row["divergence_spot_pct"] = _known(spot.divergence_pct, int(of_round[n]))
        yield float(windows.time_s[n]), row


def _exchange(series: PriceSeries, start_s: float, end_s: float) -> Iterator[tuple[float, Row]]:
    exchange = series.exchange
    here = inside(exchange.time_s, start_s, end_s)
    for n in range(here.start, here.stop):
        price_usd, source = _known(exchange.price_usd, n), _source(int(exchange.source[n]))
        row: Row = {"figure": "exchange price", "price_usd": price_usd, "exchange_source": source}
        yield float(exchange.time_s[n]), row


def _known(values: Floats, n: int) -> float | None:
    return None if np.isnan(values[n]) else float(values[n])


def _source(code: int) -> str | None:
    return None if code == Source.NONE else Source(code).word
