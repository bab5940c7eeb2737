"""How far a phase has come: by the best of what can be seen, in the order of how much it can be relied on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from utxoracle_tui import formats
from utxoracle_tui.engine.electrs.chain_weight import share_below
from utxoracle_tui.engine.electrs.evidence import DbSize, Source
from utxoracle_tui.engine.electrs.hearing import PassLog
from utxoracle_tui.engine.electrs.memory import Memory, fresh
from utxoracle_tui.engine.electrs.milestones import Sample
from utxoracle_tui.engine.electrs.phases import COMPACTED, Db, Phase
from utxoracle_tui.engine.electrs.rocksdb_log import FullCompaction
from utxoracle_tui.engine.electrs.runs import EXACT

BLOCKS_A_BATCH = 100
"""With `--jsonrpc-import`, and after the first sync (electrs, src/new_index/fetch.rs)."""
OUTPUT_BYTES = 1 << 30
"""Size of the tables that a compaction writes (electrs, src/new_index/db.rs: target file size)."""
FILES, BLOCKS, BYTES = "block files", "blocks", "bytes"
LEAST_HEADER_CALLS = 1000
"""Below it headers seem to be asked for in batches, which says nothing of how many there are."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a figure rests on."""

    source: Source
    says: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Measure:
    """How far a phase has come by one kind of evidence."""

    share: float | None
    """0 to 1; None when there is nothing to compare with."""
    done: float
    total: float | None
    unit: str
    grounds: tuple[Ground, ...]
    rough: bool = False
    began: Sample | None = None
    """A moment further back at which it is known how much was done."""

    @property
    def key(self) -> str:
        """Names the kind of evidence: figures of different kinds don't make one series."""
        return f"{self.unit} by {'+'.join(ground.source for ground in self.grounds)}"


def measure(phase: Phase, memory: Memory, now_s: float) -> Measure | None:
    """How far the phase has come, or None where it can't be told."""
    match phase:
        case Phase.WAITING:
            return _node_sync(memory, now_s)
        case Phase.HEADERS:
            return _headers(memory, now_s)
        case Phase.PASS_1 | Phase.PASS_2:
            return next(_of_pass(phase, memory, now_s), None)
        case Phase.COMPACTING_TXSTORE | Phase.COMPACTING_HISTORY:
            return next(_of_compaction(phase, memory, now_s), None)
        case Phase.READY:
            return _serving(memory, now_s)
    return None


def _node_sync(memory: Memory, now_s: float) -> Measure | None:
    node = fresh(memory.known.node, now_s)
    hearing = memory.hearing
    if hearing.node_blocks is not None and hearing.node_headers:
        said = f"electrs waits at {hearing.node_blocks:,} of {hearing.node_headers:,} blocks"
        ground = Ground(Source.LOG, said, hearing.spoke_at_s or now_s)
        return _of_blocks(hearing.node_blocks, hearing.node_headers, ground)
    if node is not None and node.blocks is not None and node.headers:
        ground = Ground(Source.NODE, f"{node.blocks:,} of {node.headers:,} blocks", node.at_s)
        return _of_blocks(node.blocks, node.headers, ground)
    return None


def _of_blocks(done: int, total: int, ground: Ground) -> Measure:
    return Measure(share_below(done, total), done, total, BLOCKS, (ground,))


def _serving(memory: Memory, now_s: float) -> Measure | None:
    node, rest = fresh(memory.known.node, now_s), fresh(memory.known.rest, now_s)
    if rest is None or node is None or not node.blocks:
        return None
    grounds = (
        Ground(Source.REST, f"height {rest.height:,}", rest.at_s),
        Ground(Source.NODE, f"{node.blocks:,} blocks", node.at_s),
    )
    return Measure(min(1.0, rest.height / node.blocks), rest.height, node.blocks, BLOCKS, grounds)


def _headers(memory: Memory, now_s: float) -> Measure | None:
    metrics, total = fresh(memory.known.metrics, now_s), tip_of(memory)
    if metrics is None or total is None or "getblockheader" not in metrics.rpc:
        return None
    calls = metrics.rpc["getblockheader"].calls
    if calls < LEAST_HEADER_CALLS:
        return None
    ground = Ground(Source.METRICS, f"{calls:,} headers fetched", metrics.at_s)
    return Measure(min(1.0, calls / total), min(calls, total), total, "headers", (ground,))


def tip_of(memory: Memory) -> int | None:
    """The height that electrs works up to, as well as is known."""
    node = memory.known.node
    if node is not None and node.headers:
        return node.headers
    return memory.hearing.node_headers or memory.hearing.left_to_index


def _of_pass(phase: Phase, memory: Memory, now_s: float) -> Iterator[Measure]:
    first = phase is Phase.PASS_1
    said = memory.hearing.adding if first else memory.hearing.indexing
    metrics = fresh(memory.known.metrics, now_s)
    batches = None if metrics is None else (metrics.add_batches if first else metrics.index_batches) or 0
    if metrics is not None and batches is not None:
        word = "added" if first else "indexed"
        yield from _by_batches(batches, metrics.at_s, f"{batches:,} batches {word}", said, memory)
    yield from _by_lines(said, memory, now_s)
    db = Db.TXSTORE if first else Db.HISTORY
    sizes = fresh(memory.known.sizes, now_s)
    if sizes is not None and db in sizes.dbs:
        size = sizes.dbs[db].sst_bytes
        yield Measure(None, size, None, BYTES, (Ground(Source.SIZES, f"{db} has {gigabytes(size)}", sizes.at_s),))


def _by_batches(batches: int, at_s: float, says: str, said: PassLog, memory: Memory) -> Iterator[Measure]:
    """By the metrics: a batch is a block file of 128 MiB, so that files count bytes."""
    ground = Ground(Source.METRICS, says, at_s)
    files = memory.known.block_files
    if files is not None and files.count and said.from_files is not False and batches <= files.count:
        counted = Ground(Source.BLOCK_FILES, f"{files.count:,} files", files.at_s)
        yield Measure(batches / files.count, batches, files.count, FILES, (ground, counted))
        return
    total = said.total if said.total is not None else tip_of(memory)
    if said.from_files is False and total:
        # then a batch is a hundred blocks that the node was asked for
        done = min(batches * BLOCKS_A_BATCH, total)
        yield Measure(share_below(done, total), done, total, BLOCKS, (ground,))


def _by_lines(said: PassLog, memory: Memory, now_s: float) -> Iterator[Measure]:
    files, tip = memory.known.block_files, tip_of(memory)
    at_s = memory.hearing.spoke_at_s or now_s
    if said.complete and said.from_files and files is not None and said.batches <= files.count > 0:
        grounds = (
            Ground(Source.LOG, f"{said.batches:,} files named", at_s),
            Ground(Source.BLOCK_FILES, f"{files.count:,} files", files.at_s),
        )
        yield Measure(said.batches / files.count, said.batches, files.count, FILES, grounds)
    if said.complete and said.from_files and said.already:
        # all files are read again, however few blocks are new: blocks would say that it is nearly done
        yield Measure(None, said.batches, None, FILES, (Ground(Source.LOG, f"{said.batches:,} files named", at_s),))
    if said.complete and said.total and said.blocks:
        done = min(said.blocks, said.total)
        ground = Ground(Source.LOG, f"{done:,} of {said.total:,} blocks named", at_s)
        yield Measure(share_below(done, said.total), done, said.total, BLOCKS, (ground,), rough=True)
    if said.max_height is not None and tip:
        ground = Ground(Source.LOG, f"up to height {said.max_height:,} of {tip:,}", at_s)
        yield Measure(share_below(said.max_height, tip), said.max_height, tip, BLOCKS, (ground,), rough=True)


def _of_compaction(phase: Phase, memory: Memory, now_s: float) -> Iterator[Measure]:
    db = COMPACTED[phase]
    sizes, logs = fresh(memory.known.sizes, now_s), memory.known.rocksdb
    size = sizes.dbs.get(db) if sizes is not None else None
    running = compaction_of(db, memory)
    if logs is not None and running is not None and running.input_bytes > 0:
        written = _written(running, size)
        says = f"{gigabytes(written)} of {gigabytes(running.input_bytes)} written"
        began = None if running.started_at_s is None else Sample(running.started_at_s, 0.0)
        share = min(1.0, written / running.input_bytes)
        grounds = [Ground(Source.ROCKSDB, says, logs.written_at_s.get(db, logs.at_s))]
        if size is not None and sizes is not None:
            grounds.append(Ground(Source.SIZES, f"{db} has {gigabytes(size.sst_bytes)}", sizes.at_s))
        yield Measure(share, written, running.input_bytes, BYTES, tuple(grounds), began=began)
    if size is not None and sizes is not None:
        ground = Ground(Source.SIZES, f"{db} has {gigabytes(size.sst_bytes)}", sizes.at_s)
        yield from _by_size(phase, memory, size, ground)


def compaction_of(db: Db, memory: Memory) -> FullCompaction | None:
    """The full compaction that RocksDB's log speaks of, unless a process that is gone has left it there.

    Where a restart was only inferred, its moment is not exact; then a log that was written to since is a living one's.
    """
    logs, run = memory.known.rocksdb, memory.milestones.run
    log = logs.dbs.get(db) if logs is not None else None
    if logs is None or log is None or log.compaction is None:
        return None
    began_s = log.compaction.started_at_s
    if run.started_at_s is None or began_s is None or began_s >= run.started_at_s:
        return log.compaction
    inferred = not run.noted_by & EXACT
    return log.compaction if inferred and logs.written_at_s.get(db, 0.0) > run.started_at_s else None


def _written(running: FullCompaction, size: DbSize | None) -> int:
    """Bytes that the compaction has written: finished tables, and of the one at work what its file has grown to."""
    if running.finished:
        return running.input_bytes
    grown = 0 if size is None else size.sst_bytes - running.input_bytes
    return min(max(running.written_bytes, min(grown, running.written_bytes + 2 * OUTPUT_BYTES)), running.input_bytes)


def _by_size(phase: Phase, memory: Memory, size: DbSize, ground: Ground) -> Iterator[Measure]:
    """All inputs stay until the end: the folder grows to twice what it was."""
    small = size.sst_bytes - size.large_bytes
    mark = memory.milestones.marks.get(phase)
    if is_half_compacted(size):
        yield Measure(min(1.0, size.large_bytes / small), size.large_bytes, small, BYTES, (ground,))
    elif mark is not None and mark.start_bytes:
        grown = min(max(0, size.sst_bytes - mark.start_bytes), mark.start_bytes)
        yield Measure(grown / mark.start_bytes, grown, mark.start_bytes, BYTES, (ground,))


def is_half_compacted(size: DbSize) -> bool:
    """Whether the files are of both kinds as during a full compaction: many small ones, and large ones that grow."""
    small = size.sst_bytes - size.large_bytes
    return 0 < size.large_bytes <= small + 2 * OUTPUT_BYTES and small >= OUTPUT_BYTES


def gigabytes(size_bytes: float) -> str:
    """Bytes as gigabytes, as disks are sold."""
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes < 1e11 else f"{size_bytes / 1e9:,.0f} GB"


def shown(done: float, total: float | None, unit: str) -> str:
    """A count as a screen shows it."""
    if unit == BYTES:
        return gigabytes(done) if total is None else f"{gigabytes(done)} of {gigabytes(total)}"
    count = formats.count(int(done))
    return f"{count} {unit}" if total is None else f"{count} of {formats.count(int(total))} {unit}"
