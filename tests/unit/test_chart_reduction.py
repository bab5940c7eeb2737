"""Thinning lines to columns, against the same rule written out value by value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utxoracle_tui.engine.chart.reduction import Envelope, HeldLine, envelope, hold_until

Point = tuple[float, float | None]


def plainly(points: list[Point], until: list[float], start: float, end: float, columns: int) -> list[set[float]]:
    """The values of each column: those in it, the one that holds over its left edge, and what the first joins to."""
    width = (end - start) / columns
    found = []
    for column in range(columns):
        left, right = start + column * width, start + (column + 1) * width
        values: set[float] = set()
        for n, (time, value) in enumerate(points):
            if value is None:
                continue
            if left <= time < right or time <= left < until[n]:
                values.add(value)
            if n + 1 < len(points):
                following, next_value = points[n + 1]
                if until[n] == following and next_value is not None and left <= following < right:
                    values.add(value)
        found.append(values)
    return found


def reduced(points: list[Point], until: np.ndarray, start: float, end: float, columns: int) -> Envelope:
    times = np.array([time for time, _ in points], np.float64)
    values = np.array([np.nan if value is None else value for _, value in points], np.float64)
    return envelope(HeldLine(times, values, values, until), start, end, columns)


points_in_order = st.lists(
    st.tuples(st.integers(0, 120).map(float), st.one_of(st.none(), st.integers(-50, 50).map(float))),
    max_size=40,
    unique_by=lambda point: point[0],
).map(lambda points: sorted(points, key=lambda point: point[0]))


@given(points_in_order, st.integers(1, 30), st.sampled_from([1.0, 5.0, 1000.0]))
def test_each_column_has_its_least_and_greatest(points: list[Point], columns: int, most_s: float) -> None:
    times = np.array([time for time, _ in points], np.float64)
    until = hold_until(times, most_s, 110.0)
    # columns of a whole number of seconds, so that both see the same edges
    start, end = 10.0, 10.0 + 4 * columns
    found = reduced(points, until, start, end, columns)
    for values, low, high in zip(
        plainly(points, until.tolist(), start, end, columns), found.low, found.high, strict=True
    ):
        if values:
            assert (low, high) == (min(values), max(values))
        else:
            assert math.isnan(low)
            assert math.isnan(high)


def test_a_missing_day_stays_a_gap() -> None:
    times = np.array([0.0, 10.0, 30.0])
    values = np.array([1.0, 2.0, 3.0])
    found = envelope(HeldLine(times, values, values, hold_until(times, 10.0, 100.0)), 0.0, 40.0, 4)
    assert np.array_equal(found.low, [1, 1, np.nan, 3], equal_nan=True)
    assert np.array_equal(found.high, [1, 2, np.nan, 3], equal_nan=True)


def test_a_value_holds_until_the_next_for_a_while_and_never_beyond_now() -> None:
    times = np.array([0.0, 5.0, 100.0, 200.0])
    breaks = np.array([False, True, False, False])
    assert hold_until(times, 50.0, 220.0, breaks).tolist() == [5.0, 5.0, 150.0, 220.0]
    # what is later than now holds for its own moment
    assert hold_until(times, 50.0, 90.0).tolist() == [5.0, 55.0, 100.0, 200.0]


def test_a_band_keeps_both_its_ends() -> None:
    times = np.array([0.0, 1.0, 2.0])
    found = envelope(HeldLine(times, times + 10, times + 20, hold_until(times, 1.0, 9.0)), 0.0, 3.0, 1)
    assert (found.low.tolist(), found.high.tolist()) == ([10.0], [22.0])


def test_nothing_gives_gaps_alone() -> None:
    nothing = np.zeros(0)
    found = envelope(HeldLine(nothing, nothing, nothing, nothing), 0.0, 10.0, 3)
    assert np.isnan(found.low).all()
    assert np.isnan(found.high).all()


def test_a_hundred_thousand_points_keep_their_peaks() -> None:
    rng = np.random.default_rng(4)
    times = np.sort(rng.uniform(0, 1e7, 100_000))
    values = rng.normal(90_000, 500, 100_000)
    values[[777, 55_555]] = [10.0, 1e6]
    found = envelope(HeldLine(times, values, values, hold_until(times, 7200.0, 1e7)), 0.0, 1e7, 240)
    assert np.nanmin(found.low) == 10.0
    assert np.nanmax(found.high) == 1e6
    column = int(times[55_555] / 1e7 * 240)
    assert found.high[column] == pytest.approx(1e6)
