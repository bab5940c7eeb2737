"""Which phase each kind of evidence speaks for, alone and against the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.support.electrs_story import (
    GB,
    NOON_S,
    BlockFiles,
    Db,
    Disk,
    Node,
    Phase,
    Process,
    Rest,
    RocksLogs,
    Status,
    Story,
    Trouble,
    compaction_started,
    metrics,
    running,
    sizes,
    step,
)
from tests.support.electrs_sync import ALL, HEADERS, Sync
from utxoracle_tui.engine.electrs import phases
from utxoracle_tui.engine.electrs.evidence import Source
from utxoracle_tui.engine.electrs.log_lines import parse_line
from utxoracle_tui.engine.electrs.rocksdb_log import RocksLog, read_lines

CALLS = {"getblockchaininfo": (2, 0.004), "getmempoolinfo": (5, 0.01)}
FETCHING = {**CALLS, "getblockhash": (10, 0.1), "getblockheader": (200_000, 40.0)}
FILES = BlockFiles(NOON_S, 100)


@pytest.mark.parametrize(
    ("line", "phase"),
    [
        ("Config { log: StdErrLog { .. } }", Phase.STARTING),
        ("WARN - failed to connect daemon at 127.0.0.1:8332: Connection refused (os error 111)", Phase.WAITING),
        ('WARN - reconnecting to bitcoind: {"code":-28,"message":"Verifying blocks…"}', Phase.WAITING),
        ("WARN - waiting for bitcoind sync and mempool load to finish: 9/10 blocks, verification", Phase.WAITING),
        ('DEBUG - opening DB at "/data/mainnet/newindex/history"', Phase.OPENING),
        ("DEBUG - downloading all block headers up to 00ab", Phase.HEADERS),
        ("INFO - hash=00ab height=9 @ 2025-10-30T11:45:12Z (10 left to index)", Phase.HEADERS),
        ("DEBUG - adding transactions from 10 blocks using BlkFiles", Phase.PASS_1),
        ("DEBUG - Adding 119965 blocks to Indexer", Phase.PASS_1),
        ("INFO - Tx indexing is up to height=120000", Phase.PASS_1),
        ('DEBUG - starting full compaction on RocksDB { path: "/d/txstore" }', Phase.COMPACTING_TXSTORE),
        ('DEBUG - finished full compaction on RocksDB { path: "/d/txstore" }', Phase.PASS_2),
        ("DEBUG - Indexing 119965 blocks with Indexer", Phase.PASS_2),
        ('DEBUG - starting full compaction on RocksDB { path: "/d/history" }', Phase.COMPACTING_HISTORY),
        ('DEBUG - finished full compaction on RocksDB { path: "/d/history" }', Phase.LOADING_MEMPOOL),
        ("DEBUG - updating synced tip to 00ab", Phase.LOADING_MEMPOOL),
        ("WARN - Error performing initial mempool update, trying again in 5 seconds: x", Phase.LOADING_MEMPOOL),
        ("INFO - REST server running on 0.0.0.0:3001", Phase.READY),
        ("INFO - handle GET /blocks/tip/height", Phase.READY),
    ],
)
def test_by_one_line_of_the_log(line: str, phase: Phase) -> None:
    assert Story().say(line).phase is phase


@pytest.mark.parametrize(
    ("values", "phase"),
    [
        ({"cpu_s": 0.1}, Phase.WAITING),
        ({"cpu_s": 0.1, "calls": CALLS}, Phase.WAITING),
        ({"cpu_s": 9.0, "calls": CALLS, "tip_height": 0}, Phase.OPENING),
        ({"cpu_s": 9.0, "calls": FETCHING, "tip_height": 0}, Phase.HEADERS),
        ({"cpu_s": 9.0, "calls": FETCHING, "tip_height": 0, "add_batches": 1}, Phase.PASS_1),
        ({"cpu_s": 9.0, "calls": FETCHING, "tip_height": 0, "add_batches": 9, "lookups": 1}, Phase.PASS_2),
        ({"cpu_s": 9.0, "tip_height": 0, "add_batches": 9, "index_batches": 2}, Phase.PASS_2),
        ({"cpu_s": 9.0, "tip_height": 921_456, "add_batches": 9, "index_batches": 9}, Phase.LOADING_MEMPOOL),
        ({"cpu_s": 9.0, "tip_height": 921_456, "serving": True}, Phase.READY),
    ],
)
def test_by_one_page_of_metrics(values: Mapping[str, object], phase: Phase) -> None:
    assert Story().look(metrics=metrics(NOON_S, **values)).phase is phase  # type: ignore[arg-type]


def stand(story: Story, seconds: int, **values: int) -> None:
    """The metrics stay what they are, looked at every ten seconds, CPU time apart."""
    for _ in range(seconds // 10):
        page = metrics(story.now_s + 10, cpu_s=story.now_s - NOON_S + 10, tip_height=0, **values)
        story.look(10, metrics=page, block_files=replace(FILES, at_s=story.now_s + 10))


def test_a_counter_that_stands_at_the_end_of_its_pass_means_the_compaction() -> None:
    story = Story()
    stand(story, 30, add_batches=60)
    stand(story, 300, add_batches=70)
    assert story.state.phase is Phase.PASS_1
    stand(story, 50, add_batches=100)
    assert story.state.phase is Phase.PASS_1
    stand(story, 30, add_batches=100)
    assert story.state.phase is Phase.COMPACTING_TXSTORE
    assert story.state.progress.share is None
    stand(story, 300, add_batches=100, index_batches=1)
    assert story.state.phase is Phase.PASS_2
    stand(story, 80, add_batches=100, index_batches=100)
    assert story.state.phase is Phase.COMPACTING_HISTORY


def test_a_folder_that_grows_while_the_counter_stands_means_it_as_well() -> None:
    """Where nobody knows how many block files there are."""
    story = Story()
    for second in range(0, 300, 10):
        grown = 10 * GB + second * 30_000_000
        story.look(
            10,
            metrics=metrics(story.now_s + 10, add_batches=7, cpu_s=1.0, tip_height=0),
            sizes=sizes(story.now_s + 10, txstore=grown),
        )
    assert story.state.phase is Phase.COMPACTING_TXSTORE
    assert story.state.progress.done == pytest.approx(grown - 10 * GB)
    assert story.state.progress.total == 10 * GB


def test_a_log_of_rocksdb_without_a_compaction_speaks_against_one() -> None:
    story = Story()
    quiet = read_lines(["2025/10/30-12:00:00.000000 1 RocksDB version: 8.1.1"])
    for _ in range(60):
        now_s = story.now_s + 10
        story.look(
            10,
            metrics=metrics(now_s, add_batches=100, cpu_s=now_s - NOON_S, tip_height=0),
            block_files=FILES,
            rocksdb=RocksLogs(now_s, {Db.TXSTORE: quiet}, {Db.TXSTORE: now_s}),
        )
    assert story.state.phase is Phase.PASS_1


def test_what_a_killed_process_has_left_in_the_log_of_rocksdb_is_no_compaction_of_now() -> None:
    left = compaction_started(Db.TXSTORE, NOON_S - 3600, 406 * GB)
    story = Story()
    story.look(
        process=running(NOON_S, NOON_S - 30),
        metrics=metrics(NOON_S, cpu_s=0.2, calls=CALLS),
        rocksdb=RocksLogs(NOON_S, {Db.TXSTORE: left}, {Db.TXSTORE: NOON_S - 600}),
    )
    assert story.state.phase is Phase.WAITING
    abandoned = Story().look(rocksdb=RocksLogs(NOON_S, {Db.TXSTORE: left}, {Db.TXSTORE: NOON_S - 3600}))
    assert abandoned.phase is Phase.UNKNOWN
    alive = Story().look(rocksdb=RocksLogs(NOON_S, {Db.TXSTORE: left}, {Db.TXSTORE: NOON_S - 300}))
    assert alive.phase is Phase.COMPACTING_TXSTORE


def test_the_furthest_of_contradicting_evidence_wins() -> None:
    story = Story()
    story.say("DEBUG - Adding 5 blocks to Indexer", metrics=metrics(NOON_S, cpu_s=1.0, tip_height=0, index_batches=3))
    assert story.state.phase is Phase.PASS_2
    story.say("INFO - Tx indexing is up to height=120000", after_s=5)
    assert story.state.phase is Phase.PASS_2


def test_one_source_that_fails_changes_nothing() -> None:
    story = Story()
    stand(story, 60, add_batches=42)
    trouble = Trouble(Source.METRICS, story.now_s, "The port has not answered within 10 s.")
    state = story.look(30, troubles=(trouble,))
    assert (state.phase, state.progress.share) == (Phase.PASS_1, 0.42)
    assert state.missing == ("The port has not answered within 10 s.",)
    state = story.look(600, troubles=(trouble,))
    assert state.phase is Phase.UNKNOWN
    stand(story, 10, add_batches=43)
    assert (story.state.phase, story.state.progress.share) == (Phase.PASS_1, 0.43)
    assert story.state.run == 1


@pytest.mark.parametrize(
    ("process", "phase", "sentence"),
    [
        (
            Process(NOON_S, Status.EXITED, exit_code=0),
            Phase.STOPPED,
            "electrs is stopped (it ended by itself, exit code 0).",
        ),
        (
            Process(NOON_S, Status.EXITED, exit_code=143),
            Phase.STOPPED,
            "electrs is stopped (it was asked to, exit code 143).",
        ),
        (
            Process(NOON_S, Status.EXITED, exit_code=137),
            Phase.STOPPED,
            "electrs was killed (exit code 137), as docker stop does in the end: while it indexes or compacts it does "
            "not listen to being asked.",
        ),
        (
            Process(NOON_S, Status.EXITED, exit_code=137, oom_killed=True),
            Phase.STOPPED,
            "electrs was killed because memory ran out.",
        ),
        (Process(NOON_S, Status.CREATED), Phase.STOPPED, "electrs is stopped."),
        (Process(NOON_S, Status.EXITED, exit_code=1), Phase.FAILED, "electrs ended with an error (exit code 1)."),
        (Process(NOON_S, Status.EXITED, exit_code=139), Phase.FAILED, "electrs ended with an error (exit code 139)."),
        (
            Process(NOON_S, Status.MISSING),
            Phase.NOT_INSTALLED,
            "There is no electrs here: no container or unit of that name, no database, and its ports are closed.",
        ),
        (Process(NOON_S, Status.RUNNING, NOON_S - 5), Phase.STARTING, "electrs is starting."),
        (
            Process(NOON_S, Status.RUNNING, NOON_S - 3600),
            Phase.UNKNOWN,
            "electrs runs, and nothing else can be read of it.",
        ),
    ],
)
def test_by_the_process_alone(process: Process, phase: Phase, sentence: str) -> None:
    state = Story().look(process=process)
    assert (state.phase, state.sentence) == (phase, sentence)
    assert state.advice


def test_nothing_at_all_says_what_to_configure() -> None:
    state = Story().look()
    assert (state.phase, state.sentence) == (Phase.UNKNOWN, "Nothing can be read of electrs.")
    assert state.advice == (
        "Tell this console its metrics address (--monitoring-addr, port 4224 on the main network), its container or "
        "unit, its log, or the folder of its database (--db-dir)."
    )
    assert state.whole_share is None


def test_a_metrics_port_that_closes_means_that_the_process_is_gone() -> None:
    """It is open from the first second to the last; where it was seen open, being refused says something."""
    story = Story()
    stand(story, 60, add_batches=42)
    story.look(5, troubles=(Trouble(Source.METRICS, story.now_s + 5, "Refused.", refused=True),))
    assert story.state.phase is Phase.PASS_1
    trouble = Trouble(Source.METRICS, story.now_s, "Refused.", refused=True)
    story.look(30, troubles=(trouble,))
    assert story.state.phase is Phase.STOPPED
    never_seen = Story()
    never_seen.look(troubles=(trouble,))
    assert never_seen.look(60, troubles=(trouble,)).phase is Phase.UNKNOWN


def test_a_wrong_name_of_a_container_does_not_make_electrs_disappear() -> None:
    """Metrics that are slow to answer, or a log of RocksDB that is written to: somebody is at work there."""
    log = compaction_started(Db.TXSTORE, NOON_S - 3600, 406 * GB)
    story = Story()
    hanging = Trouble(Source.METRICS, NOON_S, "The port has not answered within 10 s.")
    state = story.look(process=Process(NOON_S, Status.MISSING), troubles=(hanging,))
    assert state.phase is Phase.UNKNOWN
    logs = RocksLogs(NOON_S, {Db.TXSTORE: log}, {Db.TXSTORE: NOON_S - 300})
    refused = Trouble(Source.METRICS, NOON_S, "Refused.", refused=True)
    seen = sizes(NOON_S, txstore=500 * GB, large_txstore=94 * GB)
    state = Story().look(process=Process(NOON_S, Status.MISSING), troubles=(refused,), rocksdb=logs, sizes=seen)
    assert state.phase is Phase.COMPACTING_TXSTORE
    old = RocksLogs(NOON_S, {Db.TXSTORE: log}, {Db.TXSTORE: NOON_S - 7200})
    state = Story().look(process=Process(NOON_S, Status.MISSING), troubles=(refused,), rocksdb=old, sizes=seen)
    assert state.phase is Phase.STOPPED


def test_ready_and_waiting_in_figures() -> None:
    story = Story()
    story.say("WARN - waiting for bitcoind sync and mempool load to finish: 900000/921456 blocks, verification")
    share = story.state.progress.share
    assert share is not None
    assert 0.9 < share < 1.0
    assert (story.state.progress.done, story.state.progress.total) == (900_000, 921_456)
    state = story.look(60, rest=Rest(story.now_s + 60, 921_456), node=Node(story.now_s + 60, 921_456, 921_456))
    assert (state.phase, state.progress.share, state.whole_share) == (Phase.READY, 1.0, 1.0)
    assert [basis.says for basis in state.progress.rests_on] == ["height 921,456", "921,456 blocks"]


ONLY = [
    (frozenset({"log"}), set()),
    (frozenset({"metrics", "blocks"}), {Phase.STARTING}),
    (frozenset({"rocksdb"}), {Phase.WAITING, Phase.OPENING, Phase.HEADERS, Phase.PASS_1, Phase.READY}),
    (frozenset({"metrics"}), {Phase.COMPACTING_TXSTORE, Phase.COMPACTING_HISTORY}),
    (ALL, set()),
]


@pytest.mark.parametrize(("sources", "missed"), ONLY, ids=lambda value: "+".join(sorted(value)) or "none")
def test_a_whole_first_sync_is_seen_by_each_kind_of_evidence(sources: frozenset[str], missed: set[Phase]) -> None:
    """What is missing narrows what can be said: some phases are seen late or not at all, but none that isn't there."""
    story = Story()
    wrong, seen = 0, set()
    for evidence, truth, _ in Sync(sources=sources, noise=0.3, step_s=180).course():
        state = story.state = step(story.state, evidence)
        seen.add(state.phase)
        wrong += state.phase is not truth and truth not in missed
        if state.phase is not truth:
            assert phases.rank(state.phase) <= phases.rank(truth), (truth, state.phase)
    assert wrong <= 8
    assert Phase.STOPPED not in seen
    assert set(phases.ORDER[1:]) - seen <= missed


def test_the_list_of_all_phases() -> None:
    story = Story()
    for evidence, truth, _ in Sync(noise=0.0, step_s=120).course():
        story.state = step(story.state, evidence)
        if truth is Phase.PASS_2 and story.state.progress.share and story.state.progress.share > 0.5:
            break
    rows = {row.phase: row for row in story.state.rows}
    assert [row.status.value for row in story.state.rows] == [
        "done",
        "done",
        "done",
        "done",
        "done",
        "done",
        "running",
        "to_come",
        "to_come",
        "to_come",
    ]
    assert rows[Phase.PASS_1].elapsed_s == pytest.approx(6 * 3600, abs=240)
    assert rows[Phase.COMPACTING_TXSTORE].elapsed_s == pytest.approx(5400, abs=240)
    assert rows[Phase.PASS_2].elapsed_s == pytest.approx(7.5 * 3600, abs=300)
    assert rows[Phase.PASS_2].share == story.state.progress.share
    assert rows[Phase.COMPACTING_HISTORY].elapsed_s is None
    assert story.state.whole_share == pytest.approx(0.25 + 0.15 + 0.45 * 0.5, abs=0.01)


def test_blocks_that_come_every_day_are_no_first_sync() -> None:
    """A console that is started beside an electrs which has long been ready."""
    story = Story()
    state = story.say(
        "DEBUG - downloading new block headers (921457 already indexed) from 00ab",
        f"INFO - hash=00ac height={HEADERS + 1} @ 2025-10-30T11:45:12Z (1 left to index)",
        "DEBUG - adding transactions from 1 blocks using Bitcoind",
        "DEBUG - Adding 1 blocks to Indexer",
        "DEBUG - indexing history from 1 blocks using Bitcoind",
        "DEBUG - updating synced tip to 00ac",
        "INFO - handle GET /blocks/tip/height",
        sizes=sizes(NOON_S, txstore=406 * GB, large_txstore=405 * GB, history=300 * GB, large_history=299 * GB),
        disk=Disk(NOON_S, 10 * GB),
    )
    assert state.phase is Phase.READY
    assert not state.conditions
    sizes_only = Story()
    for day in range(5):
        grown = 406 * GB + day * 500_000_000
        sizes_only.look(86_400, sizes=sizes(sizes_only.now_s + 86_400, txstore=grown, large_txstore=405 * GB))
    assert sizes_only.state.phase is Phase.UNKNOWN


def test_a_start_after_some_days_catches_up_and_compacts_nothing() -> None:
    story = Story()
    story.say(
        "Config { log: StdErrLog { .. } }",
        'DEBUG - opening DB at "/data/mainnet/newindex/txstore"',
        "DEBUG - 921457 blocks were added",
        "DEBUG - 921457 blocks were indexed",
        "DEBUG - 921456 headers were loaded, tip at 00ab",
    )
    state = story.say("DEBUG - adding transactions from 1000 blocks using Bitcoind", after_s=5)
    for count in range(1, 6):
        state = story.say(
            "DEBUG - Adding 100 blocks to Indexer",
            after_s=5,
            metrics=metrics(story.now_s + 5, cpu_s=float(count), tip_height=0, add_batches=count),
        )
    assert (state.phase, state.progress.done, state.progress.total) == (Phase.PASS_1, 500, 1000)
    assert state.progress.share == pytest.approx(0.5)
    assert state.sentence == (
        "electrs takes in the blocks that came while it was off (500 of 1,000 blocks): their transactions first, then "
        "their histories; no compaction follows."
    )
    assert not state.conditions
    assert {row.phase: row.status.value for row in state.rows}[Phase.COMPACTING_HISTORY] == "done_earlier"


def test_the_import_by_rpc_counts_hundreds_of_blocks() -> None:
    story = Story()
    story.say("DEBUG - adding transactions from 200 blocks using Bitcoind", block_files=BlockFiles(NOON_S, 4900))
    state = story.look(5, metrics=metrics(story.now_s + 5, cpu_s=1.0, tip_height=0, add_batches=1))
    assert (state.progress.done, state.progress.total, state.progress.unit) == (100, 200, "blocks")


def test_a_log_of_rocksdb_that_is_empty_says_nothing() -> None:
    state = Story().look(rocksdb=RocksLogs(NOON_S, {Db.TXSTORE: RocksLog()}, {}))
    assert state.phase is Phase.UNKNOWN
    assert parse_line("") is None
