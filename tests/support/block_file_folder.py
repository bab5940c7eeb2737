"""A node's folder of block files, written and read plainly: records in any order, gaps, torn ends, obfuscated or not.

Shares no code with the program: what a record is, is in Bitcoin Core's `src/node/blockstorage.cpp`.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.support.scripted_http import RECORDED

REGTEST_MAGIC = bytes.fromhex("fabfb5da")
CHUNK_BYTES = 1 << 16
"""Files are allocated in steps of this; Bitcoin Core's are 16 MiB."""
KEY = bytes.fromhex("cd57fb873a0cf3f2")
"""That of the recorded file."""
RECORDED_FILE_BYTES = 16 << 20
RECORDED_END_BYTES = 99_561
"""Where record 123 of the recorded file began, which is left out for its size."""


def xored(data: bytes, key: bytes, offset_bytes: int = 0) -> bytes:
    """Each byte XORed with that of the key at its place in the file."""
    turned = key[offset_bytes % 8 :] + key[: offset_bytes % 8]
    stream = (turned * (len(data) // 8 + 1))[: len(data)]
    return (int.from_bytes(data) ^ int.from_bytes(stream)).to_bytes(len(data))


def hash_text(raw: bytes) -> str:
    """The hash of a block, as RPC writes it."""
    return sha256(sha256(raw[:80]).digest()).digest()[::-1].hex()


def time_of(raw: bytes) -> int:
    """The time in the header of a block, unix seconds."""
    return int.from_bytes(raw[68:72], "little")


@dataclass
class BlockFileFolder:
    """Writes as a node does, into one file after the other."""

    path: Path
    key: bytes = bytes(8)
    magic: bytes = REGTEST_MAGIC

    def __post_init__(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        if any(self.key):
            (self.path / "xor.dat").write_bytes(self.key)
        self.number = 0
        self.end_bytes = 0
        self.places: dict[str, tuple[Path, int, int]] = {}
        """File, offset and length of each whole block."""

    @property
    def file(self) -> Path:
        return self.path / f"blk{self.number:05}.dat"

    def append(self, raw: bytes) -> None:
        """Add a record to the newest file."""
        self.places[hash_text(raw)] = (self.file, self.end_bytes + 8, len(raw))
        self.put(self.record(raw))

    def append_all(self, raws: Iterable[bytes], per_file: int | None = None) -> None:
        """Add records, so many to each file."""
        for number, raw in enumerate(raws):
            if per_file and number and number % per_file == 0:
                self.next_file()
            self.append(raw)

    def record(self, raw: bytes) -> bytes:
        """Magic, size, block."""
        return self.magic + len(raw).to_bytes(4, "little") + raw

    def put(self, data: bytes) -> None:
        """Write these bytes behind the last; the file grows by whole chunks of zeros."""
        self.write_at(self.end_bytes, data)
        self.end_bytes += len(data)

    def write_at(self, offset_bytes: int, data: bytes) -> None:
        """Write these bytes at an offset of the newest file."""
        self.file.touch()
        with self.file.open("r+b") as file:
            end = offset_bytes + len(data)
            allocated = -(-end // CHUNK_BYTES) * CHUNK_BYTES
            if file.seek(0, 2) < allocated:
                file.truncate(allocated)
            file.seek(offset_bytes)
            file.write(xored(data, self.key, offset_bytes))

    def gap(self, length_bytes: int) -> None:
        """Leave zeros, as a crash between allocating and writing does."""
        self.end_bytes += length_bytes

    def next_file(self) -> None:
        """Cut the newest file to what is in it, and begin another."""
        with self.file.open("r+b") as file:
            file.truncate(self.end_bytes)
        self.number += 1
        self.end_bytes = 0

    def undo_file(self) -> None:
        """The file of undo data beside the newest block file, with records of the same form."""
        (self.path / f"rev{self.number:05}.dat").write_bytes(xored(self.record(bytes(200)), self.key))


def read_records(stored: bytes, key: bytes, magic: bytes = REGTEST_MAGIC) -> list[tuple[int, bytes]]:
    """The blocks of a file and their offsets, up to the first byte that is not of a record."""
    data = xored(stored, key)
    found = []
    offset = 0
    while data[offset : offset + 4] == magic:
        length = int.from_bytes(data[offset + 4 : offset + 8], "little")
        found.append((offset + 8, data[offset + 8 : offset + 8 + length]))
        offset += 8 + length
    return found


def recorded_folder(path: Path) -> list[tuple[int, bytes]]:
    """Put the block file of a real node there, without its last record; its blocks by height, and their offsets.

    A node that mined its chain alone has its blocks in order of height.
    """
    stored = lzma.decompress((RECORDED / "blk00000-first-122.dat.xz").read_bytes())
    assert len(stored) == RECORDED_END_BYTES
    path.mkdir(parents=True)
    (path / "xor.dat").write_bytes((RECORDED / "xor.dat").read_bytes())
    with (path / "blk00000.dat").open("wb") as file:
        file.write(stored)
        file.truncate(RECORDED_FILE_BYTES)
    return read_records(stored, KEY)


def hashes_of(raws: Sequence[bytes]) -> dict[str, bytes]:
    """Blocks by their hashes."""
    return {hash_text(raw): raw for raw in raws}
