"""Bytes of Bitcoin: transactions, the coinbase, the merkle tree, headers and blocks.

Written for a generator, so it only writes and never reads, and it shares no code with the scanners that are
tested against it. Hashes are in internal byte order, the order they have inside a block.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

MAX_BLOCK_WEIGHT = 4_000_000  # BIP 141
HEADER_BYTES = 80
REGTEST_BITS = 0x207FFFFF
"""The easiest target there is: every second hash meets it (Bitcoin Core, regtest)."""
BLOCK_VERSION = 0x20000000  # BIP 9, no deployment signalled
COMMITMENT_PREFIX = bytes.fromhex("6a24aa21a9ed")  # BIP 141
WITNESS_RESERVED_VALUE = bytes(32)  # BIP 141
NULL_OUTPOINT = bytes(32) + b"\xff\xff\xff\xff"
HALVING_BLOCKS = 210_000
FIRST_SUBSIDY_SATS = 50 * 100_000_000

_OP_1 = 0x51
_FINAL_SEQUENCE = 0xFFFFFFFF
_ONE_BYTE_SIZES = tuple(bytes((n,)) for n in range(0xFD))


@dataclass(frozen=True, slots=True)
class Tx:
    """A serialised transaction with its two hashes."""

    raw: bytes
    txid: bytes
    wtxid: bytes
    """Equal to the txid when there is no witness (BIP 141)."""
    stripped_size_bytes: int

    @property
    def weight(self) -> int:
        """Weight units (BIP 141)."""
        return 3 * self.stripped_size_bytes + len(self.raw)


def sha256d(data: bytes) -> bytes:
    """SHA-256 of the SHA-256."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def compact_size(n: int) -> bytes:
    """`n` as a CompactSize. Raises ValueError below 0 or from 2^64 on."""
    if 0 <= n < 0xFD:
        return _ONE_BYTE_SIZES[n]
    if 0 <= n <= 0xFFFF:
        return b"\xfd" + struct.pack("<H", n)
    if 0 <= n <= 0xFFFFFFFF:
        return b"\xfe" + struct.pack("<I", n)
    if 0 <= n <= 0xFFFFFFFFFFFFFFFF:
        return b"\xff" + struct.pack("<Q", n)
    raise ValueError(f"a CompactSize cannot hold {n}")


def tx_in(outpoint: bytes, script_sig: bytes = b"", sequence: int = _FINAL_SEQUENCE) -> bytes:
    """An input. `outpoint` is 36 bytes: txid, then the index in little endian."""
    return outpoint + compact_size(len(script_sig)) + script_sig + struct.pack("<I", sequence)


def tx_out(value_sats: int, script: bytes) -> bytes:
    """An output."""
    return struct.pack("<q", value_sats) + compact_size(len(script)) + script


def witness_stack(items: Sequence[bytes]) -> bytes:
    """The witness of one input (BIP 144); without items it is the single byte 00."""
    return compact_size(len(items)) + b"".join(compact_size(len(item)) + item for item in items)


def transaction(
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    witnesses: Sequence[bytes] | None = None,
    *,
    version: int = 2,
    lock_time: int = 0,
) -> Tx:
    """A transaction of serialised inputs and outputs.

    With `witnesses`, one serialised stack an input, it gets the marker and flag of BIP 144; with None it is
    written the old way.
    """
    head = struct.pack("<i", version)
    body = b"".join((compact_size(len(inputs)), *inputs, compact_size(len(outputs)), *outputs))
    tail = struct.pack("<I", lock_time)
    stripped = head + body + tail
    txid = sha256d(stripped)
    if witnesses is None:
        return Tx(stripped, txid, txid, len(stripped))
    raw = b"".join((head, b"\x00\x01", body, *witnesses, tail))
    return Tx(raw, txid, sha256d(raw), len(stripped))


def merkle_root(hashes: Sequence[bytes]) -> bytes:
    """The merkle root; an odd row repeats its last hash. Raises ValueError for an empty sequence."""
    if not hashes:
        raise ValueError("a merkle tree needs a leaf")
    row = list(hashes)
    while len(row) > 1:
        if len(row) % 2:
            row.append(row[-1])
        row = [sha256d(row[i] + row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def height_push(height: int) -> bytes:
    """The height as the coinbase script begins with it (BIP 34): OP_0, OP_1 to OP_16, or a minimal push of
    the signed little-endian number.

    Raises ValueError for a negative height.
    """
    if height < 0:
        raise ValueError("a height cannot be negative")
    if height == 0:
        return b"\x00"
    if height <= 16:
        return bytes((_OP_1 + height - 1,))
    number = height.to_bytes(height.bit_length() // 8 + 1, "little")  # one spare bit for the sign
    return bytes((len(number),)) + number


def subsidy_sats(height: int) -> int:
    """What a block may create: 50 bitcoin, halved every 210,000 blocks."""
    return FIRST_SUBSIDY_SATS >> min(height // HALVING_BLOCKS, 63)


def witness_commitment(wtxids: Sequence[bytes]) -> bytes:
    """The output script that commits to the witnesses (BIP 141).

    `wtxids` are those of all transactions but the coinbase, whose own counts as 32 zero bytes.
    """
    root = merkle_root((bytes(32), *wtxids))
    return COMMITMENT_PREFIX + sha256d(root + WITNESS_RESERVED_VALUE)


def coinbase(height: int, value_sats: int, reward_script: bytes, wtxids: Sequence[bytes], extra_nonce: bytes) -> Tx:
    """The first transaction of a block, with the commitment to the witnesses of the others.

    `extra_nonce`, 1 to 75 bytes, is pushed after the height, which keeps the script at two bytes or more
    at the heights whose push is a single byte. Raises ValueError for another length.
    """
    if not 1 <= len(extra_nonce) <= 75:
        raise ValueError("an extra nonce has 1 to 75 bytes")
    script_sig = height_push(height) + bytes((len(extra_nonce),)) + extra_nonce
    return transaction(
        [tx_in(NULL_OUTPOINT, script_sig)],
        [tx_out(value_sats, reward_script), tx_out(0, witness_commitment(wtxids))],
        [witness_stack([WITNESS_RESERVED_VALUE])],
    )


def target_of(bits: int) -> int:
    """The highest hash, read as a little-endian number, that meets the compact target `bits`."""
    mantissa, exponent = bits & 0x007FFFFF, bits >> 24
    return mantissa << 8 * (exponent - 3) if exponent >= 3 else mantissa >> 8 * (3 - exponent)


def mine_header(
    previous_hash: bytes, root: bytes, time_s: int, *, bits: int = REGTEST_BITS, version: int = BLOCK_VERSION
) -> tuple[bytes, bytes]:
    """The 80 bytes of a header whose hash meets `bits`, with the lowest nonce that does, and that hash.

    Raises ValueError when no nonce does.
    """
    start = struct.pack("<i32s32sII", version, previous_hash, root, time_s, bits)
    target = target_of(bits)
    for nonce in range(2**32):
        header = start + struct.pack("<I", nonce)
        block_hash = sha256d(header)
        if int.from_bytes(block_hash, "little") <= target:
            return header, block_hash
    raise ValueError("no nonce meets the target")


def block_bytes(header: bytes, txs: Sequence[Tx]) -> bytes:
    """A whole block."""
    return b"".join((header, compact_size(len(txs)), *(tx.raw for tx in txs)))


def display_hex(internal: bytes) -> str:
    """A txid or block hash as people and RPC write it: the bytes reversed, in hex."""
    return internal[::-1].hex()
