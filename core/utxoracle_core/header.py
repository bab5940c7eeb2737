"""The 80 bytes at the head of a block, and the proof of work that they carry."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from utxoracle_core.errors import BlockError
from utxoracle_core.hashes import display_hash, double_sha256
from utxoracle_core.scan import HEADER_BYTES

_FIELDS = struct.Struct("<i32s32sIII")
_DIFFICULTY_1_TARGET = 0xFFFF << 208  # difficulty 1 of Bitcoin's main network, bits 0x1d00ffff


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """A header; hashes are 32 bytes in internal order, `time` is unix seconds as the miner wrote it."""

    version: int
    previous_hash: bytes
    merkle_root: bytes
    time: int
    bits: int
    nonce: int
    block_hash: bytes

    @property
    def hash_text(self) -> str:
        """The block hash as RPC writes it."""
        return display_hash(self.block_hash)

    @property
    def difficulty(self) -> float:
        """How many times harder than difficulty 1 the header's own target is."""
        return _DIFFICULTY_1_TARGET / target_of(self.bits)


def target_of(bits: int) -> int:
    """The 256-bit target that compact `bits` stand for.

    Raises `ValueError` for a target that is zero, negative or wider than 256 bits (as Bitcoin Core's
    `SetCompact` reports them).
    """
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    target = mantissa << (8 * (exponent - 3)) if exponent > 3 else mantissa >> (8 * (3 - exponent))
    if bits & 0x800000 or not 0 < target < 1 << 256:
        raise ValueError(f"bits {bits:08x} stand for no possible target")
    return target


def parse_header(raw: bytes) -> BlockHeader:
    """Read the first 80 bytes of a block; raises `BlockError` when there are fewer."""
    if len(raw) < HEADER_BYTES:
        kind = "truncated" if raw else "empty"
        raise BlockError(kind, len(raw), f"a header of {HEADER_BYTES} bytes, but there are {len(raw)} bytes")
    head = raw[:HEADER_BYTES]
    version, previous_hash, merkle_root, time, bits, nonce = _FIELDS.unpack(head)
    return BlockHeader(version, previous_hash, merkle_root, time, bits, nonce, double_sha256(head))


def check_work(header: BlockHeader) -> None:
    """Raise `BlockError` when the block hash is above the target that the header itself names."""
    try:
        target = target_of(header.bits)
    except ValueError as error:
        raise BlockError("work", 72, f"a possible target: {error}") from None
    if int.from_bytes(header.block_hash, "little") > target:
        raise BlockError("work", 72, f"a hash of at most {target:064x}, found {header.hash_text}")
