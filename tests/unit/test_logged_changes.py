"""What the engine writes down: changes, and no more than these."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from utxoracle_tui.engine.stack.changes import VerdictLog
from utxoracle_tui.engine.stack.reading import ASKING, Health, Heard, Source, SourceReading, Standing, Verdict
from utxoracle_tui.store.jobs import Jobs
from utxoracle_tui.store.records import Job, JobItem, WindowKey
from utxoracle_tui.store.store import Store

SYNCED = Verdict(Health.UP, Standing.READY, "synced", "Tip 850,000.")


def of_node(verdict: Verdict) -> tuple[SourceReading[object], ...]:
    return (SourceReading(Source.NODE, Heard(), verdict),)


def test_verdicts_are_logged_when_they_change(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "utxoracle_tui")
    log = VerdictLog()
    later = Verdict(Health.UP, Standing.READY, "synced", "Tip 850,001.")
    late = Verdict(Health.LATE, Standing.DEGRADED, "late", "Nothing new.")
    down = Verdict(Health.DOWN, Standing.DOWN, "down", "It refuses connections.")
    for verdict in (ASKING, SYNCED, later, late, later, down, down, SYNCED):
        log.note(of_node(verdict))
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "Bitcoin Core: synced. Tip 850,000."),
        ("ERROR", "Bitcoin Core: down, was synced. It refuses connections."),
        ("INFO", "Bitcoin Core: synced, was down. Tip 850,000."),
    ]


def test_what_nobody_has_is_not_worth_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "utxoracle_tui")
    VerdictLog().note(of_node(Verdict(Health.NOT_CONFIGURED, Standing.NONE, "none", "There is none.")))
    assert caplog.records == []


def test_jobs_and_windows_that_fail(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    jobs: Jobs = Store(tmp_path, "regtest").jobs
    caplog.set_level(logging.INFO, "utxoracle_tui")
    job = Job(key="1", time_s=1_795_399_200.0, work="backfill blocks 0-143 step 144 x", kind="backfill", items=1)
    item = JobItem(
        job="1", number=0, window=WindowKey(kind="blocks", method="utxoracle-9.1", first_height=0, last_height=143)
    )
    jobs.add(job, [item])
    jobs.add(job, [item])

    jobs.change(job, lambda old: replace(old, state="running"))
    jobs.change(job, lambda old: replace(old, priority=3))
    taken = jobs.take("1", "me", 1)[0]
    jobs.settle(replace(taken, state="failed", error="Block 7 is damaged."), "me")
    jobs.change(job, lambda old: replace(old, state="paused", reason="The node is down."))
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "job 1 (backfill blocks 0-143 step 144 x) was asked for, 1 windows"),
        ("INFO", "job 1 (backfill blocks 0-143 step 144 x) is running, was queued"),
        ("WARNING", "blocks 0–143 of job 1 failed: Block 7 is damaged."),
        ("INFO", "job 1 (backfill blocks 0-143 step 144 x) is paused, was running: The node is down."),
    ]
