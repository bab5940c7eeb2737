"""When the index counts as corrupt, and all that must not make it so."""

from __future__ import annotations

import pytest

from tests.support.electrs_story import (
    NOON_S,
    ConditionKind,
    Phase,
    Process,
    Rest,
    Status,
    Story,
    lines,
    metrics,
    running,
)
from utxoracle_tui.engine.electrs.phases import Severity

CORRUPT = (
    'failed to open RocksDB: Error { message: "Corruption: block checksum mismatch" }',
    'missing txo 4a5e1e4baab89f3a32518a88c31bc87f:0 in RocksDB { path: "/data/txstore" }',
    "cannot index block 000000000019d668 (missing from store)",
    "missing expected blockhash in headers map: 000000000019d668",
)
PANIC = "thread 'main' panicked at src/new_index/db.rs:97:13:"
START = "Config { log: StdErrLog { .. } }"


def crash(story: Story, line: str, after_s: float = 60.0) -> None:
    """The process says this and ends."""
    story.say(PANIC, line, after_s=after_s)
    story.look(5, process=Process(story.now_s + 5, Status.EXITED, None, exit_code=134))


def start(story: Story, after_s: float = 60.0) -> None:
    """A new process, in Docker and in the log."""
    began_s = story.now_s + after_s
    story.look(after_s, process=running(began_s, began_s - 1), log=lines(START, at_s=began_s))


@pytest.mark.parametrize("line", CORRUPT)
def test_twice_is_what_it_takes(line: str) -> None:
    story = Story()
    start(story)
    crash(story, line)
    state = story.state
    assert state.phase is Phase.FAILED
    assert state.sentence == f"electrs ended with an error (exit code 134): {line}."
    assert state.advice == (
        "Check disk and memory of the machine, and start it once more: once is no proof of a corrupt index. Don't "
        "delete the index."
    )
    assert ConditionKind.CORRUPTION_SUSPECTED in story.conditions()
    assert not state.reindex_advised

    start(story)
    assert not story.state.reindex_advised
    crash(story, line)
    state = story.state
    assert state.reindex_advised
    assert state.conditions[0].kind is ConditionKind.CORRUPTED
    assert state.conditions[0].severity is Severity.ALERT
    assert (
        state.conditions[0].advice
        == state.advice
        == ("Check disk and memory of the machine, then delete the index and let electrs build it anew (reindex).")
    )


def test_the_same_process_may_say_it_often() -> None:
    story = Story()
    start(story)
    for _ in range(5):
        story.say(PANIC, CORRUPT[1], after_s=3)
    assert not story.state.reindex_advised


def test_lines_that_come_late_are_of_the_process_that_ended() -> None:
    """A file without dates is read behind: the new process is seen before the last words of the old one."""
    story = Story()
    start(story)
    story.look(60, log=lines(PANIC, CORRUPT[0], at_s=story.now_s + 60, dated=False))
    began_s = story.now_s + 1
    story.look(2, process=running(began_s + 1, began_s))
    late_s = story.now_s + 1
    story.look(1, log=lines("thread 'index' panicked at src/x.rs:1:1:", CORRUPT[1], at_s=late_s, dated=False))
    assert story.state.run == 2
    assert not story.state.reindex_advised
    story.look(1, log=lines(START, at_s=story.now_s + 1, dated=False))
    assert not story.state.reindex_advised
    story.look(5, log=lines(PANIC, CORRUPT[0], at_s=story.now_s + 5, dated=False))
    assert story.state.reindex_advised


def test_the_log_read_again_by_a_new_console_is_no_second_time() -> None:
    story = Story()
    start(story)
    crash(story, CORRUPT[0])
    said_s = story.now_s - 5
    for dated in (True, False):
        story.restart_console()
        news = lines(START, PANIC, CORRUPT[0], at_s=said_s, history=True, gap=True, dated=dated)
        story.look(30, log=news, process=Process(story.now_s + 30, Status.EXITED, None, exit_code=134))
        assert ConditionKind.CORRUPTION_SUSPECTED in story.conditions()
        assert not story.state.reindex_advised
    # nor when it was started meanwhile, and the lines are still those of before
    began_s = story.now_s + 60
    story.restart_console()
    story.look(65, process=running(story.now_s + 65, began_s), log=lines(PANIC, CORRUPT[0], at_s=said_s, history=True))
    assert not story.state.reindex_advised


def test_two_processes_in_the_last_lines_of_a_dated_log() -> None:
    """A console that is started in the middle of a crash loop sees both at once."""
    story = Story()
    first, second = (
        lines(START, PANIC, CORRUPT[0], at_s=NOON_S - 300),
        lines(START, PANIC, CORRUPT[0], at_s=NOON_S - 100),
    )
    both = lines(at_s=NOON_S, history=True, gap=True)
    news = type(both)(NOON_S, first.events + second.events, history=True, gap=True)
    story.look(process=Process(NOON_S, Status.RESTARTING, NOON_S - 101, exit_code=134, restarts=4), log=news)
    assert story.state.reindex_advised


def test_a_process_that_gets_through_clears_the_suspicion() -> None:
    story = Story()
    start(story)
    crash(story, CORRUPT[0])
    start(story)
    state = story.look(600, rest=Rest(story.now_s + 600, 921_456))
    assert state.phase is Phase.READY
    assert not story.conditions()
    start(story)
    crash(story, CORRUPT[0])
    assert not story.state.reindex_advised


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "Incompatible database found. Please reindex.",
            "the lightmode flag isn't what it was when the index was built",
        ),
        (
            'failed to open RocksDB: Error { message: "IO error: While lock file: /data/LOCK: Resource temporarily '
            'unavailable" }',
            "another process has it open",
        ),
        (
            'called `Result::unwrap()` on an `Err` value: Error { message: "IO error: No space left on device" }',
            "the disk is full",
        ),
        ('failed to open RocksDB: Error { message: "IO error: Too many open files" }', "too many files are open"),
        ('failed to open RocksDB: Error { message: "IO error: Permission denied" }', "it lacks the right to"),
    ],
)
def test_what_keeps_an_intact_index_closed(line: str, reason: str) -> None:
    story = Story()
    for _ in range(4):
        start(story)
        crash(story, line)
    assert story.state.phase is Phase.FAILED
    assert story.conditions()[ConditionKind.UNUSABLE] == f"electrs can't open its index, which is intact: {reason}."
    assert not story.state.reindex_advised
    assert "eindex" not in story.texts()
    assert "Don't delete the index." in story.state.advice


def test_a_resume_is_not_corruption() -> None:
    story = Story()
    start(story)
    story.say("DEBUG - 916307 blocks were added", "DEBUG - 916307 blocks were indexed", after_s=5)
    for _ in range(200):
        story.say(
            "INFO - hash=00ab height=921456 @ 2025-10-30T11:45:12Z (921456 left to index)",
            "DEBUG - Adding 0 blocks to Indexer",
            after_s=3,
            metrics=metrics(story.now_s + 3, add_batches=int(story.now_s - NOON_S), cpu_s=story.now_s - NOON_S),
        )
        assert {condition.kind for condition in story.state.conditions} == {ConditionKind.RESUMING}
