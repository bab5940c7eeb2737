"""What the machine keeps from one step to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from utxoracle_tui.engine.electrs.evidence import (
    BlockFiles,
    Disk,
    Evidence,
    Metrics,
    Node,
    Process,
    Rest,
    RocksLogs,
    Sizes,
    Source,
    Trouble,
)
from utxoracle_tui.engine.electrs.hearing import Hearing, LastWords
from utxoracle_tui.engine.electrs.milestones import Milestones
from utxoracle_tui.engine.electrs.phases import ConditionKind, Db, Phase
from utxoracle_tui.engine.electrs.pulse import ADD, INDEX, Pulse

FRESH_S = 120.0
"""A reading that is older says nothing of now."""

R = TypeVar("R", Process, Metrics, Rest, RocksLogs, Sizes, BlockFiles, Node, Disk)


@dataclass(frozen=True, slots=True)
class Known:
    """The newest reading of each kind."""

    process: Process | None = None
    metrics: Metrics | None = None
    rest: Rest | None = None
    rocksdb: RocksLogs | None = None
    sizes: Sizes | None = None
    block_files: BlockFiles | None = None
    node: Node | None = None
    disk: Disk | None = None
    troubles: Mapping[Source, Trouble] = field(default_factory=lambda: MappingProxyType({}))

    def after(self, evidence: Evidence) -> Known:
        """What is known after one more look."""
        troubles = {
            **{source: trouble for source, trouble in self.troubles.items() if not _answered(evidence, source)},
            **{trouble.source: trouble for trouble in evidence.troubles},
        }
        return Known(
            _newer(self.process, evidence.process),
            _newer(self.metrics, evidence.metrics),
            _newer(self.rest, evidence.rest),
            _newer(self.rocksdb, evidence.rocksdb),
            _newer(self.sizes, evidence.sizes),
            _newer(self.block_files, evidence.block_files),
            _newer(self.node, evidence.node),
            _newer(self.disk, evidence.disk),
            MappingProxyType(troubles),
        )

    def since(self, started_s: float) -> Known:
        """The same without what a process before that time has said."""
        metrics = self.metrics if self.metrics is not None and self.metrics.at_s >= started_s else None
        rest = self.rest if self.rest is not None and self.rest.at_s >= started_s else None
        return replace(self, metrics=metrics, rest=rest)


def _answered(evidence: Evidence, source: Source) -> bool:
    reading = {
        Source.PROCESS: evidence.process,
        Source.METRICS: evidence.metrics,
        Source.REST: evidence.rest,
        Source.LOG: evidence.log,
        Source.ROCKSDB: evidence.rocksdb,
        Source.SIZES: evidence.sizes,
        Source.BLOCK_FILES: evidence.block_files,
        Source.NODE: evidence.node,
        Source.DISK: evidence.disk,
    }[source]
    return reading is not None


def _newer(old: R | None, new: R | None) -> R | None:
    if old is None or new is None:
        return new or old
    return new if new.at_s >= old.at_s else old


def fresh(reading: R | None, now_s: float, limit_s: float = FRESH_S) -> R | None:
    """The reading, unless it is too old to say something of now."""
    return reading if reading is not None and now_s - reading.at_s <= limit_s else None


@dataclass(frozen=True, slots=True)
class RpcWindow:
    """RPC calls of electrs between two pages of metrics, for their mean time."""

    at_s: float
    calls: int
    spent_s: float


@dataclass(frozen=True, slots=True)
class Memory:
    """All of it. Only `milestones` need outlive the console."""

    milestones: Milestones = field(default_factory=Milestones)
    known: Known = field(default_factory=Known)
    hearing: Hearing = field(default_factory=Hearing)
    last_words: LastWords | None = None
    pulse: Pulse = field(default_factory=Pulse)
    size_at_stop: Mapping[Db, int] = field(default_factory=lambda: MappingProxyType({}))
    """Size of each database when the counter of its pass last moved."""
    sizes_at_start: Sizes | None = None
    """The first sizes seen in this run."""
    condition_since_s: Mapping[ConditionKind, float] = field(default_factory=lambda: MappingProxyType({}))
    phase_since_s: float = 0.0
    shown: Phase = Phase.UNKNOWN
    down_since_s: float | None = None
    """Since when nothing listens where the metrics were."""
    rpc: tuple[RpcWindow, ...] = ()
    rpc_mean_s: float | None = None
    """Mean time of electrs's recent calls of the node."""
    overloaded_at_s: float | None = None
    """When that was last seen to be too long, or a full queue was spoken of."""
    rest_height: int | None = None
    behind_since_s: float | None = None
    """Since when REST's height has been below the node's and hasn't moved."""
    lagging_since_s: float | None = None
    """Since when it has been too far below."""

    def sized(self, now_s: float) -> Memory:
        """The same with the sizes noted at which the passes' counters last moved."""
        sizes = fresh(self.known.sizes, now_s)
        if sizes is None:
            return self
        marks = dict(self.size_at_stop)
        for name, db in ((ADD, Db.TXSTORE), (INDEX, Db.HISTORY)):
            sign = self.pulse.signs.get(name)
            if sign is not None and db in sizes.dbs and (db not in marks or sign.moved_at_s >= sizes.at_s):
                marks[db] = sizes.dbs[db].sst_bytes
        return replace(self, size_at_stop=MappingProxyType(marks), sizes_at_start=self.sizes_at_start or sizes)
