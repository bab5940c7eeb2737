"""Where each block lies, kept on disk: a small file for each block file, so that a new block rewrites the newest alone.

A part is its fixed fields, four columns and a checksum over both (the first 16 bytes of SHA-256). All of it can be made
again from the block files, so it is written without waiting for the disk, and whatever isn't sound is made again.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
from collections.abc import Container, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from utxoracle_core.hashes import HASH_BYTES
from utxoracle_tui.sources.block_files_records import BlockRecord

_MAGIC = b"UOBI"
_VERSION = 1
_FIXED = struct.Struct("<4sHxx4sIQI")
_CHECKSUM_BYTES = 16
_ROW_BYTES = HASH_BYTES + 3 * 4
_SUFFIX = ".index"
_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700


@dataclass(frozen=True, slots=True)
class Part:
    """What is known of one block file: a row for each block, in the order in which they lie there."""

    number: int
    """Of `blk<number>.dat`."""
    scanned_bytes: int
    """Up to here the file has been read."""
    hashes: NDArray[np.uint8]
    """(n, 32), internal order"""
    times_s: NDArray[np.uint32]
    """(n,), header times, unix seconds"""
    offsets: NDArray[np.uint32]
    """(n,), of the blocks themselves, behind their frames"""
    lengths: NDArray[np.uint32]
    """(n,), of the blocks in bytes"""

    def with_records(self, records: Sequence[BlockRecord]) -> Part:
        """The same with records that lie behind those before; unchanged without any."""
        if not records:
            return self
        hashes = np.frombuffer(b"".join(record.header.block_hash for record in records), np.uint8)
        return Part(
            number=self.number,
            scanned_bytes=records[-1].end_bytes,
            hashes=np.concatenate([self.hashes, hashes.reshape(-1, HASH_BYTES)]),
            times_s=_longer(self.times_s, [record.header.time for record in records]),
            offsets=_longer(self.offsets, [record.offset_bytes for record in records]),
            lengths=_longer(self.lengths, [record.length_bytes for record in records]),
        )

    def row_of(self, block_hash: bytes, time_s: int) -> int | None:
        """The row of a block, given its hash in internal order and the time in its header."""
        for row in np.flatnonzero(self.times_s == time_s):
            if self.hashes[row].tobytes() == block_hash:
                return int(row)
        return None


def _longer(column: NDArray[np.uint32], values: list[int]) -> NDArray[np.uint32]:
    return np.concatenate([column, np.array(values, np.uint32)])


def empty_part(number: int) -> Part:
    """A block file that nothing is known of."""
    none = np.empty(0, np.uint32)
    return Part(number, 0, np.empty((0, HASH_BYTES), np.uint8), none, none, none)


class IndexFolder:
    """The parts of one network on disk. Several processes may use it: each part is replaced whole."""

    def __init__(self, folder: Path, magic: bytes) -> None:
        """`magic` is the network's."""
        self.folder = folder
        self._magic = magic

    def read(self, number: int) -> Part | None:
        """The part of a block file, if there is a sound one."""
        try:
            data = self._path(number).read_bytes()
        except OSError:
            return None
        if len(data) < _FIXED.size + _CHECKSUM_BYTES or data[-_CHECKSUM_BYTES:] != _checksum(data[:-_CHECKSUM_BYTES]):
            return None
        magic, version, network, stated_number, scanned_bytes, count = _FIXED.unpack_from(data)
        if (magic, version, network, stated_number) != (_MAGIC, _VERSION, self._magic, number):
            return None
        if len(data) != _FIXED.size + count * _ROW_BYTES + _CHECKSUM_BYTES:
            return None
        hashes = np.frombuffer(data, np.uint8, count * HASH_BYTES, _FIXED.size).reshape(-1, HASH_BYTES)
        columns = np.frombuffer(data, "<u4", 3 * count, _FIXED.size + hashes.nbytes).reshape(3, -1)
        times_s, offsets, lengths = columns.astype(np.uint32, copy=False)
        return Part(number, scanned_bytes, hashes, times_s, offsets, lengths)

    def write(self, part: Part) -> None:
        """Keep a part in place of what was kept. Raises `OSError`."""
        fixed = _FIXED.pack(_MAGIC, _VERSION, self._magic, part.number, part.scanned_bytes, len(part.hashes))
        columns = (part.times_s, part.offsets, part.lengths)
        body = fixed + part.hashes.tobytes() + b"".join(column.astype("<u4").tobytes() for column in columns)
        path = self._path(part.number)
        temporary = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
        _make_private(self.folder)
        try:
            temporary.write_bytes(body + _checksum(body))
            temporary.chmod(_PRIVATE_FILE)
            # another process that has just started may take it for what a killed one left
            with contextlib.suppress(FileNotFoundError):
                temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise

    def remove(self, number: int) -> None:
        """Forget a part."""
        with contextlib.suppress(OSError):
            self._path(number).unlink()

    def tidy(self, numbers: Container[int]) -> None:
        """Remove all that is not a part of these block files, such as what a killed process left half-written."""
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                name = path.name.removesuffix(_SUFFIX)
                if not (path.name.endswith(_SUFFIX) and name.isdecimal() and int(name) in numbers):
                    path.unlink()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:05}{_SUFFIX}"


def _make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, readable by nobody else."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)


def _checksum(body: bytes) -> bytes:
    return sha256(body).digest()[:_CHECKSUM_BYTES]
