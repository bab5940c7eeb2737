"""Signs of life: what of all that can be seen has moved, and when. Silence alone says nothing; this is what does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from utxoracle_tui.engine.electrs.evidence import Evidence
from utxoracle_tui.engine.electrs.log_lines import Kind
from utxoracle_tui.engine.electrs.phases import Db

ADD = "files of pass 1"
INDEX = "files of pass 2"
LOOKUPS = "look-ups of pass 2"
RPC = "RPC calls"
TIP = "tip height"
MEMPOOL = "mempool count"
CPU = "CPU time"
PROCESS_CPU = "CPU time of the process"
IO = "disk I/O"
LOG = "log lines"
_COUNTED = (ADD, INDEX, LOOKUPS, TIP, MEMPOOL)

UNWATCHED_AFTER_S = 120.0
"""After so long without evidence nobody can say what moved meanwhile."""


def size_of(db: Db) -> str:
    """The sign that is the size of a database."""
    return f"size of {db}"


def written_by(db: Db) -> str:
    """The sign that is what a compaction has written."""
    return f"tables compacted of {db}"


def rocksdb_log_of(db: Db) -> str:
    """The sign that is RocksDB's log."""
    return f"RocksDB LOG of {db}"


_FILLED = (Db.TXSTORE, Db.HISTORY)
_WORK = frozenset({*_COUNTED, *(size_of(db) for db in _FILLED), *(written_by(db) for db in _FILLED)})
"""Signs that count work, as opposed to signs of mere life."""
_ON_DISK = frozenset(name(db) for name in (size_of, written_by, rocksdb_log_of) for db in Db)
_DECISIVE = frozenset({CPU, PROCESS_CPU, *(rocksdb_log_of(db) for db in Db)})
"""Without one of these nobody can say that nothing moves: a working electrs moves them every few minutes."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that moves while electrs lives."""

    value: float
    moved_at_s: float
    """When it was last found changed, or first seen."""
    seen_at_s: float
    moved: bool = False
    """Whether it was ever found changed."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """All signs."""

    signs: Mapping[str, Sign] = field(default_factory=lambda: MappingProxyType({}))
    watched_since_s: float | None = None
    """Since when there was evidence without an interruption."""
    felt_at_s: float | None = None

    def silent_since_s(self, now_s: float) -> float | None:
        """Since when nothing has moved; None when it can't be told."""
        decisive = any(
            name in _DECISIVE and now_s - sign.seen_at_s <= UNWATCHED_AFTER_S for name, sign in self.signs.items()
        )
        if not decisive or self.watched_since_s is None:
            return None
        return max([self.watched_since_s, *(sign.moved_at_s for sign in self.signs.values())])

    def idle_since_s(self, now_s: float) -> float | None:
        """Since when no work was counted; None when none can be seen."""
        work = [sign for name, sign in self.signs.items() if name in _WORK]
        if self.watched_since_s is None or not any(now_s - sign.seen_at_s <= UNWATCHED_AFTER_S for sign in work):
            return None
        return max([self.watched_since_s, *(sign.moved_at_s for sign in work)])

    def worked_since(self, since_s: float) -> bool:
        """Whether a count of work has moved since."""
        return any(name in _WORK and sign.moved and sign.moved_at_s > since_s for name, sign in self.signs.items())

    def disk_moved_since(self, since_s: float) -> bool:
        """Whether a file of the index has moved since."""
        return any(name in _ON_DISK and sign.moved and sign.moved_at_s > since_s for name, sign in self.signs.items())

    def stood_s(self, name: str) -> float:
        """For how long a sign that is there has stood still."""
        sign = self.signs.get(name)
        return 0.0 if sign is None else sign.seen_at_s - sign.moved_at_s


def feel(pulse: Pulse, evidence: Evidence, now_s: float) -> Pulse:
    """The pulse after one more look."""
    signs = dict(pulse.signs)
    for name, at_s, value in _signs(evidence):
        before = signs.get(name)
        if before is None:
            signs[name] = Sign(value, at_s, at_s)
        elif value != before.value:
            signs[name] = Sign(value, max(at_s, before.moved_at_s), max(at_s, before.seen_at_s), moved=True)
        else:
            signs[name] = Sign(value, before.moved_at_s, max(at_s, before.seen_at_s), before.moved)
    heard = _heard(evidence)
    if heard:
        count = signs[LOG].value if LOG in signs else 0.0
        signs[LOG] = Sign(count + heard, now_s, now_s, moved=True)
    interrupted = pulse.felt_at_s is None or now_s - pulse.felt_at_s > UNWATCHED_AFTER_S
    since_s = now_s if interrupted else pulse.watched_since_s
    return Pulse(MappingProxyType(signs), since_s, now_s)


def _heard(evidence: Evidence) -> int:
    """New lines of the log; answers to requests don't count, they come from a hung electrs as well."""
    if evidence.log is None or evidence.log.history:
        return 0
    return sum(event.kind is not Kind.HANDLED for event in evidence.log.events)


def _signs(evidence: Evidence) -> Iterator[tuple[str, float, float]]:
    metrics, process = evidence.metrics, evidence.process
    if metrics is not None:
        rpc = sum(each.calls for each in metrics.rpc.values()) if metrics.rpc else None
        for name, value in (
            (ADD, metrics.add_batches),
            (INDEX, metrics.index_batches),
            (LOOKUPS, metrics.lookups),
            (RPC, rpc),
            (TIP, metrics.tip_height),
            (MEMPOOL, metrics.mempool_txs),
            (CPU, metrics.cpu_s),
        ):
            if value is not None:
                yield name, metrics.at_s, value
    if process is not None:
        if process.cpu_s is not None:
            yield PROCESS_CPU, process.at_s, process.cpu_s
        if process.io_bytes is not None:
            yield IO, process.at_s, process.io_bytes
    if evidence.sizes is not None:
        for db, size in evidence.sizes.dbs.items():
            # allocated bytes move while a file is written whose apparent size was set beforehand
            yield size_of(db), evidence.sizes.at_s, size.sst_bytes + size.allocated_bytes
    if evidence.rocksdb is not None:
        for db, log in evidence.rocksdb.dbs.items():
            if log.compaction is not None:
                yield written_by(db), evidence.rocksdb.at_s, log.compaction.written_bytes
        for db, at_s in evidence.rocksdb.written_at_s.items():
            yield rocksdb_log_of(db), evidence.rocksdb.at_s, at_s
