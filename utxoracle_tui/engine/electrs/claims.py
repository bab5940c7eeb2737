"""Which phases the current process gives evidence for. Of all claims the furthest wins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from utxoracle_tui.engine.electrs import evidence as seen
from utxoracle_tui.engine.electrs.evidence import Metrics, RocksLogs, Source
from utxoracle_tui.engine.electrs.measures import compaction_of, is_half_compacted
from utxoracle_tui.engine.electrs.memory import FRESH_S, Memory, fresh
from utxoracle_tui.engine.electrs.phases import COMPACTED, ConditionKind, Db, Phase, rank
from utxoracle_tui.engine.electrs.pulse import ADD, INDEX

STARTING_S = 10.0
"""For so long a process may show nothing but itself."""
CLOSED_S = 20.0
"""So long the metrics port must be closed before the process counts as gone."""
STANDS_S = 60.0
"""A counter that has stood for so long at the end of its pass is no longer in that pass."""
COMPACTION_GROWTH_BYTES = 2 << 30
"""A pass writes at most a few tables of 256 MiB that its counter doesn't show yet; a compaction goes on and on."""
PASS_GROWTH_BYTES = 200 << 20
"""Less may be the odd block of every day."""
ABANDONED_S = 1800.0
"""RocksDB writes figures into its log every ten minutes (electrs, src/new_index/db.rs keeps the default)."""
DIED_OF_ERROR = frozenset({1, 101, 134, 139})
"""`server failed`, and panics: in a debug build, in a release build, and as the first process of a container."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Evidence for a phase."""

    phase: Phase
    source: Source
    began_at_s: float | None = None
    """When the phase began, where the evidence says so."""


def decide(memory: Memory, now_s: float) -> Claim:
    """The phase of now."""
    down = _down(memory, now_s)
    if down is not None:
        return Claim(down, Source.PROCESS)
    claims = list(_claims(memory, now_s))
    best = max(claims, key=lambda claim: rank(claim.phase), default=None)
    reached = memory.milestones.run.reached
    if best is not None and rank(best.phase) >= rank(reached):
        return best
    if not is_seen(memory, now_s):
        return Claim(Phase.UNKNOWN, Source.PROCESS)
    if reached is not None and rank(reached) >= 0:
        return Claim(reached, best.source if best is not None else Source.PROCESS)
    return best or Claim(Phase.UNKNOWN, Source.PROCESS)


def is_seen(memory: Memory, now_s: float) -> bool:
    """Whether anything of electrs itself can be read now."""
    known = memory.known
    readings = (known.metrics, known.rest, known.sizes, known.rocksdb)
    if any(reading is not None and now_s - reading.at_s <= FRESH_S for reading in readings):
        return True
    if fresh(known.process, now_s) is not None:
        return True
    spoke_s = memory.hearing.spoke_at_s
    return memory.hearing.reached is not None and (
        Source.LOG not in known.troubles or (spoke_s is not None and now_s - spoke_s <= FRESH_S)
    )


def _down(memory: Memory, now_s: float) -> Phase | None:
    """The phase of a process that isn't there."""
    known = memory.known
    process = fresh(known.process, now_s)
    alive = fresh(known.metrics, now_s, CLOSED_S) is not None or fresh(known.rest, now_s, CLOSED_S) is not None
    if process is None:
        closed_s = memory.down_since_s
        # while something on disk moves the process is there, whatever its ports say
        if alive or closed_s is None or now_s - closed_s < CLOSED_S or memory.pulse.disk_moved_since(closed_s):
            return None
        return Phase.FAILED if _died(memory) else Phase.STOPPED
    if process.status is seen.Status.RUNNING or process.status is seen.Status.PAUSED:
        return Phase.FAILED if _is_looping(memory, now_s) else None
    if process.status is seen.Status.MISSING:
        return None if alive or _may_live(memory, now_s) else _missing(memory)
    failed = process.status is seen.Status.RESTARTING or (
        process.status is seen.Status.EXITED and process.exit_code in DIED_OF_ERROR
    )
    return Phase.FAILED if failed else Phase.STOPPED


def _is_looping(memory: Memory, now_s: float) -> bool:
    """Whether a process that runs is only the next in a loop of crashes."""
    started_s = memory.milestones.run.started_at_s
    looping = ConditionKind.CRASH_LOOP in memory.condition_since_s
    return looping and started_s is not None and now_s - started_s < STANDS_S


def _may_live(memory: Memory, now_s: float) -> bool:
    """Whether electrs may well be running where no container or unit of that name is: the name may be wrong."""
    trouble = memory.known.troubles.get(Source.METRICS)
    if trouble is not None and not trouble.refused:
        # something listens where its metrics are, and is only slow to answer
        return True
    logs = memory.known.rocksdb
    written_s = max(logs.written_at_s.values(), default=0.0) if logs is not None else 0.0
    since_s = now_s - ABANDONED_S
    return written_s > since_s or memory.pulse.disk_moved_since(since_s)


def _missing(memory: Memory) -> Phase:
    sizes = memory.known.sizes
    return Phase.STOPPED if sizes is not None and sizes.total_bytes > 0 else Phase.NOT_INSTALLED


def _died(memory: Memory) -> bool:
    words, started_s = memory.last_words, memory.milestones.run.started_at_s
    return words is not None and (started_s is None or words.at_s >= started_s)


def _claims(memory: Memory, now_s: float) -> Iterator[Claim]:
    yield from _by_process(memory, now_s)
    metrics = fresh(memory.known.metrics, now_s)
    if metrics is not None:
        yield from _by_metrics(metrics, memory, now_s)
    yield from _by_log(memory)
    yield from _by_rocksdb(memory)
    yield from _by_sizes(memory, now_s)
    rest = fresh(memory.known.rest, now_s)
    if rest is not None:
        yield Claim(Phase.READY, Source.REST)


def _by_process(memory: Memory, now_s: float) -> Iterator[Claim]:
    process = fresh(memory.known.process, now_s)
    if process is None or process.status is not seen.Status.RUNNING:
        return
    started_s = process.started_at_s
    if started_s is None or now_s - started_s < STANDS_S or is_measured(memory, now_s):
        yield Claim(Phase.STARTING, Source.PROCESS, started_s)


def is_measured(memory: Memory, now_s: float) -> bool:
    """Whether more can be read of electrs than that there is a process."""
    known = memory.known
    return memory.hearing.reached is not None or any(
        reading is not None and now_s - reading.at_s <= FRESH_S
        for reading in (known.metrics, known.rest, known.rocksdb)
    )


def _by_metrics(metrics: Metrics, memory: Memory, now_s: float) -> Iterator[Claim]:
    if metrics.serving:
        yield Claim(Phase.READY, Source.METRICS)
    if metrics.tip_height:
        yield Claim(Phase.LOADING_MEMPOOL, Source.METRICS)
    if metrics.index_batches is not None or metrics.lookups is not None:
        yield Claim(Phase.PASS_2, Source.METRICS)
        if not metrics.tip_height and _has_left_pass(Phase.COMPACTING_HISTORY, metrics.index_batches, memory, now_s):
            yield Claim(Phase.COMPACTING_HISTORY, Source.METRICS, memory.pulse.signs[INDEX].moved_at_s)
    elif metrics.add_batches is not None and _has_left_pass(
        Phase.COMPACTING_TXSTORE, metrics.add_batches, memory, now_s
    ):
        yield Claim(Phase.COMPACTING_TXSTORE, Source.METRICS, memory.pulse.signs[ADD].moved_at_s)
    if metrics.add_batches is not None:
        yield Claim(Phase.PASS_1, Source.METRICS)
    yield _before_passes(metrics, memory)


def _before_passes(metrics: Metrics, memory: Memory) -> Claim:
    """What the metrics say of a process that has not begun with the passes."""
    if metrics.tip_height is not None:
        phase = Phase.HEADERS if "getblockheader" in metrics.rpc else Phase.OPENING
        return Claim(phase, Source.METRICS)
    started_s = memory.milestones.run.started_at_s
    if not metrics.rpc and started_s is not None and metrics.at_s - started_s < STARTING_S:
        return Claim(Phase.STARTING, Source.METRICS)
    return Claim(Phase.WAITING, Source.METRICS)


def _has_left_pass(phase: Phase, batches: int | None, memory: Memory, now_s: float) -> bool:
    """Whether the counter of a pass stands because the compaction after it runs.

    It stands at the number of block files, or the database grows by more than the pass could still write; and neither
    RocksDB's log nor the sizes, where they can be read, say otherwise.
    """
    first = phase is Phase.COMPACTING_TXSTORE
    if batches is None or memory.pulse.stood_s(ADD if first else INDEX) < STANDS_S:
        return False
    if first and memory.milestones.txstore_compacted:
        return False
    db = COMPACTED[phase]
    grown = _growth(db, memory, now_s)
    if grown is not None and grown >= COMPACTION_GROWTH_BYTES:
        return True
    files = memory.known.block_files
    at_end = files is not None and files.count > 0 and batches >= files.count - max(2, files.count // 100)
    if not at_end or grown == 0:
        return False
    logs = fresh(memory.known.rocksdb, now_s)
    log = logs.dbs.get(db) if logs is not None else None
    return log is None or log.openings == 0 or log.compaction is not None


def _growth(db: Db, memory: Memory, now_s: float) -> int | None:
    """By how much a database has grown since the counter of its pass last moved."""
    sizes = fresh(memory.known.sizes, now_s)
    if sizes is None or db not in sizes.dbs or db not in memory.size_at_stop:
        return None
    return sizes.dbs[db].sst_bytes - memory.size_at_stop[db]


def _by_log(memory: Memory) -> Iterator[Claim]:
    reached = memory.hearing.reached
    if reached is not None:
        yield Claim(reached, Source.LOG, memory.hearing.began_at_s.get(reached))


def _by_rocksdb(memory: Memory) -> Iterator[Claim]:
    logs = memory.known.rocksdb
    started_s = memory.milestones.run.started_at_s
    if logs is None or (started_s is None and _is_abandoned(logs)):
        return
    for filling, compacting, after in (
        (Phase.PASS_1, Phase.COMPACTING_TXSTORE, Phase.PASS_2),
        (Phase.PASS_2, Phase.COMPACTING_HISTORY, Phase.LOADING_MEMPOOL),
    ):
        log = logs.dbs.get(COMPACTED[compacting])
        if log is None:
            continue
        if log.filled_at_s is not None and (started_s is None or log.filled_at_s >= started_s):
            yield Claim(filling, Source.ROCKSDB)
        compaction = compaction_of(COMPACTED[compacting], memory)
        if compaction is not None:
            if compaction.finished:
                yield Claim(after, Source.ROCKSDB, compaction.finished_at_s)
            else:
                yield Claim(compacting, Source.ROCKSDB, compaction.started_at_s)


def _is_abandoned(logs: RocksLogs) -> bool:
    """Whether these are the logs of a process that is gone: a living one writes figures into them all the time."""
    return all(logs.at_s - at_s > ABANDONED_S for at_s in logs.written_at_s.values())


def _by_sizes(memory: Memory, now_s: float) -> Iterator[Claim]:
    """From sizes alone: a database that holds only what a pass writes, or both kinds of files, and grows."""
    first, now = memory.sizes_at_start, fresh(memory.known.sizes, now_s)
    if first is None or now is None:
        return
    for filling, compacting in ((Phase.PASS_1, Phase.COMPACTING_TXSTORE), (Phase.PASS_2, Phase.COMPACTING_HISTORY)):
        db = COMPACTED[compacting]
        if db not in first.dbs or db not in now.dbs:
            continue
        grown = now.dbs[db].sst_bytes - first.dbs[db].sst_bytes
        if now.dbs[db].large_bytes == 0 and grown >= PASS_GROWTH_BYTES:
            yield Claim(filling, Source.SIZES)
        elif grown >= PASS_GROWTH_BYTES and is_half_compacted(now.dbs[db]):
            yield Claim(compacting, Source.SIZES)
