"""The long part of a first sync: two passes over the block files, and a full compaction after each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from utxoracle_tui.demo.host.electrs.process import Process, Span
from utxoracle_tui.demo.host.electrs.rocksdb import Database
from utxoracle_tui.demo.host.electrs.settings import BLK_FILE_BYTES, Level, Phase, blocks_by_file

_HEIGHT_LINE_BLOCKS = 10_000
_ROW_BYTES = 110
_FLUSH_S = 20.0
_BLOCKS_FOLDER = "/bitcoin/regtest/blocks"


@dataclass(frozen=True, slots=True)
class Pass:
    """One of the two."""

    phase: Phase
    seconds: float
    database_bytes: int
    """Of all rows that it writes."""
    announced: str
    batch: str
    height: str
    steps: tuple[tuple[str, float], ...]
    """Of `index_duration`, with the share of the time that each takes."""

    def rescan_s(self, share: float) -> float:
        """What a step takes for a file in which nothing is new."""
        return share * 0.06


def first_sync(process: Process) -> Iterator[Span]:
    """Everything from the first block file to an index that is marked as synced."""
    index, size = process.index, process.index.size
    add = Pass(
        Phase.PASS_1,
        size.pass_1_s,
        size.txstore_bytes,
        "adding transactions from {} blocks using BlkFiles",
        "Adding {} blocks to Indexer",
        "Tx indexing is up to height={}",
        (("add_process", 0.7), ("add_write", 0.3)),
    )
    look_up = Pass(
        Phase.PASS_2,
        size.pass_2_s,
        size.history_bytes,
        "indexing history from {} blocks using BlkFiles",
        "Indexing {} blocks with Indexer",
        "History indexing is up to height={}",
        (("index_lookup", 0.65), ("index_process", 0.3)),
    )
    yield from _pass(process, add, index.txstore)
    yield from _compact(process, Phase.COMPACTING_TXSTORE, index.txstore, size.compact_txstore_s)
    yield from _pass(process, look_up, index.history)
    yield from _compact(process, Phase.COMPACTING_HISTORY, index.history, size.compact_history_s)
    process.phase = Phase.FINISHING
    process.say(Level.DEBUG, "flushing to disk")
    yield Span(_FLUSH_S)
    index.synced = True
    process.say(Level.DEBUG, f"updating synced tip to {process.node.tip.hash}")
    process.say(Level.DEBUG, f"applying {size.blocks} new headers from height 0")


def _pass(process: Process, plan: Pass, database: Database) -> Iterator[Span]:
    size, counts = process.index.size, blocks_by_file(process.index.size)
    first = process.files_before(plan.phase)
    file_s = plan.seconds / size.blk_files
    for step, share in plan.steps:
        process.metrics.observe("index_duration", file_s * share, times=first, step=step)
    if first == size.blk_files:
        return
    process.phase = plan.phase
    process.say(Level.DEBUG, plan.announced.format(sum(counts[database.block_files :])))
    process.say(Level.DEBUG, f'listing block files at "{_BLOCKS_FOLDER}/blk*.dat"')
    done, height = database.block_files, sum(counts[:first])
    for place in range(first, size.blk_files):
        is_new = place >= done
        yield Span(file_s if is_new else size.rescan_file_s)
        process.spring_trap()
        process.say(Level.TRACE, f'reading "{_BLOCKS_FOLDER}/blk{place:05}.dat"')
        process.say(Level.TRACE, f"parsing {BLK_FILE_BYTES} bytes")
        process.say(Level.TRACE, f"fetched {counts[place]} blocks")
        row_bytes = plan.database_bytes / size.blk_files if is_new else 0.0
        process.say(Level.DEBUG, plan.batch.format(counts[place] if is_new else 0))
        rows = f"writing {int(row_bytes / _ROW_BYTES)} rows to RocksDB"
        process.say(Level.DEBUG, f'{rows} {{ path: "{database.seen_as}" }}, flush=Disable')
        if database.write(row_bytes):
            database.block_files = place + 1
        for line_height in _height_lines(height, counts[place]) if is_new else ():
            process.say(Level.INFO, plan.height.format(line_height))
        height += counts[place]
        for step, share in plan.steps:
            seconds = file_s * share if is_new else plan.rescan_s(share)
            process.metrics.observe("index_duration", seconds, step=step)
    database.block_files = size.blk_files


def _compact(process: Process, phase: Phase, database: Database, seconds: float) -> Iterator[Span]:
    if database.compacted:
        return
    process.phase = phase
    name = f'RocksDB {{ path: "{database.seen_as}" }}'
    process.say(Level.DEBUG, f"starting full compaction on {name}")
    for share in database.compact():
        yield Span(seconds * share)
    process.say(Level.DEBUG, f"finished full compaction on {name}")


def _height_lines(first: int, count: int) -> list[int]:
    """Heights of a run of blocks that a line is printed for, not quite in order, as they come from block files."""
    heights: list[int] = []
    for height in range(first + -first % _HEIGHT_LINE_BLOCKS, first + count, _HEIGHT_LINE_BLOCKS):
        # one in seven comes after its next one: 490000, 510000, 500000
        place = height // _HEIGHT_LINE_BLOCKS % 7
        heights.append(height + {1: _HEIGHT_LINE_BLOCKS, 2: -_HEIGHT_LINE_BLOCKS}.get(place, 0))
    return heights
