"""The rules of the block price, one by one, and all of them against the same in plain Python."""

from __future__ import annotations

import math
import pickle
import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.plain_block_price import BlockPrice
from utxoracle_core import BLOCK_METHOD, STALE_AFTER_S, BlockPricer, BlockReading, Gap, gap_at, reading_age_s
from utxoracle_core.block_grid import CELL, N_CELLS, Estimate, PriceGrid
from utxoracle_core.block_ladder import Contender
from utxoracle_core.block_points import PointCounts, count_points, distinct_amounts, triangle_sums
from utxoracle_core.block_price import evidence, sums_on
from utxoracle_core.points import USD_LADDER

PRICE_USD = 64_321.0
START_S = 1_700_000_000


def payments(
    price_usd: float, count: int = 60, *, seed: int = 1, share: float = 0.8, width: float = 0.0015
) -> NDArray[np.float64]:
    """Amounts of a block in BTC, a share of them round USD sums at the price."""
    draw = random.Random(f"{seed} {count}")
    amounts = []
    for _ in range(count):
        if draw.random() < share:
            amount = draw.choice(USD_LADDER) / price_usd * draw.gauss(1.0, width)
        else:
            amount = 10 ** draw.uniform(-4.9, 0)
        amounts.append(round(amount * 1e8) / 1e8)
    return np.array(amounts)


def priced(
    prices_usd: list[float], start_usd: float = PRICE_USD, count: int = 60, spacing_s: int = 600
) -> list[BlockReading]:
    """A run over blocks of payments at these prices."""
    pricer = BlockPricer(start_usd)
    return [
        pricer.add(800_000 + n, START_S + spacing_s * n, payments(price, count, seed=n))
        for n, price in enumerate(prices_usd)
    ]


NOTHING = np.zeros(0)


# --- 1: the grid


def test_the_start_is_a_gaussian_of_5_percent() -> None:
    found = PriceGrid(PRICE_USD).settle()
    assert found.price_usd == pytest.approx(PRICE_USD, rel=0.0003)
    assert math.log(found.high_usd / found.price_usd) == pytest.approx(1.645 * 0.05, rel=0.002)
    assert math.log(found.price_usd / found.low_usd) == pytest.approx(1.645 * 0.05, rel=0.002)
    assert found.confidence == pytest.approx(math.erf(10.5 * CELL / 0.05 / math.sqrt(2)), rel=0.001)


def test_the_grid_is_absolute_and_moves_by_whole_cells() -> None:
    grid = PriceGrid(PRICE_USD)
    assert N_CELLS == 1001
    assert (grid.first, grid.last) == (grid.centre - 500, grid.centre + 500)
    favoured = np.zeros(N_CELLS)
    favoured[700] = 50.0
    grid.weigh(favoured)
    middle, before = grid.centre, grid.centre + 200
    assert grid.settle().cell == before
    assert grid.centre == before == middle + 200
    # the next reading is the same: nothing was lost but what lies beyond the grid
    assert grid.settle().log_price == pytest.approx(before * CELL, abs=CELL / 2)


@pytest.mark.parametrize("start_usd", [0.0, -1.0, float("nan"), float("inf")])
def test_a_start_has_to_be_a_price(start_usd: float) -> None:
    with pytest.raises(ValueError, match="positive number of dollars"):
        PriceGrid(start_usd)


# --- 2: the drift


def drifted(minutes: float | None) -> Estimate:
    grid = PriceGrid(PRICE_USD)
    certain = np.full(N_CELLS, -100.0)
    certain[500] = 0.0
    grid.weigh(certain)
    grid.drift(minutes)
    return grid.settle()


@pytest.mark.parametrize(
    ("minutes", "deviation"), [(10, 0.004), (40, 0.008), (90, 0.012), (1, 0.00126), (120, 0.01386)]
)
def test_the_drift_grows_with_the_root_of_the_time(minutes: float, deviation: float) -> None:
    found = drifted(minutes)
    # a thousandth is spread evenly over the grid, a twentieth of that to each side of the band
    assert math.log(found.high_usd / found.price_usd) == pytest.approx(1.645 * deviation, rel=0.03)
    within = math.erf(10.5 * CELL / deviation / math.sqrt(2))
    assert found.confidence == pytest.approx(0.999 * within + 0.001 * 21 / 1001, abs=0.001)


def test_the_minutes_of_the_drift_are_clamped() -> None:
    assert drifted(None) == drifted(10)
    assert drifted(-30) == drifted(0) == drifted(1)
    assert drifted(5_000) == drifted(120)
    assert drifted(1) != drifted(1.1)
    assert drifted(119) != drifted(120)


def test_a_thousandth_is_spread_evenly() -> None:
    grid = PriceGrid(PRICE_USD)
    certain = np.full(N_CELLS, -600.0)
    certain[500] = 0.0
    grid.weigh(certain)
    grid.drift(1)
    # evidence of 6 for a far price outweighs everything but what lies there
    far = np.zeros(N_CELLS)
    far[0] = 20.0
    grid.weigh(far)
    assert grid.settle().cell == grid.centre
    assert math.exp(20) * 0.001 / 1001 > 1


# --- 3: the evidence


def test_an_amount_counts_once_in_a_block() -> None:
    amounts = payments(PRICE_USD)
    flood = np.concatenate((amounts, np.full(150, 50 / 60_000)))
    once = np.concatenate((amounts, np.full(1, 50 / 60_000)))
    assert distinct_amounts(flood).tolist() == distinct_amounts(once).tolist()
    assert distinct_amounts(np.full(150, 0.00077123)).tolist() == [0.00077123]
    assert len(distinct_amounts(NOTHING)) == 0


def test_an_amount_counts_once_in_each_block() -> None:
    amounts = np.array([0.00077123, 0.00077123, 0.00077123, 0.00033123, 0.001])
    assert distinct_amounts(amounts, [0, 2, 4]).tolist() == [0.00077123, 0.00033123, 0.00077123]
    assert distinct_amounts(amounts, [0]).tolist() == [0.00033123, 0.00077123]


def test_round_bitcoin_amounts_give_no_points() -> None:
    assert distinct_amounts(np.array([0.0005, 0.001, 0.00100009, 0.00100011, 0.1])).tolist() == [0.00100011]


def test_a_point_for_each_round_sum_on_the_grid() -> None:
    grid = PriceGrid(PRICE_USD)
    amount = 100 / PRICE_USD
    points = count_points(np.array([amount]), grid.first, grid.last)
    cells = {round(math.log(usd / amount) / CELL) for usd in USD_LADDER}
    found = {points.first + int(n) for n in np.flatnonzero(points.counts)}
    assert found == {cell for cell in cells if grid.first <= cell <= grid.last}
    assert points.counts.sum() == 1
    wide = count_points(np.array([amount]), grid.first - 6_000, grid.last + 6_000)
    assert wide.counts.sum() == 14
    assert wide.between(grid.first, grid.last).tolist() == points.counts.tolist()
    assert points.between(grid.first - 3, grid.first).tolist() == [0, 0, 0, points.counts[0]]
    assert points.between(grid.last + 1, grid.last + 3).tolist() == [0, 0, 0]


def test_a_point_adds_a_fifth_falling_to_nothing_at_half_a_percent() -> None:
    grid = PriceGrid(PRICE_USD)
    counts = np.zeros(N_CELLS + 100, np.int64)
    counts[50 + np.array([300, 304, 0, 1005])] = 1
    added = evidence(sums_on(grid, PointCounts(grid.first - 50, counts)))
    assert len(added) == N_CELLS
    assert added[300] == pytest.approx(0.2 + 0.2 * 0.6)
    assert added[295] == pytest.approx(0.2 * 0.5 + 0.2 * 0.1)
    assert added[313] == pytest.approx(0.2 * 0.1)
    assert added[[290, 314]].tolist() == [0, 0]
    # points at an end of the grid reach over it from both sides
    assert added[[0, 9, 10, 995, 996, 1000]] == pytest.approx([0.2, 0.02, 0, 0, 0.02, 0.1])
    assert triangle_sums(counts).sum() == 400


def test_a_block_adds_6_at_the_most() -> None:
    sums = np.zeros(N_CELLS, np.int64)
    sums[300], sums[800] = 300, 100
    assert (evidence(sums)[300], evidence(sums)[800]) == pytest.approx((6.0, 2.0))
    sums[300] = 600
    assert (evidence(sums)[300], evidence(sums)[800]) == pytest.approx((6.0, 1.0))
    assert not evidence(np.zeros(N_CELLS, np.int64)).any()


# --- 4: price, band, confidence


def test_a_price_and_its_band() -> None:
    readings = priced([PRICE_USD] * 8)
    for reading in readings[1:]:
        assert reading.price_usd == reading.estimate_usd == pytest.approx(PRICE_USD, rel=0.002)
        assert reading.low_usd < reading.estimate_usd < reading.high_usd
        assert reading.confidence > 0.95
        assert (reading.reason, reading.weak) == (None, False)
        assert reading.n_points > 15
    assert [reading.height for reading in readings] == list(range(800_000, 800_008))
    assert [reading.time for reading in readings] == [START_S + 600 * n for n in range(8)]
    assert BLOCK_METHOD == "block-grid-1"


def test_a_block_without_payments_widens_the_band() -> None:
    pricer = BlockPricer(PRICE_USD)
    for n in range(4):
        known = pricer.add(n, START_S + 600 * n, payments(PRICE_USD, seed=n))
    bands = [known.high_usd / known.low_usd]
    readings = [pricer.add(n, START_S + 600 * n, NOTHING) for n in range(4, 8)]
    bands += [reading.high_usd / reading.low_usd for reading in readings]
    assert bands == sorted(bands)
    assert [reading.n_points for reading in readings] == [0, 0, 0, 0]
    assert readings[0].weak
    assert readings[-1].reason is Gap.UNCERTAIN
    assert {reading.eligible_time for reading in readings} == {START_S + 1800}


# --- 5: gaps


def test_uncertain_until_the_payments_agree() -> None:
    first = priced([PRICE_USD], count=3)[0]
    assert first.confidence < 0.5
    assert (first.price_usd, first.reason, first.weak) == (None, Gap.UNCERTAIN, False)
    assert first.estimate_usd == pytest.approx(PRICE_USD, rel=0.05)


def test_a_step_is_followed_and_never_shown_half_way() -> None:
    readings = priced([PRICE_USD] * 6 + [PRICE_USD * 0.92] * 8)
    shown = [reading.price_usd for reading in readings[6:] if reading.price_usd]
    off = [usd for usd in shown if abs(usd / (PRICE_USD * 0.92) - 1) > 0.005]
    assert len(off) <= 1
    assert readings[-1].price_usd == pytest.approx(PRICE_USD * 0.92, rel=0.002)
    # the grid has moved along
    assert all(reading.reason is None for reading in readings[10:])


def test_a_rival_nearby_is_no_price() -> None:
    """A block with more payments at another price than the last three have at this one, which is still held on to."""
    pricer = BlockPricer(PRICE_USD)
    for n in range(6):
        assert pricer.add(n, START_S + 60 * n, payments(PRICE_USD, seed=n)).reason is None
    reading = pricer.add(6, START_S + 360, payments(PRICE_USD * 1.05, 900, seed=7))
    assert reading.estimate_usd == pytest.approx(PRICE_USD, rel=0.003)
    assert reading.confidence > 0.5
    assert (reading.price_usd, reading.reason) == (None, Gap.RIVAL)
    assert reading.rival is not None and reading.rival.stronger
    assert reading.rival.price_usd == pytest.approx(PRICE_USD * 1.05, rel=0.003)
    # three blocks later it is forgotten, unless the payments have moved there
    later = [pricer.add(n, START_S + 60 * n, payments(PRICE_USD, seed=n)) for n in range(7, 10)]
    assert [reading.reason for reading in later] == [Gap.RIVAL, Gap.RIVAL, None]


def test_the_octave_is_named() -> None:
    for factor, other in ((2.0, 0.5), (0.5, 2.0), (5.0, 0.2)):
        readings = priced([PRICE_USD] * 12, start_usd=PRICE_USD * factor, count=400)
        assert {reading.price_usd for reading in readings[1:]} == {None}
        last = readings[-1]
        assert last.octave is not None and last.octave.stronger
        if last.reason is Gap.OCTAVE:
            assert last.octave.price_usd == pytest.approx(last.estimate_usd * other, rel=1e-9)


def test_what_makes_a_contender_stronger() -> None:
    assert Contender(1.0, 1.001).stronger
    assert Contender(1.0, None).stronger
    assert not Contender(1.0, 1.0).stronger
    assert Contender.of(1.0, 0, 5) is None
    assert Contender.of(1.0, 3, 0) == Contender(1.0, None)
    assert Contender.of(1.0, 3, 4) == Contender(1.0, 0.75)


def test_stale_after_90_minutes_without_a_payment_that_says_anything() -> None:
    assert STALE_AFTER_S == 5400
    (reading,) = priced([PRICE_USD] * 5)[-1:]
    assert gap_at(reading, reading.time + 5400) is None
    assert gap_at(reading, reading.time + 5401) is Gap.STALE
    assert reading_age_s(reading, reading.time + 77) == 77
    # a later block without any doesn't make it newer
    later = replace(reading, time=reading.time + 3000)
    assert gap_at(later, later.time + 2401) is Gap.STALE
    assert reading_age_s(later, later.time) == 3000
    # a gap of its own comes first
    gap = replace(reading, price_usd=None, reason=Gap.RIVAL)
    assert gap_at(gap, reading.time + 99_999) is Gap.RIVAL
    assert reading_age_s(replace(reading, eligible_time=None), reading.time + 5) == 5


def test_every_gap_has_a_word_and_a_sentence() -> None:
    assert [str(gap) for gap in Gap] == ["uncertain", "rival", "octave", "stale"]
    assert len({gap.sentence for gap in Gap}) == 4
    assert all(gap.sentence.endswith(".") for gap in Gap)


# --- 6: the state


def test_nothing_of_the_start_is_left_after_36_blocks() -> None:
    prices = [PRICE_USD * (1 + 0.0005 * (n % 7)) for n in range(60)]
    right = priced(prices)
    for factor in (0.78, 0.9, 1.1, 1.24):
        found = priced(prices, start_usd=PRICE_USD * factor)
        for reading, expected in list(zip(found, right, strict=True))[36:]:
            assert reading.estimate_usd == pytest.approx(expected.estimate_usd, rel=1e-9)
            assert reading.confidence == pytest.approx(expected.confidence, rel=1e-9)
            assert reading.reason == expected.reason


def test_a_pricer_goes_on_where_it_was_pickled() -> None:
    pricer = BlockPricer(PRICE_USD)
    for n in range(5):
        pricer.add(n, START_S + 600 * n, payments(PRICE_USD, seed=n))
    stored = pickle.dumps(pricer)
    assert len(stored) < 2_000_000
    again = pickle.loads(stored)
    for n in range(5, 9):
        amounts = payments(PRICE_USD, seed=n)
        assert again.add(n, START_S + 600 * n, amounts) == pricer.add(n, START_S + 600 * n, amounts)


# --- all of it, against the rules in plain Python


@st.composite
def runs(draw: st.DrawFn) -> tuple[float, list[tuple[int, list[float]]]]:
    """A start price, and blocks of payments that now and then leap, are empty, or late."""
    price = draw(st.sampled_from([23_100.0, 64_321.0, 117_000.0]))
    start = price * draw(st.sampled_from([0.8, 0.97, 1.0, 1.2, 2.0]))
    time, blocks = START_S, []
    for n in range(draw(st.integers(2, 5))):
        price *= draw(st.sampled_from([1.0, 1.0, 1.003, 0.93]))
        time += draw(st.sampled_from([-20, 30, 600, 9_000]))
        count = draw(st.sampled_from([0, 5, 40, 120]))
        share = draw(st.sampled_from([0.0, 0.5, 0.9]))
        amounts = payments(price, count, seed=draw(st.integers(0, 999)), share=share)
        repeated = amounts[:1].repeat(draw(st.sampled_from([0, 100]))).tolist()
        blocks.append((time, [*amounts.tolist(), *repeated, *([0.001, 0.00099995] if n % 2 else [])]))
    return start, blocks


@settings(max_examples=10, phases=[Phase.explicit, Phase.generate])
@given(runs())
def test_runs_against_the_rules_in_plain_python(run: tuple[float, list[tuple[int, list[float]]]]) -> None:
    start, blocks = run
    pricer, plain = BlockPricer(start), BlockPrice(start)
    for height, (time, amounts) in enumerate(blocks):
        found, expected = pricer.add(height, time, np.array(amounts)), plain.add(time, amounts)
        assert found.estimate_usd == pytest.approx(expected.price_usd, rel=1e-9)
        assert found.low_usd == pytest.approx(expected.low_usd, rel=1e-9)
        assert found.high_usd == pytest.approx(expected.high_usd, rel=1e-9)
        assert found.confidence == pytest.approx(expected.confidence, abs=1e-9)
        assert ratio_of(found.rival) == pytest.approx(expected.rival)
        assert ratio_of(found.octave) == pytest.approx(expected.octave)
        assert (found.reason or "") == expected.reason
        assert (found.price_usd is None) is bool(expected.reason)


def ratio_of(contender: Contender | None) -> float | None:
    return contender.ratio if contender else 0.0


def test_the_blocks_of_a_run_with_a_leap_against_the_rules_in_plain_python() -> None:
    """Long enough for the octave's counts to be forgotten and to come back."""
    pricer, plain = BlockPricer(PRICE_USD), BlockPrice(PRICE_USD)
    prices = [PRICE_USD] * 4 + [PRICE_USD * 1.09] * 6
    ratios = []
    for n, price in enumerate(prices):
        amounts = payments(price, 80, seed=n)
        found, expected = pricer.add(n, START_S + 600 * n, amounts), plain.add(START_S + 600 * n, amounts.tolist())
        assert found.estimate_usd == pytest.approx(expected.price_usd, rel=1e-9)
        assert ratio_of(found.octave) == pytest.approx(expected.octave)
        assert ratio_of(found.rival) == pytest.approx(expected.rival)
        assert (found.reason or "") == expected.reason
        ratios.append(ratio_of(found.octave))
    assert any(a != b for a, b in pairwise(ratios))
    assert pricer.add(10, START_S + 6000, NOTHING).estimate_usd == pytest.approx(PRICE_USD * 1.09, rel=0.003)
