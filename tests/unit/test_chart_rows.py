"""Sorting and filtering rows, against plain Python over the same rows."""

from __future__ import annotations

import math
from dataclasses import fields
from datetime import UTC, datetime

import numpy as np
import pytest

from utxoracle_tui.engine.chart.levels import Level, level_of
from utxoracle_tui.engine.chart.series import Rows, Source, State
from utxoracle_tui.engine.chart.sorting import SortKey, matching, ordered

COUNT = 300


@pytest.fixture(scope="module")
def rows() -> Rows:
    rng = np.random.default_rng(11)
    columns: dict[str, np.ndarray] = {field.name: rng.normal(0, 3, COUNT) for field in fields(Rows)}
    columns["time_s"] = 1_736_000_000 + 613.0 * np.arange(COUNT)
    columns["height"] = 878_000.0 + np.arange(COUNT)
    columns["height"][::17] = np.nan
    for name in ("block_pct", "confidence"):
        columns[name][::7] = np.nan
    columns["state"] = rng.integers(0, len(State), COUNT).astype(np.int8)
    columns["source"] = rng.integers(0, len(Source), COUNT).astype(np.int8)
    return Rows(**columns)


@pytest.mark.parametrize("downwards", [True, False])
@pytest.mark.parametrize("key", list(SortKey))
def test_an_order_is_that_of_the_values(rows: Rows, key: SortKey, downwards: bool) -> None:
    values = {
        SortKey.TIME: rows.time_s, SortKey.HEIGHT: rows.height, SortKey.BLOCK: rows.block_usd,
        SortKey.WINDOW: rows.window_usd, SortKey.EXCHANGE: rows.exchange_usd,
        SortKey.DIVERGENCE: np.abs(rows.block_pct), SortKey.CONFIDENCE: rows.confidence,
    }[key].tolist()  # fmt: skip
    known = [n for n in range(COUNT) if not math.isnan(values[n])]
    unknown = [n for n in range(COUNT) if math.isnan(values[n])]
    expected = sorted(known, key=lambda n: values[n], reverse=downwards) + sorted(unknown, reverse=True)
    assert ordered(rows, key, "block", downwards=downwards).tolist() == expected


@pytest.mark.parametrize(
    "text", ["alert", "high", "low", "not valid", "public", "878123", "2025-01-05", "alert low own", "nothing such", ""]
)
def test_a_filter_finds_all_its_words(rows: Rows, text: str) -> None:
    expected = []
    for n in range(COUNT):
        pct = float(rows.block_pct[n])
        words = [
            datetime.fromtimestamp(rows.time_s[n], UTC).strftime("%Y-%m-%d %H:%M"),
            "" if math.isnan(rows.height[n]) else str(int(rows.height[n])),
            State(int(rows.state[n])).word,
            Source(int(rows.source[n])).word,
        ]
        if abs(pct) > 2:
            words += ["large", "high" if pct > 0 else "low"]
        if abs(pct) > 5:
            words.append("alert")
        expected.append(all(any(word in there for there in words) for word in text.split()))
    assert matching(rows, text, "block").tolist() == expected


@pytest.mark.parametrize(
    ("pct", "level"),
    [
        (None, Level.NONE),
        (0.0, Level.QUIET),
        (2.0, Level.QUIET),
        (-2.01, Level.LARGE),
        (5.0, Level.LARGE),
        (-5.1, Level.ALERT),
    ],
)
def test_levels(pct: float | None, level: Level) -> None:
    assert level_of(pct) is level
