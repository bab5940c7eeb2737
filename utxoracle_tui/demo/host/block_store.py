"""Raw blocks on disk, in the files that a node keeps them in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

REGTEST_MAGIC = bytes.fromhex("fabfb5da")
MAX_FILE_BYTES = 128 * 1024 * 1024  # Bitcoin Core, MAX_BLOCKFILE_SIZE
RECORD_HEAD_BYTES = 8
"""The network's magic and the size of the block in little endian."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block lies: in `blk<file>.dat`, `size_bytes` from `offset_bytes` on, behind the head of its record."""

    file: int
    offset_bytes: int
    size_bytes: int


class BlockStore:
    """Files `blk00000.dat` and on, not obfuscated and without the empty tail that a node allocates ahead.

    One thread appends; any may read what has been appended.
    """

    def __init__(self, folder: Path) -> None:
        """Raises OSError when the folder cannot be made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._files: list[FileIO] = []
        self._end = 0

    def append(self, raw: bytes) -> Place:
        """Write a block. Raises OSError when the disk is full."""
        record = REGTEST_MAGIC + len(raw).to_bytes(4, "little") + raw
        if not self._files or self._end + len(record) > MAX_FILE_BYTES:
            path = self._path(len(self._files))
            path.unlink(missing_ok=True)
            self._files.append(path.open("x+b", buffering=0))
            self._end = 0
        written = self._files[-1].write(record)
        if written != len(record):
            raise OSError(f"only {written} of {len(record)} bytes of a block could be written")
        place = Place(len(self._files) - 1, self._end + RECORD_HEAD_BYTES, len(raw))
        self._end += len(record)
        return place

    def add_empty(self, files: int) -> None:
        """Put files of full size there that hold nothing, up to that many in all; blocks to come take their place.

        They are names of one file, which is ten times as fast as making them. Raises OSError.
        """
        first = max(len(self._files), 1)
        if files <= first:
            return
        with self._path(first).open("xb") as file:
            file.truncate(MAX_FILE_BYTES)
        for number in range(first + 1, files):
            self._path(number).hardlink_to(self._path(first))

    def read(self, place: Place) -> bytes:
        """The raw block."""
        return os.pread(self._files[place.file].fileno(), place.size_bytes, place.offset_bytes)

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()

    def _path(self, number: int) -> Path:
        return self._folder / f"blk{number:05}.dat"
