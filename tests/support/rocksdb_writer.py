"""Writes RocksDB databases as electrs does, in a process of its own: `python -m tests.support.rocksdb_writer FOLDER`.

Filled without automatic compactions and without a log for writes, into tables of a memtable each, then compacted in one
go (electrs, src/new_index/db.rs). What is done is printed as JSON lines, with the sizes as RocksDB itself has them.
It needs the package `rocksdict`, whose version 0.3.12 brings RocksDB 8.1.1, the one of electrs.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

from rocksdict import DBCompressionType, Options, Rdict, WriteBatch, WriteOptions

MEMTABLE_BYTES, TABLE_BYTES = 256 << 20, 1 << 30
ROW_BYTES = 4000
ROWS_A_BATCH = 500
TXSTORE_BYTES, HISTORY_BYTES = 3_300_000_000, 1_700_000_000


def options() -> Options:
    """Those of electrs."""
    chosen = Options(raw_mode=True)
    chosen.create_if_missing(True)
    chosen.set_compression_type(DBCompressionType.none())
    chosen.set_disable_auto_compactions(True)
    chosen.set_write_buffer_size(MEMTABLE_BYTES)
    chosen.set_target_file_size_base(TABLE_BYTES)
    # RocksDB wouldn't have it keep up otherwise; electrs waits
    chosen.set_level_zero_slowdown_writes_trigger(1000)
    chosen.set_level_zero_stop_writes_trigger(1000)
    return chosen


def say(what: str, database: str, **more: float) -> None:
    """Print what is done."""
    print(json.dumps({"what": what, "database": database, "at_s": time.time(), **more}), flush=True)


def sst_bytes(database: Rdict) -> int:
    """The size of its tables, by RocksDB's own account."""
    return sum(int(table["size"]) for table in database.live_files())


def fill(name: str, database: Rdict, size: int) -> None:
    """Write rows of random keys until there is so much."""
    rng = random.Random(name)
    unlogged = WriteOptions()
    unlogged.disable_wal = True
    say("fills", name)
    for _ in range(size // (ROW_BYTES * ROWS_A_BATCH)):
        batch = WriteBatch(raw_mode=True)
        for _ in range(ROWS_A_BATCH):
            batch.put(rng.randbytes(33), rng.randbytes(8) * (ROW_BYTES // 8))
        database.write(batch, unlogged)
    database.flush(wait=True)
    say("filled", name, sst_bytes=sst_bytes(database))


def compact(name: str, database: Rdict) -> None:
    """Compact everything; nothing else of this process runs meanwhile."""
    say("compacts", name, sst_bytes=sst_bytes(database))
    database.compact_range(None, None)
    say("compacted", name, sst_bytes=sst_bytes(database))


def main(folder: Path, *, is_filled: bool) -> None:
    """Both databases, one after the other; with `is_filled` the first has its rows already."""
    databases = {name: Rdict(str(folder / name), options()) for name in ("txstore", "history", "cache")}
    if not is_filled:
        fill("txstore", databases["txstore"], TXSTORE_BYTES)
    compact("txstore", databases["txstore"])
    fill("history", databases["history"], HISTORY_BYTES)
    compact("history", databases["history"])
    for database in databases.values():
        database.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), is_filled="--filled" in sys.argv)
