"""Raw blocks, read slowly and plainly: the second opinion on what the scanners find.

Every field is taken as an object of its own, every bound is tested where it is met, and nothing is shared with the
core. What a block may not be is in BIP 141 (weight, witness), BIP 144 (serialisation) and Bitcoin Core's
`ReadCompactSize` (shortest form).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

MAX_WEIGHT = 4_000_000
NULL_TXID = bytes(32)
NULL_INDEX = 0xFFFFFFFF


class Malformed(ValueError):
    """These bytes are not one well-formed block."""


@dataclass(frozen=True)
class Input:
    prevout_txid: bytes
    prevout_index: int
    script_sig: bytes
    sequence: int
    witness: tuple[bytes, ...]

    @property
    def is_null(self) -> bool:
        return self.prevout_txid == NULL_TXID and self.prevout_index == NULL_INDEX


@dataclass(frozen=True)
class Output:
    sats: int
    """Signed, as the 64 bits are read everywhere."""
    script: bytes


@dataclass(frozen=True)
class Transaction:
    version: int
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    lock_time: int
    raw: bytes
    stripped: bytes

    @property
    def txid(self) -> bytes:
        return sha256d(self.stripped)

    @property
    def wtxid(self) -> bytes:
        return sha256d(self.raw)


@dataclass(frozen=True)
class Block:
    header: bytes
    transactions: tuple[Transaction, ...]
    stripped_size_bytes: int
    size_bytes: int
    coinbase_span: tuple[int, int]

    @property
    def weight(self) -> int:
        return 3 * self.stripped_size_bytes + self.size_bytes


def sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """The merkle root by its definition: pairs are hashed, an odd last one with itself."""
    if len(leaves) == 1:
        return leaves[0]
    pairs = [(leaves[i], leaves[min(i + 1, len(leaves) - 1)]) for i in range(0, len(leaves), 2)]
    return root_of([sha256d(left + right) for left, right in pairs])


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def take(self, count: int) -> bytes:
        if count > len(self.raw) - self.at:
            raise Malformed(f"{count} bytes are wanted at {self.at}")
        self.at += count
        return self.raw[self.at - count : self.at]

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "little")

    def size(self) -> int:
        first = self.number(1)
        if first < 253:
            return first
        width, least = {253: (2, 253), 254: (4, 2**16), 255: (8, 2**32)}[first]
        value = self.number(width)
        if value < least:
            raise Malformed(f"{value} is written in {width} bytes")
        return value

    def chunk(self) -> bytes:
        return self.take(self.size())


def read_block(raw: bytes) -> Block:
    """Read a whole block. Raises `Malformed` when the bytes are anything else."""
    reader = _Reader(raw)
    header = reader.take(80)
    count = reader.size()
    if count == 0:
        raise Malformed("no transactions")
    start = reader.at
    transactions = []
    first_end = 0
    for index in range(count):
        transactions.append(_transaction(reader))
        if index == 0:
            first_end = reader.at
    if reader.at != len(raw):
        raise Malformed("bytes behind the last transaction")
    stripped = start + sum(len(tx.stripped) for tx in transactions)
    block = Block(header, tuple(transactions), stripped, len(raw), (start, first_end))
    if block.weight > MAX_WEIGHT:
        raise Malformed(f"{block.weight} weight units")
    coinbase = transactions[0]
    if len(coinbase.inputs) != 1 or not coinbase.inputs[0].is_null:
        raise Malformed("no coinbase")
    return block


def _transaction(reader: _Reader) -> Transaction:
    start = reader.at
    version = reader.take(4)
    segwit = reader.raw[reader.at : reader.at + 1] == b"\x00"
    if segwit and reader.take(2) != b"\x00\x01":
        raise Malformed("a marker without its flag")
    body_start = reader.at
    spent = [(reader.take(32), reader.number(4), reader.chunk(), reader.number(4)) for _ in range(_some(reader.size()))]
    outputs = [(reader.take(8), reader.chunk()) for _ in range(_some(reader.size()))]
    body = reader.raw[body_start : reader.at]
    witnesses: list[tuple[bytes, ...]] = [()] * len(spent)
    if segwit:
        witnesses = [tuple(reader.chunk() for _ in range(reader.size())) for _ in spent]
        if not any(witnesses):
            raise Malformed("a superfluous witness")
    lock_time = reader.take(4)
    return Transaction(
        version=int.from_bytes(version, "little", signed=True),
        inputs=tuple(Input(*fields, witness) for fields, witness in zip(spent, witnesses, strict=True)),
        outputs=tuple(Output(int.from_bytes(sats, "little", signed=True), script) for sats, script in outputs),
        lock_time=int.from_bytes(lock_time, "little"),
        raw=reader.raw[start : reader.at],
        stripped=version + body + lock_time,
    )


def _some(count: int) -> int:
    if count == 0:
        raise Malformed("a transaction without inputs or outputs")
    return count
