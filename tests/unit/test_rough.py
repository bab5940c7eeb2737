"""The rough price: which slide wins, which neighbour refines it, and how that is rounded."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support import plain_method
from tests.support.examples import examples
from utxoracle_core.histogram import bin_edges
from utxoracle_core.rough import RoughPrice, rough_price, slide_of_ratio, slide_price_usd, stencil_start
from utxoracle_core.stencil import smooth_stencil, spike_stencil


def curve_of(bins: dict[int, float]) -> NDArray[np.float64]:
    curve = np.zeros(2401)
    for k, value in bins.items():
        curve[k] = value
    return curve


def found(curve: NDArray[np.float64]) -> RoughPrice:
    rough = rough_price(curve)
    assert rough is not None
    return rough


def assert_as_in_plain_python(curve: NDArray[np.float64]) -> RoughPrice:
    rough, expected = found(curve), plain_method.rough_price(curve.tolist())
    assert rough.scores.tolist() == expected.scores
    assert (rough.best_slide, rough.best_score) == (expected.best_slide, expected.best_score)
    assert rough.neighbour == expected.neighbour
    assert rough.price_usd == expected.price_usd
    assert type(rough.price_usd) is int
    return rough


def test_a_perfect_spike_pattern_at_every_tenth_slide() -> None:
    for slide in range(-141, 201, 10):
        curve = np.zeros(2401)
        curve[199 + slide : 199 + slide + 803] = spike_stencil()
        rough = found(curve)
        assert rough.best_slide == slide
        assert rough.price_usd == pytest.approx(slide_price_usd(slide), rel=0.012)


def test_what_a_slide_stands_for() -> None:
    edges = bin_edges()
    assert stencil_start(0) == 199
    assert stencil_start(-141) == 58
    for slide in (-141, 0, 57, 200):
        assert slide_price_usd(slide) == 100 / float(edges[601 + slide])
    assert slide_price_usd(-141) == pytest.approx(507_000, rel=0.001)
    assert slide_price_usd(0) == pytest.approx(100_000)
    assert slide_price_usd(200) == pytest.approx(10_000)
    assert slide_of_ratio(2.0) == pytest.approx(60.2, abs=0.01)
    assert slide_of_ratio(10.0) == 200.0


def test_the_smooth_part_counts_below_slide_150() -> None:
    # a bin that the spikes never meet on the two slides
    curve = curve_of({700: 0.008})
    scores = found(curve).scores
    smooth = smooth_stencil().tolist()
    for slide in (148, 149, 150, 151):
        index = 700 - 199 - slide
        assert spike_stencil()[index] == 0
        assert scores[slide + 141] == (0.0 + 0.008 * smooth[index] * 0.65 if slide < 150 else 0.0)


def test_the_first_of_two_equal_scores_wins() -> None:
    # both bins meet the spike of $1000 in turn, where the smooth part is off, and nothing else is as strong
    rough = assert_as_in_plain_python(curve_of({960: 0.008, 963: 0.008}))
    assert rough.scores[160 + 141] == rough.scores[163 + 141] == rough.best_score
    assert rough.best_slide == 160


def test_a_tie_between_the_neighbours_goes_to_the_one_above() -> None:
    # a lone spike: both neighbours score nothing
    rough = assert_as_in_plain_python(curve_of({860: 0.008}))
    assert rough.best_slide == 860 - 199 - 541
    assert rough.neighbour == 1
    assert rough.price_usd < slide_price_usd(rough.best_slide)


def test_the_better_neighbour_is_taken() -> None:
    for bins, neighbour in (({600: 0.008}, -1), ({600: 0.008, 601: 0.0035}, 1), ({600: 0.008, 599: 0.003}, -1)):
        rough = assert_as_in_plain_python(curve_of(bins))
        assert rough.neighbour == neighbour
        # a slide up is a price down
        assert (rough.price_usd < slide_price_usd(rough.best_slide)) is (neighbour == 1)


def test_the_neighbours_are_judged_by_their_spikes_alone() -> None:
    # the lone spike of $5: without the smooth part the neighbours are equal, with it the one below would be ahead
    rough = assert_as_in_plain_python(curve_of({248: 0.008}))
    assert rough.best_slide == 248 - 199 - 141
    up, down = (rough.scores[rough.best_slide + 141 + step] for step in (1, -1))
    assert down > up
    assert rough.neighbour == 1


@pytest.mark.parametrize(
    ("seed", "value", "price_usd"), [(15, "0x1.2d169f17310c9p-8", 112_617), (19, "0x1.8c2bdff81aff0p-10", 395_283)]
)
def test_the_order_of_the_sum_of_scores_decides_on_a_dollar(seed: int, value: str, price_usd: int) -> None:
    draw = random.Random(seed)
    bins: dict[int, float] = {}
    for _ in range(300):
        bins[draw.randrange(201, 1601)] = draw.random() * 0.008
    bins[1190] = float.fromhex(value)
    rough = assert_as_in_plain_python(curve_of(bins))
    assert rough.price_usd == price_usd
    assert float(np.mean(rough.scores)) != float(np.cumsum(rough.scores)[-1]) / 342


@pytest.mark.parametrize("slide", [-141, -140, 149, 150, 199, 200])
def test_the_ends_of_the_range(slide: int) -> None:
    curve = np.zeros(2401)
    curve[199 + slide : 199 + slide + 803] = spike_stencil()
    assert assert_as_in_plain_python(curve).best_slide == slide


@pytest.mark.parametrize("bins", [{}, {1202: 0.008}, {1600: 0.008, 1300: 0.001}])
def test_no_score_above_zero(bins: dict[int, float]) -> None:
    assert rough_price(curve_of(bins)) is None
    with pytest.raises(ZeroDivisionError):
        plain_method.rough_price(curve_of(bins).tolist())


def test_the_last_bin_that_any_slide_reaches() -> None:
    # index 801 carries the last spike
    assert assert_as_in_plain_python(curve_of({1200: 0.008})).best_slide == 200


@settings(max_examples=examples(10, 30))
@given(st.integers(0, 2**32), st.integers(1, 400))
def test_any_curve_against_the_rules_in_plain_python(seed: int, n_bins: int) -> None:
    draw = random.Random(seed)
    curve = curve_of({draw.randrange(201, 1601): draw.random() * 0.008 for _ in range(n_bins)})
    if rough_price(curve) is not None:
        assert_as_in_plain_python(curve)
