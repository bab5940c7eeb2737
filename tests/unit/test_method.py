"""The whole way from amounts to a price and its spread, against the rules in plain Python."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.support import plain_method
from tests.support.examples import examples
from tests.support.parity_checks import window_of_amounts
from utxoracle_core import WindowPrice, price_window
from utxoracle_core.price import _spread


def drawn_amounts(seed: int, count: int, price_usd: float, share: float, width: float) -> list[float]:
    """Amounts in whole sats: a share of them round USD sums, the others anything."""
    draw = random.Random(seed)
    amounts: list[float] = []
    while len(amounts) < count:
        if draw.random() < share:
            amount = draw.choice(plain_method.LADDER_USD) / price_usd * draw.gauss(1.0, width)
        else:
            amount = 10 ** draw.uniform(-5, 1)
        sats = round(amount * 1e8)
        if 1_000 < sats < 10**13:
            amounts.append(sats / 1e8)
    return amounts


def priced(amounts: list[float]) -> WindowPrice:
    return price_window(window_of_amounts(np.array(amounts), np.zeros(len(amounts), np.int32), 144))


# a seed has no smaller form, and shrinking would take minutes
@settings(max_examples=examples(12, 40), phases=[Phase.explicit, Phase.generate])
@given(
    st.integers(0, 2**32),
    st.sampled_from([40, 400, 1500]),
    st.sampled_from([22_000.0, 29_800.0, 64_321.0, 117_000.0, 240_000.0]),
    st.sampled_from([0.0, 0.1, 0.5, 0.9]),
    st.sampled_from([0.0001, 0.01, 0.1]),
)
def test_any_amounts(seed: int, count: int, price_usd: float, share: float, width: float) -> None:
    amounts = drawn_amounts(seed, count, price_usd, share, width)
    found = priced(amounts)
    if found.price_usd is None:
        assert not within_reach(amounts)
        return
    expected = plain_method.price(amounts)
    assert found.rough is not None and found.points is not None and found.spread is not None
    assert found.curve is not None
    assert found.curve.tolist() == expected.curve
    assert found.curve_sum == expected.curve_sum
    assert found.rough.price_usd == expected.rough.price_usd
    assert found.rough.best_score == expected.rough.best_score
    assert found.points.usd.tolist() == [point for _, point in expected.points]
    assert found.price_usd == expected.price_usd
    assert found.spread.deviation_usd == expected.spread.deviation_usd
    assert found.spread.deviation_pct == expected.spread.deviation_pct
    assert found.spread.plot_range == expected.spread.plot_range
    assert (found.spread.plot_low_usd, found.spread.plot_high_usd) == (
        expected.spread.plot_low_usd,
        expected.spread.plot_high_usd,
    )


def within_reach(amounts: list[float]) -> bool:
    """Whether some point lies within 5 % of the rough price."""
    rough = plain_method.rough_price(plain_method.normalised(plain_method.smoothed(plain_method.counted(amounts))))
    reach = 0.05 * rough.price_usd
    points = (point for _, point in plain_method.price_points(amounts, rough.price_usd))
    return any(rough.price_usd - reach < point < rough.price_usd + reach for point in points)


def spread_around(price_usd: float, away_usd: float, count: int = 1000) -> WindowPrice:
    """A window of payments at a price of $100 each, and as many again a little to both sides."""
    amounts = [100 / price_usd] * count
    for n in range(count):
        amounts += [100 / (price_usd + away_usd + n / count), 100 / (price_usd - away_usd - n / count)]
    return priced(amounts)


def test_the_plot_range_grows_with_the_spread_between_its_limits() -> None:
    ranges = []
    for away_usd in range(0, 6_600, 100):
        spread = spread_around(64_321.0, float(away_usd)).spread
        assert spread is not None
        pct = spread.deviation_pct
        expected = 0.05 + (pct - 0.17) * ((0.15 - 0.05) / (0.20 - 0.17))
        assert spread.plot_range == min(max(expected, 0.05), 0.20)
        ranges.append(spread.plot_range)
    assert min(ranges) == 0.05
    assert max(ranges) == 0.2
    assert len(set(ranges)) > 4


def test_the_spread_of_many_clouds_of_points() -> None:
    between = 0
    for seed in range(300):
        draw = np.random.default_rng(seed)
        points = np.concatenate((draw.uniform(57_000, 71_500, 150), draw.normal(64_321.0, 1_500.0, seed // 3)))
        price_usd = float(points[seed % 100])
        found, expected = _spread(points, price_usd), plain_method.spread(points.tolist(), price_usd)
        assert found.deviation_usd == expected.deviation_usd
        assert found.deviation_pct == expected.deviation_pct
        assert found.plot_range == expected.plot_range
        assert (found.plot_low_usd, found.plot_high_usd) == (expected.plot_low_usd, expected.plot_high_usd)
        between += 0.05 < found.plot_range < 0.2
    assert between > 60


@pytest.mark.parametrize("away_usd", [10.0, 2_000.0, 4_000.0])
def test_the_plot_bounds(away_usd: float) -> None:
    found = spread_around(64_321.0, away_usd)
    assert found.spread is not None and found.price_usd is not None
    reach = found.spread.plot_range * found.price_usd
    assert (found.spread.plot_low_usd, found.spread.plot_high_usd) == (found.price_usd - reach, found.price_usd + reach)


def test_the_price_is_found_once_and_not_searched_again_from_itself() -> None:
    # more than half of the points within reach of the rough price lie at one edge of it: going on from the price
    # found would take in points beyond that edge, and move on
    moved = 0
    for seed in range(40):
        amounts = drawn_amounts(seed, 200, 64_321.0, 0.2, 0.02)
        found = priced(amounts)
        if found.price_usd is None:
            continue
        expected = plain_method.price(amounts)
        assert found.price_usd == expected.price_usd
        usd = [point for _, point in expected.points]
        again = plain_method.central(usd, 0.95 * expected.price_usd, 1.05 * expected.price_usd)
        moved += again is not None and again[0] != expected.price_usd
    assert moved > 4


def with_a_point_at(bound_usd: float, amount: float) -> float | None:
    """An amount next to this one that says exactly `bound_usd` of the price, if there is one."""
    usd = min(plain_method.LADDER_USD, key=lambda step: abs(step / amount - bound_usd))
    start = usd / bound_usd
    for candidate in (start, math.nextafter(start, 0.0), math.nextafter(start, 1.0)):
        if usd / candidate == bound_usd:
            return candidate
    return None


@pytest.mark.parametrize(
    ("factor", "seed"), [*((1.05, seed) for seed in (11, 43, 48, 50)), *((0.95, seed) for seed in (12, 20, 25, 45))]
)
def test_a_point_at_the_very_end_of_the_band_is_outside(factor: float, seed: int) -> None:
    """The ends are the rough price plus and minus 0.05 times itself, which is not 1.05 or 0.95 times it."""
    draw = random.Random(seed)
    price_usd = draw.uniform(25_000.0, 120_000.0)
    amounts = [100 / price_usd * draw.uniform(0.99, 1.01), 100 / price_usd * draw.uniform(0.99, 1.01)]
    rough_usd = plain_rough([*amounts, 100 / price_usd / factor])
    low, high = rough_usd - 0.05 * rough_usd, rough_usd + 0.05 * rough_usd
    at_the_end = with_a_point_at(high if factor > 1 else low, 100 / price_usd / factor)
    assert at_the_end is not None
    three = [*amounts, at_the_end]
    assert plain_rough(three) == rough_usd
    usd = [point for _, point in plain_method.price_points(three, rough_usd)]
    expected = plain_method.central(usd, low, high)
    assert expected is not None
    assert priced(three).price_usd == expected[0]
    # as a product, this end would take the point in, and the price would be another one
    low, high = (low, factor * rough_usd) if factor > 1 else (factor * rough_usd, high)
    other = plain_method.central(usd, low, high)
    assert other is not None
    assert other[0] != expected[0]


def plain_rough(amounts: list[float]) -> int:
    counts = plain_method.smoothed(plain_method.counted(amounts))
    return plain_method.rough_price(plain_method.normalised(counts)).price_usd
