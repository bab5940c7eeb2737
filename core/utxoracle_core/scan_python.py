"""The block scanner in pure Python: the fallback where the compiled one can't be had, and the authority on faults.

The hot loop doesn't test bounds. A length that runs past the end either makes an index fail or leaves the cursor
behind the last byte; both end in `scan_faults`, which walks again with every bound tested.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from utxoracle_core.errors import BlockError
from utxoracle_core.hashes import HASH_BYTES, ZERO_HASH, merkle_root
from utxoracle_core.scan import (
    HEADER_BYTES,
    MAX_BLOCK_WEIGHT,
    MAX_INPUT_WITNESS_BYTES,
    MIN_TX_BYTES,
    ScannedBlock,
    Verdict,
)
from utxoracle_core.scan_candidates import read_outputs, read_prevout_txids
from utxoracle_core.scan_faults import NULL_PREVOUT, raise_first_fault
from utxoracle_core.serial import compact_size


class _Odd(Exception):
    """Something that the hot loop doesn't accept; `scan_faults` says what."""


@dataclass(slots=True)
class _Walked:
    """What the hot loop leaves behind."""

    verdicts: bytearray
    """`INPUTS` or `OUTPUTS` where these apply, 0 for the others, which are open."""
    txids: list[bytes] = field(default_factory=list)
    wtxids: list[bytes] = field(default_factory=list)
    input_places: list[int] = field(default_factory=list)
    """For each open transaction, where its first input begins."""
    output_places: list[int] = field(default_factory=list)
    """For each open transaction, where its first output begins."""
    big_witness: list[int] = field(default_factory=list)
    """Positions in the block of open transactions with an input of too much witness."""
    first_tx_end: int = 0
    stripped_bytes: int = 0


def scan(raw: bytes, *, witness_root: bool = False) -> ScannedBlock:
    """Scan a whole serialised block; see `ScannedBlock`.

    Raises `BlockError` when the bytes are not exactly one well-formed block. Merkle root and proof of work are not
    compared with the header here: that is `digest_block`.
    """
    try:
        walked, start = _walk(raw, witness_root)
    except (IndexError, _Odd, BlockError):
        raise_first_fault(raw)
        raise RuntimeError("the hot loop refused a block in which the careful walk finds no fault") from None
    txid_root, mutated = merkle_root(walked.txids)
    witness = None
    if witness_root:
        walked.wtxids[0] = ZERO_HASH
        witness = merkle_root(walked.wtxids)[0]
    data = np.frombuffer(raw, np.uint8)
    verdicts = np.frombuffer(walked.verdicts, np.uint8)
    open_rows = np.flatnonzero(verdicts == Verdict.CANDIDATE).astype(np.int32)
    input_places = np.array(walked.input_places, np.int64)
    outputs = read_outputs(data, np.array(walked.output_places, np.int64))
    # the last word has the first reason in the order of `Verdict`
    verdicts[walked.big_witness] = Verdict.WITNESS
    verdicts[open_rows[outputs.has_op_return]] = Verdict.OP_RETURN
    verdicts[_null_spenders(raw, start, open_rows, input_places)] = Verdict.COINBASE
    kept = verdicts[open_rows] == Verdict.CANDIDATE
    # the number of inputs is one byte, right before them, in every open transaction
    input_counts = data[input_places[kept] - 1]
    return ScannedBlock(
        size_bytes=len(raw),
        stripped_size_bytes=walked.stripped_bytes,
        txids=np.frombuffer(b"".join(walked.txids), np.uint8).reshape(-1, HASH_BYTES),
        verdicts=verdicts,
        tx_indexes=open_rows[kept],
        output_sats=outputs.sats[kept],
        input_counts=input_counts,
        prevout_txids=read_prevout_txids(data, input_places[kept], input_counts),
        coinbase_span=(start, walked.first_tx_end),
        merkle_root=txid_root,
        merkle_mutated=mutated,
        witness_root=witness,
    )


def _long_size(data: bytes, offset: int) -> tuple[int, int]:
    """A compact size of more than one byte, and the offset behind it."""
    return compact_size(data, offset, "size")


def _walk(raw: bytes, with_wtxids: bool) -> tuple[_Walked, int]:
    if len(raw) <= HEADER_BYTES:
        raise _Odd
    n_tx, first = compact_size(raw, HEADER_BYTES, "number of transactions")
    if n_tx == 0 or n_tx * MIN_TX_BYTES > len(raw) - first:
        raise _Odd
    walked = _Walked(bytearray(n_tx))
    end = _hot_loop(raw, first, n_tx, with_wtxids, walked)
    if end != len(raw):
        raise _Odd
    walked.stripped_bytes += first
    if 3 * walked.stripped_bytes + len(raw) > MAX_BLOCK_WEIGHT or not _starts_with_coinbase(raw, first):
        raise _Odd
    return walked, first


def _starts_with_coinbase(raw: bytes, first: int) -> bool:
    """Whether the transaction at `first` has one input, with a null prevout."""
    at = first + (7 if raw[first + 4] == 0 else 5)
    return raw[at - 1] == 1 and raw[at : at + 36] == NULL_PREVOUT


def _null_spenders(raw: bytes, start: int, open_rows: NDArray[np.int32], places: NDArray[np.int64]) -> list[int]:
    """Positions of the open transactions with a null prevout: the coinbase, and what poses as one.

    The 36 bytes are looked for first, as they hardly ever stand anywhere but in the coinbase.
    """
    nulls = set()
    at = raw.find(NULL_PREVOUT, start)
    while at >= 0:
        nulls.add(at)
        at = raw.find(NULL_PREVOUT, at + 1)
    rows = zip(open_rows.tolist(), places.tolist(), strict=True)
    if len(nulls) == 1:
        return [index for index, place in rows if index == 0 and place in nulls]
    return [index for index, place in rows if _spends_null(raw, place, nulls)]


def _spends_null(raw: bytes, offset: int, nulls: set[int]) -> bool:
    for _ in range(raw[offset - 1]):
        if offset in nulls:
            return True
        size, offset = compact_size(raw, offset + 36, "size")
        offset += size + 4
    return False


def _has_big_witness(raw: bytes, offset: int, n_in: int) -> bool:
    """Whether one of the inputs, whose witnesses begin at `offset`, has more than 500 bytes of items."""
    for _ in range(n_in):
        n_items, offset = compact_size(raw, offset, "number")
        total_bytes = 0
        for _ in range(n_items):
            size, offset = compact_size(raw, offset, "size")
            offset += size
            total_bytes += size
        if total_bytes > MAX_INPUT_WITNESS_BYTES:
            return True
    return False


def _hot_loop(d: bytes, p: int, n_tx: int, with_wtxids: bool, walked: _Walked) -> int:  # noqa: PLR0912, PLR0915
    """Walk `n_tx` transactions from offset `p`; returns the offset behind the last.

    One function, short names, the common cases unrolled: calls, attributes and iterators are what pure Python
    spends its time on here.
    """
    hashes = sha256
    add_txid, add_wtxid = walked.txids.append, walked.wtxids.append
    add_inputs, add_outputs = walked.input_places.append, walked.output_places.append
    verdicts = walked.verdicts
    total = len(d)
    stripped = 0
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
                n_in, p = _long_size(d, p - 1)
            for _ in range(n_in):
                size = d[p + 36]
                if size < 253:
                    p += size + 41
                else:
                    size, p = _long_size(d, p + 36)
                    p += size + 4
        n_out = d[p]
        p += 1
        if n_out == 2:
            if n_in <= 5:
                add_inputs(inputs)
                add_outputs(p)
            else:
                verdicts[index] = 1
            size = d[p + 8]
            if size < 253:
                p += size + 9
            else:
                size, p = _long_size(d, p + 8)
                p += size
            size = d[p + 8]
            if size < 253:
                p += size + 9
            else:
                size, p = _long_size(d, p + 8)
                p += size
        else:
            verdicts[index] = 2 if n_in <= 5 else 1
            if n_out == 0:
                raise _Odd
            if n_out >= 253:
                n_out, p = _long_size(d, p - 1)
            for _ in range(n_out):
                size = d[p + 8]
                if size < 253:
                    p += size + 9
                else:
                    size, p = _long_size(d, p + 8)
                    p += size
        if segwit:
            witness = p
            for _ in range(n_in):
                n_items = d[p]
                if n_items == 2:
                    # a signature and a key
                    size = d[p + 1]
                    if size < 253:
                        p += size + 2
                    else:
                        size, p = _long_size(d, p + 1)
                        p += size
                    size = d[p]
                    if size < 253:
                        p += size + 1
                    else:
                        size, p = _long_size(d, p)
                        p += size
                else:
                    if n_items < 253:
                        p += 1
                    else:
                        n_items, p = _long_size(d, p)
                    for _ in range(n_items):
                        size = d[p]
                        if size < 253:
                            p += size + 1
                        else:
                            size, p = _long_size(d, p)
                            p += size
            if p - witness == n_in:
                raise _Odd
            if p - witness > 500 and n_out == 2 and n_in <= 5 and _has_big_witness(d, witness, n_in):
                walked.big_witness.append(index)
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
        if index == 0:
            walked.first_tx_end = p
    walked.stripped_bytes = stripped
    return p
