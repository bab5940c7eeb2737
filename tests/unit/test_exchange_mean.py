"""The exchange price over a span, against a sum over every second."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.records import START_S, reading
from utxoracle_tui.engine.exchange_history import exchange_over, exchange_over_day
from utxoracle_tui.engine.exchange_mean import divergence_pct, held_at, mean_over
from utxoracle_tui.store.records import ExchangeDay
from utxoracle_tui.store.store import Store

HOUR_S = 3600


def by_the_minute(readings: list[tuple[float, float]], start_s: int, end_s: int) -> tuple[float, float] | None:
    """Mean and coverage from the price that holds in each minute; all times are whole minutes."""
    held = []
    for minute in range(start_s, end_s, 60):
        before = [(time_s, usd) for time_s, usd in readings if time_s <= minute < time_s + 2 * HOUR_S]
        if before:
            held.append(max(before)[1])
    if not held:
        return None
    return sum(held) / len(held), len(held) / ((end_s - start_s) / 60)


@given(
    st.lists(st.tuples(st.integers(-300, 700), st.integers(10_000, 99_999)), max_size=12, unique_by=lambda r: r[0]),
    st.integers(0, 200),
    st.integers(1, 500),
)
def test_against_every_minute(minutes: list[tuple[int, int]], start: int, length: int) -> None:
    readings = sorted((minute * 60.0, float(usd)) for minute, usd in minutes)
    start_s, end_s = start * 60, (start + length) * 60
    found, wanted = mean_over(readings, start_s, end_s), by_the_minute(readings, start_s, end_s)
    if wanted is None:
        assert found is None
    else:
        assert found is not None
        assert found.price_usd == pytest.approx(wanted[0], rel=1e-9)
        assert found.coverage == pytest.approx(wanted[1], rel=1e-9)


def test_a_price_holds_two_hours() -> None:
    readings = [(0.0, 100.0)]
    assert held_at(readings, 7200.0) == 100.0
    assert held_at(readings, 7201.0) is None
    assert held_at(readings, -1.0) is None


def test_the_sign_of_a_divergence() -> None:
    assert divergence_pct(101.0, 100.0) == pytest.approx(1.0)
    assert divergence_pct(99.0, 100.0) == pytest.approx(-1.0)
    assert divergence_pct(None, 100.0) is None
    assert divergence_pct(100.0, None) is None


def test_a_day_without_readings_has_its_close(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    assert exchange_over_day(store, date(2025, 1, 1)) is None
    store.exchange_days.insert(ExchangeDay(date=date(2025, 1, 1), close_usd=94_000.0))
    over = exchange_over_day(store, date(2025, 1, 1))
    assert over is not None
    assert (over.price_usd, over.coverage, over.is_daily) == (94_000.0, 0.0, True)


def test_readings_win_where_they_hold_half_the_span(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    store.exchange_days.insert(ExchangeDay(date=date(2025, 1, 1), close_usd=94_000.0))
    # hours 0 to 9 and the two that the last one holds: 11 of 24
    store.exchange_readings.put(reading(START_S + hour * HOUR_S, 95_000.0) for hour in range(10))
    over = exchange_over_day(store, date(2025, 1, 1))
    assert over is not None
    assert over.is_daily
    store.exchange_readings.insert(reading(START_S + 20 * HOUR_S, 89_000.0))
    over = exchange_over_day(store, date(2025, 1, 1))
    assert over is not None
    assert not over.is_daily
    assert over.coverage == pytest.approx(13 / 24)
    assert over.price_usd == pytest.approx((11 * 95_000 + 2 * 89_000) / 13)


def test_the_newest_reading_counts_before_it_is_stored(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    newest = reading(START_S, 95_000.0)
    over = exchange_over(store, START_S, START_S + HOUR_S, newest)
    assert over is not None
    assert over.price_usd == 95_000.0
    assert over.coverage == 1.0
