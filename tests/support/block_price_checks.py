"""Comparisons of the block price with what was recorded, shared by the tests and `tests.bench.block_price_parity`."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.parity_checks import FIXTURES
from utxoracle_core import BlockReading
from utxoracle_core.block_grid import CELL, PriceGrid
from utxoracle_core.block_points import PointCounts
from utxoracle_core.block_price import evidence, sums_on

Json = dict[str, Any]

FOLDER = FIXTURES / "block-price"
CHAINS = ("clean30k", "fast205", "mediocre60", "sparse40")
REAL = "mainnet-799990-800000"
FORGOTTEN_AFTER = 36
"""Blocks after which nothing of the start is left."""


def recorded(name: str, folder: Path = FOLDER) -> Json:
    """A file of recorded readings, compressed or not."""
    path = folder / f"{name}.json"
    text = path.read_bytes() if path.is_file() else gzip.decompress((folder / f"{name}.json.gz").read_bytes())
    document: Json = json.loads(text)
    return document


@dataclass(frozen=True)
class Agreement:
    """The largest differences between readings and what was recorded."""

    price: float
    band: float
    confidence: float
    reasons: list[str]
    """Where the reasons differ."""

    @property
    def holds(self) -> bool:
        return self.price < 0.0005 and self.band < 0.0005 and self.confidence < 0.02 and not self.reasons

    def __str__(self) -> str:
        return (
            f"price within {self.price:.2e}, band {self.band:.2e}, confidence {self.confidence:.2e}, "
            f"{len(self.reasons)} other reasons"
        )


def agreement(readings: Sequence[BlockReading], blocks: Sequence[Json]) -> Agreement:
    """Compare reading by reading, the estimate in gaps, too."""
    assert [(r.height, r.time) for r in readings] == [(b["height"], b["time"]) for b in blocks]
    pairs = list(zip(readings, blocks, strict=True))
    return Agreement(
        price=max(abs(r.estimate_usd / b["price"] - 1) for r, b in pairs),
        band=max(max(abs(r.low_usd / b["low"] - 1), abs(r.high_usd / b["high"] - 1)) for r, b in pairs),
        confidence=max(abs(r.confidence - b["confidence"]) for r, b in pairs),
        reasons=[
            f"{r.height}: {r.reason or ''}, not {b['reason']}" for r, b in pairs if (r.reason or "") != b["reason"]
        ],
    )


def planted_errors(readings: Sequence[BlockReading], blocks: Sequence[Json]) -> list[float]:
    """How far the shown prices are off what the payments were made at."""
    pairs = zip(readings, blocks, strict=True)
    return [abs(r.price_usd / b["planted"] - 1) for r, b in pairs if r.price_usd is not None]


# --- four published days


@dataclass(frozen=True)
class PublishedBlock:
    """The cells of the points that a published run plotted for a block, and the exchange's range of the day."""

    height: int
    time: int
    cells: NDArray[np.int64]
    low_usd: float
    high_usd: float


def published_blocks(folder: Path = FOLDER) -> list[PublishedBlock]:
    """The blocks of the four days, from the points as published or from the cells that are kept of them."""
    compact = folder / "published-cells.npz"
    return list(_from_cells(compact) if compact.is_file() else _from_points(folder))


def _from_cells(path: Path) -> Iterator[PublishedBlock]:
    days = _exchange_days(path.with_name("exchange-days.csv"))
    with np.load(path) as stored:
        for day, (low, high) in days.items():
            cells = np.cumsum(stored[f"{day}_steps"].astype(np.int64))
            ends = np.cumsum(stored[f"{day}_counts"].astype(np.int64))
            heights, times = stored[f"{day}_heights"], stored[f"{day}_times"]
            for n, (start, end) in enumerate(pairwise([0, *ends])):
                yield PublishedBlock(int(heights[n]), int(times[n]), cells[start:end], low, high)


def _from_points(folder: Path) -> Iterator[PublishedBlock]:
    days = _exchange_days(folder.parent / "history" / "exchange-daily-ohlc.csv")
    for path in sorted(folder.glob("published-*.npz")):
        low, high = days[path.stem.removeprefix("published-")]
        with np.load(path) as stored:
            cells = np.rint(stored["point_ln_price"] / CELL).astype(np.int64)
            for n, (height, time) in enumerate(zip(stored["height"], stored["time"], strict=True)):
                yield PublishedBlock(int(height), int(time), cells[stored["point_block"] == n], low, high)


def _exchange_days(path: Path) -> dict[str, tuple[float, float]]:
    with path.open(encoding="ascii", newline="") as file:
        return {row["date"]: (float(row["low"]), float(row["high"])) for row in csv.DictReader(file)}


def published_prices(blocks: Sequence[PublishedBlock], start_usd: float) -> list[float]:
    """The price at each block, from points instead of amounts."""
    grid, last_time, found = PriceGrid(start_usd), None, []
    for block in blocks:
        grid.drift(None if last_time is None else (block.time - last_time) / 60)
        last_time = block.time
        lowest = int(block.cells.min(initial=0))
        points = PointCounts(lowest, np.bincount(block.cells - lowest))
        grid.weigh(evidence(sums_on(grid, points)))
        found.append(grid.settle().price_usd)
    return found


def outside_the_day(blocks: Sequence[PublishedBlock], prices: Sequence[float]) -> float:
    """How far beyond the exchange's range of its day a price lies at the most, after the start is forgotten."""
    pairs = list(zip(blocks, prices, strict=True))[FORGOTTEN_AFTER:]
    return max(max(block.low_usd / price - 1, price / block.high_usd - 1) for block, price in pairs)
