"""Where each field of a sound block lies, for tests that break one field at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a field is."""

    COUNT = "count"
    """A compact size: how many follow."""
    LENGTH = "length"
    """A compact size: how many bytes follow."""
    DATA = "data"


@dataclass(frozen=True)
class Field:
    name: str
    kind: Kind
    start: int
    end: int


class _Walk:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0
        self.fields: list[Field] = []

    def data(self, name: str, length: int) -> None:
        self.fields.append(Field(name, Kind.DATA, self.at, self.at + length))
        self.at += length

    def size(self, name: str, kind: Kind) -> int:
        width = {0xFD: 3, 0xFE: 5, 0xFF: 9}.get(self.raw[self.at], 1)
        text = self.raw[self.at : self.at + width]
        self.fields.append(Field(name, kind, self.at, self.at + width))
        self.at += width
        return text[0] if width == 1 else int.from_bytes(text[1:], "little")

    def chunk(self, name: str) -> None:
        self.data(name, self.size(f"{name} length", Kind.LENGTH))


def fields_of(raw: bytes) -> list[Field]:
    """All fields of a sound block, in order and without gaps. Names are like `tx 1 input 0 prevout`."""
    walk = _Walk(raw)
    walk.data("header", 80)
    for index in range(walk.size("transactions", Kind.COUNT)):
        name = f"tx {index}"
        walk.data(f"{name} version", 4)
        segwit = raw[walk.at] == 0
        if segwit:
            walk.data(f"{name} marker", 1)
            walk.data(f"{name} flag", 1)
        n_in = walk.size(f"{name} inputs", Kind.COUNT)
        for i in range(n_in):
            walk.data(f"{name} input {i} prevout", 36)
            walk.chunk(f"{name} input {i} script")
            walk.data(f"{name} input {i} sequence", 4)
        for i in range(walk.size(f"{name} outputs", Kind.COUNT)):
            walk.data(f"{name} output {i} amount", 8)
            walk.chunk(f"{name} output {i} script")
        for i in range(n_in if segwit else 0):
            for item in range(walk.size(f"{name} witness {i} items", Kind.COUNT)):
                walk.chunk(f"{name} witness {i} item {item}")
        walk.data(f"{name} lock time", 4)
    assert walk.at == len(raw)
    return walk.fields


def field_named(raw: bytes, name: str) -> Field:
    """The field of that name."""
    return next(field for field in fields_of(raw) if field.name == name)


def replaced(raw: bytes, field: Field, data: bytes) -> bytes:
    """The block with other bytes in place of a field."""
    return raw[: field.start] + data + raw[field.end :]
