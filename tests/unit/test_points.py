"""Price points: which amounts give them, in which order, and which round amounts don't."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import plain_method
from utxoracle_core.points import near_round_btc, price_points


def points_of(amounts: Sequence[float], rough_usd: int) -> list[tuple[int, float]]:
    """Each point with the position of its amount, which the heights carry here."""
    found = price_points(np.array(amounts, np.float64), np.arange(len(amounts), dtype=np.int32), rough_usd)
    assert found.usd.dtype == np.float64
    assert found.heights.dtype == np.int32
    return list(zip(found.heights.tolist(), found.usd.tolist(), strict=True))


def nudged(value: float, ulps: int) -> float:
    for _ in range(abs(ulps)):
        value = math.nextafter(value, math.inf if ulps > 0 else 0.0)
    return value


def test_one_amount_gives_several_points_in_the_order_of_the_ladder() -> None:
    # $22.60 at 65,432: within a quarter of $20, $25 and $30
    amount = 22.6 / 65_432
    assert points_of([amount], 65_432) == [(0, usd / amount) for usd in (20, 25, 30)]


def test_points_in_the_order_of_the_amounts() -> None:
    amounts = [997 / 65_432, 5.03 / 65_432, 997 / 65_432, 49.7 / 65_432]
    expected = [(0, 1000), (1, 5), (2, 1000), (3, 40), (3, 50)]
    assert points_of(amounts, 65_432) == [(n, usd / amounts[n]) for n, usd in expected]


def test_every_step_of_the_ladder() -> None:
    for usd in (5, 10, 15, 20, 25, 30, 40, 50, 100, 150, 200, 300, 500, 1000):
        amount = usd / 43_210
        assert usd / amount in [point for _, point in points_of([amount], 43_210)]


def test_no_points_outside_the_ladder() -> None:
    # between $62.50 and $75 nothing is near, nor below $3.75 or above $1250
    for usd in (0.5, 3.7, 64.0, 74.0, 1251.0, 5000.0):
        assert points_of([usd / 61_234], 61_234) == []
    assert points_of([], 61_234) == []


@pytest.mark.parametrize("rough_usd", [17_801, 29_706, 60_504, 77_777, 133_871, 499_999])
@pytest.mark.parametrize("usd", plain_method.LADDER_USD)
def test_the_edges_of_a_band_are_outside(usd: int, rough_usd: int) -> None:
    a = usd / rough_usd
    for edge, inwards in ((a - 0.25 * a, 1), (a + 0.25 * a, -1)):
        for ulps in (-2, -1, 0, 1, 2):
            amount = nudged(edge, ulps)
            found = usd / amount in [point for _, point in points_of([amount], rough_usd)]
            expected = ulps * inwards > 0 and not plain_method.near_round_btc(amount)
            assert found is expected


@pytest.mark.parametrize(
    ("sats", "near"),
    [
        # the accumulated error of the sums decides at these
        *((30_003, True), (129_987, False)),
        *((5_000, True), (4_999, False), (5_001, False), (6_000, True), (100_000, True), (1_000_000, True)),
        *((999_999, True), (999_901, True), (999_899, False), (1_000_099, True), (1_000_101, False)),
        *((10_500, False), (10_100, False), (11_000, True), (105_000, False), (110_000, True)),
        *((99_000_000, True), (99_009_899, True), (99_009_901, False), (100_000_000, False), (99_990_000, False)),
        *((4_000, False), (101_000_000, False), (200_000_000, False)),
    ],
)
def test_amounts_near_a_round_one(sats: int, near: bool) -> None:
    assert plain_method.near_round_btc(sats / 1e8) is near
    assert near_round_btc(np.array([sats / 1e8])).tolist() == [near]


def test_the_edges_of_every_round_amount() -> None:
    amounts = [
        nudged(edge, ulps)
        for r in plain_method.round_btc()
        for edge in (r - 0.0001 * r, r, r + 0.0001 * r)
        for ulps in (-1, 0, 1)
    ]
    assert near_round_btc(np.array(amounts)).tolist() == [plain_method.near_round_btc(amount) for amount in amounts]


def test_whole_sats_around_every_round_amount() -> None:
    sats = {round(r * 1e8) + step for r in plain_method.round_btc() for step in (-1, 0, 1)}
    sats |= {
        round(edge * 1e8) + step
        for r in plain_method.round_btc()
        for edge in (r - 0.0001 * r, r + 0.0001 * r)
        for step in (-1, 0, 1)
    }
    amounts = [value / 1e8 for value in sorted(sats)]
    assert near_round_btc(np.array(amounts)).tolist() == [plain_method.near_round_btc(amount) for amount in amounts]


def test_a_round_amount_gives_no_point() -> None:
    # $50 at 50,000 are 0.001 bitcoin
    assert points_of([0.001], 50_000) == []
    assert points_of([0.001 * 1.0002], 50_000) != []


@given(
    st.integers(10_000, 507_000),
    st.lists(
        st.one_of(
            st.integers(1_001, 10**9).map(lambda sats: ("sats", sats, 0, 0)),
            st.tuples(
                st.just("band"),
                st.sampled_from(plain_method.LADDER_USD),
                st.sampled_from([-1, 0, 1]),
                st.integers(-2, 2),
            ),
            st.tuples(st.just("round"), st.integers(0, 365), st.sampled_from([-1, 0, 1]), st.integers(-2, 2)),
        ),
        max_size=30,
    ),
)
def test_against_the_rules_in_plain_python(rough_usd: int, wanted: list[tuple[str, int, int, int]]) -> None:
    amounts = []
    for kind, number, side, ulps in wanted:
        if kind == "sats":
            amounts.append(number / 1e8)
        elif kind == "band":
            a = number / rough_usd
            amounts.append(nudged(a + side * 0.25 * a, ulps))
        else:
            r = plain_method.round_btc()[number]
            amounts.append(nudged(r + side * 0.0001 * r, ulps))
    assert points_of(amounts, rough_usd) == plain_method.price_points(amounts, rough_usd)
