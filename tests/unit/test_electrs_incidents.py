"""The incidents of a deployment that deleted an index which was nearly done, told again: what is said at each step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.electrs_story import (
    GB,
    NOON_S,
    BlockFiles,
    ConditionKind,
    Db,
    Disk,
    Node,
    Phase,
    RocksLogs,
    Story,
    compaction_started,
    metrics,
    running,
    sizes,
    tables_written,
)
from utxoracle_tui.engine.electrs import phases
from utxoracle_tui.engine.electrs.phases import Severity, Status

FILES = 4_900
TIP = 921_456
RESUME_PASS_1 = (
    "Resumed after a restart, electrs reads all block files again for the first of two passes ({} of 4,900 block "
    "files): files with nothing new are logged as “Adding 0 blocks”, and the second pass and the last compaction "
    "follow."
)
RESUME_ADVICE = (
    "Leave it alone: this is no corruption and no loop, and nothing that was indexed is lost; don't delete the index."
)


def opened(story: Story) -> None:
    """The resume of the incident: 916,307 blocks were indexed, 921,456 are said to be left."""
    story.look(process=running(NOON_S, NOON_S - 2), block_files=BlockFiles(NOON_S, FILES))
    story.say(
        "Config { log: StdErrLog { .. } }",
        'DEBUG - opening DB at "/data/mainnet/newindex/txstore"',
        "DEBUG - 921457 blocks were added",
        'DEBUG - opening DB at "/data/mainnet/newindex/history"',
        "DEBUG - 916307 blocks were indexed",
        'DEBUG - opening DB at "/data/mainnet/newindex/cache"',
        after_s=5,
    )


def test_a_resume_that_looks_like_an_endless_loop() -> None:
    story = Story()
    opened(story)
    assert story.state.phase is Phase.OPENING
    state = story.say(
        "DEBUG - downloading all block headers up to 00000000000000000000c1",
        "INFO - hash=00000000000000000000c1 height=921456 @ 2025-10-30T11:45:12Z (921456 left to index)",
        after_s=60,
    )
    assert (state.phase, state.sentence) == (
        Phase.HEADERS,
        "electrs fetches all block headers from Bitcoin Core; “left to index” in its log is the length of the chain, "
        "not what is left to do.",
    )
    assert story.conditions()[ConditionKind.RESUMING] == (
        "This is a resume of an unfinished first sync: 921,457 blocks were stored and 916,307 were indexed before it."
    )

    story.say("DEBUG - adding transactions from 0 blocks using BlkFiles", after_s=60)
    started_s = story.now_s
    for count in range(4, 3001, 4):
        state = story.say(
            *["DEBUG - Adding 0 blocks to Indexer"] * 4,
            after_s=8,
            metrics=metrics(story.now_s + 8, add_batches=count, cpu_s=float(count), tip_height=0),
        )
        assert state.phase is Phase.PASS_1
        assert state.progress.share == pytest.approx(count / FILES)
        assert not state.reindex_advised
        assert {condition.severity for condition in state.conditions} == {Severity.INFO}
    assert state.sentence == RESUME_PASS_1.format("3,000")
    assert state.advice == RESUME_ADVICE
    assert state.progress.eta is not None
    assert state.progress.eta.mid_s == pytest.approx((FILES - 3000) * 2, rel=0.05)
    assert state.since_s == started_s
    # what earlier processes had done counts: both passes but 0.6 % of the second, and the first compaction
    assert state.whole_share == pytest.approx(0.25 + 0.15 + 0.45 * 916_307 / TIP)
    states = {row.phase: row.status for row in state.rows}
    assert states[Phase.COMPACTING_TXSTORE] is Status.DONE_EARLIER
    assert states[Phase.PASS_2] is Status.TO_COME
    assert states[Phase.COMPACTING_HISTORY] is Status.TO_COME

    state = story.say(
        "DEBUG - indexing history from 5150 blocks using BlkFiles",
        "DEBUG - Indexing 0 blocks with Indexer",
        after_s=2,
        metrics=metrics(story.now_s + 2, add_batches=FILES, index_batches=1, lookups=1, cpu_s=9000.0, tip_height=0),
    )
    assert (state.phase, state.progress.share) == (Phase.PASS_2, pytest.approx(1 / FILES))
    assert state.sentence == (
        "Resumed after a restart, electrs reads all block files again for the second of two passes (1 of 4,900 block "
        "files): files with nothing new are logged as “Indexing 0 blocks”, and one more compaction follows."
    )
    assert state.whole_share == pytest.approx(0.25 + 0.15 + 0.45 * 916_307 / TIP)


def test_heights_out_of_order_and_a_silent_compaction() -> None:
    """490000, 510000, 500000; then two hours without a line, in which txstore goes from 406 GB to 812 GB."""
    story = Story()
    story.look(process=running(NOON_S, NOON_S - 36_000), node=Node(NOON_S, TIP, TIP))
    story.say("DEBUG - adding transactions from 921457 blocks using BlkFiles", after_s=5)
    shares, told = [], []
    for height in (490_000, 510_000, 500_000):
        state = story.say(
            f"INFO - Tx indexing is up to height={height}",
            after_s=60,
            node=Node(story.now_s + 60, TIP, TIP),
            sizes=sizes(story.now_s + 60, txstore=406 * GB),
            disk=Disk(story.now_s + 60, 900 * GB),
        )
        shares.append(state.progress.share)
        told.append(state.progress.done)
    assert state.phase is Phase.PASS_1
    assert shares[0] is not None
    assert shares[1] == shares[2] > shares[0]
    assert told == [490_000, 510_000, 510_000]
    assert state.sentence == (
        "electrs stores all transactions, the first of two passes over the block files (510,000 of 921,456 blocks); a "
        "compaction, the second pass and a second compaction follow."
    )

    story.say('DEBUG - starting full compaction on RocksDB { path: "/data/mainnet/newindex/txstore" }', after_s=60)
    began_s = story.now_s
    log = compaction_started(Db.TXSTORE, began_s, 406 * GB)
    state = story.look(rocksdb=RocksLogs(began_s, {Db.TXSTORE: log}, {Db.TXSTORE: began_s}))
    assert (state.phase, state.progress.share) == (Phase.COMPACTING_TXSTORE, 0.0)
    sentence = (
        "electrs sorts its transactions database of 406 GB in one go, the first of two compactions: it logs nothing "
        "meanwhile and takes up to twice the space until it ends; the second pass and a second compaction follow."
    )
    assert state.sentence == sentence
    assert state.advice == (
        "Leave it alone, for hours if need be: a restart would begin this compaction from zero; don't delete the index."
    )
    minutes = 120
    for minute in range(1, minutes):
        written = 406 * GB * minute // minutes
        log = tables_written(log, [406 * GB // minutes], first=1000 + minute)
        now_s = began_s + 60 * minute
        state = story.look(
            60,
            rocksdb=RocksLogs(now_s, {Db.TXSTORE: log}, {Db.TXSTORE: now_s}),
            sizes=sizes(now_s, txstore=406 * GB + written, large_txstore=written),
            disk=Disk(now_s, 900 * GB - written),
            node=Node(now_s, TIP, TIP),
        )
        assert state.phase is Phase.COMPACTING_TXSTORE
        assert state.sentence == sentence
        assert state.progress.share == pytest.approx(minute / minutes, abs=1e-6)
        assert not state.conditions, minute
        if minute >= 10:
            assert state.progress.eta is not None
            assert state.progress.eta.mid_s == pytest.approx((minutes - minute) * 60, rel=0.05)
    assert [basis.source for basis in state.progress.rests_on] == ["RocksDB LOG", "index folder"]
    assert state.progress.rests_on[0].says == "403 GB of 406 GB written"
    coming = [row.phase for row in state.rows if row.status is Status.TO_COME]
    assert coming == [Phase.PASS_2, Phase.COMPACTING_HISTORY, Phase.LOADING_MEMPOOL, Phase.READY]


def test_the_same_compaction_where_only_the_folder_can_be_seen() -> None:
    story = Story()
    for minute in range(30):
        small = 380 * GB + minute * GB
        state = story.look(60, sizes=sizes(story.now_s + 60, txstore=small))
    assert state.phase is Phase.PASS_1
    assert (state.progress.share, state.progress.done) == (None, small)
    for minute in range(1, 60):
        written = minute * 6 * GB
        state = story.look(60, sizes=sizes(story.now_s + 60, txstore=409 * GB + written, large_txstore=written))
        assert state.phase is Phase.COMPACTING_TXSTORE
        assert state.progress.share == pytest.approx(written / (409 * GB))
    assert state.progress.eta is not None
    assert state.progress.eta.mid_s == pytest.approx((409 - 59 * 6) / 6 * 60, rel=0.1)


@pytest.mark.parametrize("mean_s", [10.0, 44.0])
def test_calls_of_the_node_that_take_long(mean_s: float) -> None:
    story = Story()
    began = {"getblockhash": (100, 0.4), "getmempoolinfo": (40, 0.2)}
    story.look(metrics=metrics(NOON_S, calls=began, add_batches=100, cpu_s=10.0, tip_height=0))
    assert not story.state.conditions
    slow = {"getblockhash": (130, 0.4 + 30 * mean_s), "getmempoolinfo": (40, 0.2)}
    state = story.look(60, metrics=metrics(story.now_s + 60, calls=slow, add_batches=101, cpu_s=20.0, tip_height=0))
    assert state.phase is Phase.PASS_1
    assert story.conditions() == {
        ConditionKind.NODE_OVERLOADED: f"electrs waits {mean_s:.0f} s for an answer of Bitcoin Core on average: the "
        "node, or the disk that both share, is overloaded."
    }
    assert state.conditions[0].advice == (
        "Raise rpcworkqueue and rpcthreads of the node, and see who else keeps node and disk busy; electrs goes on, "
        "only slower."
    )
    state = story.look(600, metrics=metrics(story.now_s + 600, calls=slow, add_batches=140, cpu_s=90.0, tip_height=0))
    assert not state.conditions


def test_a_full_queue_of_the_node() -> None:
    story = Story()
    state = story.say("WARN - reconnecting to bitcoind: expected 24 bytes, got 25")
    assert story.conditions()[ConditionKind.NODE_OVERLOADED] == (
        "Bitcoin Core has more requests than it can take: the node, or the disk that both share, is overloaded."
    )
    assert state.conditions[0].severity is Severity.WARNING


def test_the_size_of_another_program_is_no_target() -> None:
    """38 GB is the index of romanz/electrs, and stands nowhere: neither as a number in the code nor in what is said."""
    folder = Path(phases.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    assert not re.search(r"\b38(?:[_,.]?0+)*\s*(?:GB|GiB|\*|<<|e9|_000)", code)
    story = Story()
    for minute, size in enumerate((5, 38, 39, 406)):
        story.look(60, sizes=sizes(story.now_s + 60, txstore=size * GB))
        assert story.state.phase is (Phase.PASS_1 if minute else Phase.UNKNOWN)
        assert story.state.progress.share is None
        assert story.state.progress.total is None
