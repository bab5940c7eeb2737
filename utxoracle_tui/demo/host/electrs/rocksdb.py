"""A RocksDB of the simulated index: sparse `.sst` files of the right sizes, and its log.

Sizes are those of RocksDB 8.1.1 with electrs' options: one table of 255 MiB a memtable, all in level 0, then one
compaction of everything into tables of 1 GiB, during which there is twice as much. The files hold nothing: their sizes
are as `stat` tells them, the space that they take on the disk is none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from utxoracle_tui.demo.host.electrs.rocksdb_log import RocksLog, Stamp

MEMTABLE_BYTES = 267_080_000
TABLE_BYTES = 1_078_336_307
_MEMTABLE_KEYS = 600_000
_GROWTH_STEPS = 8
"""In which a table of 1 GiB is seen to grow."""
_STATS_S = 600.0
_WAL = "000008.log"
_FIRST_NUMBER = 9
_FILES = ("CURRENT", "IDENTITY", "LOCK", "MANIFEST-000005", "OPTIONS-000007", _WAL)


class NoSpace(Exception):
    """The disk is full; the text is RocksDB's."""


class Database:
    """One of the three of an index. Its files are on disk as soon as a method returns."""

    def __init__(self, folder: Path, seen_as: str, stamp: Stamp, room: Callable[[int], bool]) -> None:
        """`seen_as` is the folder in the container; `room` says whether so many more bytes fit on the disk."""
        self.folder = folder
        self.seen_as = seen_as
        self.compacted = False
        self.block_files = 0
        """Whose rows are in here for good."""
        self.level_0: dict[int, int] = {}
        """Bytes of the tables by number, as flushed."""
        self.tables: dict[int, int] = {}
        """Bytes of the tables by number, as compacted."""
        self.unfinished: dict[int, int] = {}
        """Outputs of a compaction that hasn't ended."""
        self._log = RocksLog(folder, stamp)
        self._stamp = stamp
        self._room = room
        self._memtable_bytes = 0.0
        self._number = _FIRST_NUMBER
        self._job = 1
        self._stats_s = 0.0

    @property
    def size_bytes(self) -> int:
        """Of all tables."""
        return sum(sum(tables.values()) for tables in (self.level_0, self.tables, self.unfinished))

    @property
    def n_files(self) -> int:
        """Number of tables."""
        return len(self.level_0) + len(self.tables) + len(self.unfinished)

    def preset(self, *, flushed_bytes: int = 0, compacted_bytes: int = 0) -> None:
        """Be there already, with what some earlier process has written. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for tables, total, size in (
            (self.level_0, flushed_bytes, MEMTABLE_BYTES),
            (self.tables, compacted_bytes, TABLE_BYTES),
        ):
            for start in range(0, total, size):
                self._make(tables, min(size, total - start))
        self.compacted = compacted_bytes > 0

    def open(self) -> None:
        """As a new process does: start a new log, and delete what an unfinished compaction has left. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            (self.folder / name).touch()
        (self.folder / "CURRENT").write_text("MANIFEST-000005\n", encoding="ascii")
        self._memtable_bytes, self._job = 0.0, 1
        names = " ".join(f"{number:06}.sst" for number in sorted(self.level_0 | self.tables)[:10])
        self._log.begin(
            (
                f"SST files in {self.seen_as} dir, Total Num: {self.n_files}, files: {names} ",
                f"Write Ahead Log file in {self.seen_as}: {_WAL} size: 0 ; ",
                "                           Options.disable_auto_compactions: 1",
                "                              Options.write_buffer_size: 268435456",
                "                          Options.target_file_size_base: 1073741824",
                f"[db/version_set.cc:5713] Recovered from manifest file:{self.seen_as}/MANIFEST-000005 succeeded",
                "DB pointer 0x557f1cdb0700",
            )
        )
        for number in list(self.unfinished):
            self._delete(self.unfinished, number)
        self._dump_stats()

    def write(self, n_bytes: float) -> bool:
        """Add rows; tells whether a memtable went to disk. Raises `NoSpace`, OSError."""
        self._memtable_bytes += n_bytes
        if self._memtable_bytes < MEMTABLE_BYTES:
            return False
        while self._memtable_bytes >= MEMTABLE_BYTES:
            self._flush(MEMTABLE_BYTES, "Write Buffer Full")
            self._memtable_bytes -= MEMTABLE_BYTES
        if self._stamp() - self._stats_s >= _STATS_S:
            self._dump_stats()
        return True

    def compact(self) -> Iterator[float]:
        """The full compaction; yields the share of its time until the next step. Raises `NoSpace`, OSError."""
        if self._memtable_bytes:
            self._flush(max(int(self._memtable_bytes), 1), "Manual Compaction")
            self._memtable_bytes = 0.0
        inputs, total = sorted(self.level_0, reverse=True), sum(self.level_0.values())
        job, began_s = self._next_job(), self._stamp()
        self._log.compaction_began(job, inputs, total)
        for start in range(0, total, TABLE_BYTES):
            size = min(TABLE_BYTES, total - start)
            number = self._make(self.unfinished, 0)
            for step in range(1, _GROWTH_STEPS + 1):
                yield size / total / _GROWTH_STEPS
                self._grow(number, size * step // _GROWTH_STEPS)
            self._log.table_generated(job, number, size)
            if self._stamp() - self._stats_s >= _STATS_S:
                self._dump_stats()
        self._log.compaction_ended(job, len(inputs), len(self.unfinished), total, self._stamp() - began_s)
        self.tables |= self.unfinished
        self.unfinished = {}
        for number in inputs:
            self._delete(self.level_0, number, job)
        for level in (2, 3):
            self._log.moved(self._next_job(), level, len(self.tables), total)
        self.compacted = True
        self._log.options_set()

    def follow_block(self) -> None:
        """What the log shows of each later update."""
        self._log.options_set()

    def lose_memtable(self) -> None:
        """What a killed process loses."""
        self._memtable_bytes = 0.0

    def _flush(self, size: int, reason: str) -> None:
        job, keys = self._next_job(), _MEMTABLE_KEYS * size // MEMTABLE_BYTES
        number = self._make(self.level_0, size)
        self._log.flush_began(job, number, keys, size, reason)
        self._log.table_created(job, number, size, keys)
        self._log.flush_ended(job, number, size, [len(self.level_0), 0, 0, len(self.tables), 0, 0, 0])

    def _next_job(self) -> int:
        self._job += 1
        return self._job

    def _make(self, tables: dict[int, int], size: int) -> int:
        if not self._room(size):
            raise self._full(self._number)
        number, self._number = self._number, self._number + 1
        tables[number] = size
        # there are more than a thousand of them, and `Path.open` takes twice as long
        handle = os.open(self._path(number), os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o644)
        os.ftruncate(handle, size)
        os.close(handle)
        return number

    def _grow(self, number: int, size: int) -> None:
        if not self._room(size - self.unfinished[number]):
            raise self._full(number)
        self.unfinished[number] = size
        os.truncate(self._path(number), size)

    def _full(self, number: int) -> NoSpace:
        reason = "No space left on device"
        return NoSpace(f"IO error: {reason}: While appending to file: {self.seen_as}/{number:06}.sst: {reason}")

    def _delete(self, tables: dict[int, int], number: int, job: int = 0) -> None:
        self._path(number).unlink(missing_ok=True)
        del tables[number]
        self._log.event(job, "table_file_deletion", {"file_number": number})

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06}.sst"

    def _dump_stats(self) -> None:
        self._stats_s = self._stamp()
        self._log.stats(self.n_files, self.size_bytes)
