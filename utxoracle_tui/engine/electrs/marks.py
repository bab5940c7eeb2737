"""Keeping the milestones: when phases begin and end, and what is known of the index itself."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from utxoracle_tui.engine.electrs.claims import Claim
from utxoracle_tui.engine.electrs.hearing import PassLog
from utxoracle_tui.engine.electrs.listening import new_index
from utxoracle_tui.engine.electrs.measures import tip_of
from utxoracle_tui.engine.electrs.memory import Memory, fresh
from utxoracle_tui.engine.electrs.milestones import Mark, Milestones, end_phases
from utxoracle_tui.engine.electrs.phases import COMPACTED, ORDER, WEIGHTS, Db, Phase, Status, rank

EMPTY_BYTES = 200 << 20
"""Databases with less than a full memtable in them are new."""
WORTH_SHARE = 0.02
"""So much must have been done of an index before an empty one is noted as another."""


def enter(milestones: Milestones, claim: Claim, memory: Memory, now_s: float) -> Milestones:
    """The milestones where a phase goes on or begins; phases before it have ended."""
    run = milestones.run
    if rank(run.reached) <= rank(Phase.OPENING) and _is_emptied(milestones, memory, now_s):
        milestones = new_index(milestones)
    if claim.phase is Phase.READY:
        milestones = replace(
            milestones,
            completed_at_s=milestones.completed_at_s or now_s,
            txstore_compacted=True,
            corruption_at_s=None,
            corruption_twice=False,
        )
    mark = milestones.marks.get(claim.phase)
    if mark is not None and mark.run == run.number and run.reached is claim.phase:
        return (
            milestones.with_mark(claim.phase, replace(mark, finished_at_s=None)) if mark.finished_at_s else milestones
        )
    began_s = _began_s(claim, milestones, now_s)
    new = _begun(claim, milestones, memory, began_s, now_s)
    ended = end_phases(milestones, began_s).with_mark(claim.phase, new)
    return replace(ended, run=replace(run, reached=claim.phase), series=MappingProxyType({}))


def _is_emptied(milestones: Milestones, memory: Memory, now_s: float) -> bool:
    sizes = fresh(memory.known.sizes, now_s)
    if sizes is None or Db.TXSTORE not in sizes.dbs or milestones.whole_share < WORTH_SHARE:
        return False
    return sizes.total_bytes < EMPTY_BYTES


def _began_s(claim: Claim, milestones: Milestones, now_s: float) -> float:
    """When the phase began: as the evidence says, if that is in this run."""
    if claim.began_at_s is None:
        return now_s
    return min(now_s, max(claim.began_at_s, milestones.run.started_at_s or claim.began_at_s))


def _begun(claim: Claim, milestones: Milestones, memory: Memory, began_s: float, now_s: float) -> Mark:
    run, old = milestones.run, milestones.marks.get(claim.phase)
    exact = claim.began_at_s is not None or run.reached is not None
    start_bytes = _start_bytes(claim.phase, memory, now_s)
    if old is None:
        return Mark(run.number, began_s, exact, start_bytes=start_bytes)
    again = claim.phase in (Phase.PASS_1, Phase.PASS_2)
    return Mark(
        run.number,
        began_s,
        exact,
        earlier_s=old.earlier_s + old.elapsed_s(now_s),
        share_earlier=max(old.share or 0.0, old.share_earlier) if again else 0.0,
        pace_earlier_s=(old.pace_s or old.pace_earlier_s) if again else None,
        start_bytes=start_bytes,
    )


def _start_bytes(phase: Phase, memory: Memory, now_s: float) -> int | None:
    """The size of the database that a compaction begins with, where RocksDB's log doesn't say it."""
    if phase not in COMPACTED:
        return None
    db, sizes = COMPACTED[phase], fresh(memory.known.sizes, now_s)
    if db in memory.size_at_stop:
        return memory.size_at_stop[db]
    size = sizes.dbs.get(db) if sizes is not None else None
    return size.sst_bytes if size is not None and not size.large_bytes else None


def index_facts(memory: Memory) -> Milestones:
    """The milestones with what the evidence says of the index whatever the process is at."""
    milestones, known = memory.milestones, memory.known
    logs, sizes = known.rocksdb, known.sizes
    log = logs.dbs.get(Db.TXSTORE) if logs is not None else None
    finished = log is not None and log.compaction is not None and log.compaction.finished
    before = log is not None and log.compacted_before
    history = sizes.dbs.get(Db.HISTORY) if sizes is not None else None
    # the second pass begins only after the first compaction
    begun = history is not None and history.sst_bytes >= EMPTY_BYTES
    if (finished or before or begun) and not milestones.txstore_compacted:
        milestones = replace(milestones, txstore_compacted=True)
    if memory.hearing.headers_loaded and milestones.completed_at_s is None:
        milestones = replace(milestones, completed_at_s=memory.hearing.spoke_at_s)
    return milestones


def is_resumed(phase: Phase, memory: Memory) -> bool:
    """Whether the pass reads again what an earlier process had done."""
    milestones = memory.milestones
    if phase not in (Phase.PASS_1, Phase.PASS_2) or milestones.completed_at_s is not None:
        return False
    mark = milestones.marks.get(phase)
    if mark is not None and mark.share_earlier > 0:
        return True
    if phase is Phase.PASS_1:
        return bool(memory.hearing.adding.already) or milestones.txstore_compacted
    return bool(memory.hearing.indexing.already)


def with_whole_share(phase: Phase, memory: Memory) -> Milestones:
    """The milestones with the share of the whole, which never falls for one index."""
    milestones = memory.milestones
    if milestones.completed_at_s is not None or phase is Phase.READY:
        return replace(milestones, whole_share=1.0)
    reached = rank(milestones.run.reached)
    share = 0.0
    for each, weight in WEIGHTS.items():
        if rank(each) < reached or (each in (Phase.PASS_1, Phase.COMPACTING_TXSTORE) and milestones.txstore_compacted):
            share += weight
            continue
        mark = milestones.marks.get(each)
        share += weight * max(mark.share or 0.0 if mark is not None else 0.0, _had(each, memory))
    return replace(milestones, whole_share=min(1.0, max(milestones.whole_share, share)))


def _had(phase: Phase, memory: Memory) -> float:
    """The share of a pass that earlier processes had done, by the log."""
    said: PassLog | None = {Phase.PASS_1: memory.hearing.adding, Phase.PASS_2: memory.hearing.indexing}.get(phase)
    tip = tip_of(memory)
    return min(1.0, said.already / tip) if said is not None and said.already and tip else 0.0


def status_of(each: Phase, phase: Phase, memory: Memory) -> Status:
    """How a phase stands in the list."""
    milestones = memory.milestones
    if each is phase:
        return Status.RUNNING
    mark = milestones.marks.get(each)
    now = mark is not None and mark.run == milestones.run.number
    if rank(phase) > rank(each):
        return Status.DONE if now or not _is_done_for_good(each, milestones) else Status.DONE_EARLIER
    return Status.DONE_EARLIER if _is_done_for_good(each, milestones) and rank(phase) >= 0 else _at_rest(each, memory)


def _is_done_for_good(each: Phase, milestones: Milestones) -> bool:
    """Whether a compaction is done once and for all."""
    if each is Phase.COMPACTING_TXSTORE:
        return milestones.txstore_compacted
    return each is Phase.COMPACTING_HISTORY and milestones.completed_at_s is not None


def _at_rest(each: Phase, memory: Memory) -> Status:
    """The status of a phase that no process is at."""
    milestones = memory.milestones
    if memory.shown in ORDER:
        return Status.TO_COME
    if milestones.completed_at_s is not None and each in WEIGHTS:
        return Status.DONE_EARLIER
    first = each in (Phase.PASS_1, Phase.COMPACTING_TXSTORE)
    return Status.DONE_EARLIER if first and milestones.txstore_compacted else Status.TO_COME
