"""Double SHA-256 and the merkle tree of a block, in pure Python."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

HASH_BYTES = 32
ZERO_HASH = bytes(HASH_BYTES)


def double_sha256(data: bytes) -> bytes:
    """SHA-256 of the SHA-256 of `data`, 32 bytes in internal order."""
    return sha256(sha256(data).digest()).digest()


def display_hash(internal: bytes) -> str:
    """A hash as people and RPC write it: hexadecimal, bytes reversed."""
    return internal[::-1].hex()


def internal_hash(text: str) -> bytes:
    """The bytes of a hash written in hexadecimal; raises `ValueError` when it isn't one."""
    value = bytes.fromhex(text)
    if len(value) != HASH_BYTES:
        raise ValueError(f"a hash has 64 hexadecimal digits, not {len(text)}")
    return value[::-1]


def merkle_root(leaves: Sequence[bytes]) -> tuple[bytes, bool]:
    """The merkle root over one or more 32-byte hashes, and whether the tree is mutated.

    Mutated means that two equal neighbours were hashed together, which lets the same root stand for a longer list
    of transactions (CVE-2012-2459); Bitcoin Core refuses such a block.
    """
    hashes = sha256
    mutated = False
    level = list(leaves)
    while len(level) > 1:
        left, right = level[0::2], level[1::2]
        mutated = mutated or any(map(bytes.__eq__, left, right))
        if len(level) % 2:
            right.append(level[-1])
        level = [hashes(hashes(a + b).digest()).digest() for a, b in zip(left, right, strict=True)]
    return level[0], mutated
