"""Blocks cut small, and damage done to them, repeatable from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.support.block_reader import Transaction, read_block
from tests.support.fields import Field, Kind, fields_of
from utxoracle_tui.demo.chain.serialise import compact_size

EXTREME_SIZES = (
    *(0, 1, 2, 3, 4, 5, 6, 40, 41, 127, 128, 250, 251, 252, 253, 254, 255, 499, 500, 501),
    *(0x7FFF, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF),
    *(0x1_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF),
)


def cut_small(raw: bytes, transactions: Sequence[Transaction], draw: random.Random, max_bytes: int) -> bytes:
    """The header and coinbase of a real block with a few of its other transactions, the count rewritten."""
    chosen = [transactions[0].raw]
    room = max_bytes - 90 - len(chosen[0])
    for _ in range(draw.randrange(8)):
        tx = draw.choice(transactions[1:])
        room -= len(tx.raw)
        if room < 0:
            break
        chosen.append(tx.raw)
    return b"".join((raw[:80], compact_size(len(chosen)), *chosen))


class Damage:
    """Ways to break one sound block."""

    def __init__(self, raw: bytes, draw: random.Random) -> None:
        self.raw = raw
        self.draw = draw
        self.sizes: list[Field] = [field for field in fields_of(raw) if field.kind is not Kind.DATA]

    def one(self) -> bytes:
        """A damaged copy."""
        ways = (self._bits, self._run, self._cut, self._insert, self._remove, self._size, self._longer_size)
        damaged = self.draw.choice(ways)(self.raw)
        if self.draw.random() < 0.1:
            damaged = self._bits(damaged)
        return damaged

    def _at(self, raw: bytes) -> int:
        """A place behind the header, mostly near the front, where the structure is decided."""
        first = min(80, len(raw) - 1)
        return self.draw.randrange(first, len(raw)) if self.draw.random() < 0.9 else self.draw.randrange(len(raw))

    def _bits(self, raw: bytes) -> bytes:
        if not raw:
            return raw
        changed = bytearray(raw)
        for _ in range(self.draw.choice((1, 1, 1, 2, 8))):
            changed[self._at(raw)] ^= 1 << self.draw.randrange(8)
        return bytes(changed)

    def _run(self, raw: bytes) -> bytes:
        at, length = self._at(raw), self.draw.randrange(1, 40)
        fill = self.draw.choice((b"\x00", b"\xff", b"\xfd", b"\x01", b"\x6a"))
        run = fill * length if self.draw.random() < 0.7 else self.draw.randbytes(length)
        return raw[:at] + run[: len(raw) - at] + raw[at + length :]

    def _cut(self, raw: bytes) -> bytes:
        return raw[: self._at(raw)]

    def _insert(self, raw: bytes) -> bytes:
        at, length = self._at(raw), self.draw.choice((1, 1, 2, 4, 36, 100))
        piece = self.draw.randbytes(length) if self.draw.random() < 0.5 else raw[at : at + length]
        return raw[:at] + piece + raw[at:]

    def _remove(self, raw: bytes) -> bytes:
        at = self._at(raw)
        return raw[:at] + raw[at + self.draw.choice((1, 1, 2, 4, 36, 100)) :]

    def _size(self, raw: bytes) -> bytes:
        field = self.draw.choice(self.sizes)
        return raw[: field.start] + compact_size(self.draw.choice(EXTREME_SIZES)) + raw[field.end :]

    def _longer_size(self, raw: bytes) -> bytes:
        field = self.draw.choice(self.sizes)
        first, width = self.draw.choice(((0xFD, 2), (0xFE, 4), (0xFF, 8)))
        value = raw[field.start] if field.end == field.start + 1 else 0
        return raw[: field.start] + bytes((first,)) + value.to_bytes(width, "little") + raw[field.end :]


def sound_pieces(raws: Sequence[bytes]) -> list[tuple[bytes, tuple[Transaction, ...]]]:
    """Blocks with their transactions."""
    return [(raw, read_block(raw).transactions) for raw in raws]
