"""Blocks made to measure: sound ones, and the pieces to break them with.

The bytes come from the demo's serialiser, which shares no code with the core.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from utxoracle_core import BlockError, digest_block
from utxoracle_core.scan import Scanner
from utxoracle_tui.demo.chain.serialise import (
    NULL_OUTPOINT,
    REGTEST_BITS,
    WITNESS_RESERVED_VALUE,
    Tx,
    block_bytes,
    height_push,
    merkle_root,
    mine_header,
    sha256d,
    transaction,
    tx_in,
    tx_out,
    witness_commitment,
    witness_stack,
)

HEIGHT = 840_000
TIME_S = 1_713_571_767
P2WPKH = b"\x00\x14" + bytes(range(20))
P2PKH = b"\x76\xa9\x14" + bytes(range(20)) + b"\x88\xac"
FIRST_TX_OFFSET = 81
"""Where the coinbase begins in a block of fewer than 253 transactions."""


def outpoint(number: int, index: int = 0) -> bytes:
    """A made-up outpoint, another one for each number."""
    return number.to_bytes(31, "little") + b"\x01" + index.to_bytes(4, "little")


def coinbase_tx(
    height: int = HEIGHT,
    *,
    script_sig: bytes | None = None,
    commits_to: Sequence[bytes] | None = None,
    outputs: Sequence[bytes] | None = None,
    witness_items: Sequence[bytes] = (WITNESS_RESERVED_VALUE,),
) -> Tx:
    """A coinbase; with `commits_to`, wtxids of the others, it has a witness and the commitment to theirs."""
    if script_sig is None:
        script_sig = height_push(height) + b"\x04test"
    paid = list(outputs) if outputs is not None else [tx_out(312_500_000, P2WPKH)]
    inputs = [tx_in(NULL_OUTPOINT, script_sig)]
    if commits_to is None:
        return transaction(inputs, paid)
    return transaction(inputs, [*paid, tx_out(0, witness_commitment(commits_to))], [witness_stack(witness_items)])


def payment(  # the common candidate: one input, two outputs
    number: int,
    sats: Sequence[int] = (150_000, 2_000_000),
    *,
    inputs: Sequence[bytes] | None = None,
    scripts: Sequence[bytes] = (),
    witnesses: Sequence[Sequence[bytes]] | None = None,
    version: int = 2,
) -> Tx:
    """A transaction that spends made-up outpoints; without `witnesses` it is written the old way."""
    spent = list(inputs) if inputs is not None else [tx_in(outpoint(number), b"\x51")]
    paid = [tx_out(value, scripts[i] if i < len(scripts) else P2WPKH) for i, value in enumerate(sats)]
    stacks = [witness_stack(items) for items in witnesses] if witnesses is not None else None
    return transaction(spent, paid, stacks, version=version)


def block_of(
    txs: Sequence[Tx],
    *,
    previous_hash: bytes = bytes(32),
    time_s: int = TIME_S,
    bits: int = REGTEST_BITS,
    version: int = 0x20000000,
    root: bytes | None = None,
) -> bytes:
    """A mined block of exactly these transactions, the coinbase among them."""
    found = merkle_root([tx.txid for tx in txs]) if root is None else root
    header, _ = mine_header(previous_hash, found, time_s, bits=bits, version=version)
    return block_bytes(header, txs)


def sound_block(others: Sequence[Tx] = (), *, height: int = HEIGHT, previous_hash: bytes = bytes(32)) -> bytes:
    """A block with a coinbase that commits to the witnesses of `others`, which follow it."""
    first = coinbase_tx(height, commits_to=[tx.wtxid for tx in others])
    return block_of([first, *others], previous_hash=previous_hash)


def chain_of(blocks: Sequence[Sequence[Tx]], first_height: int = HEIGHT) -> list[tuple[int, bytes]]:
    """Linked blocks with their heights, each of a coinbase and the given transactions."""
    chain: list[tuple[int, bytes]] = []
    previous = bytes(32)
    for height, others in enumerate(blocks, first_height):
        raw = sound_block(others, height=height, previous_hash=previous)
        chain.append((height, raw))
        previous = block_hash_of(raw)
    return chain


def block_hash_of(raw: bytes) -> bytes:
    """The hash of a block in internal order."""
    return sha256d(raw[:80])


def fault_of(
    raw: bytes, scan: Scanner, height: int = HEIGHT, *, expected_hash: str | None = None, check_witness: bool = False
) -> BlockError:
    """The error that a block ends in, which must name it."""
    with pytest.raises(BlockError) as caught:
        digest_block(raw, height, expected_hash=expected_hash, check_witness=check_witness, scan=scan)
    assert str(height) in caught.value.block
    assert caught.value.expected
    assert caught.value.expected in str(caught.value)
    return caught.value
