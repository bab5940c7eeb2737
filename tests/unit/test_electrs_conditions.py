"""What lies over a phase: when it is said, when it is not said, and in which words."""

from __future__ import annotations

import pytest

from tests.support.electrs_story import (
    GB,
    NOON_S,
    BlockFiles,
    ConditionKind,
    Db,
    DbSize,
    Disk,
    LogNews,
    Node,
    Phase,
    Process,
    Rest,
    RocksLogs,
    Sizes,
    Status,
    Story,
    Trouble,
    compaction_started,
    metrics,
    running,
    sizes,
    tables_written,
)
from utxoracle_tui.engine.electrs.evidence import NodeTrouble, Source
from utxoracle_tui.engine.electrs.phases import STUCK_AFTER_S, Severity

TIP = 921_456
BEGINS = {
    Phase.PASS_1: "DEBUG - adding transactions from 921457 blocks using BlkFiles",
    Phase.COMPACTING_TXSTORE: 'DEBUG - starting full compaction on RocksDB { path: "/d/txstore" }',
    Phase.PASS_2: "DEBUG - indexing history from 921457 blocks using BlkFiles",
    Phase.COMPACTING_HISTORY: 'DEBUG - starting full compaction on RocksDB { path: "/d/history" }',
    Phase.LOADING_MEMPOOL: "DEBUG - flushing to disk",
}


def freeze(story: Story, seconds: float, **more: object) -> None:
    """All can be seen, and nothing moves."""
    for _ in range(int(seconds / 30)):
        now_s = story.now_s + 30
        story.look(
            30,
            metrics=metrics(now_s, cpu_s=5.0, add_batches=7, tip_height=0),
            sizes=sizes(now_s, txstore=9 * GB),
            rocksdb=RocksLogs(now_s, {}, {Db.TXSTORE: NOON_S}),
            **more,
        )


@pytest.mark.parametrize("phase", list(BEGINS))
def test_stuck_is_when_nothing_at_all_moves(phase: Phase) -> None:
    story = Story()
    story.say(BEGINS[phase])
    freeze(story, 30)
    freeze(story, STUCK_AFTER_S[phase] - 30)
    assert story.state.phase is phase
    assert not story.conditions()
    freeze(story, 60)
    minutes = f"{int((STUCK_AFTER_S[phase] + 30) // 60)} min"
    assert story.conditions()[ConditionKind.STUCK].startswith(f"Nothing has moved for {minutes}")
    assert story.state.conditions[0].severity is Severity.ALERT
    assert "Don't delete the index." in story.state.conditions[0].advice


def test_a_stuck_process_that_waits_for_the_disk_is_named_so() -> None:
    story = Story()
    story.say(BEGINS[Phase.PASS_1])
    asleep = {"in_disk_sleep": True, "cpu_s": 4.0, "command": "docker restart mempool-electrs"}
    for _ in range(25):
        freeze(story, 30, process=running(story.now_s + 30, NOON_S - 9000, **asleep))
    assert story.conditions()[ConditionKind.STUCK] == (
        "Nothing has moved for 12 min 00 s: no count, no file, no CPU time, no log of RocksDB; its process waits for "
        "the disk (state D)."
    )
    assert story.state.conditions[0].advice == (
        "Look at disk and kernel log (dmesg) first; then restart it (docker restart mempool-electrs), which costs a "
        "running compaction and nothing else. Don't delete the index."
    )


def test_stuck_ends_with_the_first_sign_of_life() -> None:
    story = Story()
    story.say(BEGINS[Phase.PASS_1])
    freeze(story, 900)
    assert ConditionKind.STUCK in story.conditions()
    story.look(5, metrics=metrics(story.now_s + 5, cpu_s=5.01, add_batches=7, tip_height=0))
    assert not story.conditions()
    assert story.state.life[0].name == "CPU time"
    assert story.state.life[0].ago_s == 0.0


def test_a_silent_log_alone_is_never_stuck() -> None:
    story = Story()
    story.say(BEGINS[Phase.COMPACTING_TXSTORE])
    for _ in range(300):
        story.look(60, log=LogNews(story.now_s + 60), sizes=sizes(story.now_s + 60, txstore=9 * GB))
    assert story.state.phase is Phase.COMPACTING_TXSTORE
    assert ConditionKind.STUCK not in story.conditions()


def test_a_console_that_slept_has_seen_nothing_stand_still() -> None:
    story = Story()
    story.say(BEGINS[Phase.PASS_1])
    freeze(story, 60)
    story.now_s += 8 * 3600
    freeze(story, 300)
    assert not story.conditions()


def test_alive_without_finishing_anything() -> None:
    """CPU time goes on, and nothing is counted for more than an hour: remarked on, not called stuck."""
    story = Story()
    story.say(BEGINS[Phase.PASS_1])
    for _ in range(125):
        now_s = story.now_s + 30
        story.look(30, metrics=metrics(now_s, cpu_s=now_s / 1000, add_batches=7, tip_height=0))
    assert story.conditions() == {
        ConditionKind.IDLE: "electrs lives, but has finished nothing that can be counted for 1 h 02 min."
    }
    assert story.state.conditions[0].severity is Severity.WARNING


def test_a_paused_container() -> None:
    story = Story()
    story.say(BEGINS[Phase.PASS_1])
    for _ in range(40):
        freeze(story, 30, process=Process(story.now_s + 30, Status.PAUSED, NOON_S - 9000, cpu_s=4.0))
    assert story.state.phase is Phase.PASS_1
    assert set(story.conditions()) == {ConditionKind.PAUSED}


def ready(story: Story, height: int, tip: int, after_s: float = 30.0, **more: object) -> None:
    now_s = story.now_s + after_s
    story.look(after_s, rest=Rest(now_s, height), node=Node(now_s, tip, tip), **more)


def test_a_tip_that_is_followed_late() -> None:
    story = Story()
    ready(story, TIP, TIP + 1)
    ready(story, TIP, TIP + 2)
    assert not story.conditions()
    for _ in range(6):
        ready(story, TIP, TIP + 4)
    assert story.state.phase is Phase.READY
    assert story.conditions() == {ConditionKind.LAGGING: "electrs is 4 blocks behind the node."}
    ready(story, TIP + 3, TIP + 4)
    assert not story.conditions()


def test_a_main_loop_that_hangs_while_rest_answers() -> None:
    story = Story()
    ready(story, TIP, TIP)
    for number in range(30):
        handled = LogNews(story.now_s + 30)
        ready(story, TIP, TIP + 1 + number // 20, log=handled)
    assert story.conditions()[ConditionKind.MAIN_LOOP_HUNG] == (
        "electrs answers, but has stayed at height 921,456 while the node went on to 921,458: its main loop hangs."
    )
    assert story.state.conditions[0].advice == "Restart it; the index is intact. Don't delete the index."
    ready(story, TIP + 2, TIP + 2)
    assert not story.conditions()


def test_a_main_loop_that_works_on_many_blocks_does_not_hang() -> None:
    story = Story()
    ready(story, TIP, TIP + 500)
    for number in range(60):
        ready(story, TIP, TIP + 500)
        story.say(
            "DEBUG - Adding 100 blocks to Indexer" if number % 10 == 0 else "INFO - handle GET /blocks/tip/height"
        )
    assert set(story.conditions()) == {ConditionKind.LAGGING}


def test_rest_that_falls_silent() -> None:
    story = Story()
    ready(story, TIP, TIP)
    story.look(60, node=Node(story.now_s + 60, TIP, TIP), troubles=(Trouble(Source.REST, story.now_s + 60, "Silent."),))
    assert story.state.phase is Phase.READY
    assert set(story.conditions()) == {ConditionKind.REST_SILENT}


def test_precaching_is_done_beside_answering() -> None:
    story = Story()
    ready(story, TIP, TIP)
    story.say("INFO - 500/20000 Processed in 1234 ms running pre-cache for scripthash", after_s=5)
    assert story.conditions() == {
        ConditionKind.PRECACHING: "In the background electrs caches 20,000 scripts (500 done)."
    }
    assert not story.state.warnings


@pytest.mark.parametrize(
    ("line", "kind", "sentence"),
    [
        (
            "WARN - failed to connect daemon at 127.0.0.1:8332: Connection refused (os error 111)",
            ConditionKind.BITCOIND_DOWN,
            "electrs doesn't reach Bitcoin Core.",
        ),
        (
            'WARN - reconnecting to bitcoind: failed to read cookie from "/bitcoin/.cookie"',
            ConditionKind.BITCOIND_AUTH,
            "Bitcoin Core doesn't accept electrs's cookie, or electrs can't read it.",
        ),
        (
            "WARN - reconnecting to bitcoind: no reply from daemon",
            ConditionKind.BITCOIND_AUTH,
            "Bitcoin Core doesn't accept electrs's cookie, or electrs can't read it.",
        ),
        (
            'WARN - reconnecting to bitcoind: {"code":-28,"message":"Verifying blocks…"}',
            ConditionKind.BITCOIND_WARMING,
            "Bitcoin Core is starting: Verifying blocks.",
        ),
        (
            "WARN - waiting for bitcoind sync and mempool load to finish: 920000/921456 blocks, verification",
            ConditionKind.BITCOIND_SYNCING,
            "Bitcoin Core itself is still catching up: 920,000 of 921,456 blocks.",
        ),
        (
            "WARN - waiting for bitcoind sync and mempool load to finish: 921456/921456 blocks, verification",
            ConditionKind.BITCOIND_SYNCING,
            "Bitcoin Core has caught up and loads its mempool.",
        ),
    ],
)
def test_what_electrs_waits_for(line: str, kind: ConditionKind, sentence: str) -> None:
    story = Story()
    story.say(line)
    assert story.state.phase is Phase.WAITING
    assert story.conditions() == {kind: sentence}
    story.say('DEBUG - opening DB at "/data/mainnet/newindex/txstore"', after_s=5)
    assert not story.conditions()


def test_what_the_console_itself_knows_of_the_node() -> None:
    story = Story()
    page = metrics(NOON_S, cpu_s=1.0, calls={"getmempoolinfo": (5, 0.01)})
    story.look(metrics=page, node=Node(NOON_S, 800_000, TIP, in_ibd=True))
    assert story.conditions() == {
        ConditionKind.BITCOIND_SYNCING: "Bitcoin Core itself is still catching up: 800,000 of 921,456 blocks."
    }
    story.look(5, node=Node(story.now_s + 5, trouble=NodeTrouble.WARMING, words="Loading block index…"))
    assert story.conditions() == {ConditionKind.BITCOIND_WARMING: "Bitcoin Core is starting: Loading block index."}
    story.look(5, node=Node(story.now_s + 5, trouble=NodeTrouble.DOWN))
    assert set(story.conditions()) == {ConditionKind.BITCOIND_DOWN}


def test_a_loop_of_crashes() -> None:
    story = Story()
    for number in range(4):
        began_s = story.now_s + 30
        story.look(30, process=running(began_s, began_s - 1))
        story.say(
            "thread 'main' panicked at src/x.rs:1:1:", "failed to index 921457 blocks from blk*.dat files", after_s=5
        )
        story.look(1, process=Process(story.now_s + 1, Status.RESTARTING, began_s - 1, exit_code=134, restarts=number))
    assert story.state.phase is Phase.FAILED
    assert story.conditions() == {
        ConditionKind.CRASH_LOOP: "electrs was restarted 3 times in a short while (“failed to index 921457 blocks from "
        "blk*.dat files”)."
    }
    assert "obfuscated" in story.state.advice
    # the next process of the loop is no recovery yet
    began_s = story.now_s + 10
    story.look(10, process=running(began_s, began_s - 1))
    assert story.state.phase is Phase.FAILED
    for _ in range(40):
        story.look(30, process=running(story.now_s + 30, began_s - 1), metrics=metrics(story.now_s + 30, cpu_s=1.0))
    assert story.state.phase is Phase.WAITING
    assert not story.conditions()


def test_a_disk_that_will_not_do_is_told_of_before_the_compaction() -> None:
    """At a tenth of the first pass: 40 GB of 400 GB are there, 360 GB and then 400 GB for the compaction will come."""
    story = Story()
    story.say(BEGINS[Phase.PASS_1])

    def look(free: int, add: int = 10, **more: object) -> None:
        now_s = story.now_s + 10
        story.look(
            10,
            metrics=metrics(now_s, cpu_s=now_s, add_batches=add, tip_height=0),
            block_files=BlockFiles(now_s, 100),
            sizes=sizes(now_s, txstore=add * 4 * GB),
            disk=Disk(now_s, free),
            **more,
        )

    look(800 * GB)
    assert not story.conditions()
    look(700 * GB)
    assert story.conditions() == {
        ConditionKind.DISK_SHORT: "The coming compaction of the transactions database will need 760 GB from now on, "
        "and 700 GB are free: the disk won't do."
    }
    assert story.state.phase is Phase.PASS_1
    assert story.state.conditions[0].advice.startswith("Make room before it begins")
    look(770 * GB)
    assert story.conditions()
    look(900 * GB)
    assert not story.conditions()


def test_what_is_needed_at_least_is_known_without_a_share() -> None:
    story = Story()
    story.say(BEGINS[Phase.PASS_1])
    story.look(5, sizes=sizes(story.now_s + 5, txstore=300 * GB), disk=Disk(story.now_s + 5, 100 * GB))
    assert story.conditions() == {
        ConditionKind.DISK_SHORT: "The coming compaction of the transactions database will need at least 300 GB from "
        "now on, and 100 GB are free: the disk won't do."
    }


def test_the_running_compaction_needs_what_it_has_not_written_yet() -> None:
    story = Story()
    log = tables_written(compaction_started(Db.TXSTORE, NOON_S, 406 * GB), [GB] * 306)

    def look(free: int) -> None:
        now_s = story.now_s + 10
        story.look(
            10,
            rocksdb=RocksLogs(now_s, {Db.TXSTORE: log}, {Db.TXSTORE: now_s}),
            disk=Disk(now_s, free),
            sizes=sizes(now_s, txstore=712 * GB, large_txstore=306 * GB),
        )

    look(120 * GB)
    assert not story.conditions()
    look(60 * GB)
    assert story.conditions() == {
        ConditionKind.DISK_SHORT: "The compaction of the transactions database still needs 100 GB, and 60.0 GB are "
        "free: the disk won't do."
    }


def test_a_file_system_that_compresses_needs_less() -> None:
    story = Story()
    story.say(BEGINS[Phase.PASS_1])
    halved = Sizes(NOON_S, {Db.TXSTORE: DbSize(300 * GB, 150 * GB)})
    story.look(sizes=halved, disk=Disk(NOON_S, 160 * GB))
    assert not story.conditions()
    story.look(sizes=halved, disk=Disk(NOON_S, 140 * GB))
    assert set(story.conditions()) == {ConditionKind.DISK_SHORT}


def test_after_the_first_compaction_it_is_the_second_that_counts() -> None:
    story = Story()
    story.say(BEGINS[Phase.PASS_2])

    def look(free: int) -> None:
        now_s = story.now_s + 10
        story.look(
            10,
            metrics=metrics(now_s, cpu_s=now_s, index_batches=50, tip_height=0),
            block_files=BlockFiles(now_s, 100),
            sizes=sizes(now_s, txstore=406 * GB, large_txstore=406 * GB, history=150 * GB),
            disk=Disk(now_s, free),
        )

    look(460 * GB)
    assert not story.conditions()
    look(440 * GB)
    assert "history database will need 450 GB" in story.conditions()[ConditionKind.DISK_SHORT]
    now_s = story.now_s + 10
    story.look(10, rest=Rest(now_s, TIP), disk=Disk(now_s, GB))
    assert ConditionKind.DISK_SHORT not in story.conditions()


def test_an_electrs_that_died_of_a_full_disk_is_remembered_until_room_is_no_matter() -> None:
    story = Story()
    story.look(process=running(NOON_S, NOON_S - 600))
    story.say(BEGINS[Phase.COMPACTING_TXSTORE], after_s=5)
    story.say(
        "thread 'main' panicked at src/new_index/db.rs:240:36: called `Result::unwrap()` on an `Err` value: Error { "
        'message: "IO error: No space left on device: While appending to file: /d/000123.sst" }',
        after_s=60,
    )
    assert ConditionKind.SPACE_RAN_OUT not in story.conditions()
    story.look(10, process=running(story.now_s + 10, story.now_s + 8))
    story.say("Config { log: StdErrLog { .. } }", BEGINS[Phase.PASS_1], after_s=5)
    assert story.conditions()[ConditionKind.SPACE_RAN_OUT] == (
        "The electrs before this one ended because the disk was full."
    )
    assert not story.state.reindex_advised
    story.say(BEGINS[Phase.COMPACTING_HISTORY], after_s=60)
    assert ConditionKind.SPACE_RAN_OUT in story.conditions()
    story.say(BEGINS[Phase.LOADING_MEMPOOL], after_s=60)
    assert ConditionKind.SPACE_RAN_OUT not in story.conditions()
