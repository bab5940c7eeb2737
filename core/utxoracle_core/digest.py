"""A block digest: all that any window ever needs of a block, a tenth of its size.

It holds every txid (for the rule against spends inside a window), and the amounts and spent txids of the
candidate transactions. Which outputs count depends on the window, so that is decided later, from digests alone.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from utxoracle_core.coinbase import check_witness_commitment, height_of, parse_coinbase
from utxoracle_core.errors import BlockError, DigestError
from utxoracle_core.hashes import HASH_BYTES, display_hash, internal_hash
from utxoracle_core.header import BlockHeader, check_work, parse_header
from utxoracle_core.scan import HEADER_BYTES, ScannedBlock, Scanner, Verdict
from utxoracle_core.scan_python import scan as scan_python

_MAGIC = b"UODG"
DIGEST_VERSION = 2
"""Of the bytes of a digest: those of another version have to be made again."""
_FIXED = struct.Struct("<4sHxxI80sIIIII5I")
_CHECKSUM_BYTES = 16
_MERKLE_ROOT_OFFSET = 36


@dataclass(frozen=True, slots=True)
class BlockDigest:
    """One block, ready to be part of any window. Hashes are in internal byte order."""

    height: int
    header: BlockHeader
    header_bytes: bytes
    size_bytes: int
    weight: int
    excluded: Mapping[Verdict, int]
    """Number of transactions by the first rule that excludes them."""
    txids: NDArray[np.uint8]
    """(n_tx, 32)"""
    tx_indexes: NDArray[np.int32]
    """(n_candidates,), position in the block"""
    output_sats: NDArray[np.int64]
    """(n_candidates, 2)"""
    input_counts: NDArray[np.uint8]
    """(n_candidates,)"""
    prevout_txids: NDArray[np.uint8]
    """(sum of input_counts, 32)"""

    @property
    def n_tx(self) -> int:
        """Number of transactions, the coinbase included."""
        return len(self.txids)

    @property
    def time(self) -> int:
        """Header time, unix seconds."""
        return self.header.time

    @property
    def block_hash(self) -> bytes:
        """Hash of the block, internal byte order."""
        return self.header.block_hash

    @property
    def hash_text(self) -> str:
        """Hash of the block as RPC writes it."""
        return self.header.hash_text


def digest_block(
    raw: bytes,
    height: int,
    *,
    expected_hash: str | None = None,
    check_witness: bool = False,
    scan: Scanner = scan_python,
) -> BlockDigest:
    """Check a raw block and take from it what windows need.

    `height` is the caller's, and must agree with the coinbase where that states one (BIP 34). `expected_hash` is
    the hash that was asked for, as RPC writes it. `check_witness` also compares the witness commitment (BIP 141),
    for blocks that didn't come from a node. Raises `BlockError`, naming block, offset and what was expected.
    """
    try:
        return _digest(raw, height, expected_hash, check_witness, scan)
    except BlockError as error:
        raise error.of(f"{height} ({expected_hash})" if expected_hash else str(height)) from None


def _digest(raw: bytes, height: int, expected_hash: str | None, check_witness: bool, scan: Scanner) -> BlockDigest:
    header = parse_header(raw)
    if expected_hash is not None and header.block_hash != internal_hash(expected_hash):
        raise BlockError("hash", 0, f"the block {expected_hash}, found {header.hash_text}")
    check_work(header)
    scanned = scan(raw, witness_root=check_witness)
    if scanned.merkle_root != header.merkle_root:
        found = display_hash(scanned.merkle_root)
        raise BlockError("merkle", _MERKLE_ROOT_OFFSET, f"transactions with the header's merkle root, found {found}")
    if scanned.merkle_mutated:
        raise BlockError("merkle", _MERKLE_ROOT_OFFSET, "a merkle tree without repeated neighbours (CVE-2012-2459)")
    _check_coinbase(raw, scanned, header, height)
    verdicts = np.bincount(scanned.verdicts, minlength=len(Verdict)).tolist()
    return BlockDigest(
        height=height,
        header=header,
        header_bytes=raw[:HEADER_BYTES],
        size_bytes=scanned.size_bytes,
        weight=3 * scanned.stripped_size_bytes + scanned.size_bytes,
        excluded={verdict: verdicts[verdict] for verdict in list(Verdict)[1:]},
        txids=scanned.txids,
        tx_indexes=scanned.tx_indexes,
        output_sats=scanned.output_sats,
        input_counts=scanned.input_counts,
        prevout_txids=scanned.prevout_txids,
    )


def _check_coinbase(raw: bytes, scanned: ScannedBlock, header: BlockHeader, height: int) -> None:
    start = scanned.coinbase_span[0]
    coinbase = parse_coinbase(raw, start)
    stated = height_of(coinbase, header.version)
    if stated is not None and stated != height:
        raise BlockError("height", start, f"a coinbase of height {height}, found {stated}")
    if scanned.witness_root is not None:
        has_witness = scanned.size_bytes != scanned.stripped_size_bytes
        check_witness_commitment(coinbase, scanned.witness_root, has_witness, start)


def digest_to_bytes(digest: BlockDigest) -> bytes:
    """The digest as bytes: fixed fields, the columns, and a checksum over both (XXH3, 128 bits), against damage."""
    fixed = _FIXED.pack(
        _MAGIC,
        DIGEST_VERSION,
        digest.height,
        digest.header_bytes,
        digest.size_bytes,
        digest.weight,
        digest.n_tx,
        len(digest.tx_indexes),
        len(digest.prevout_txids),
        *(digest.excluded[verdict] for verdict in list(Verdict)[1:]),
    )
    body = b"".join(
        (
            fixed,
            digest.txids.tobytes(),
            digest.tx_indexes.astype("<i4", copy=False).tobytes(),
            digest.output_sats.astype("<i8", copy=False).tobytes(),
            digest.input_counts.tobytes(),
            digest.prevout_txids.tobytes(),
        )
    )
    return body + _checksum(body)


def digest_from_bytes(data: bytes, *, is_whole: bool = False) -> BlockDigest:
    """Read back what `digest_to_bytes` wrote. `is_whole` says that a checksum around it was looked at already.

    Raises `DigestError` for anything else: another version, a cut or changed byte.
    """
    if data[:4] != _MAGIC:
        raise DigestError("these bytes are not a block digest")
    version = int.from_bytes(data[4:6], "little")
    if version != DIGEST_VERSION:
        raise DigestError(f"this digest has format {version}; format {DIGEST_VERSION} is read")
    content = memoryview(data)
    if len(data) < _FIXED.size + _CHECKSUM_BYTES or not (
        is_whole or _checksum(content[:-_CHECKSUM_BYTES]) == content[-_CHECKSUM_BYTES:]
    ):
        raise DigestError("this digest is damaged: its checksum does not match")
    _, _, height, head, size, weight, n_tx, n_candidates, n_prevouts, *excluded = _FIXED.unpack_from(data)
    offset = _FIXED.size

    def column(dtype: str, count: int) -> NDArray[np.generic]:
        nonlocal offset
        values = np.frombuffer(data, dtype, count, offset)
        offset += values.nbytes
        return values

    return BlockDigest(
        height=height,
        header=parse_header(head),
        header_bytes=head,
        size_bytes=size,
        weight=weight,
        excluded=dict(zip(list(Verdict)[1:], excluded, strict=True)),
        txids=column("u1", n_tx * HASH_BYTES).reshape(-1, HASH_BYTES),  # type: ignore[arg-type]
        tx_indexes=column("<i4", n_candidates),  # type: ignore[arg-type]
        output_sats=column("<i8", n_candidates * 2).reshape(-1, 2),  # type: ignore[arg-type]
        input_counts=column("u1", n_candidates),  # type: ignore[arg-type]
        prevout_txids=column("u1", n_prevouts * HASH_BYTES).reshape(-1, HASH_BYTES),  # type: ignore[arg-type]
    )


def _checksum(body: bytes | memoryview) -> bytes:
    return xxhash.xxh3_128_digest(body)
