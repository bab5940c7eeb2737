"""Evidence by hand: a story is told in lines and figures, and the states that the machine makes of it are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from utxoracle_tui.engine.electrs.evidence import (
    BlockFiles,
    DbSize,
    Disk,
    Evidence,
    LogNews,
    Metrics,
    Node,
    Process,
    Rest,
    RocksLogs,
    Rpc,
    Sizes,
    Status,
    Trouble,
)
from utxoracle_tui.engine.electrs.log_lines import parse_line
from utxoracle_tui.engine.electrs.machine import step
from utxoracle_tui.engine.electrs.milestones import Milestones, as_document, from_document
from utxoracle_tui.engine.electrs.phases import ConditionKind, Db, Phase
from utxoracle_tui.engine.electrs.rocksdb_log import RocksLog, read_lines
from utxoracle_tui.engine.electrs.state import State, restored

NOON_S = 1_761_825_600.0
"""2025-10-30 12:00 UTC."""
GB = 1_000_000_000
Calls = dict[str, tuple[int, float]]


def lines(*texts: str, at_s: float | None, history: bool = False, gap: bool = False, dated: bool = True) -> LogNews:
    """News of a log."""
    events = tuple(event for text in texts if (event := parse_line(text, at_s, dated=dated)) is not None)
    return LogNews(NOON_S if at_s is None else at_s, events, history, gap)


def sizes(at_s: float, *, txstore: int = 0, history: int = 0, large_txstore: int = 0, large_history: int = 0) -> Sizes:
    """Sizes of the databases, in bytes, all of it allocated."""
    return Sizes(
        at_s,
        {
            Db.TXSTORE: DbSize(txstore, txstore, large_bytes=large_txstore),
            Db.HISTORY: DbSize(history, history, large_bytes=large_history),
            Db.CACHE: DbSize(0, 0),
        },
    )


def metrics(at_s: float, *, calls: Calls | None = None, **values: float | bool | None) -> Metrics:
    """A page of metrics; `calls` are number and seconds of RPC calls by method."""
    rpc = {method: Rpc(count, spent_s) for method, (count, spent_s) in (calls or {}).items()}
    return replace(Metrics(at_s, rpc=MappingProxyType(rpc)), **values)  # type: ignore[arg-type]


def compaction_started(db: Db, at_s: float, input_bytes: int) -> RocksLog:
    """A RocksDB log in which a full compaction has begun."""
    return read_lines(
        [
            "2025/10/30-12:00:00.000000 1 RocksDB version: 8.1.1",
            f'2025/10/30-12:00:00.000000 1 EVENT_LOG_v1 {{"time_micros": {int(at_s * 1e6)}, "job": 13, "event": '
            f'"compaction_started", "compaction_reason": "ManualCompaction", "files_L0": [3, 2, 1], "score": -1, '
            f'"input_data_size": {input_bytes}}}',
        ]
    )


def tables_written(log: RocksLog, sizes_bytes: Iterable[int], first: int = 1000) -> RocksLog:
    """The log after so many tables of the compaction."""
    return read_lines(
        [
            f"2025/10/30-12:00:00.000000 1 [x.cc:1] [default] [JOB 13] Generated table #{first + number}: 2422659 "
            f"keys, {size} bytes, temperature: kUnknown"
            for number, size in enumerate(sizes_bytes)
        ],
        log,
    )


class Story:
    """Takes one look after the other; each keyword is a field of the evidence."""

    def __init__(self, *, at_s: float = NOON_S, kept: State | None = None) -> None:
        self.now_s = at_s
        self.state = kept if kept is not None else State()

    def look(self, after_s: float = 0.0, **seen: object) -> State:
        """The state after one more look, so many seconds after the last; readings without a time get that of now."""
        self.now_s += after_s
        self.state = step(self.state, Evidence(self.now_s, **seen))  # type: ignore[arg-type]
        return self.state

    def say(self, *texts: str, after_s: float = 0.0, **seen: object) -> State:
        """A look at which these lines are new in the log."""
        return self.look(after_s, log=lines(*texts, at_s=self.now_s + after_s), **seen)

    def restart_console(self) -> None:
        """Forget all but the milestones, as they come back from a store."""
        self.state = restored(through_store(self.state))

    def conditions(self) -> dict[ConditionKind, str]:
        """The sentences of the conditions."""
        return {condition.kind: condition.sentence for condition in self.state.conditions}

    def texts(self) -> str:
        """All that is said."""
        said = [self.state.sentence, self.state.advice, *self.state.missing]
        for condition in self.state.conditions:
            said += [condition.sentence, condition.advice]
        return " ".join(said)


def through_store(state: State) -> Milestones | None:
    """The milestones after a way through JSON."""
    return from_document(json.loads(json.dumps(as_document(state.milestones))))


def running(at_s: float, started_s: float, **more: object) -> Process:
    """A process that runs."""
    return Process(at_s, Status.RUNNING, started_s, **more)  # type: ignore[arg-type]


__all__ = [
    "GB",
    "NOON_S",
    "BlockFiles",
    "ConditionKind",
    "Db",
    "DbSize",
    "Disk",
    "Evidence",
    "LogNews",
    "Metrics",
    "Node",
    "Phase",
    "Process",
    "Rest",
    "RocksLogs",
    "Rpc",
    "Sizes",
    "State",
    "Status",
    "Story",
    "Trouble",
    "compaction_started",
    "lines",
    "metrics",
    "restored",
    "running",
    "sizes",
    "step",
    "tables_written",
    "through_store",
]
