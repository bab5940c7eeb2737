"""Addresses of version 0 witness programs (BIP 173)."""

from __future__ import annotations

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LETTERS = 6
_KEY_HASH_SCRIPT = b"\x00\x14"
_KEY_HASH_SCRIPT_BYTES = 22


def key_hash_address(script: bytes, prefix: str = "bcrt") -> str | None:
    """The address of a P2WPKH script; None for any other script."""
    if len(script) != _KEY_HASH_SCRIPT_BYTES or not script.startswith(_KEY_HASH_SCRIPT):
        return None
    bits = int.from_bytes(script[2:], "big")
    words = [0, *((bits >> shift) & 31 for shift in range(155, -1, -5))]
    spread = [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]
    check = _polymod([*spread, *words, *(0,) * _CHECKSUM_LETTERS]) ^ 1
    words += [(check >> 5 * (_CHECKSUM_LETTERS - 1 - place)) & 31 for place in range(_CHECKSUM_LETTERS)]
    return f"{prefix}1{''.join(_LETTERS[word] for word in words)}"


def _polymod(words: list[int]) -> int:
    check = 1
    for word in words:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ word
        for place, generator in enumerate(_GENERATOR):
            check ^= generator if (top >> place) & 1 else 0
    return check
