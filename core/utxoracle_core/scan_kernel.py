"""The walk over a raw block as machine code: functions that numba compiles into one, `scan_block`.

They take memory as addresses, like those of `libcrypto`, so numba guards no access to it: `raw` is only read where
`end` was looked at before. Offsets and sizes are 64-bit and a size never exceeds 32 bits, so no sum overflows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from utxoracle_core.hashes import HASH_BYTES
from utxoracle_core.libcrypto import (
    MESSAGE_AT,
    Hashing,
    Pointer,
    bytes_at,
    compiled_part,
    copy,
    fold_merkle_tree,
    hash_message,
    int32s_at,
    int64s_at,
)
from utxoracle_core.scan import (
    CANDIDATE_OUTPUTS,
    MAX_BLOCK_WEIGHT,
    MAX_CANDIDATE_INPUTS,
    MAX_INPUT_WITNESS_BYTES,
    MIN_INPUT_BYTES,
    MIN_OUTPUT_BYTES,
    MIN_TX_BYTES,
    OP_RETURN,
    Verdict,
)

_INPUTS = int(Verdict.INPUTS)
_OUTPUTS = int(Verdict.OUTPUTS)
_COINBASE = int(Verdict.COINBASE)
_OP_RETURN = int(Verdict.OP_RETURN)
_WITNESS = int(Verdict.WITNESS)
_CANDIDATE = int(Verdict.CANDIDATE)

_PREVOUT_BYTES = 36
_FAULT = -1


class Block(NamedTuple):
    """A raw block in memory; offsets count from `address`."""

    address: int
    end: int
    """Size in bytes."""
    first: int
    """Offset of the first transaction."""
    n_tx: int
    """At least one, and few enough to fit into the block."""


class Tables(NamedTuple):
    """Addresses of arrays with one row per transaction, unless it says otherwise."""

    spans: int
    """int64, `SPAN_COLUMNS` columns: where the parts of each transaction are."""
    nodes: int
    """Room for the merkle tree: 32 bytes, one row more."""
    txids: int
    verdicts: int
    """uint8"""
    tx_indexes: int
    """int32; the rest, too, is filled as far as there are candidates."""
    output_sats: int
    """int64, two columns"""
    input_counts: int
    """uint8"""
    prevouts: int
    """32 bytes, five rows per transaction"""
    roots: int
    """32 bytes, two rows: root over the txids, root over the wtxids if that is asked for."""


_START, _BODY, _WITNESS_START, _END, SPAN_COLUMNS = range(5)
"""Columns of the table of transactions: where each starts, where its inputs start, where its witnesses or else its lock
time starts, where it ends."""


@compiled_part
def _little_endian(raw: Pointer[int], at: int, width: int) -> int:
    """The number in `width` bytes; eight are taken as signed."""
    value = np.int64(0)
    for i in range(width):
        value |= np.int64(raw[at + i]) << (8 * i)
    return value  # type: ignore[return-value]


@compiled_part
def _compact(raw: Pointer[int], at: int, end: int) -> tuple[int, int]:
    """A compact size and the offset behind it.

    A fault when the bytes end first, when it isn't in its shortest form, and when it takes eight bytes: no block has
    room for what that counts.
    """
    left = end - at
    if left < 1:
        return _FAULT, at
    first = np.int64(raw[at])
    if first < 0xFD:
        return first, at + 1  # type: ignore[return-value]
    if first == 0xFD and left >= 3:
        value = _little_endian(raw, at + 1, 2)
        if value >= 0xFD:
            return value, at + 3
    elif first == 0xFE and left >= 5:
        value = _little_endian(raw, at + 1, 4)
        if value >= 0x1_0000:
            return value, at + 5
    return _FAULT, at


@compiled_part
def _is_null(raw: Pointer[int], at: int) -> bool:
    """Whether a prevout is the null one: a zero hash and the index 0xffffffff."""
    if _little_endian(raw, at + HASH_BYTES, 4) != 0xFFFF_FFFF:
        return False
    bits = 0
    for i in range(at, at + HASH_BYTES):
        bits |= raw[i]
    return bits == 0


@compiled_part
def _inputs(raw: Pointer[int], at: int, end: int) -> tuple[int, int, bool]:
    """Offset behind the inputs, or a fault; their number, and whether one has a null prevout."""
    count, at = _compact(raw, at, end)
    null = False
    if count < 1 or count * MIN_INPUT_BYTES > end - at:
        return _FAULT, count, null
    for _ in range(count):
        if end - at < MIN_INPUT_BYTES:
            return _FAULT, count, null
        null = _is_null(raw, at) or null
        size, at = _compact(raw, at + _PREVOUT_BYTES, end)
        if size < 0 or size + 4 > end - at:
            return _FAULT, count, null
        at += size + 4
    return at, count, null


@compiled_part
def _outputs(raw: Pointer[int], at: int, end: int) -> tuple[int, int, bool]:
    """Offset behind the outputs, or a fault; their number, and whether one is an OP_RETURN."""
    count, at = _compact(raw, at, end)
    op_return = False
    if count < 1 or count * MIN_OUTPUT_BYTES > end - at:
        return _FAULT, count, op_return
    for _ in range(count):
        if end - at < MIN_OUTPUT_BYTES:
            return _FAULT, count, op_return
        size, at = _compact(raw, at + 8, end)
        if size < 0 or size > end - at:
            return _FAULT, count, op_return
        if size > 0 and raw[at] == OP_RETURN:
            op_return = True
        at += size
    return at, count, op_return


@compiled_part
def _witnesses(raw: Pointer[int], at: int, end: int, n_inputs: int) -> tuple[int, bool]:
    """Offset behind the witnesses, or a fault; whether one is too large for the price method.

    It is a fault, too, when all of them are empty: Bitcoin Core refuses that as a superfluous witness.
    """
    large, empty = False, True
    for _ in range(n_inputs):
        n_items, at = _compact(raw, at, end)
        if n_items < 0 or n_items > end - at:
            return _FAULT, large
        n_bytes = 0
        for _ in range(n_items):
            empty = False
            size, at = _compact(raw, at, end)
            if size < 0 or size > end - at:
                return _FAULT, large
            at += size
            n_bytes += size
        if n_bytes > MAX_INPUT_WITNESS_BYTES:
            large = True
    return (_FAULT if empty else at), large


@compiled_part
def _verdict(n_inputs: int, n_outputs: int, null: bool, op_return: bool, large: bool) -> int:
    """The first reason why a transaction is no candidate."""
    if n_inputs > MAX_CANDIDATE_INPUTS:
        return _INPUTS
    if n_outputs != CANDIDATE_OUTPUTS:
        return _OUTPUTS
    if null:
        return _COINBASE
    if op_return:
        return _OP_RETURN
    return _WITNESS if large else _CANDIDATE


@compiled_part
def _transaction(raw: Pointer[int], start: int, end: int, span: Pointer[int], row: int) -> int:
    """Walk over a transaction and note where its parts are; its verdict, or a fault."""
    if end - start < MIN_TX_BYTES:
        return _FAULT
    body = start + 4
    segwit = raw[body] == 0
    if segwit:
        # BIP 144
        if raw[body + 1] != 1:
            return _FAULT
        body += 2
    at, n_inputs, null = _inputs(raw, body, end)
    if at < 0:
        return _FAULT
    at, n_outputs, op_return = _outputs(raw, at, end)
    if at < 0:
        return _FAULT
    witness_start, large = at, False
    if segwit:
        at, large = _witnesses(raw, at, end, n_inputs)
    if at < 0 or end - at < 4:
        return _FAULT
    cell = SPAN_COLUMNS * row
    span[cell + _START], span[cell + _BODY] = start, body
    span[cell + _WITNESS_START], span[cell + _END] = witness_start, at + 4
    return _verdict(n_inputs, n_outputs, null, op_return, large)


@compiled_part
def _keep(block: Block, at: int, sats_at: int, prevouts: int) -> int:
    """Take amounts and spent txids out of a candidate whose inputs start at `at`; its number of inputs."""
    raw, sats = bytes_at(block.address), int64s_at(sats_at)
    n_inputs, at = _compact(raw, at, block.end)
    for i in range(n_inputs):
        copy(prevouts + HASH_BYTES * i, block.address + at, HASH_BYTES)
        size, at = _compact(raw, at + _PREVOUT_BYTES, block.end)
        at += size + 4
    _, at = _compact(raw, at, block.end)
    for i in range(CANDIDATE_OUTPUTS):
        sats[i] = _little_endian(raw, at, 8)
        size, at = _compact(raw, at + 8, block.end)
        at += size
    return n_inputs


@compiled_part
def _hash_transactions(hashing: Hashing, block: Block, span: Pointer[int], txids: int) -> None:
    """Write the txids: hashes without marker, flag and witnesses (BIP 141)."""
    message = hashing.memory + MESSAGE_AT
    for row in range(block.n_tx):
        cell = SPAN_COLUMNS * row
        body, size = span[cell + _BODY], span[cell + _WITNESS_START] - span[cell + _BODY]
        copy(message, block.address + span[cell + _START], 4)
        copy(message + 4, block.address + body, size)
        copy(message + 4 + size, block.address + span[cell + _END] - 4, 4)
        hash_message(hashing, size + 8, txids + HASH_BYTES * row)


@compiled_part
def _hash_with_witnesses(hashing: Hashing, block: Block, span: Pointer[int], hashes: int) -> None:
    """Turn txids into wtxids; the first counts as zero (BIP 141)."""
    first = bytes_at(hashes)
    for i in range(HASH_BYTES):
        first[i] = 0
    for row in range(1, block.n_tx):
        cell = SPAN_COLUMNS * row
        start, end = span[cell + _START], span[cell + _END]
        if span[cell + _BODY] != start + 4:
            copy(hashing.memory + MESSAGE_AT, block.address + start, end - start)
            hash_message(hashing, end - start, hashes + HASH_BYTES * row)


@compiled_part
def _starts_with_coinbase(raw: Pointer[int], span: Pointer[int]) -> bool:
    """Whether the first transaction has one input, with a null prevout."""
    return raw[span[_BODY]] == 1 and _is_null(raw, span[_BODY] + 1)


@compiled_part
def _walk(block: Block, tables: Tables) -> tuple[int, int, int]:
    """Walk over all transactions; stripped size or a fault, number of candidates, number of their inputs."""
    raw, span, verdicts = bytes_at(block.address), int64s_at(tables.spans), bytes_at(tables.verdicts)
    indexes, counts = int32s_at(tables.tx_indexes), bytes_at(tables.input_counts)
    at = stripped = block.first
    n_candidates, n_prevouts = 0, 0
    for row in range(block.n_tx):
        verdict = _transaction(raw, at, block.end, span, row)
        if verdict < 0:
            return _FAULT, n_candidates, n_prevouts
        cell = SPAN_COLUMNS * row
        verdicts[row] = verdict
        stripped += span[cell + _WITNESS_START] - span[cell + _BODY] + 8
        at = span[cell + _END]
        if verdict == _CANDIDATE:
            sats_at = tables.output_sats + 8 * CANDIDATE_OUTPUTS * n_candidates
            prevouts_at = tables.prevouts + HASH_BYTES * n_prevouts
            n_inputs = _keep(block, span[cell + _BODY], sats_at, prevouts_at)
            indexes[n_candidates], counts[n_candidates] = row, n_inputs
            n_candidates += 1
            n_prevouts += n_inputs
    whole = at == block.end and 3 * stripped + block.end <= MAX_BLOCK_WEIGHT
    if not (whole and _starts_with_coinbase(raw, span)):
        stripped = _FAULT
    return stripped, n_candidates, n_prevouts


def scan_block(hashing: Hashing, block: Block, tables: Tables, with_witnesses: bool) -> tuple[int, int, int, bool]:
    """Fill the tables from a block; to be compiled by the caller.

    Returns stripped size, number of candidates, number of their inputs, and whether the merkle tree is mutated. The
    stripped size of a faulty block is -1, and then nothing else is of use.
    """
    stripped, n_candidates, n_prevouts = _walk(block, tables)
    if stripped < 0:
        return stripped, n_candidates, n_prevouts, False
    span, txids_bytes = int64s_at(tables.spans), HASH_BYTES * block.n_tx
    _hash_transactions(hashing, block, span, tables.txids)
    copy(tables.nodes, tables.txids, txids_bytes)
    mutated = fold_merkle_tree(hashing, tables.nodes, block.n_tx)
    copy(tables.roots, tables.nodes, HASH_BYTES)
    if with_witnesses:
        copy(tables.nodes, tables.txids, txids_bytes)
        _hash_with_witnesses(hashing, block, span, tables.nodes)
        fold_merkle_tree(hashing, tables.nodes, block.n_tx)
        copy(tables.roots + HASH_BYTES, tables.nodes, HASH_BYTES)
    return stripped, n_candidates, n_prevouts, mutated
