"""Both scanners against the slow reader, on serialisations of all sizes and on damaged ones."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import plain_method
from tests.support.block_reader import read_block
from tests.support.building import P2PKH, P2WPKH, block_of, chain_of, coinbase_tx, payment, sound_block
from tests.support.chain_folder import block_files
from tests.support.examples import examples
from tests.support.mutations import Damage, cut_small, sound_pieces
from tests.support.parity_checks import FIXTURES
from tests.support.scanners import SCANNER_NAMES, scanner_named
from tests.support.second_opinion import assert_read_alike
from utxoracle_core import assemble, digest_block
from utxoracle_core.scan import Scanner
from utxoracle_tui.demo.chain.serialise import NULL_OUTPOINT, Tx, transaction, tx_in, tx_out, witness_stack


@cache
def scans() -> dict[str, Scanner]:
    return {name: scanner_named(name) for name in SCANNER_NAMES}


def test_the_compiled_scanner_is_there_wherever_numba_is() -> None:
    assert list(scans()) == list(SCANNER_NAMES)
    assert len({id(scan) for scan in scans().values()}) == len(SCANNER_NAMES)


# --- sound blocks

sizes = st.one_of(st.integers(0, 40), st.sampled_from([107, 127, 128, 252, 253, 254, 255, 256, 499, 500, 501, 600]))
scripts = st.one_of(
    st.sampled_from([b"", b"\x6a", b"\x00\x6a", b"\x6a\x00", b"\x6a" * 5, P2WPKH, P2PKH, NULL_OUTPOINT]),
    st.builds(lambda first, size: bytes((first,)) * size, st.sampled_from([0x00, 0x51, 0x6A, 0xFD]), sizes),
)
amounts = st.one_of(
    st.sampled_from([0, 1, 999, 1_000, 1_001, 10**13 - 1, 10**13, 10**13 + 1, 2**63 - 1, -1, -(2**63)]),
    st.integers(1_001, 10**10),
)
items = st.one_of(
    st.just(b""),
    st.builds(lambda size, fill: bytes((fill,)) * size, sizes, st.sampled_from([0x00, 0x30, 0x6A, 0xFD, 0xFF])),
)
witnesses = st.one_of(
    st.just([]),
    st.tuples(st.just(b"\x30" * 71), st.just(b"\x02" * 33)).map(list),
    st.lists(items, max_size=4),
    # exactly at the limit, split anywhere, and one byte over it
    st.builds(
        lambda total, at, tail: [b"\x11" * at, b"\x12" * (total - at), *tail],
        st.sampled_from([499, 500, 501]),
        st.integers(0, 499),
        st.sampled_from([[], [b""], [b"\x01"]]),
    ),
    st.integers(0, 3).map(lambda n: [b"\x01"] * (252 + n)),
)
counts = st.one_of(st.sampled_from([1, 1, 1, 2, 2, 3, 4, 5, 6, 7]), st.sampled_from([252, 253, 300]))
outpoints = st.one_of(
    st.just(NULL_OUTPOINT),
    st.sampled_from([bytes(36), bytes(32) + b"\xff\xff\xff\xfe", b"\xff" * 36]),
    st.integers(1, 2**16).map(lambda n: n.to_bytes(32, "little") + bytes(4)),
    st.integers(1, 2**16).map(lambda n: n.to_bytes(32, "little") + bytes(4)),
)


@st.composite
def transactions(draw: st.DrawFn, earlier: list[Tx]) -> Tx:
    """Any transaction; it may spend some of those before it."""
    n_in, n_out = draw(counts), draw(st.one_of(st.just(2), st.just(2), counts))
    # what varies is drawn a few times and repeated, so that hundreds of inputs cost no more than a few
    spent = [draw(outpoints) for _ in range(min(n_in, 6))]
    if earlier and draw(st.integers(0, 3)) == 0:
        spent[-1] = draw(st.sampled_from(earlier)).txid + bytes(4)
    sigs = [draw(scripts) for _ in range(min(n_in, 3))]
    inputs = [tx_in(spent[n % len(spent)], sigs[n % len(sigs)], 1_000 * len(earlier) + n) for n in range(n_in)]
    paid = [tx_out(draw(amounts), draw(scripts)) for _ in range(min(n_out, 3))]
    outputs = [paid[n % len(paid)] for n in range(n_out)]
    stacks = None
    if draw(st.booleans()):
        drawn = [draw(witnesses) for _ in range(min(n_in, 3))]
        if any(drawn):
            stacks = [witness_stack(drawn[n % len(drawn)]) for n in range(n_in)]
    version = draw(st.sampled_from([1, 2, 0, -1, 2**31 - 1, 256]))
    lock_time = draw(st.sampled_from([0, 0x6A, 0xFFFFFFFF]))
    return transaction(inputs, outputs, stacks, version=version, lock_time=lock_time)


@st.composite
def chains(draw: st.DrawFn) -> list[list[Tx]]:
    made: list[Tx] = []
    chain = []
    for _ in range(draw(st.integers(1, 2))):
        block = []
        for _ in range(draw(st.integers(0, 5))):
            tx = draw(transactions(made))
            made.append(tx)
            block.append(tx)
        chain.append(block)
    return chain


@settings(max_examples=examples(20, 100))
@given(chains())
def test_any_sound_blocks(blocks: list[list[Tx]]) -> None:
    chain = chain_of(blocks)
    for (_, raw), others in zip(chain, blocks, strict=True):
        assert assert_read_alike(raw, scans()) is None
        # the slow reader finds what was written, too
        read = read_block(raw)
        assert [tx.txid for tx in read.transactions[1:]] == [tx.txid for tx in others]
        assert [tx.wtxid for tx in read.transactions[1:]] == [tx.wtxid for tx in others]
    expected = plain_method.window_outputs((height, read_block(raw)) for height, raw in chain)
    for scan in scans().values():
        digests = [digest_block(raw, height, check_witness=True, scan=scan) for height, raw in chain]
        outputs = assemble(digests)
        assert outputs.amounts_btc.tolist() == expected.amounts_btc
        assert outputs.amount_heights.tolist() == expected.heights
        found = {reason: getattr(outputs.filters, reason) for reason in (*plain_method.REASONS, "same_window")}
        assert {reason: count for reason, count in found.items() if count} == dict(expected.excluded)


@pytest.mark.parametrize("count", [251, 252, 253, 254])
def test_numbers_of_transactions_around_the_one_byte_size(count: int) -> None:
    raw = sound_block([payment(n, witnesses=[[b"\x01"]] if n % 3 else None) for n in range(1, count)])
    assert len(read_block(raw).transactions) == count
    assert assert_read_alike(raw, scans()) is None


def test_more_than_65535_items_in_one_witness() -> None:
    raw = sound_block([payment(1, witnesses=[[b""] * 65_536]), payment(2, witnesses=[[b""] * 65_536 + [bytes(501)]])])
    assert assert_read_alike(raw, scans()) is None


def test_thousands_of_inputs_and_outputs() -> None:
    inputs = [tx_in(n.to_bytes(32, "little") + bytes(4), b"\x00" * (n % 300)) for n in range(1, 3_000)]
    raw = sound_block([payment(1, [1_001] * 4_000, inputs=inputs), payment(2)])
    assert assert_read_alike(raw, scans()) is None


def test_a_long_transaction_at_every_offset_of_a_hash_block() -> None:
    # SHA-256 takes 64 bytes at a time, and pads what is left in three ways
    raw = sound_block([payment(n, scripts=[b"\x00" * n], witnesses=[[b"\x01" * n]]) for n in range(1, 140)])
    assert assert_read_alike(raw, scans()) is None


# --- damaged blocks


@cache
def small_blocks() -> tuple[bytes, ...]:
    """Cut from real blocks, and some made to hold every kind of field."""
    draw = random.Random(1)
    raws = [path.read_bytes() for path in block_files(FIXTURES / "mainnet").values()]
    pieces = sound_pieces(raws[:2])
    made = [
        sound_block([payment(1), payment(2, witnesses=[[b"\x01" * 64, b"\x02" * 33]]), payment(3, [1, 2, 3])]),
        sound_block([payment(4, scripts=[b"\x6a\x01\x02"], witnesses=[[b"\x03" * 300, b"\x04" * 253]])]),
        sound_block(),
        block_of([coinbase_tx()]),
    ]
    return (*made, *(cut_small(*draw.choice(pieces), draw, 3_000) for _ in range(36)))


def test_damaged_blocks_are_refused_by_all_or_read_alike_by_all() -> None:
    draw = random.Random(2)
    ends: Counter[str | None] = Counter()
    for raw in small_blocks():
        assert assert_read_alike(raw, scans()) is None
        damage = Damage(raw, draw)
        for _ in range(60):
            ends[assert_read_alike(damage.one(), scans())] += 1
    assert set(ends) >= {None, "truncated", "encoding", "trailing", "coinbase", "empty"}
    assert sum(ends.values()) == 2400
