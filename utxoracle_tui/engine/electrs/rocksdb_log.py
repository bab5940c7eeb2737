"""RocksDB's own `LOG`: what its lines say, and how far a full compaction has come.

Shapes as recorded with RocksDB 8.1.1, which electrs uses; other versions add keys to the same events. A line begins
with local time without a zone, so times are taken from the events, which bear unix time. The one full compaction of
an electrs database is a single job with the reason `ManualCompaction`: it keeps all its inputs until the end and
writes outputs of 1 GiB, each announced by a line `Generated table` and an event `table_file_creation`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

FULL_COMPACTION = "ManualCompaction"
_EVENT_MARK = " EVENT_LOG_v1 "
_GENERATED = re.compile(r"\[JOB (\d+)\] Generated table #(\d+): \d+ keys, (\d+) bytes")
_OPENED = re.compile(r" RocksDB version: \S+\s*$")
_MEMTABLE_FULL = "Write Buffer Full"
_MICROS = 1e6


class RocksKind(StrEnum):
    """What a line is about."""

    OPENED = "opened"
    MEMTABLE_FULL = "memtable_full"
    """A table of new rows is written out: the database is being filled."""
    COMPACTION_STARTED = "compaction_started"
    TABLE_WRITTEN = "table_written"
    COMPACTION_FINISHED = "compaction_finished"


@dataclass(frozen=True, slots=True)
class RocksEvent:
    """One line that matters."""

    kind: RocksKind
    at_s: float | None = None
    job: int = 0
    size_bytes: int = 0
    """Of all inputs, of the table, or of all outputs."""
    table: int = 0
    reason: str = ""


def parse_line(line: str) -> RocksEvent | None:
    """What a line says, or None for the many that say nothing of interest."""
    if _EVENT_MARK in line:
        return _event(line.partition(_EVENT_MARK)[2])
    if found := _GENERATED.search(line):
        job, table, size_bytes = (int(group) for group in found.groups())
        return RocksEvent(RocksKind.TABLE_WRITTEN, job=job, table=table, size_bytes=size_bytes)
    return RocksEvent(RocksKind.OPENED) if _OPENED.search(line) else None


_SIZES: Mapping[str, tuple[RocksKind, str]] = MappingProxyType(
    {
        "compaction_started": (RocksKind.COMPACTION_STARTED, "input_data_size"),
        "table_file_creation": (RocksKind.TABLE_WRITTEN, "file_size"),
        "compaction_finished": (RocksKind.COMPACTION_FINISHED, "total_output_size"),
        "flush_started": (RocksKind.MEMTABLE_FULL, "total_data_size"),
    }
)
"""The events that matter, and the key of the size that goes with each."""


def _event(text: str) -> RocksEvent | None:
    try:
        said = json.loads(text)
    except ValueError:
        return None
    if not isinstance(said, dict) or str(said.get("event")) not in _SIZES:
        return None
    kind, size_key = _SIZES[str(said["event"])]
    if kind is RocksKind.MEMTABLE_FULL and said.get("flush_reason") != _MEMTABLE_FULL:
        return None
    return RocksEvent(
        kind,
        _number(said, "time_micros") / _MICROS or None,
        _number(said, "job"),
        _number(said, size_key),
        _number(said, "file_number"),
        str(said.get("compaction_reason", "")),
    )


def _number(said: dict[str, object], key: str) -> int:
    value = said.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


@dataclass(frozen=True, slots=True)
class FullCompaction:
    """A full compaction, running or finished."""

    job: int
    started_at_s: float | None
    input_bytes: int
    written_bytes: int = 0
    """Sum of the tables that it has finished."""
    last_table: int = 0
    finished_at_s: float | None = None
    finished: bool = False

    def after(self, event: RocksEvent) -> FullCompaction:
        """The compaction after one more line, which may be of another job."""
        if self.finished or event.job != self.job:
            return self
        if event.kind is RocksKind.COMPACTION_FINISHED:
            return replace(self, finished=True, finished_at_s=event.at_s)
        if event.kind is RocksKind.TABLE_WRITTEN and event.table > self.last_table:
            # a table is announced twice, by a line and by an event; their numbers rise
            return replace(self, written_bytes=self.written_bytes + event.size_bytes, last_table=event.table)
        return self


@dataclass(frozen=True, slots=True)
class RocksLog:
    """What a `LOG`, read from some line on, says by now."""

    openings: int = 0
    """How often the line was seen with which RocksDB begins a log, as it does whenever the database is opened."""
    compaction: FullCompaction | None = None
    """The newest full compaction since the database was opened."""
    compacted_before: bool = False
    """A full compaction was finished before the database was last opened."""
    filled_at_s: float | None = None
    """When the last table of new rows was begun since the database was opened."""

    def after(self, event: RocksEvent) -> RocksLog:
        """What is known after one more line."""
        if event.kind is RocksKind.OPENED:
            done = self.compacted_before or (self.compaction is not None and self.compaction.finished)
            return RocksLog(openings=self.openings + 1, compacted_before=done)
        if event.kind is RocksKind.MEMTABLE_FULL:
            return replace(self, filled_at_s=event.at_s)
        if event.kind is RocksKind.COMPACTION_STARTED and event.reason == FULL_COMPACTION:
            return replace(self, compaction=FullCompaction(event.job, event.at_s, event.size_bytes))
        return replace(self, compaction=self.compaction and self.compaction.after(event))


def read_lines(lines: Iterable[str], log: RocksLog | None = None) -> RocksLog:
    """What a log says after these lines."""
    known = log or RocksLog()
    for line in lines:
        event = parse_line(line)
        if event is not None:
            known = known.after(event)
    return known
