"""Whether the disk has room for the compaction that runs, or for the one that comes.

A full compaction keeps all its inputs until the end, so it needs as much free space as the database is large. In a
pass the database still grows before that. What the files take on disk may be less than their size, where the file
system compresses; free space is compared with what they take.
"""

from __future__ import annotations

from dataclasses import dataclass

from utxoracle_tui.engine.electrs.evidence import DbSize
from utxoracle_tui.engine.electrs.measures import Measure, measure
from utxoracle_tui.engine.electrs.memory import Memory, fresh
from utxoracle_tui.engine.electrs.phases import COMPACTED, ConditionKind, Db, Phase, rank

LEAST_SHARE = 0.05
"""From less of a pass its end can't be foretold."""
HYSTERESIS = 1.05


@dataclass(frozen=True, slots=True)
class Shortage:
    """Too little free space."""

    db: Db
    running: bool
    """Whether the compaction runs already."""
    free_bytes: float
    needed_bytes: float
    at_least: bool
    """Whether more than `needed_bytes` will be needed, by how much can't be told yet."""


def shortage(phase: Phase, memory: Memory, now_s: float) -> Shortage | None:
    """What is missing for the running or the next compaction; None if nothing is, or if it can't be told."""
    disk, sizes = fresh(memory.known.disk, now_s), fresh(memory.known.sizes, now_s)
    if disk is None:
        return None
    compaction = _next_compaction(phase, memory)
    if compaction is None:
        return None
    db, running = COMPACTED[compaction], phase is compaction
    size = sizes.dbs.get(db) if sizes is not None else None
    if running:
        need, at_least = _left_of_running(compaction, memory, size, now_s), False
    else:
        need, at_least = _needed_by_next(phase, memory, size, now_s)
    if need is None:
        return None
    need *= _on_disk(size)
    before = ConditionKind.DISK_SHORT in memory.condition_since_s
    if disk.free_bytes >= need * (HYSTERESIS if before else 1.0):
        return None
    return Shortage(db, running, disk.free_bytes, need, at_least)


def _next_compaction(phase: Phase, memory: Memory) -> Phase | None:
    """The compaction that runs or comes next."""
    if memory.milestones.completed_at_s is not None:
        return None
    reached = phase if rank(phase) >= 0 else memory.milestones.run.reached
    if rank(reached) <= rank(Phase.COMPACTING_TXSTORE) and not memory.milestones.txstore_compacted:
        return Phase.COMPACTING_TXSTORE
    return Phase.COMPACTING_HISTORY if rank(reached) <= rank(Phase.COMPACTING_HISTORY) else None


def _left_of_running(phase: Phase, memory: Memory, size: DbSize | None, now_s: float) -> float | None:
    """Bytes that a running compaction still writes."""
    found = measure(phase, memory, now_s)
    if found is not None and found.total is not None:
        return found.total - found.done
    return None if size is None else size.sst_bytes - 2.0 * size.large_bytes


def _needed_by_next(phase: Phase, memory: Memory, size: DbSize | None, now_s: float) -> tuple[float | None, bool]:
    """Bytes that the rest of the pass and then its compaction take, and whether that is only a lower bound."""
    if size is None:
        return None, False
    found: Measure | None = measure(phase, memory, now_s) if phase in (Phase.PASS_1, Phase.PASS_2) else None
    fills = {Phase.PASS_1: Db.TXSTORE, Phase.PASS_2: Db.HISTORY}.get(phase)
    share = None if found is None or found.rough else found.share
    coming = COMPACTED[_next_compaction(phase, memory) or Phase.COMPACTING_TXSTORE]
    if fills is coming and share is not None and share >= LEAST_SHARE and not _is_resumed(phase, memory):
        full = size.sst_bytes / share
        return (full - size.sst_bytes) + full, False
    return float(size.sst_bytes), True


def _is_resumed(phase: Phase, memory: Memory) -> bool:
    """Whether the pass reads again what an earlier process had done: then the size says nothing of the share."""
    said = memory.hearing.adding if phase is Phase.PASS_1 else memory.hearing.indexing
    mark = memory.milestones.marks.get(phase)
    return bool(said.already) or (mark is not None and mark.share_earlier > 0)


def _on_disk(size: DbSize | None) -> float:
    """What a byte of the database takes on disk."""
    if size is None or size.sst_bytes <= 0:
        return 1.0
    return min(1.0, size.allocated_bytes / size.sst_bytes)
