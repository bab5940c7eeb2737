"""Lines of electrs's log, each as electrs writes it, behind whatever Docker, Compose or journald put before it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from utxoracle_tui.engine.electrs.log_lines import Kind, LogEvent, parse_line
from utxoracle_tui.engine.electrs.phases import Cause, Db

TXSTORE = 'RocksDB { path: "/data/mainnet/newindex/txstore" }'
HISTORY = 'RocksDB { path: "/data/mainnet/newindex/history" }'
NOON_S = datetime(2025, 10, 30, 12, 34, 56, 789_000, UTC).timestamp()


def heard(line: str) -> LogEvent:
    event = parse_line(line)
    assert event is not None
    return event


@pytest.mark.parametrize(
    ("line", "kind", "number", "total"),
    [
        (
            "WARN - failed to connect daemon at 127.0.0.1:8332: Connection refused (os error 111)",
            Kind.CONNECT_FAILED,
            None,
            None,
        ),
        (
            'WARN - reconnecting to bitcoind: failed to read cookie from "/bitcoin/.cookie"',
            Kind.COOKIE_UNREADABLE,
            None,
            None,
        ),
        ("WARN - reconnecting to bitcoind: no reply from daemon", Kind.NO_REPLY, None, None),
        ("WARN - reconnecting to bitcoind: expected 24 bytes, got 25", Kind.QUEUE_FULL, None, None),
        ("WARN - reconnecting to bitcoind: disconnected from daemon while receiving", Kind.RECONNECTING, None, None),
        (
            'INFO - NetworkInfo { version: 280100, subversion: "/Satoshi:28.1.0/", relayfee: 1e-5 }',
            Kind.CONNECTED,
            None,
            None,
        ),
        (
            "WARN - waiting for bitcoind sync and mempool load to finish: 920000/921456 blocks, verification progress: "
            "99.812%, mempool loaded: true",
            Kind.WAITING,
            920_000,
            921_456,
        ),
        ("DEBUG - 916307 blocks were indexed", Kind.WERE_INDEXED, 916_307, None),
        ("DEBUG - 0 blocks were added", Kind.WERE_ADDED, 0, None),
        ("DEBUG - 921456 headers were loaded, tip at 0000000000000000000b", Kind.HEADERS_LOADED, 921_456, None),
        ("DEBUG - downloading all block headers up to 0000000000000000000b", Kind.HEADERS, None, None),
        ("TRACE - downloading 100000 block headers", Kind.HEADERS, None, None),
        (
            "INFO - hash=0000000000000000000b height=921456 @ 2025-10-30T11:45:12Z (921457 left to index)",
            Kind.LEFT_TO_INDEX,
            921_457,
            None,
        ),
        ("DEBUG - Adding 119965 blocks to Indexer", Kind.ADDING, 119_965, None),
        ("INFO - Tx indexing is up to height=120000", Kind.ADDED_HEIGHT, 120_000, None),
        ("DEBUG - Indexing 0 blocks with Indexer", Kind.INDEXING, 0, None),
        ("INFO - History indexing is up to height=490000", Kind.INDEXED_HEIGHT, 490_000, None),
        ("DEBUG - flushing to disk", Kind.FLUSHING, None, None),
        ("DEBUG - applying 921457 new headers from height 0", Kind.FLUSHING, 921_457, None),
        ("DEBUG - Adding 84121 transactions to Mempool", Kind.MEMPOOL, 84_121, None),
        ("INFO - REST server running on 0.0.0.0:3001", Kind.SERVING, None, None),
        ("INFO - handle GET /blocks/tip/height", Kind.HANDLED, None, None),
        ("INFO - 500/20000 Processed in 1234 ms running pre-cache for scripthash", Kind.PRECACHING, 500, 20_000),
        ("DEBUG - Running accept thread", Kind.OTHER, None, None),
    ],
)
def test_what_lines_are_about(line: str, kind: Kind, number: int | None, total: int | None) -> None:
    event = heard(line)
    assert (event.kind, event.number, event.total) == (kind, number, total)


def test_lines_that_name_a_database() -> None:
    assert heard('DEBUG - opening DB at "/data/mainnet/newindex/cache"').db is Db.CACHE
    starting = heard(f"DEBUG - starting full compaction on {TXSTORE}")
    assert (starting.kind, starting.db) == (Kind.COMPACTING, Db.TXSTORE)
    finished = heard(f"DEBUG - finished full compaction on {HISTORY}")
    assert (finished.kind, finished.db) == (Kind.COMPACTED, Db.HISTORY)


def test_where_blocks_come_from() -> None:
    adding = heard("DEBUG - adding transactions from 5150 blocks using BlkFiles")
    assert (adding.kind, adding.number, adding.text) == (Kind.ADDING_FROM, 5150, "BlkFiles")
    indexing = heard("DEBUG - indexing history from 1 blocks using Bitcoind")
    assert (indexing.kind, indexing.number, indexing.text) == (Kind.INDEXING_FROM, 1, "Bitcoind")


def test_what_a_starting_node_says() -> None:
    event = heard('WARN - reconnecting to bitcoind: {"code":-28,"message":"Loading block index…"}')
    assert (event.kind, event.text) == (Kind.WARMING_UP, "Loading block index…")


LINE = "DEBUG - Adding 0 blocks to Indexer"


@pytest.mark.parametrize(
    ("prefix", "at_s"),
    [
        ("", None),
        ("mempool-electrs  | ", None),
        ("electrs-1  |", None),
        ("electrs_1  | ", None),
        ("2025-10-30T12:34:56.789+00:00 - ", NOON_S),
        ("2025-10-30T14:34:56.789+02:00 - ", NOON_S),
        ("2025-10-30T12:34:56.789000123Z ", NOON_S),
        ("electrs-1  | 2025-10-30T12:34:56.789000123Z ", NOON_S),
        ("2025-10-30T12:34:57.111222333Z 2025-10-30T12:34:56.789+00:00 - ", NOON_S),
        ("Oct 30 12:34:56 host electrs[1234]: ", None),
    ],
)
def test_what_stands_before_a_line_is_taken_off(prefix: str, at_s: float | None) -> None:
    event = heard(prefix + LINE)
    assert (event.kind, event.number) == (Kind.ADDING, 0)
    assert event.at_s == pytest.approx(at_s)


def test_other_shapes_of_the_same_line() -> None:
    assert heard("DEBUG Adding 7 blocks to Indexer").number == 7
    assert heard("\x1b[36mDEBUG\x1b[0m - Adding 7 blocks to Indexer\r\n").number == 7
    on_disk = json.dumps({"log": LINE + "\n", "stream": "stderr", "time": "2025-10-30T12:34:56.789Z"})
    assert (heard(on_disk).kind, heard(on_disk).at_s) == (Kind.ADDING, pytest.approx(NOON_S))


def test_the_time_of_a_line_without_one_is_that_of_its_bearer() -> None:
    stamped, read = parse_line(LINE, 5.0), parse_line(LINE, 5.0, dated=False)
    assert stamped is not None
    assert read is not None
    assert (stamped.at_s, stamped.dated) == (5.0, True)
    assert (read.at_s, read.dated) == (5.0, False)
    own = parse_line("2025-10-30T12:34:56.789+00:00 - " + LINE, 5.0, dated=False)
    assert own is not None
    assert (own.at_s, own.dated) == (pytest.approx(NOON_S), True)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ('failed to open RocksDB: Error { message: "Corruption: block checksum mismatch" }', Cause.CORRUPTION),
        (f"missing txo 4a5e1e4baab89f3a32518a88c31bc87f:0 in {TXSTORE}", Cause.CORRUPTION),
        ("cannot index block 000000000019d668 (missing from store)", Cause.CORRUPTION),
        ("missing expected blockhash in headers map: 000000000019d668", Cause.CORRUPTION),
        ("Incompatible database found. Please reindex.", Cause.INCOMPATIBLE),
        (
            'failed to open RocksDB: Error { message: "IO error: While lock file: /data/LOCK: Resource temporarily '
            'unavailable" }',
            Cause.LOCKED,
        ),
        (
            'called `Result::unwrap()` on an `Err` value: Error { message: "IO error: No space left on device" }',
            Cause.NO_SPACE,
        ),
        ('failed to open RocksDB: Error { message: "IO error: Too many open files" }', Cause.TOO_MANY_FILES),
        ("failed to index 921457 blocks from blk*.dat files", Cause.BLOCK_FILES),
        ("ERROR - server failed: Error: pruned node is not supported (use '-prune=0' bitcoind flag)", Cause.PRUNED),
        ("failed to start monitoring HTTP server at 0.0.0.0:4224", Cause.PORT_IN_USE),
        ("thread 'main' panicked at src/new_index/schema.rs:312:17:", Cause.OTHER),
        ("ERROR - server failed: Error: daemon said no", Cause.OTHER),
    ],
)
def test_last_words(line: str, cause: Cause) -> None:
    event = heard(line)
    assert (event.kind, event.cause) == (Kind.FATAL, cause)


@pytest.mark.parametrize(
    "line",
    [
        "INFO - handle GET /tx/Corruption: missing txo x:1",
        "WARN - missing outpoint 4a5e1e4baab89f3a32518a88c31bc87f:0",
        "WARN - Skipping tx 4a5e: missing from store",
        "ERROR - [127.0.0.1:1] connection handling failed: Corruption: of a request",
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
    ],
)
def test_what_only_looks_like_last_words(line: str) -> None:
    assert heard(line).kind is not Kind.FATAL


def test_a_line_of_nothing_and_one_without_end() -> None:
    assert parse_line("  \n") is None
    assert heard("DEBUG - " + "x" * 1_000_000).kind is Kind.OTHER
