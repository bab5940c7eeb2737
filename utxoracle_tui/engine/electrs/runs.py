"""Telling one life of the electrs process from the next, by whatever evidence there is.

A restart shows in several places, each a little earlier or later than the others: the container's start time, counts
that fall back, the first line of a new process in the log, RocksDB opening its databases anew. They are one restart.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from utxoracle_tui.engine.electrs.evidence import Evidence, Metrics, RocksLogs
from utxoracle_tui.engine.electrs.milestones import RESTARTS_KEPT, Counters, Milestones, Run, end_phases
from utxoracle_tui.engine.electrs.phases import Db, Phase, rank

SAME_START_S = 90.0
"""Two kinds of evidence for a start that lie no further apart speak of the same one."""
HEARD_LATE_S = 10.0
"""So long after other evidence a line of the log may still come that was written before it."""
BY_PROCESS = "process"
BY_COUNTERS = "counters"
BY_LOG = "log"
BY_ROCKSDB = "rocksdb"
EXACT = frozenset({BY_PROCESS, BY_LOG})
"""The kinds that say when a process started; from the others only follows that one has."""


def note_start(milestones: Milestones, kind: str, at_s: float) -> Milestones:
    """Note that one kind of evidence speaks of a start at that time: of this run, of a new one, or of an old one."""
    run = milestones.run
    if run.started_at_s is None:
        # when this run began isn't known: once it has been seen at work only the process itself can still tell, or
        # the log of before that
        close = kind == BY_PROCESS or run.reached is None or at_s <= _first_seen_s(milestones) + HEARD_LATE_S
    else:
        close = abs(at_s - run.started_at_s) <= SAME_START_S
    if kind not in run.noted_by and close:
        known_s = at_s if run.started_at_s is None or kind == BY_PROCESS else run.started_at_s
        return replace(milestones, run=replace(run, started_at_s=known_s, noted_by=run.noted_by | {kind}))
    if run.started_at_s is not None and at_s <= run.started_at_s:
        return milestones
    return new_run(milestones, kind, at_s)


def _first_seen_s(milestones: Milestones) -> float:
    """When this run was first seen at anything."""
    return min(
        (mark.started_at_s for mark in milestones.marks.values() if mark.run == milestones.run.number), default=0
    )


def new_run(milestones: Milestones, kind: str, at_s: float) -> Milestones:
    """The milestones where another process has taken the place of the one before."""
    run = Run(milestones.run.number + 1, at_s, None, frozenset({kind}))
    return replace(
        end_phases(milestones, at_s),
        run=run,
        counters=Counters(),
        restarts_at_s=(*milestones.restarts_at_s, at_s)[-RESTARTS_KEPT:],
        series=MappingProxyType({}),
    )


def follow_process(milestones: Milestones, evidence: Evidence) -> Milestones:
    """Note a start that the container, the unit or the kernel tells of."""
    process, run = evidence.process, milestones.run
    if process is None or process.identity is None or process.identity == run.process:
        return milestones
    if process.started_at_s is not None:
        # a start in the future is one of a clock that goes differently
        milestones = note_start(milestones, BY_PROCESS, min(process.started_at_s, process.at_s))
    elif run.process is not None:
        milestones = note_start(milestones, BY_PROCESS, process.at_s)
    return replace(milestones, run=replace(milestones.run, process=process.identity))


def follow_counters(milestones: Milestones, metrics: Metrics | None) -> Milestones:
    """Note a start where counts of the process have fallen back."""
    if metrics is None or (milestones.run.started_at_s or 0.0) > metrics.at_s:
        return milestones
    now = Counters(metrics.add_batches, metrics.index_batches, metrics.cpu_s)
    before = milestones.counters
    pairs = (
        (before.add_batches, now.add_batches),
        (before.index_batches, now.index_batches),
        (before.cpu_s, now.cpu_s),
    )
    # a family that was printed stays, as long as the process lives
    fell = any(old is not None and (new is None or new < old) for old, new in pairs)
    if fell:
        milestones = note_start(milestones, BY_COUNTERS, metrics.at_s)
    return replace(milestones, counters=now)


def follow_rocksdb(milestones: Milestones, before: RocksLogs | None, now: RocksLogs | None) -> Milestones:
    """Note a start where the first database was opened anew, by a process that had opened it already."""
    if rank(milestones.run.reached) <= rank(Phase.OPENING):
        return milestones
    if before is None or now is None or Db.TXSTORE not in before.dbs or Db.TXSTORE not in now.dbs:
        return milestones
    if now.dbs[Db.TXSTORE].openings > before.dbs[Db.TXSTORE].openings:
        return note_start(milestones, BY_ROCKSDB, now.at_s)
    return milestones
