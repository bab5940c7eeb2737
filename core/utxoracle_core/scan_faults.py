"""The careful walk over a raw block: finds the first fault and says what was expected there.

The scanners are written for speed and only notice that something is wrong. This walk has the same rules, tests
each of them as it goes, and names the place.
"""

from __future__ import annotations

from utxoracle_core.errors import BlockError
from utxoracle_core.scan import (
    HEADER_BYTES,
    MAX_BLOCK_WEIGHT,
    MIN_INPUT_BYTES,
    MIN_OUTPUT_BYTES,
    MIN_TX_BYTES,
)
from utxoracle_core.serial import compact_size

NULL_PREVOUT = bytes(32) + b"\xff\xff\xff\xff"


class _Walk:
    """A cursor over the block that never leaves it."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.offset = 0
        self.stripped_bytes = 0

    def left(self) -> int:
        return len(self.raw) - self.offset

    def skip(self, count: int, what: str) -> None:
        if count > self.left():
            raise BlockError("truncated", self.offset, f"{what} of {count} bytes, but only {self.left()} are left")
        self.offset += count

    def size(self, what: str) -> int:
        value, self.offset = compact_size(self.raw, self.offset, what)
        return value

    def count(self, what: str, least_bytes: int) -> int:
        """A number of things that each take at least `least_bytes`; never zero."""
        at = self.offset
        value = self.size(f"number of {what}")
        if value == 0:
            raise BlockError("empty", at, f"at least one of the {what}")
        if value * least_bytes > self.left():
            raise BlockError("truncated", at, f"{value} {what}, which cannot fit in the {self.left()} bytes left")
        return value

    def script(self, what: str) -> None:
        at = self.offset
        length = self.size(f"length of {what}")
        if length > self.left():
            raise BlockError("truncated", at, f"{what} of {length} bytes, but only {self.left()} are left")
        self.offset += length


def raise_first_fault(raw: bytes) -> None:
    """Walk over the block and raise `BlockError` for the first fault; return when the serialisation has none."""
    walk = _Walk(raw)
    if not raw:
        raise BlockError("empty", 0, "a block, but there are no bytes at all")
    walk.skip(HEADER_BYTES, "a header")
    n_tx = walk.count("transactions", MIN_TX_BYTES)
    outside_tx_bytes = walk.offset
    for position in range(n_tx):
        _walk_transaction(walk, position)
    if walk.left():
        raise BlockError("trailing", walk.offset, f"the end of the block, but {walk.left()} bytes follow")
    weight = 3 * (outside_tx_bytes + walk.stripped_bytes) + len(raw)
    if weight > MAX_BLOCK_WEIGHT:
        raise BlockError("weight", len(raw), f"at most {MAX_BLOCK_WEIGHT} weight units, found {weight}")


def _walk_transaction(walk: _Walk, position: int) -> None:
    name = f"transaction {position}"
    start = walk.offset
    walk.skip(4, f"the version of {name}")
    segwit = walk.left() > 0 and walk.raw[walk.offset] == 0
    if segwit:
        walk.skip(1, "a segwit marker")
        if walk.left() == 0 or walk.raw[walk.offset] != 1:
            raise BlockError("encoding", walk.offset, f"the segwit flag 01 after the marker 00 in {name}")
        walk.skip(1, "a segwit flag")
    n_in = walk.count(f"inputs in {name}", MIN_INPUT_BYTES)
    for index in range(n_in):
        _walk_input(walk, name, position, n_in, index)
    n_out = walk.count(f"outputs in {name}", MIN_OUTPUT_BYTES)
    for index in range(n_out):
        walk.skip(8, f"the amount of output {index} in {name}")
        walk.script(f"the script of output {index} in {name}")
    witness_start = walk.offset
    if segwit:
        _walk_witnesses(walk, name, n_in)
    witness_bytes = walk.offset - witness_start
    walk.skip(4, f"the lock time of {name}")
    walk.stripped_bytes += walk.offset - start - witness_bytes - (2 if segwit else 0)


def _walk_input(walk: _Walk, name: str, position: int, n_in: int, index: int) -> None:
    at = walk.offset
    walk.skip(36, f"the prevout of input {index} in {name}")
    null = walk.raw[at : walk.offset] == NULL_PREVOUT
    if position == 0 and not (null and n_in == 1):
        raise BlockError("coinbase", at, "a coinbase as the first transaction: one input, with a null prevout")
    walk.script(f"the script of input {index} in {name}")
    walk.skip(4, f"the sequence of input {index} in {name}")


def _walk_witnesses(walk: _Walk, name: str, n_in: int) -> None:
    at = walk.offset
    empty = True
    for index in range(n_in):
        items_at = walk.offset
        n_items = walk.size(f"number of witness items of input {index} in {name}")
        if n_items > walk.left():
            raise BlockError("truncated", items_at, f"{n_items} witness items, but only {walk.left()} bytes are left")
        empty = empty and n_items == 0
        for item in range(n_items):
            walk.script(f"witness item {item} of input {index} in {name}")
    if empty:
        raise BlockError("encoding", at, f"a witness in {name}, which is marked as segwit and has none")
