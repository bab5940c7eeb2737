"""Bitcoin Core's `blk*.dat` as bytes: records of blocks in arrival order, obfuscated since v28.

A record is the network's magic (4 bytes), the size of the block (4 bytes, little endian) and the block. Files are
allocated ahead, so they end in zeros while they are written to; a crash leaves a gap (Bitcoin Core,
`src/node/blockstorage.cpp`, `src/flatfile.cpp`). Everything here blocks and belongs in a thread or a worker process.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from types import TracebackType

import numpy as np

from utxoracle_core.errors import BlockError
from utxoracle_core.header import BlockHeader, check_work, parse_header
from utxoracle_core.scan import HEADER_BYTES

KEY_NAME = "xor.dat"
KEY_BYTES = 8
"""Each byte of a file is XORed with that of the key at its offset modulo 8."""
NO_KEY = bytes(KEY_BYTES)
HEAD_BYTES = 8
MOST_BLOCK_BYTES = 4_000_000
"""Bitcoin Core, `MAX_BLOCK_SERIALIZED_SIZE` (`src/consensus/consensus.h`)."""
MOST_FILE_BYTES = 2**32
"""Offsets are kept in 32 bits; a block file has 128 MiB (`MAX_BLOCKFILE_SIZE`)."""
_SEARCH_BYTES, _MOST_SEARCH_BYTES = 1 << 12, 1 << 20
"""What is searched at once: at first a little, as a rule the end of the last page before empty space."""


class DamagedKey(Exception):
    """A key that is not 8 bytes."""

    def __init__(self, path: Path, length_bytes: int) -> None:
        self.path = path
        self.length_bytes = length_bytes
        super().__init__(path, length_bytes)


class Stopped(Exception):
    """Nobody waits for the result any more."""


def read_key(folder: Path) -> bytes:
    """The key that the files of a folder are obfuscated with; `NO_KEY` where there is none.

    Raises `DamagedKey` and `OSError`.
    """
    path = folder / KEY_NAME
    try:
        with path.open("rb") as file:
            key = file.read(KEY_BYTES + 1)
    except FileNotFoundError:
        return NO_KEY
    if len(key) != KEY_BYTES:
        raise DamagedKey(path, len(key))
    return key


def read_clear(file: FileIO, key: bytes, offset_bytes: int, length_bytes: int) -> bytes:
    """What lies in a file from an offset on, the obfuscation undone; shorter where the file ends. Raises `OSError`."""
    file.seek(offset_bytes)
    if key == NO_KEY:
        return file.read(length_bytes)
    # a block is a megabyte: it is changed in place, as each copy costs about as much as reading it
    words = np.empty(-(-length_bytes // KEY_BYTES), "<u8")
    data = words.view(np.uint8)[:length_bytes]
    count = file.readinto(data.data)
    turned = key[offset_bytes % KEY_BYTES :] + key[: offset_bytes % KEY_BYTES]
    words ^= np.uint64(int.from_bytes(turned, "little"))
    return data[:count].tobytes()


@dataclass(frozen=True, slots=True)
class BlockPlace:
    """Where the bytes of a block lie in a block file, and the key to read them with."""

    path: Path
    offset_bytes: int
    length_bytes: int
    key: bytes

    def read(self) -> bytes:
        """The raw block, shorter where the file ends before it; nothing is checked. Raises `OSError`."""
        with self.path.open("rb", buffering=0) as file:
            return read_clear(file, self.key, self.offset_bytes, self.length_bytes)


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """A record whose frame and header are sound; the block behind the header was not looked at."""

    header: BlockHeader
    offset_bytes: int
    """Of the block itself, behind the frame."""
    length_bytes: int

    @property
    def end_bytes(self) -> int:
        """Where the next record begins, if there is one."""
        return self.offset_bytes + self.length_bytes


class BlockFile(AbstractContextManager["BlockFile"]):
    """One file, open for reading. Reads headers alone, never whole blocks."""

    def __init__(self, path: Path, magic: bytes, key: bytes) -> None:
        """Raises `OSError`."""
        self._magic, self._key = magic, key
        self._file = path.open("rb", buffering=0)
        self.size_bytes = min(os.fstat(self._file.fileno()).st_size, MOST_FILE_BYTES)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def begins_with(self) -> bytes | None:
        """The magic that the file begins with, or None where nothing is written there yet."""
        stored = read_clear(self._file, NO_KEY, 0, len(self._magic))
        return self._clear(0, len(self._magic)) if any(stored) else None

    def record_at(self, offset_bytes: int) -> BlockRecord | None:
        """The record whose frame begins at an offset, if one does; it may go on beyond the end of the file."""
        data = self._clear(offset_bytes, HEAD_BYTES + HEADER_BYTES)
        length = int.from_bytes(data[4:HEAD_BYTES], "little")
        begin = offset_bytes + HEAD_BYTES
        if not data.startswith(self._magic) or not HEADER_BYTES < length <= MOST_BLOCK_BYTES:
            return None
        try:
            header = parse_header(data[HEAD_BYTES:])
            check_work(header)
        except BlockError:
            return None
        return BlockRecord(header, begin, length)

    def records(self, offset_bytes: int, stopped: Callable[[], bool]) -> Iterator[BlockRecord]:
        """The whole records from an offset on; what is no record is searched for the next one. Raises `Stopped`.

        A record that goes on beyond the end is being written just now, and is not there yet.
        """
        while True:
            if stopped():
                raise Stopped
            record = self.record_at(offset_bytes) or self._search(offset_bytes, stopped)
            if record is None or record.end_bytes > self.size_bytes:
                return
            yield record
            offset_bytes = record.end_bytes

    def _search(self, offset_bytes: int, stopped: Callable[[], bool]) -> BlockRecord | None:
        length_bytes = _SEARCH_BYTES
        while (begin := self._data_from(offset_bytes)) is not None:
            if stopped():
                raise Stopped
            chunk = self._clear(begin, length_bytes)
            at = chunk.find(self._magic)
            while at >= 0:
                if record := self.record_at(begin + at):
                    return record
                at = chunk.find(self._magic, at + 1)
            if len(chunk) < length_bytes:
                return None
            length_bytes = min(4 * length_bytes, _MOST_SEARCH_BYTES)
            # the magic may lie across two chunks
            offset_bytes = begin + len(chunk) - len(self._magic) + 1
        return None

    def _clear(self, offset_bytes: int, length_bytes: int) -> bytes:
        return read_clear(self._file, self._key, offset_bytes, length_bytes)

    def _data_from(self, offset_bytes: int) -> int | None:
        """The next offset that is not in a hole of the file; space that was only allocated is one, too."""
        if not hasattr(os, "SEEK_DATA"):
            return offset_bytes
        try:
            return self._file.seek(offset_bytes, os.SEEK_DATA)
        except OSError as error:
            return None if error.errno == errno.ENXIO else offset_bytes
