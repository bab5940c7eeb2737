"""The histogram: which bin an amount falls in, what is emptied, smoothed, divided and capped."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import plain_method
from tests.support.examples import examples
from utxoracle_core.histogram import bin_edges, count_amounts, curve_sum, normalise, smooth_round_btc


def bins_of(amounts: list[float]) -> list[int]:
    return [int(np.flatnonzero(count_amounts(np.array([amount])))[0]) for amount in amounts]


def test_an_amount_at_an_edge_falls_in_the_bin_above_it() -> None:
    edges = bin_edges().tolist()
    for nudged, step in ((edges, 0), ([math.nextafter(e, 0.0) for e in edges], -1), ([e + e / 1e15 for e in edges], 0)):
        amounts = np.array(nudged[1:])
        expected = np.bincount(np.arange(1, 2401) + step, minlength=2401)
        assert count_amounts(amounts).tolist() == expected.tolist()
    assert bins_of([math.nextafter(edges[k], 1e9) for k in (1, 200, 201, 1600, 2400)]) == [1, 200, 201, 1600, 2400]


def test_whole_decades() -> None:
    assert bins_of([1e-05, 0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 99_999.0]) == [
        *(201, 401, 601, 801, 1001, 1201, 1401, 1601),
        2200,
    ]


def test_the_smallest_and_the_largest_amounts() -> None:
    assert bins_of([1.001e-05, 1e-07, 99_999.99999999]) == [201, 0, 2200]


def test_counts_add_up() -> None:
    counts = count_amounts(np.array([0.5, 0.5, 0.5, 2.0]))
    assert counts.dtype == np.float64
    assert len(counts) == 2401
    assert sorted(counts[counts > 0].tolist()) == [1.0, 3.0]
    assert count_amounts(np.zeros(0)).tolist() == [0.0] * 2401


def test_what_is_emptied() -> None:
    curve = smooth_round_btc(np.ones(2401))
    assert curve[:201].tolist() == [0.0] * 201
    assert curve[1601:].tolist() == [0.0] * 800
    # 201 is the mean of an empty bin and a full one
    assert curve[201] == 0.5
    assert curve[202:1601].tolist() == [1.0] * 1399


def test_which_bins_are_smoothed() -> None:
    # no two bins are alike, and no bin is the mean of its neighbours
    counts = np.array([float(k * k) for k in range(2401)])
    curve = smooth_round_btc(counts)
    changed = np.flatnonzero(curve[201:1601] != counts[201:1601]) + 201
    assert changed.tolist() == [
        *(201, 401, 461, 496, 540, 601, 661, 696, 740, 801, 861, 896, 940, 1001, 1061, 1096, 1140, 1201),
    ]
    assert curve[201] == 0.5 * 202**2
    assert curve[540] == 0.5 * (541**2 + 539**2)


def test_the_counts_stay_as_they_were() -> None:
    counts = np.ones(2401)
    curve = smooth_round_btc(counts)
    assert counts.tolist() == [1.0] * 2401
    before = curve.copy()
    normalise(curve)
    assert np.array_equal(curve, before)


@given(st.lists(st.floats(0.0, 1e6), min_size=40, max_size=40), st.integers(201, 1500))
def test_the_sum_runs_left_to_right(values: list[float], start: int) -> None:
    curve = np.zeros(2401)
    curve[start : start + len(values)] = values
    total = 0.0
    for value in curve[201:1601].tolist():
        total += value
    assert curve_sum(curve) == total


def test_the_sum_is_not_pairwise() -> None:
    curve = np.zeros(2401)
    curve[201:1601] = [0.1 + 0.001 * (k % 7) for k in range(1400)]
    assert float(np.sum(curve[201:1601])) != plain_method.total_of(curve.tolist())
    assert curve_sum(curve) == plain_method.total_of(curve.tolist())


def test_the_sum_ends_with_bin_1600() -> None:
    curve = np.arange(2401, dtype=np.float64)
    assert curve_sum(curve) == sum(range(201, 1601))


def test_each_bin_is_capped_after_the_division() -> None:
    curve = np.zeros(2401)
    curve[300], curve[301], curve[1600] = 97.0, 1.0, 2.0
    shares = normalise(curve)
    assert shares[300] == 0.008
    assert shares[301] == 0.008
    assert shares[1600] == 0.008
    curve = np.zeros(2401)
    curve[300:700] = 1.0
    curve[300] = 4.0
    shares = normalise(curve)
    # not divided again: what the cap took is gone
    assert shares[300] == 0.008
    assert shares[301] == 1.0 / 403
    assert float(shares.sum()) < 1


@pytest.mark.parametrize("count", [1, 5, 300])
@settings(max_examples=examples(15, 100))
@given(data=st.data())
def test_against_the_rules_in_plain_python(count: int, data: st.DataObject) -> None:
    sats = data.draw(st.lists(st.integers(1_001, 10**13 - 1), min_size=count, max_size=count))
    exponents = data.draw(st.lists(st.integers(-5, 4), min_size=3, max_size=3))
    amounts = [value / 1e8 for value in sats] + [10.0**e for e in exponents if e > -5]
    counts = plain_method.counted(amounts)
    assert count_amounts(np.array(amounts)).tolist() == counts
    curve = smooth_round_btc(np.array(counts))
    assert curve.tolist() == plain_method.smoothed(counts)
    assert curve_sum(curve) == plain_method.total_of(curve.tolist())
    if curve_sum(curve):
        assert normalise(curve).tolist() == plain_method.normalised(curve.tolist())
