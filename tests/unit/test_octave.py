"""Is the price an octave off? Both looks at a window, on made-up signals and on real blocks."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.chain_folder import block_files, height_in_name
from tests.support.parity_checks import FIXTURES
from tests.ui.results import recorded_day
from utxoracle_core import assemble, digest_block, price_window
from utxoracle_core.block_ladder import LADDER_RATIOS
from utxoracle_core.octave import Look, OctaveCheck, check_octave, ladder_rival, slide_rival
from utxoracle_core.points import USD_LADDER
from utxoracle_core.rough import RoughPrice, slide_price_usd
from utxoracle_tui.engine.report import as_document


def rough_with(scores: dict[int, float], best_slide: int) -> RoughPrice:
    """A rough price with these scores by slide, and 0 elsewhere."""
    row = np.zeros(342)
    for slide, score in scores.items():
        row[slide + 141] = score
    return RoughPrice(0, best_slide, scores[best_slide], 1, row)


@pytest.mark.parametrize("rival", [-64, -60, -56, 56, 60, 64])
def test_the_rival_is_the_best_slide_about_an_octave_away(rival: int) -> None:
    scores = {0: 1.0, rival: 0.9, -59: 0.5, 61: 0.4, 55: 0.99, 65: 0.99, -55: 0.99, -65: 0.99, 30: 0.99}
    assert slide_rival(rough_with(scores, 0)) == (rival, 0.9)


def test_the_rival_at_the_ends_of_the_range() -> None:
    # there is no slide an octave below the first, or above the last
    assert slide_rival(rough_with({-141: 1.0, -83: 0.7, -77: 0.6}, -141)) == (-83, 0.7)
    assert slide_rival(rough_with({200: 1.0, 136: 0.7, 141: 0.6}, 200)) == (136, 0.7)
    assert slide_rival(rough_with({-79: 1.0, -141: 0.5, -19: 0.4}, -79)) == (-141, 0.5)


def payments(price_usd: float, seed: int = 1, count: int = 4000, share: float = 0.7) -> NDArray[np.float64]:
    """Distinct amounts, a share of them round USD sums at the price."""
    draw = random.Random(seed)
    amounts: set[float] = set()
    while len(amounts) < count:
        if draw.random() < share:
            amount = draw.choice(USD_LADDER) / price_usd * draw.gauss(1.0, 0.002)
        else:
            amount = 10 ** draw.uniform(-4.5, -1)
        amounts.add(round(amount * 1e8) / 1e8)
    return np.array(sorted(amounts))


@pytest.mark.parametrize("price_usd", [23_100.0, 29_800.0, 64_321.0, 117_000.0, 240_000.0])
def test_the_ladder_tells_a_price_from_its_double_and_its_half(price_usd: float) -> None:
    amounts = payments(price_usd)
    _, share = ladder_rival(amounts, price_usd)
    assert share < 0.9
    ratio, share = ladder_rival(amounts, 2 * price_usd)
    assert (ratio, share > 1.1) == (0.5, True)
    ratio, share = ladder_rival(amounts, price_usd / 2)
    assert (ratio, share > 1.1) == (2.0, True)


def test_the_ladder_sees_other_factors_too() -> None:
    amounts = payments(64_321.0)
    for factor in (5, 2.5, 4):
        ratio, share = ladder_rival(amounts, factor * 64_321.0)
        assert ratio == pytest.approx(1 / factor)
        assert share > 1.1


def test_the_ladder_of_prices_is_the_same_up_and_down() -> None:
    assert len(set(LADDER_RATIOS)) == 20
    assert list(LADDER_RATIOS) == sorted(LADDER_RATIOS)
    for ratio in LADDER_RATIOS:
        assert min(abs(other * ratio - 1) for other in LADDER_RATIOS) < 1e-9
    assert {0.5, 2.0} <= set(LADDER_RATIOS)


def test_repeated_and_round_amounts_do_not_count() -> None:
    amounts = payments(64_321.0)
    repeated = np.concatenate((amounts, np.repeat(amounts[1000], 3000)))
    ratio, share = ladder_rival(amounts, 64_321.0)
    with_repeated = ladder_rival(repeated, 64_321.0)
    assert with_repeated[0] == ratio
    assert with_repeated[1] == pytest.approx(share, rel=0.02)
    # a thousandth of a bitcoin is $50 at 50,000
    rounds = np.concatenate((amounts, np.array([0.001, 0.002, 0.01, 0.1])))
    assert ladder_rival(rounds, 50_000.0) == ladder_rival(amounts, 50_000.0)


def test_an_amount_counts_once_in_each_block() -> None:
    """A full day has so many payments that each few sats are paid by somebody: told apart by block, they count."""
    blocks = [payments(117_000.0, seed, 900) for seed in range(40)]
    amounts = np.concatenate(blocks)
    heights = np.repeat(np.arange(40, dtype=np.int32), [len(block) for block in blocks])
    ratio, share = ladder_rival(amounts, 117_000.0, heights)
    assert share < 0.75
    assert ladder_rival(amounts, 117_000.0)[1] > share + 0.1
    ratio, doubled = ladder_rival(amounts, 234_000.0, heights)
    assert (ratio, doubled > 1.1) == (0.5, True)
    # the same in every block is counted in every block
    once = ladder_rival(blocks[0], 64_321.0)
    again = np.repeat(np.arange(3, dtype=np.int32), len(blocks[0]))
    assert ladder_rival(np.tile(blocks[0], 3), 64_321.0, again) == once


def test_amounts_without_their_blocks_count_as_blocks_of_4000() -> None:
    amounts = np.concatenate([payments(117_000.0, seed, 4000) for seed in range(5)])
    blocks = np.repeat(np.arange(5, dtype=np.int32), 4000)
    assert ladder_rival(amounts, 117_000.0, np.zeros(20_000, np.int32)) == ladder_rival(amounts, 117_000.0, blocks)
    # a block with one more begins another one, and the next block another one yet
    shifted = np.repeat(np.arange(2, dtype=np.int32), [4001, 15_999])
    cut = np.repeat(np.arange(6, dtype=np.int32), [4000, 1, 4000, 4000, 4000, 3999])
    assert ladder_rival(amounts, 117_000.0, shifted) == ladder_rival(amounts, 117_000.0, cut)


@pytest.mark.parametrize(
    ("margin", "ladder_ratio", "looks"),
    [
        *((0.08, 1.0, (Look.LADDER,)), (0.08, 0.999, ()), (0.001, 0.92, ()), (0.009, 0.93, (Look.HISTOGRAM,))),
        *((0.019, 0.95, (Look.HISTOGRAM,)), (0.02, 0.95, ()), (0.01, 1.2, (Look.LADDER, Look.HISTOGRAM))),
    ],
)
def test_which_look_says_that_a_price_is_suspect(margin: float, ladder_ratio: float, looks: tuple[Look, ...]) -> None:
    check = OctaveCheck(100, 0.9, 31_000.0, margin, ladder_ratio, 12_000.0)
    assert check.suspected_by == looks
    assert check.lost is (margin < 0.02 and ladder_ratio >= 0.95)


def test_the_document_of_a_window_says_which_look_it_was() -> None:
    suspect = as_document(recorded_day("mediocre60", date(2024, 10, 1), None))
    assert (suspect["octave_suspect"], suspect["octave"]["suspected_by"]) == (True, ["ladder", "histogram"])
    sound = as_document(recorded_day("sel_tip7_ok", date(2024, 5, 5), None))
    assert (sound["octave_suspect"], sound["octave"]["suspected_by"]) == (False, [])
    assert sound["valid"]


def test_without_any_round_usd_sum_the_rival_is_infinitely_strong() -> None:
    amounts = np.array([0.00012345])
    ratio, share = ladder_rival(amounts, 1000.0)
    assert share == float("inf")
    assert ratio in LADDER_RATIOS
    assert ladder_rival(np.zeros(0), 64_321.0)[1] == float("inf")


def test_the_check_as_a_whole() -> None:
    rough = rough_with({40: 1.0, 100: 0.93, -20: 0.8}, 40)
    amounts = payments(63_000.0)
    check = check_octave(rough, amounts, 63_000.0)
    assert (check.rival_slide, check.rival_score) == (100, 0.93)
    assert check.rival_usd == slide_price_usd(100) == pytest.approx(31_623, abs=1)
    assert check.margin == pytest.approx(0.07)
    ratio, share = ladder_rival(amounts, 63_000.0)
    assert (check.ladder_ratio, check.ladder_rival_usd) == (share, 63_000.0 * ratio)


def test_the_other_candidate_is_the_one_with_the_stronger_case() -> None:
    check = OctaveCheck(100, 0.9, 31_000.0, 0.1, 0.99, 12_000.0)
    assert check.other_usd == 31_000.0
    assert replace(check, ladder_ratio=1.0).other_usd == 12_000.0
    assert replace(check, ladder_ratio=2.5).other_usd == 12_000.0


def test_real_blocks_at_twice_their_price() -> None:
    """The market stood near $29.8k; of these four blocks, the rules double the last."""
    prices = {}
    for name, path in block_files(FIXTURES / "mainnet" / "799997-800000").items():
        height = height_in_name(name)
        # whatever the number of blocks: what the amounts alone say
        found = price_window(assemble([digest_block(path.read_bytes(), height)]), min_blocks=1)
        assert found.price_usd is not None and found.octave is not None
        prices[height] = found
    right = [prices[height] for height in (799_997, 799_998, 799_999)]
    assert all(29_700 < (found.price_usd or 0) < 29_900 for found in right)
    doubled = prices[800_000]
    assert doubled.price_usd == 59473.36336738183
    assert doubled.octave_suspect
    assert doubled.octave is not None
    assert doubled.octave.other_usd == pytest.approx(29_800, rel=0.005)
    assert doubled.octave.ladder_ratio > max(found.octave.ladder_ratio for found in right if found.octave)
