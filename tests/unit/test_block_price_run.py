"""Block prices from digests: which amounts a block has as its window moves on, and runs that begin anew."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support import plain_method
from tests.support.block_reader import read_block
from tests.support.building import HEIGHT, chain_of, outpoint, payment
from tests.support.examples import examples
from utxoracle_core import (
    RUN_BLOCKS,
    BlockDigest,
    BlockPriceRun,
    BlockReading,
    assemble,
    block_prices,
    digest_block,
    price_window,
)
from utxoracle_core import block_spends as spends
from utxoracle_core.block_spends import MovingWindow
from utxoracle_core.window_and_blocks import price_with_blocks
from utxoracle_tui.demo.chain import ChainSpec, Every, Walk, blocks
from utxoracle_tui.demo.chain.serialise import Tx, tx_in

FEW_BLOCKS = 3


@pytest.fixture
def few_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window of three blocks, with room for one txid at first."""
    monkeypatch.setattr(spends, "WINDOW_BLOCKS", FEW_BLOCKS)
    monkeypatch.setattr(spends, "_ROWS_AT_FIRST", 1)


def digests_of(chain: Sequence[Sequence[Tx]]) -> list[BlockDigest]:
    return [digest_block(raw, height) for height, raw in chain_of(chain)]


def kept_btc(window: MovingWindow, digest: BlockDigest) -> NDArray[np.float64]:
    """Take in the next block; its amounts that are kept."""
    return window.kept_btc(digest, window.newest_spent(digest))


def amounts_of(digests: Sequence[BlockDigest]) -> list[list[float]]:
    """The amounts of each block as the window moves over them."""
    window = MovingWindow()
    return [kept_btc(window, digest).tolist() for digest in digests]


def spend_of(tx: Tx, number: int = 77) -> Tx:
    return payment(number, [30_000, 40_000], inputs=[tx_in(outpoint(number)), tx_in(tx.txid + bytes(4))])


# --- the moving window


@pytest.mark.usefixtures("few_blocks")
@pytest.mark.parametrize(("blocks_between", "kept"), [(0, False), (1, False), (2, True), (5, True)])
def test_a_spend_counts_as_one_while_what_it_spends_is_in_the_window(blocks_between: int, kept: bool) -> None:
    made = payment(1, [10_000, 20_000])
    found = amounts_of(digests_of([[made], *([[]] * blocks_between), [spend_of(made)]]))
    assert found[0] == [0.0001, 0.0002]
    assert found[-1] == ([0.0003, 0.0004] if kept else [])


def test_the_window_is_that_of_144_blocks() -> None:
    assert RUN_BLOCKS == spends.WINDOW_BLOCKS == 144
    made = payment(1, [10_000, 20_000])
    for between, kept in ((142, False), (143, True)):
        window = MovingWindow()
        first, *others = digests_of([[made], *([[]] * between), [spend_of(made)]])
        window.take(first)
        assert bool([kept_btc(window, digest) for digest in others][-1].size) is kept


def test_a_spend_inside_the_same_block_depends_on_the_order() -> None:
    made = payment(1, [10_000, 20_000])
    assert amounts_of(digests_of([[made, spend_of(made)]])) == [[0.0001, 0.0002]]
    assert amounts_of(digests_of([[spend_of(made), made]])) == [[0.0003, 0.0004, 0.0001, 0.0002]]


def test_blocks_taken_in_before_are_part_of_the_window() -> None:
    made = payment(1, [10_000, 20_000])
    first, second = digests_of([[made], [spend_of(made)]])
    window = MovingWindow()
    window.take(first)
    assert kept_btc(window, second).tolist() == []
    assert kept_btc(MovingWindow(), second).tolist() == [0.0003, 0.0004]


def test_the_whole_txid_decides() -> None:
    """Many txids with the same first bytes, in one block and in several: the chain is followed to its end."""
    digests = digests_of([[payment(n) for n in range(12 * k, 12 * k + 12)] for k in range(3)])
    alike = []
    for k, digest in enumerate(digests):
        txids = digest.txids.copy()
        txids[:, :31] = 7
        txids[:, 31] = np.arange(len(txids)) + 20 * k
        alike.append(replace(digest, txids=txids))
    for position in (*range(13), *range(20, 33), *range(40, 53)):
        prevouts = alike[2].prevout_txids.copy()
        prevouts[4, :31], prevouts[4, 31] = 7, position
        window = MovingWindow()
        window.take(alike[0])
        window.take(alike[1])
        found = kept_btc(window, replace(alike[2], prevout_txids=prevouts))
        # the fifth candidate is the sixth transaction: it spends what is no later than itself
        assert len(found) == (22 if position <= 45 else 24), position
    for unknown in (13, 19, 33, 53, 255):
        prevouts[4, 31] = unknown
        window = MovingWindow()
        window.take(alike[0])
        window.take(alike[1])
        assert len(kept_btc(window, replace(alike[2], prevout_txids=prevouts))) == 24


@st.composite
def chains(draw: st.DrawFn) -> list[list[Tx]]:
    """Blocks of few transactions, many of which spend each other, near and far."""
    made: list[Tx] = []
    chain = []
    for _ in range(draw(st.integers(1, 9))):
        block = []
        for _ in range(draw(st.integers(0, 3))):
            spent = [outpoint(draw(st.integers(1, 99)))]
            if made and draw(st.booleans()):
                spent.append(draw(st.sampled_from(made)).txid + bytes(4))
            sats = draw(st.lists(st.sampled_from([1_000, 1_001, 54_321, 10**13]), min_size=2, max_size=2))
            tx = payment(0, sats, inputs=[tx_in(place) for place in spent], version=len(made))
            made.append(tx)
            block.append(tx)
        chain.append(block)
    return chain


@settings(max_examples=examples(25, 100))
@given(chains())
@pytest.mark.usefixtures("few_blocks")
def test_moving_windows_against_the_rules_in_plain_python(chain: list[list[Tx]]) -> None:
    raws = chain_of(chain)
    found = amounts_of([digest_block(raw, height) for height, raw in raws])
    read = [(height, read_block(raw)) for height, raw in raws]
    for n, amounts in enumerate(found):
        expected = plain_method.window_outputs(read[max(n + 1 - FEW_BLOCKS, 0) : n + 1])
        newest = [a for a, height in zip(expected.amounts_btc, expected.heights, strict=True) if height == HEIGHT + n]
        assert amounts == newest


# --- runs over a generated chain

START_USD = 60_000.0


@cache
def chain(seed: int = 1, n_blocks: int = 186) -> tuple[BlockDigest, ...]:
    """Blocks of 80 transactions at a price that wanders about $60,000."""
    spec = ChainSpec(
        seed=seed,
        times_s=Every(600, 1_700_000_000),
        first_height=800_000,
        tx_per_block=80,
        price=Walk(seed, START_USD, 1_700_000_000),
    )
    raws = [block.raw for block in islice(blocks(spec), n_blocks)]
    return tuple(digest_block(raw, 800_000 + n) for n, raw in enumerate(raws))


def branch() -> tuple[BlockDigest, ...]:
    """Ten blocks of other payments."""
    return chain(2, 10)


def assert_alike(found: Sequence[BlockReading], expected: Sequence[BlockReading]) -> None:
    for reading, other in zip(found, expected, strict=True):
        assert reading.height == other.height
        assert reading.reason == other.reason
        assert reading.estimate_usd == pytest.approx(other.estimate_usd, rel=1e-7)
        assert reading.low_usd == pytest.approx(other.low_usd, rel=1e-7)
        assert reading.confidence == pytest.approx(other.confidence, abs=1e-6)


def test_a_run_finds_prices() -> None:
    _, readings = block_prices(START_USD, chain())
    assert len(readings) == 186
    shown = [reading for reading in readings if reading.price_usd is not None]
    assert len(shown) > 0.9 * len(readings)
    assert {reading.reason for reading in readings[36:]} == {None}


def test_readings_do_not_depend_on_how_blocks_come_in() -> None:
    run, together = block_prices(START_USD, chain()[:60])
    assert [run.add(digest) for digest in chain()[60:64]] == block_prices(START_USD, chain()[:64])[1][60:]
    one_by_one = BlockPriceRun(START_USD)
    assert [one_by_one.add(digest) for digest in chain()[:60]] == together


@pytest.mark.parametrize("factor", [0.8, 0.9, 1.15, 1.24])
def test_after_144_blocks_the_start_is_forgotten(factor: float) -> None:
    _, expected = block_prices(START_USD, chain()[:RUN_BLOCKS])
    _, found = block_prices(START_USD * factor, chain()[:RUN_BLOCKS])
    assert_alike(found[36:], expected[36:])


@pytest.mark.parametrize("begin", [1, 17, 42])
def test_a_run_over_the_last_144_blocks_comes_to_what_a_longer_one_does(begin: int) -> None:
    tip = begin + RUN_BLOCKS
    _, longer = block_prices(START_USD, chain()[:tip])
    _, found = block_prices(1.1 * START_USD, chain()[begin:tip])
    assert_alike(found[-1:], longer[-1:])
    # with the blocks before, it has the same amounts from its first block on
    _, with_those_before = block_prices(1.1 * START_USD, chain()[begin:tip], chain()[:begin])
    assert_alike(with_those_before[36:], longer[begin + 36 :])


def test_after_a_reorg_of_six_blocks_it_is_as_if_the_stale_ones_had_never_been() -> None:
    fork = 150
    stale, better = chain()[:fork], chain()[: fork - 6]
    run, _ = block_prices(START_USD, stale)
    new_branch = _linked_after(better[-1], branch()[:8])
    with pytest.raises(ValueError, match=f"block {better[-1].height + 1} does not build on block {stale[-1].height}"):
        run.add(new_branch[0])
    with_the_branch = [*better, *new_branch]
    never_stale, expected = block_prices(START_USD, with_the_branch)
    again, found = block_prices(START_USD, with_the_branch[-RUN_BLOCKS:])
    assert_alike(found[-len(new_branch) :], expected[-len(new_branch) :])
    # and both go on alike
    following = _linked_after(new_branch[-1], branch()[8:])
    assert_alike([again.add(d) for d in following], [never_stale.add(d) for d in following])


def _linked_after(last: BlockDigest, digests: Sequence[BlockDigest]) -> list[BlockDigest]:
    """Digests of another chain, as if they built on this block."""
    linked = []
    for digest in digests:
        header = replace(digest.header, previous_hash=last.block_hash, time=last.time + 600)
        last = replace(digest, height=last.height + 1, header=header)
        linked.append(last)
    return linked


def test_a_run_that_was_refused_a_block_goes_on() -> None:
    run, _ = block_prices(START_USD, chain()[:5])
    for wrong in (chain()[4], chain()[6], branch()[5]):
        with pytest.raises(ValueError, match=r"does not build on block 800004"):
            run.add(wrong)
    assert run.add(chain()[5]) == block_prices(START_USD, chain()[:6])[1][-1]
    with pytest.raises(ValueError, match="does not build on"):
        block_prices(START_USD, chain()[5:7], chain()[:4])


def test_a_run_goes_on_where_it_was_pickled() -> None:
    run, _ = block_prices(START_USD, chain()[:20])
    again = pickle.loads(pickle.dumps(run))
    assert [again.add(digest) for digest in chain()[20:23]] == [run.add(digest) for digest in chain()[20:23]]


def test_a_run_goes_on_from_the_end_of_another() -> None:
    _, expected = block_prices(START_USD, chain())
    run, _ = block_prices(START_USD, chain()[:150])
    end = pickle.loads(pickle.dumps(run.end))
    assert (end.height, end.block_hash) == (chain()[149].height, chain()[149].block_hash)
    for _ in range(2):
        # whoever goes on leaves it as it is
        other, found = block_prices(end, chain()[150:], chain()[7:150])
        assert found == expected[150:]
    assert other.end.block_hash == chain()[-1].block_hash
    # so does the run itself
    assert run.add(chain()[150]) == expected[150]
    assert block_prices(end, chain()[150:151], chain()[7:150])[1] == expected[150:151]


def test_a_run_goes_on_nowhere_else() -> None:
    end = block_prices(START_USD, chain()[:20])[0].end
    with pytest.raises(ValueError, match="a run that ended with block 800019 doesn't go on after block 800018"):
        block_prices(end, chain()[19:], chain()[:19])
    with pytest.raises(ValueError, match="block 800021 does not build on block 800019"):
        block_prices(end, chain()[21:])
    with pytest.raises(ValueError, match="has not come anywhere"):
        _ = BlockPriceRun(START_USD).end


# --- a window and its blocks together


def test_a_window_and_the_prices_at_its_blocks() -> None:
    run, _ = block_prices(START_USD, chain()[:20])
    before, window = chain()[:20], chain()[20:]
    price, readings, end = price_with_blocks(run.end, before, window)
    alone = price_window(assemble(window))
    assert price.price_usd == alone.price_usd is not None
    assert price.points is not None and alone.points is not None
    assert price.points.usd.tolist() == alone.points.usd.tolist()
    again, expected = block_prices(run.end, window, before)
    assert readings == expected
    assert pickle.dumps(end) == pickle.dumps(again.end)


@settings(max_examples=examples(25, 100))
@given(chains(), st.integers(0, 8))
@pytest.mark.usefixtures("few_blocks")
def test_windows_longer_and_shorter_than_the_moving_one(chain: list[list[Tx]], n_before: int) -> None:
    digests = [digest_block(raw, height) for height, raw in chain_of([[], *chain])]
    before, window = digests[: 1 + n_before], digests[1 + n_before :]
    run, _ = block_prices(START_USD, before)
    if not window:
        with pytest.raises(ValueError, match="a window has at least one block"):
            price_with_blocks(run.end, before, window)
        return
    price, readings, _ = price_with_blocks(run.end, before, window)
    alone = assemble(window)
    assert price.outputs.amounts_btc.tolist() == alone.amounts_btc.tolist()
    assert price.outputs.filters == alone.filters
    assert readings == block_prices(run.end, window, before)[1]


def test_the_time_since_the_block_before_the_first_counts() -> None:
    before, first = chain()[:1], chain()[1]
    late = replace(first, header=replace(first.header, time=before[0].time + 7_200))
    in_time, hours_later = (block_prices(START_USD, [digest], before)[1][0] for digest in (first, late))
    assert hours_later.high_usd / hours_later.low_usd > in_time.high_usd / in_time.low_usd
    # without it, nothing is known of the time
    assert block_prices(START_USD, [late])[1][0].confidence == block_prices(START_USD, [first])[1][0].confidence
