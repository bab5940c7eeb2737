"""electrs's index on disk: sizes of its databases, and where RocksDB's own logs are.

`<db-dir>/<network>/newindex/{txstore,history,cache}` (electrs, src/config.rs and src/new_index/schema.rs). Everything
here blocks and belongs in a thread. The data itself is never opened.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from utxoracle_tui import clock
from utxoracle_tui.errors import Exit, OperatorError

DATABASES = ("txstore", "history", "cache")
NEW_INDEX = "newindex"
NETWORKS = ("mainnet", "testnet", "testnet4", "signet", "regtest")
LARGE_BYTES = 768 << 20
"""Only a full compaction writes files of this size (1 GiB); a pass writes its memtables of 256 MiB."""
_UNIT_BYTES = 512
"""Of `st_blocks` (POSIX, sys/stat.h)."""
_BLOCK_FILE = re.compile(r"blk\d{5,}\.dat")
_OLD_LOG = re.compile(r"LOG\.old\.(\d+)")


class IndexFolderError(OperatorError):
    """A folder that can't be read."""

    def __init__(self, path: Path, what: str, reason: str) -> None:
        self.path = path
        super().__init__(
            "index_folder_unreadable",
            f"{what} {path} can't be read: {reason}. It is looked at again soon. Check the path (electrs's --db-dir, "
            "or --blocks-dir), and this user's right to read it.",
            Exit.UNREACHABLE,
        )


@dataclass(frozen=True, slots=True)
class DatabaseSize:
    """The `.sst` files of one database."""

    sst_bytes: int
    allocated_bytes: int
    """What they take on disk, which is less where files are sparse or the file system compresses."""
    files: int
    large_bytes: int
    """Those of them that are as large as only a compaction writes them."""


@dataclass(frozen=True, slots=True)
class IndexSizes:
    """Sizes of all databases that are there, by name."""

    databases: Mapping[str, DatabaseSize]
    at_s: float
    """Unix seconds."""
    latency_s: float


@dataclass(frozen=True, slots=True)
class BlockFileCount:
    """The node's `blk*.dat` files."""

    count: int
    at_s: float
    """Unix seconds."""
    latency_s: float


def find_index(folder: Path) -> Path:
    """The folder with the databases, given `--db-dir`, the network's folder in it, or that folder itself.

    Raises `IndexFolderError`.
    """
    candidates = [folder, folder / NEW_INDEX, *(folder / network / NEW_INDEX for network in NETWORKS)]
    try:
        for candidate in candidates:
            if any((candidate / name).is_dir() for name in DATABASES):
                return candidate
    except OSError as error:
        raise _unreadable(folder, error) from None
    reason = "there is no database of electrs in it" if folder.is_dir() else "there is no such folder"
    raise IndexFolderError(folder, "The index folder", reason)


def _unreadable(folder: Path, error: OSError, what: str = "The index folder") -> IndexFolderError:
    return IndexFolderError(folder, what, (error.strerror or "unknown reason").lower())


def read_sizes(index: Path) -> IndexSizes:
    """The sizes of the databases. Raises `IndexFolderError`."""
    started_s = clock.elapsed_s()
    try:
        found = {name: _size(index / name) for name in DATABASES if (index / name).is_dir()}
    except OSError as error:
        raise _unreadable(index, error) from None
    return IndexSizes(found, clock.now_s(), clock.elapsed_s() - started_s)


def _size(folder: Path) -> DatabaseSize:
    total = allocated = files = large = 0
    for status in _statuses(folder):
        total += status.st_size
        allocated += status.st_blocks * _UNIT_BYTES
        files += 1
        if status.st_size >= LARGE_BYTES:
            large += status.st_size
    return DatabaseSize(total, allocated, files, large)


def _statuses(folder: Path) -> Iterator[os.stat_result]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".sst"):
                try:
                    yield entry.stat()
                except FileNotFoundError:
                    # deleted since the folder was listed, as at the end of a compaction
                    continue


def count_block_files(folder: Path) -> BlockFileCount:
    """How many block files there are in a folder. Raises `IndexFolderError`."""
    started_s = clock.elapsed_s()
    try:
        with os.scandir(folder) as entries:
            count = sum(_BLOCK_FILE.fullmatch(entry.name) is not None for entry in entries)
    except OSError as error:
        raise _unreadable(folder, error, "The folder of block files") from None
    return BlockFileCount(count, clock.now_s(), clock.elapsed_s() - started_s)


def put_aside_log(database: Path) -> Path | None:
    """RocksDB's log of before its last start, which put it aside; None where there is none, or it can't be told."""
    try:
        numbered = [(int(found[1]), path) for path in database.iterdir() if (found := _OLD_LOG.fullmatch(path.name))]
    except OSError:
        return None
    return max(numbered)[1] if numbered else None
