"""What the reference crashes on or has no words for: here each is an outcome with a reason, and never an exception."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import plain_method
from tests.support.parity_checks import FIXTURES, cases, window_of_amounts
from utxoracle_core import METHOD, Outcome, WindowPrice, price_window
from utxoracle_core.histogram import bin_edges


def priced(amounts: list[float], n_blocks: int = 144, *, min_blocks: int | None = None) -> WindowPrice:
    window = window_of_amounts(np.array(amounts, np.float64), np.zeros(len(amounts), np.int32), n_blocks)
    return price_window(window) if min_blocks is None else price_window(window, min_blocks=min_blocks)


def assert_without_price(found: WindowPrice, outcome: Outcome) -> None:
    assert found.outcome is outcome
    assert found.price_usd is None
    assert (found.central, found.spread, found.octave) == (None, None, None)
    assert found.confidence.value == 0.0
    assert not found.octave_suspect


@pytest.mark.parametrize(
    "amounts",
    [
        [],
        [1e-05],  # exactly 1,000 sats: not in any window, but nothing to fear either
        [100.0, 5_000.0, 99_999.0],  # bins 1601 and above
        [0.0001] * 50,  # all of it in a round-bitcoin bin, which is smoothed away
        [0.001] * 20 + [0.01] * 20 + [200.0],
    ],
)
def test_no_candidates(amounts: list[float]) -> None:
    found = priced(amounts)
    assert_without_price(found, Outcome.NO_CANDIDATES)
    assert found.curve is None
    assert (found.rough, found.points) == (None, None)


@pytest.mark.parametrize("amounts", [[1.2, 3.7, 60.0], [50.5], [99.0] * 1000])
def test_no_signal_when_all_amounts_are_beyond_the_stencils(amounts: list[float]) -> None:
    found = priced(amounts)
    assert_without_price(found, Outcome.NO_SIGNAL)
    assert found.curve is not None
    assert found.curve_sum == len(amounts)
    assert (found.rough, found.points) == (None, None)


def test_no_points() -> None:
    # round in bitcoin, though in no round bin
    found = priced([0.0011] * 30)
    assert_without_price(found, Outcome.NO_POINTS)
    assert found.curve is not None and found.rough is not None and found.points is not None
    assert len(found.points.usd) == 0


def test_a_flat_histogram() -> None:
    edges = bin_edges()
    middles = [float(edges[k] + edges[k + 1]) / 2 for k in range(201, 1601)]
    found = priced(middles * 20)
    assert found.outcome is Outcome.FLAT_HISTOGRAM
    assert found.price_usd == pytest.approx(97_000, rel=0.03)
    assert 0 < found.confidence.value <= 0.25
    # with the counts that chance makes of an even spread, too
    drawn = np.exp(np.random.default_rng(5).uniform(math.log(1e-5), math.log(100.0), 60_000))
    assert priced(drawn.tolist()).outcome is Outcome.FLAT_HISTOGRAM
    # and not on anything recorded
    for case in cases(FIXTURES):
        if case.has_arrays:
            recorded = priced(case.arrays()["amounts_btc"].tolist())
            assert recorded.outcome is Outcome.PRICED


@pytest.mark.parametrize(
    ("n_blocks", "outcome"),
    [(1, Outcome.TOO_FEW_BLOCKS), (35, Outcome.TOO_FEW_BLOCKS), (36, Outcome.PRICED), (144, Outcome.PRICED)],
)
def test_too_few_blocks(n_blocks: int, outcome: Outcome) -> None:
    (case,) = (case for case in cases(FIXTURES) if case.name == "reg2day_d1")
    amounts = case.arrays()["amounts_btc"].tolist()
    found = priced(amounts, n_blocks)
    assert found.outcome is outcome
    # the figure is the same, how far it is trusted isn't
    assert found.price_usd == case.expected["central_price"]
    assert (found.confidence.value <= 0.25) is (outcome is Outcome.TOO_FEW_BLOCKS)
    assert priced(amounts, n_blocks, min_blocks=1).outcome is Outcome.PRICED


def test_too_few_blocks_is_said_before_flat_and_nothing_to_price_before_both() -> None:
    edges = bin_edges()
    middles = [float(edges[k] + edges[k + 1]) / 2 for k in range(201, 1601)]
    assert priced(middles * 20, 10).outcome is Outcome.TOO_FEW_BLOCKS
    assert priced([], 10).outcome is Outcome.NO_CANDIDATES
    assert priced([50.5], 10).outcome is Outcome.NO_SIGNAL
    assert priced([0.0011], 10).outcome is Outcome.NO_POINTS


def test_every_outcome_has_a_word_and_a_sentence() -> None:
    assert [str(outcome) for outcome in Outcome] == [
        *("priced", "no_candidates", "no_signal", "no_points", "flat_histogram", "too_few_blocks"),
    ]
    sentences = [outcome.sentence for outcome in Outcome]
    assert len(set(sentences)) == len(sentences)
    assert all(sentence.endswith(".") for sentence in sentences)
    assert METHOD == "utxoracle-9.1"


amounts_btc = st.one_of(
    st.floats(1e-5, 1e5, exclude_min=True, exclude_max=True),
    st.integers(1_001, 10**13 - 1).map(lambda sats: sats / 1e8),
    st.sampled_from(plain_method.round_btc()),
    st.sampled_from(plain_method.edges()[202:2200]),
    st.sampled_from([usd / 65_000 for usd in plain_method.LADDER_USD]),
)


@given(st.lists(amounts_btc, max_size=60), st.integers(1, 200), st.integers(1, 300))
def test_no_amounts_whatever_raise(amounts: list[float], repeats: int, n_blocks: int) -> None:
    found = priced(amounts * repeats, n_blocks)
    if found.price_usd is None:
        assert found.outcome in {Outcome.NO_CANDIDATES, Outcome.NO_SIGNAL, Outcome.NO_POINTS}
        assert found.confidence.value == 0.0
        return
    assert found.outcome in {Outcome.PRICED, Outcome.TOO_FEW_BLOCKS, Outcome.FLAT_HISTOGRAM}
    assert found.rough is not None and found.central is not None
    assert 0.95 * found.rough.price_usd < found.price_usd < 1.05 * found.rough.price_usd
    assert 10_000 * 0.94 < found.price_usd < 515_000 * 1.06
    assert found.central.n_points > 0
    assert 0 < found.confidence.value < 1
    if found.outcome is not Outcome.PRICED:
        assert found.confidence.value <= 0.25
