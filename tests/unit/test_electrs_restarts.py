"""Restarts of electrs, and restarts of the console: what begins anew, and what is remembered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.electrs_story import (
    GB,
    NOON_S,
    BlockFiles,
    Db,
    Evidence,
    LogNews,
    Phase,
    Process,
    Rest,
    RocksLogs,
    Status,
    Story,
    Trouble,
    compaction_started,
    lines,
    metrics,
    running,
    sizes,
    step,
    tables_written,
)
from tests.support.electrs_sync import Sync
from utxoracle_tui.engine.electrs.evidence import Source
from utxoracle_tui.engine.electrs.milestones import Milestones, as_document, from_document
from utxoracle_tui.engine.electrs.state import State

FILES = 100


def add(story: Story, first: int, last: int, after_s: float = 30.0, **more: object) -> None:
    """Files of the first pass, one after the other."""
    for count in range(first, last + 1):
        now_s = story.now_s + after_s
        page = metrics(
            now_s, cpu_s=1000.0 + now_s - NOON_S if last > 50 else float(count), add_batches=count, tip_height=0
        )
        story.look(after_s, metrics=page, block_files=BlockFiles(now_s, FILES), **more)


def test_a_console_that_is_restarted_knows_since_when() -> None:
    story = Story()
    story.say("DEBUG - adding transactions from 921457 blocks using BlkFiles")
    began_s = story.now_s
    add(story, 1, 60)
    before = story.state
    story.restart_console()
    story.now_s += 600
    add(story, 80, 81)
    state = story.state
    assert (state.phase, state.since_s, state.run) == (Phase.PASS_1, began_s, 1)
    assert state.progress.share == pytest.approx(0.81)
    assert before.progress.eta is not None
    assert state.progress.eta is not None, "what was measured before the restart counts"
    row = next(row for row in state.rows if row.phase is Phase.PASS_1)
    assert row.elapsed_s == pytest.approx(story.now_s - began_s)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_compaction_that_began_before_the_console_has_its_true_start_and_pace(part: float) -> None:
    """The log of RocksDB tells when it began and what it has written: the time left is known after a minute."""
    began_s, total_s = NOON_S - 5400 * part, 5400.0
    log = compaction_started(Db.TXSTORE, began_s, 400 * GB)
    log = tables_written(log, [GB] * int(400 * part))
    story = Story()
    for number in range(14):
        now_s = story.now_s + 10
        written = 400 * GB * (now_s - began_s) / total_s
        while log.compaction is not None and log.compaction.written_bytes + GB <= written:
            log = tables_written(log, [GB], first=5000 + log.compaction.last_table)
        story.look(10, rocksdb=RocksLogs(now_s, {Db.TXSTORE: log}, {Db.TXSTORE: now_s}))
        assert story.state.since_s == began_s, number
    eta = story.state.progress.eta
    assert eta is not None
    assert eta.mid_s == pytest.approx(total_s - (story.now_s - began_s), rel=0.1)


def test_one_restart_is_one_whatever_speaks_of_it_and_when() -> None:
    story = Story()
    story.look(process=running(NOON_S, NOON_S - 9000))
    add(story, 50, 60)
    assert story.state.run == 1
    # counters fall back first, the container's start comes next, then the log, then the databases are opened
    began_s = story.now_s + 5
    story.look(10, metrics=metrics(story.now_s + 10, cpu_s=0.1))
    story.look(5, process=running(story.now_s + 5, began_s))
    story.look(5, log=lines("Config { log: StdErrLog { .. } }", at_s=began_s + 1))
    story.look(5, log=lines('DEBUG - opening DB at "/d/newindex/txstore"', at_s=story.now_s + 5))
    assert story.state.run == 2
    assert story.state.milestones.run.started_at_s == began_s
    assert story.state.phase is Phase.OPENING
    # a late look at the old container changes nothing
    story.look(5, process=running(story.now_s + 5, began_s), metrics=metrics(story.now_s + 5, cpu_s=0.2))
    assert story.state.run == 2


def test_a_resumed_pass_begins_anew_and_says_so() -> None:
    story = Story()
    story.look(process=running(NOON_S, NOON_S - 60))
    story.say("DEBUG - adding transactions from 921457 blocks using BlkFiles")
    add(story, 1, 60)
    whole = story.state.whole_share
    assert whole == pytest.approx(0.25 * 0.6)
    story.look(30, process=Process(story.now_s + 30, Status.EXITED, NOON_S - 60, exit_code=137))
    assert story.state.phase is Phase.STOPPED
    assert story.state.whole_share == whole
    began_s = story.now_s + 60
    story.look(60, process=running(began_s, began_s))
    assert (story.state.phase, story.state.run) == (Phase.STARTING, 2)
    story.say("DEBUG - adding transactions from 400000 blocks using BlkFiles", after_s=30)
    # files that were there already take 2 s, new ones half a minute as before
    for count in range(1, 41):
        now_s = story.now_s + 2
        story.look(2, metrics=metrics(now_s, cpu_s=float(count), add_batches=count, tip_height=0))
    state = story.state
    assert (state.phase, state.progress.share) == (Phase.PASS_1, pytest.approx(0.4))
    assert state.sentence.startswith("Resumed after a restart, electrs reads all block files again for the first")
    assert state.whole_share == whole
    assert state.progress.eta is not None
    assert state.progress.eta.mid_s == pytest.approx(20 * 2 + 40 * 30, rel=0.15)
    add(story, 41, 60, after_s=2)
    add(story, 61, 75, after_s=30)
    assert story.state.progress.eta is not None
    assert story.state.progress.eta.mid_s == pytest.approx(25 * 30, rel=0.15)
    assert story.state.whole_share == pytest.approx(0.25 * 0.75)
    row = next(row for row in story.state.rows if row.phase is Phase.PASS_1)
    assert row.earlier_s == pytest.approx(60 * 30 + 30, abs=1)


def test_a_compaction_that_was_killed_begins_from_zero() -> None:
    story = Story()
    story.look(process=running(NOON_S, NOON_S - 9000))
    log = tables_written(compaction_started(Db.TXSTORE, NOON_S, 400 * GB), [GB] * 300)
    story.look(60, rocksdb=RocksLogs(story.now_s + 60, {Db.TXSTORE: log}, {Db.TXSTORE: story.now_s + 60}))
    assert story.state.progress.share == pytest.approx(0.75)
    began_s = story.now_s + 60
    story.look(60, process=running(began_s, began_s), rocksdb=RocksLogs(began_s, {Db.TXSTORE: log}, {}))
    assert (story.state.run, story.state.phase) == (2, Phase.STARTING)
    again = compaction_started(Db.TXSTORE, began_s + 600, 400 * GB)
    story.look(700, rocksdb=RocksLogs(story.now_s + 700, {Db.TXSTORE: again}, {Db.TXSTORE: story.now_s + 700}))
    state = story.state
    assert (state.phase, state.progress.share) == (Phase.COMPACTING_TXSTORE, 0.0)
    row = next(row for row in state.rows if row.phase is Phase.COMPACTING_TXSTORE)
    assert row.earlier_s > 0


def test_a_kill_as_a_real_rocksdb_lived_through_it() -> None:
    """Partial outputs are gone when the database is opened again: by size, too, the compaction begins from zero."""
    path = Path(__file__).parents[1] / "fixtures" / "recorded" / "rocksdb" / "kill_during_compaction.json"
    rows = {moment: size for moment, _, size in json.loads(path.read_text(encoding="utf-8"))["rows"]}
    line = 'DEBUG - starting full compaction on RocksDB { path: "/d/txstore" }'
    story = Story()
    story.look(process=running(NOON_S, NOON_S - 9000), sizes=sizes(NOON_S, txstore=rows["compaction begins"]))
    story.say(line, after_s=1)
    for moment in ("1.6 s into compaction", "after SIGKILL"):
        state = story.look(2, sizes=sizes(story.now_s + 2, txstore=rows[moment]))
        assert state.progress.share == pytest.approx((1_445_231_854 - 1_000_791_414) / 1_000_791_414)
    began_s = story.now_s + 30
    reopened = sizes(began_s, txstore=rows["reopened (before 2nd compaction)"])
    story.look(30, process=running(began_s, began_s), sizes=reopened)
    state = story.say(line, after_s=60, sizes=sizes(story.now_s + 60, txstore=rows["reopened (before 2nd compaction)"]))
    assert (state.run, state.phase, state.progress.share) == (2, Phase.COMPACTING_TXSTORE, 0.0)


def test_another_index_begins_with_nothing() -> None:
    story = Story()
    story.look(process=running(NOON_S, NOON_S - 60), rest=Rest(NOON_S, 921_456))
    assert story.state.whole_share == 1.0
    began_s = story.now_s + 600
    story.look(600, process=running(began_s, began_s))
    story.say('DEBUG - opening DB at "/d/newindex/txstore"', "DEBUG - 0 blocks were added", after_s=10)
    assert story.state.whole_share == 0.0
    story.say("DEBUG - adding transactions from 921457 blocks using BlkFiles", after_s=60)
    assert [row.status.value for row in story.state.rows][5:] == ["to_come"] * 5
    assert "first of two passes" in story.state.sentence


def test_another_index_is_seen_by_its_size_as_well() -> None:
    story = Story()
    story.look(process=running(NOON_S, NOON_S - 60), rest=Rest(NOON_S, 921_456))
    began_s = story.now_s + 600
    story.look(600, process=running(began_s, began_s), sizes=sizes(began_s))
    page = metrics(story.now_s + 10, cpu_s=0.5, tip_height=0)
    story.look(10, metrics=page, sizes=sizes(story.now_s + 10))
    assert story.state.whole_share == 0.0


def test_milestones_survive_a_way_through_json() -> None:
    state = State()
    for number, (evidence, _, _) in enumerate(Sync(step_s=240).course()):
        state = step(state, evidence)
        if number % 30 == 0:
            document = json.loads(json.dumps(as_document(state.milestones)))
            again = from_document(document)
            assert again is not None
            assert as_document(again) == document
            assert again.run == state.milestones.run
            assert dict(again.marks) == dict(state.milestones.marks)
            assert len(json.dumps(document)) < 10_000


@pytest.mark.parametrize(
    "document",
    [
        None,
        5,
        [],
        {},
        {"version": 1},
        {"version": 2},
        {**as_document(Milestones()), "run": None},
        {**as_document(Milestones()), "whole_share": "much"},
        {**as_document(Milestones()), "marks": {"nowhere": {}}},
        {**as_document(Milestones()), "whole_share": float("nan")},
        {**as_document(Milestones()), "series": {"bytes by log": [[1]]}},
        {**as_document(Milestones()), "series": {"bytes by log": []}},
        {**as_document(Milestones()), "series": [[1, 2]]},
        {**as_document(Milestones()), "run": {**as_document(Milestones())["run"], "reached": "nowhere"}},
    ],
)
def test_a_damaged_document_is_none(document: object) -> None:
    assert from_document(document) is None


def test_readings_of_the_past_change_nothing() -> None:
    story = Story()
    add(story, 1, 30)
    before = story.state
    old_s = story.now_s - 300
    late = step(before, Evidence(old_s, metrics=metrics(old_s, cpu_s=999.0, add_batches=29, tip_height=0)))
    assert (late.phase, late.progress.share, late.at_s) == (before.phase, before.progress.share, before.at_s)


def test_a_crash_while_nobody_looked_is_seen_by_the_counts() -> None:
    """The console was off while electrs was restarted: the counts that it kept are higher than those of now."""
    story = Story()
    add(story, 1, 60)
    story.restart_console()
    story.now_s += 7200
    add(story, 5, 6)
    assert story.state.run == 2
    assert story.state.progress.share == pytest.approx(0.06)
    assert story.state.sentence.startswith("Resumed after a restart")


def test_troubles_are_told_until_they_are_over() -> None:
    story = Story()
    trouble = Trouble(Source.SIZES, NOON_S, "The index folder /data can't be read: permission denied.")
    story.look(troubles=(trouble,))
    assert story.state.missing == (trouble.sentence,)
    story.look(10, sizes=sizes(story.now_s + 10, txstore=GB))
    assert story.state.missing == ()


EARLY = ("Config { log: StdErrLog { .. } }", 'DEBUG - opening DB at "/data/mainnet/newindex/txstore"')


def untimed(read_at_s: float) -> LogNews:
    """Lines of a file, from before the console looked."""
    return replace(lines(*EARLY, at_s=None, history=True, gap=True), at_s=read_at_s)


@pytest.mark.parametrize(
    "news",
    [
        untimed(NOON_S + 4),
        lines(*EARLY, at_s=NOON_S + 4, history=True, gap=True),
        lines(*EARLY, at_s=NOON_S + 6),
    ],
    ids=["of a file", "of a container", "new in a file"],
)
def test_a_log_that_comes_late_is_no_restart(news: LogNews) -> None:
    """Its lines were written before the metrics told of more; they are delivered after that."""
    story = Story()
    story.look(5, metrics=metrics(NOON_S + 5, cpu_s=1.0, tip_height=0, calls={"getblockheader": (5000, 1.0)}))
    assert story.state.phase is Phase.HEADERS
    state = story.look(5, log=news)
    assert (state.phase, state.run) == (Phase.HEADERS, 1)


def test_a_log_that_shows_less_than_was_known_long_before_is_of_another_process() -> None:
    story = Story()
    story.look(5, metrics=metrics(NOON_S + 5, cpu_s=1.0, tip_height=0, calls={"getblockheader": (5000, 1.0)}))
    story.restart_console()
    state = story.look(600, log=untimed(NOON_S + 605))
    assert (state.phase, state.run) == (Phase.OPENING, 2)
