"""A window put together from digests: which outputs are kept, and no spends of what the window itself made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import plain_method
from tests.support.block_reader import read_block
from tests.support.building import HEIGHT, block_hash_of, chain_of, outpoint, payment, sound_block
from tests.support.examples import examples
from utxoracle_core import BlockDigest, WindowOutputs, assemble, digest_block
from utxoracle_core.scan import Verdict
from utxoracle_core.window import _first_positions, _share_bits
from utxoracle_tui.demo.chain.serialise import Tx, tx_in


def digests_of(blocks: Sequence[Sequence[Tx]], first_height: int = HEIGHT) -> list[BlockDigest]:
    return [digest_block(raw, height) for height, raw in chain_of(blocks, first_height)]


def window_of(*blocks: Sequence[Tx]) -> WindowOutputs:
    return assemble(digests_of(blocks))


def spend_of(tx: Tx, number: int = 77, before: int = 0, index: int = 0) -> Tx:
    """Spends an output of `tx` after `before` other inputs."""
    others = [tx_in(outpoint(number * 1000 + n)) for n in range(before)]
    return payment(number, [30_000, 40_000], inputs=[*others, tx_in(tx.txid + index.to_bytes(4, "little"))])


# --- which spends


def test_a_spend_of_an_earlier_block_of_the_window() -> None:
    made = payment(1, [10_000, 20_000])
    outputs = window_of([made], [], [spend_of(made)])
    assert outputs.filters.same_window == 1
    assert outputs.amounts_btc.tolist() == [0.0001, 0.0002]


def test_a_spend_of_what_was_made_before_the_window() -> None:
    made = payment(1, [10_000, 20_000])
    digests = digests_of([[made], [spend_of(made)]])
    assert assemble(digests).filters.same_window == 1
    later = assemble(digests[1:])
    assert later.filters.same_window == 0
    assert later.amounts_btc.tolist() == [0.0003, 0.0004]


def test_a_spend_inside_the_same_block_depends_on_the_order() -> None:
    made = payment(1, [10_000, 20_000])
    assert window_of([made, spend_of(made)]).filters.same_window == 1
    assert window_of([spend_of(made), made]).filters.same_window == 0
    assert window_of([spend_of(made)], [made]).filters.same_window == 0


@pytest.mark.parametrize("before", [0, 1, 2, 3, 4])
def test_any_of_the_inputs_may_be_the_spend(before: int) -> None:
    made = payment(1, [10_000, 20_000])
    assert window_of([made], [spend_of(made, before=before)]).filters.same_window == 1


@pytest.mark.parametrize("index", [0, 1, 7, 2**32 - 1])
def test_the_txid_decides_whatever_the_index(index: int) -> None:
    made = payment(1, [10_000, 20_000])
    assert window_of([made], [spend_of(made, index=index)]).filters.same_window == 1


def test_every_transaction_is_seen_whatever_becomes_of_it() -> None:
    made = [
        payment(1, [1, 2, 3]),
        payment(2, inputs=[tx_in(outpoint(20 + n)) for n in range(6)]),
        payment(3, scripts=[b"\x6a"]),
        payment(4, witnesses=[[bytes(501)]]),
        payment(5, [1, 2]),
    ]
    spends = [spend_of(tx, 50 + n) for n, tx in enumerate(made)]
    outputs = window_of(made, spends)
    assert outputs.filters.same_window == 5
    assert len(outputs.amounts_btc) == 0
    # a spend of the spend: the spend itself is no candidate and was seen all the same
    chained = window_of(made, spends, [spend_of(spends[0], 99)])
    assert chained.filters.same_window == 6


def test_the_coinbase_of_a_block_is_seen() -> None:
    raw = sound_block()
    coinbase = read_block(raw).transactions[0]
    first = digest_block(raw, HEIGHT)
    spend = payment(9, inputs=[tx_in(coinbase.txid + bytes(4))])
    second = digest_block(sound_block([spend], height=HEIGHT + 1, previous_hash=block_hash_of(raw)), HEIGHT + 1)
    assert assemble([first, second]).filters.same_window == 1


def test_a_transaction_is_seen_before_it_is_judged() -> None:
    # no transaction can spend itself on a chain; the rule is kept for digests all the same
    (digest,) = digests_of([[payment(1), payment(2)]])
    prevouts = digest.prevout_txids.copy()
    prevouts[1] = digest.txids[2]
    assert assemble([replace(digest, prevout_txids=prevouts)]).filters.same_window == 1
    prevouts[1] = digest.txids[1]
    assert assemble([replace(digest, prevout_txids=prevouts)]).filters.same_window == 1
    prevouts[1] = np.frombuffer(outpoint(2)[:32], np.uint8)
    prevouts[0] = digest.txids[2]
    assert assemble([replace(digest, prevout_txids=prevouts)]).filters.same_window == 0


# --- which amounts


@pytest.mark.parametrize(
    ("sats", "kept"),
    [
        *((0, False), (1, False), (999, False), (1_000, False), (1_001, True)),
        *((10**13 - 1, True), (10**13, False), (10**13 + 1, False), (2**63 - 1, False)),
        *((-1, False), (-1_001, False), (-(2**63), False)),
    ],
)
def test_the_limits_of_an_amount(sats: int, kept: bool) -> None:
    for amounts in ([sats, 50_000], [50_000, sats]):
        outputs = window_of([payment(1, amounts)])
        expected = [value / 1e8 for value in amounts if value == 50_000 or kept]
        assert outputs.amounts_btc.tolist() == expected
        assert outputs.amount_heights.tolist() == [HEIGHT] * len(expected)
        assert outputs.filters.passed == 1


def test_amounts_are_sats_over_1e8() -> None:
    sats = [1_001, 30_003, 123_456_789, 99_999_999, 9_999_999_999_999, 7_654_321]
    outputs = window_of([payment(n, sats[2 * n : 2 * n + 2]) for n in range(3)])
    assert outputs.amounts_btc.tolist() == [value / 1e8 for value in sats]
    assert outputs.amounts_btc.dtype == np.float64


def test_without_its_amounts_a_window_says_how_many_there_were() -> None:
    outputs = window_of([payment(1, [5_000, 6_000])], [payment(2, [500, 7_000])])
    bare = outputs.without_amounts()
    assert (outputs.n_outputs, bare.n_outputs, bare.without_amounts().n_outputs) == (3, 3, 3)
    assert len(bare.amounts_btc) == len(bare.amount_heights) == 0
    assert (bare.first_hash, bare.last_height, bare.filters) == (outputs.first_hash, HEIGHT + 1, outputs.filters)


def test_amounts_and_heights_in_the_order_of_the_chain() -> None:
    outputs = window_of(
        [payment(1, [5_000, 500]), payment(2, [500, 6_000])],
        [payment(3, [1, 2, 3]), payment(4, [500, 500])],
        [payment(5, [9_000, 8_000])],
    )
    assert outputs.amounts_btc.tolist() == [5e-05, 6e-05, 9e-05, 8e-05]
    assert outputs.amount_heights.tolist() == [HEIGHT, HEIGHT, HEIGHT + 2, HEIGHT + 2]
    assert outputs.amount_heights.dtype == np.int32


# --- the whole


def test_counts_ends_and_times() -> None:
    made = payment(1)
    digests = digests_of([[made, payment(2, [1])], [], [spend_of(made), payment(3, scripts=[b"\x6a"]), payment(4)]])
    outputs = assemble(digests)
    counts = outputs.filters
    assert (counts.total, counts.inputs, counts.outputs, counts.coinbase) == (8, 0, 1, 3)
    assert (counts.op_return, counts.witness, counts.same_window) == (1, 0, 1)
    assert counts.excluded == 6
    assert counts.passed == 2
    assert (outputs.first_height, outputs.last_height, outputs.n_blocks) == (HEIGHT, HEIGHT + 2, 3)
    assert (outputs.first_hash, outputs.last_hash) == (digests[0].hash_text, digests[2].hash_text)
    assert outputs.block_times.tolist() == [digest.time for digest in digests]


def test_one_block_of_a_coinbase_alone() -> None:
    outputs = window_of([])
    assert (outputs.filters.total, outputs.filters.passed, len(outputs.amounts_btc)) == (1, 0, 0)


def test_a_window_has_blocks_without_gaps_that_are_linked() -> None:
    digests = digests_of([[payment(n)] for n in range(4)])
    with pytest.raises(ValueError, match="at least one block"):
        assemble([])
    with pytest.raises(ValueError, match=f"block {HEIGHT} is followed by {HEIGHT + 2}"):
        assemble([digests[0], digests[2]])
    with pytest.raises(ValueError, match="no gaps"):
        assemble([digests[1], digests[0]])
    with pytest.raises(ValueError, match="no gaps"):
        assemble([digests[1], digests[1]])
    stranger = digest_block(sound_block([payment(9)], height=HEIGHT + 1), HEIGHT + 1)
    with pytest.raises(ValueError, match=f"block {HEIGHT + 1} does not build on block {HEIGHT}"):
        assemble([digests[0], stranger])


# --- against the rules in plain Python


@st.composite
def small_chains(draw: st.DrawFn) -> list[list[Tx]]:
    """Blocks of few transactions, many of which spend each other."""
    made: list[Tx] = []
    chain = []
    for _ in range(draw(st.integers(1, 4))):
        block = []
        for _ in range(draw(st.integers(0, 6))):
            inputs = []
            for _ in range(draw(st.sampled_from([1, 1, 1, 2, 5, 6]))):
                if len(made) > 0 and draw(st.booleans()):
                    txid = draw(st.sampled_from(made)).txid
                else:
                    txid = draw(st.integers(1, 9)).to_bytes(32, "little")
                inputs.append(tx_in(txid + draw(st.integers(0, 1)).to_bytes(4, "little")))
            sats = draw(
                st.lists(st.sampled_from([0, 1_000, 1_001, 54_321, 10**13 - 1, 10**13]), min_size=1, max_size=3)
            )
            tx = payment(len(made), sats, inputs=inputs, version=len(made))
            made.append(tx)
            block.append(tx)
        chain.append(block)
    return chain


@settings(max_examples=examples(25, 100))
@given(small_chains())
def test_windows_against_the_rules_in_plain_python(blocks: list[list[Tx]]) -> None:
    chain = chain_of(blocks)
    outputs = assemble([digest_block(raw, height) for height, raw in chain])
    expected = plain_method.window_outputs((height, read_block(raw)) for height, raw in chain)
    assert outputs.amounts_btc.tolist() == expected.amounts_btc
    assert outputs.amount_heights.tolist() == expected.heights
    assert outputs.filters.total == expected.n_tx
    found = {reason: getattr(outputs.filters, reason) for reason in (*plain_method.REASONS, "same_window")}
    assert {reason: count for reason, count in found.items() if count} == dict(expected.excluded)


# Hashes whose first eight bytes collide often, in several ways.
hashes = st.builds(
    lambda head, low, rest: bytes((low,)) + bytes((head,)) * 7 + bytes(23) + bytes((rest,)),
    st.integers(0, 1),
    st.integers(0, 2),
    st.integers(0, 4),
)


def rows(values: Sequence[bytes]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.frombuffer(b"".join(values), np.uint8).reshape(-1, 32)


@given(st.lists(hashes, min_size=1, max_size=25), st.lists(hashes, max_size=25))
def test_first_positions_of_hashes_whose_prefixes_collide(txids: list[bytes], wanted: list[bytes]) -> None:
    found = _first_positions(rows(txids), rows(wanted))
    assert found.tolist() == [txids.index(value) if value in txids else len(txids) for value in wanted]
    possible = set(_share_bits(rows(wanted), rows(txids)).tolist())
    assert {n for n, value in enumerate(wanted) if value in txids} <= possible


def test_the_whole_hash_decides() -> None:
    prefix = bytes(range(1, 9))
    txids = [prefix + bytes(23) + bytes((n,)) for n in (3, 1, 2, 1)]
    others = [b"\xff" * 32, bytes(32)]
    wanted = [prefix + bytes(23) + bytes((n,)) for n in (1, 2, 3, 4)]
    assert _first_positions(rows([*others, *txids]), rows([*wanted, *others])).tolist() == [3, 4, 2, 6, 0, 1]


def test_the_counts_of_a_window_are_those_of_its_blocks() -> None:
    digests = digests_of([[payment(1, [1])], [payment(2, [1]), payment(3, [1])]])
    assert assemble(digests).filters.outputs == sum(digest.excluded[Verdict.OUTPUTS] for digest in digests) == 3
