"""The block scanner in pure Python: the fallback where the compiled one can't be had, and the authority on faults.

The hot loop doesn't test bounds. A length that runs past the end either makes an index fail or leaves the cursor
behind the last byte; both end in `scan_faults`, which walks again with every bound tested.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from utxoracle_core.errors import BlockError
from utxoracle_core.hashes import HASH_BYTES, ZERO_HASH, merkle_root
from utxoracle_core.scan import (
    HEADER_BYTES,
    MAX_BLOCK_WEIGHT,
    MIN_TX_BYTES,
    ScannedBlock,
    Verdict,
)
from utxoracle_core.scan_faults import NULL_PREVOUT, raise_first_fault
from utxoracle_core.serial import compact_size


class _Odd(Exception):
    """Something that the hot loop doesn't accept; `scan_faults` says what."""


@dataclass(slots=True)
class _Columns:
    """What the hot loop appends to, a list a column."""

    txids: list[bytes] = field(default_factory=list)
    wtxids: list[bytes] = field(default_factory=list)
    verdicts: bytearray = field(default_factory=bytearray)
    amounts: list[bytes] = field(default_factory=list)
    input_counts: bytearray = field(default_factory=bytearray)
    prevouts: list[bytes] = field(default_factory=list)
    first_tx_end: int = 0
    stripped_bytes: int = 0


def scan(raw: bytes, *, witness_root: bool = False) -> ScannedBlock:
    """Scan a whole serialised block; see `ScannedBlock`.

    Raises `BlockError` when the bytes are not exactly one well-formed block. Merkle root and proof of work are not
    compared with the header here: that is `digest_block`.
    """
    try:
        columns, start = _scan_transactions(raw, witness_root)
    except (IndexError, _Odd, BlockError):
        raise_first_fault(raw)
        raise RuntimeError("the hot loop refused a block in which the careful walk finds no fault") from None
    txid_root, mutated = merkle_root(columns.txids)
    witness = None
    if witness_root:
        columns.wtxids[0] = ZERO_HASH
        witness = merkle_root(columns.wtxids)[0]
    verdicts = np.frombuffer(bytes(columns.verdicts), np.uint8)
    return ScannedBlock(
        size_bytes=len(raw),
        stripped_size_bytes=columns.stripped_bytes,
        txids=_hash_rows(columns.txids),
        verdicts=verdicts,
        tx_indexes=np.flatnonzero(verdicts == Verdict.CANDIDATE).astype(np.int32),
        output_sats=np.frombuffer(b"".join(columns.amounts), np.dtype("<i8")).reshape(-1, 2),
        input_counts=np.frombuffer(bytes(columns.input_counts), np.uint8),
        prevout_txids=_hash_rows(columns.prevouts),
        coinbase_span=(start, columns.first_tx_end),
        merkle_root=txid_root,
        merkle_mutated=mutated,
        witness_root=witness,
    )


def _hash_rows(hashes: list[bytes]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, HASH_BYTES)


def _long_size(data: bytes, offset: int) -> tuple[int, int]:
    """A compact size of more than one byte, and the offset behind it."""
    return compact_size(data, offset, "size")


def _scan_transactions(raw: bytes, with_wtxids: bool) -> tuple[_Columns, int]:
    if len(raw) <= HEADER_BYTES:
        raise _Odd
    n_tx, first = compact_size(raw, HEADER_BYTES, "number of transactions")
    if n_tx == 0 or n_tx * MIN_TX_BYTES > len(raw) - first:
        raise _Odd
    columns = _Columns()
    end = _hot_loop(raw, first, n_tx, with_wtxids, columns)
    if end != len(raw):
        raise _Odd
    columns.stripped_bytes += first
    if 3 * columns.stripped_bytes + len(raw) > MAX_BLOCK_WEIGHT:
        raise _Odd
    if not _starts_with_coinbase(raw, first):
        raise _Odd
    return columns, first


def _starts_with_coinbase(raw: bytes, first: int) -> bool:
    """Whether the transaction at `first` has one input, with a null prevout."""
    at = first + (7 if raw[first + 4] == 0 else 5)
    return raw[at - 1] == 1 and raw[at : at + 36] == NULL_PREVOUT


def _null_prevouts(raw: bytes, start: int) -> set[int]:
    """Where the 36 bytes of a null prevout stand, be it in an input, a script or a witness."""
    found = set()
    at = raw.find(NULL_PREVOUT, start)
    while at >= 0:
        found.add(at)
        at = raw.find(NULL_PREVOUT, at + 1)
    return found


def _spends_null(data: bytes, offset: int, n_in: int, nulls: set[int]) -> bool:
    """Whether one of the `n_in` inputs that begin at `offset` starts at one of `nulls`."""
    for _ in range(n_in):
        if offset in nulls:
            return True
        size, offset = compact_size(data, offset + 36, "size")
        offset += size + 4
    return False


def _hot_loop(d: bytes, p: int, n_tx: int, with_wtxids: bool, columns: _Columns) -> int:  # noqa: PLR0912, PLR0915
    """Walk `n_tx` transactions from offset `p`; returns the offset behind the last.

    One function, short names, the common cases unrolled: calls, attributes and iterators are what pure Python
    spends its time on here.
    """
    hashes = sha256
    add_txid, add_wtxid = columns.txids.append, columns.wtxids.append
    add_amount, add_count, add_prevout = (
        columns.amounts.append,
        columns.input_counts.append,
        columns.prevouts.append,
    )
    verdicts = columns.verdicts = bytearray(n_tx)
    total = len(d)
    stripped = 0
    nulls = _null_prevouts(d, p)
    only_coinbase = len(nulls) == 1
    for index in range(n_tx):
        start = p
        n_in = d[p + 4]
        segwit = n_in == 0
        if segwit:
            if d[p + 5] != 1:
                raise _Odd
            n_in = d[p + 6]
            p += 7
        else:
            p += 5
        inputs = p
        if n_in == 1:
            size = d[p + 36]
            if size < 253:
                p += size + 41
            else:
                size, p = _long_size(d, p + 36)
                p += size + 4
        else:
            if n_in == 0:
                raise _Odd
            if n_in >= 253:
                n_in, inputs = _long_size(d, p - 1)
                p = inputs
            for _ in range(n_in):
                size = d[p + 36]
                if size < 253:
                    p += size + 41
                else:
                    size, p = _long_size(d, p + 36)
                    p += size + 4
        n_out = d[p]
        if n_out == 2:
            amount_a = d[p + 1 : p + 9]
            size = d[p + 9]
            if size < 253:
                p += 10
            else:
                size, p = _long_size(d, p + 9)
            op_return = d[p] == 0x6A and size > 0
            p += size
            amount_b = d[p : p + 8]
            size = d[p + 8]
            if size < 253:
                p += 9
            else:
                size, p = _long_size(d, p + 8)
            if d[p] == 0x6A and size:
                op_return = True
            p += size
        else:
            if n_out == 0:
                raise _Odd
            if n_out < 253:
                p += 1
            else:
                n_out, p = _long_size(d, p)
            for _ in range(n_out):
                size = d[p + 8]
                if size < 253:
                    p += size + 9
                else:
                    size, p = _long_size(d, p + 8)
                    p += size
        big_witness = False
        if segwit:
            witness = p
            for _ in range(n_in):
                n_items = d[p]
                p += 1
                if n_items == 2 and (size := d[p]) < 253 and (size_b := d[p + size + 1]) < 253:
                    # a signature and a key
                    size += size_b
                    p += size + 2
                    if size > 500:
                        big_witness = True
                else:
                    if n_items >= 253:
                        n_items, p = _long_size(d, p - 1)
                    item_bytes = 0
                    for _ in range(n_items):
                        size = d[p]
                        if size < 253:
                            p += 1
                        else:
                            size, p = _long_size(d, p)
                        p += size
                        item_bytes += size
                    if item_bytes > 500:
                        big_witness = True
            if p - witness == n_in:
                raise _Odd
            p += 4
            # the stripped serialisation of BIP 144
            plain = d[start : start + 4] + d[start + 6 : witness] + d[p - 4 : p]
            stripped += len(plain)
            add_txid(hashes(hashes(plain).digest()).digest())
            if with_wtxids:
                add_wtxid(hashes(hashes(d[start:p]).digest()).digest())
        else:
            p += 4
            stripped += p - start
            txid = hashes(hashes(d[start:p]).digest()).digest()
            add_txid(txid)
            if with_wtxids:
                add_wtxid(txid)
        if p > total:
            raise _Odd
        if n_in > 5:
            verdicts[index] = 1
        elif n_out != 2:
            verdicts[index] = 2
        elif index == 0 or (not only_coinbase and _spends_null(d, inputs, n_in, nulls)):
            verdicts[index] = 3
        elif op_return:
            verdicts[index] = 4
        elif big_witness:
            verdicts[index] = 5
        else:
            add_amount(amount_a)
            add_amount(amount_b)
            add_count(n_in)
            add_prevout(d[inputs : inputs + 32])
            for _ in range(n_in - 1):
                size = d[inputs + 36]
                if size < 253:
                    inputs += size + 41
                else:
                    size, inputs = _long_size(d, inputs + 36)
                    inputs += size + 4
                add_prevout(d[inputs : inputs + 32])
        if index == 0:
            columns.first_tx_end = p
    columns.stripped_bytes = stripped
    return p
