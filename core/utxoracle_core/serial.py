"""The compact sizes of Bitcoin's serialisation, read with every bound checked."""

from __future__ import annotations

from utxoracle_core.errors import BlockError

_SHORTEST = {2: 0xFD, 4: 0x1_0000, 8: 0x1_0000_0000}


def compact_size(data: bytes, offset: int, what: str) -> tuple[int, int]:
    """Read the compact size at `offset`, and return it with the offset behind it.

    `what` names the number for the error. Raises `BlockError` when the bytes end first or when the number is
    written longer than it need be, which Bitcoin Core refuses as well ("non-canonical ReadCompactSize").
    """
    if offset >= len(data):
        raise BlockError("truncated", offset, f"a {what}, but the data ends here")
    first = data[offset]
    if first < 0xFD:
        return first, offset + 1
    width = 1 << (first - 0xFC)
    end = offset + 1 + width
    if end > len(data):
        raise BlockError("truncated", offset, f"a {what} of {width} bytes, but only {len(data) - offset - 1} follow")
    value = int.from_bytes(data[offset + 1 : end], "little")
    if value < _SHORTEST[width]:
        raise BlockError("encoding", offset, f"a {what} in its shortest form, found {value} in {width} bytes")
    return value, end
