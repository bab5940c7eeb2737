"""Sorting and filtering rows, against plain Python over the same rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from utxoracle_tui.engine.chart.levels import Level, level_of
from utxoracle_tui.engine.chart.series import Rows, Side, Source, State
from utxoracle_tui.engine.chart.sorting import SortKey, matching, ordered
from utxoracle_tui.store.statistics import BASES

COUNT = 300


@pytest.fixture(scope="module")
def rows() -> Rows:
    rng = np.random.default_rng(11)
    height = 878_000.0 + np.arange(COUNT)
    height[::17] = np.nan
    prices = rng.normal(65_000, 300, (2, COUNT))
    time_s = 1_736_000_000 + 613.0 * np.arange(COUNT)
    return Rows(time_s, height, *prices, {basis: side(rng) for basis in BASES})


def side(rng: np.random.Generator) -> Side:
    figures = rng.normal(0, 3, (3, COUNT))
    figures[1:, ::7] = np.nan
    codes = [rng.integers(0, len(kind), COUNT).astype(np.int8) for kind in (State, Source)]
    return Side(*figures, *codes)


@pytest.mark.parametrize("downwards", [True, False])
@pytest.mark.parametrize("key", list(SortKey))
def test_an_order_is_that_of_the_values(rows: Rows, key: SortKey, downwards: bool) -> None:
    on_spot = rows.sides["spot"]
    values = {
        SortKey.TIME: rows.time_s, SortKey.HEIGHT: rows.height, SortKey.BLOCK: rows.block_usd,
        SortKey.WINDOW: rows.window_usd, SortKey.EXCHANGE: on_spot.exchange_usd,
        SortKey.DIVERGENCE: np.abs(on_spot.divergence_pct), SortKey.CONFIDENCE: on_spot.confidence,
    }[key].tolist()  # fmt: skip
    known = [n for n in range(COUNT) if not math.isnan(values[n])]
    unknown = [n for n in range(COUNT) if math.isnan(values[n])]
    expected = sorted(known, key=lambda n: values[n], reverse=downwards) + sorted(unknown, reverse=True)
    assert ordered(rows, key, "spot", downwards=downwards).tolist() == expected


@pytest.mark.parametrize(
    "text", ["alert", "high", "low", "not valid", "public", "878123", "2025-01-05", "alert low own", "nothing such", ""]
)
def test_a_filter_finds_all_its_words(rows: Rows, text: str) -> None:
    expected = []
    for n in range(COUNT):
        beside = rows.sides["block"]
        pct = float(beside.divergence_pct[n])
        words = [
            datetime.fromtimestamp(rows.time_s[n], UTC).strftime("%Y-%m-%d %H:%M"),
            "" if math.isnan(rows.height[n]) else str(int(rows.height[n])),
            State(int(beside.state[n])).word,
            Source(int(beside.source[n])).word,
        ]
        if abs(pct) > 2:
            words += ["large", "high" if pct > 0 else "low"]
        if abs(pct) > 5:
            words.append("alert")
        expected.append(all(any(word in there for there in words) for word in text.split()))
    assert matching(rows, text, "block").tolist() == expected


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (">0.5", lambda pct: pct > 0.5),
        ("> 0.5", lambda pct: pct > 0.5),
        ("<-2%", lambda pct: pct < -2),
        (">=-1 <=1", lambda pct: -1 <= pct <= 1),
        (">99", lambda pct: False),
    ],
)
def test_a_filter_takes_bounds_of_the_divergence(rows: Rows, text: str, holds: Callable[[float], bool]) -> None:
    expected = [holds(pct) for pct in rows.sides["window"].divergence_pct.tolist()]
    assert matching(rows, text, "window").tolist() == expected


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
