"""Jobs in words: what a user reads on the terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.support.config_place import make_place
from utxoracle_tui.commands.job_engine import budget_of
from utxoracle_tui.commands.job_text import (
    JobOutcome,
    as_document,
    as_preview,
    as_preview_text,
    as_text,
    before_starting,
    progress_line,
)
from utxoracle_tui.config.load import ConfigError
from utxoracle_tui.engine.block_file_pricing import BlockSource
from utxoracle_tui.engine.jobs.care import QuietHours
from utxoracle_tui.engine.jobs.estimate import Estimate, Eta
from utxoracle_tui.engine.jobs.forecast import Forecast
from utxoracle_tui.engine.jobs.plan import JobPlan, JobPreview
from utxoracle_tui.engine.jobs.reading import AtHand, JobReading
from utxoracle_tui.engine.jobs.window_work import is_of_the_node
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.node_errors import BlockNotFound, NodeBusy, PrunedBlock, RpcFailed, WrongNetwork
from utxoracle_tui.store.jobs import JobProgress
from utxoracle_tui.store.records import Job, JobItem, JobState, WindowKey

HOST = "127.0.0.1:8332"
CAME_FROM = ((BlockSource.BLOCK_FILES, 1_150), (BlockSource.REST, 2))
WORK = "backfill days 2025-01-01 2025-01-10 utxoracle-9.1"


def day(number: int) -> WindowKey:
    return WindowKey(kind="day", method="utxoracle-9.1", date=date(2025, 1, number))


def job(state: JobState = "running", **changes: object) -> Job:
    fields = {"key": "1-a", "time_s": 1.7e9, "kind": "backfill", "work": WORK, "items": 10, "state": state}
    return Job(**(fields | changes))  # type: ignore[arg-type]


def progress(done: int, failed: int = 0, skipped: int = 0) -> JobProgress:
    return JobProgress(10, done, failed, skipped, at_work=1, bytes_read=1_234_567_890)


def test_how_a_job_goes() -> None:
    hands = (AtHand(day(4), 63, 144, here=True), AtHand(day(5), 2, 150, here=True), AtHand(day(6), 99, 144, here=False))
    eta = Eta(likely_s=95.0, low_s=80.0, high_s=110.0)
    reading = JobReading(job(), progress(3, failed=1), hands, Estimate(120.4, 85.25, eta))
    assert progress_line(reading, None) == (
        "4 of 10 windows · 1 failed · 2025-01-04: 63 of 144 blocks, 1 more by another process · "
        "120 blocks/s · 85.2 MB/s · 1 min 35 s left (1 min 20 s – 1 min 50 s)"
    )
    assert progress_line(JobReading(job(), progress(0), hands[2:]), None) == (
        "0 of 10 windows · 2025-01-06: 99 of 144 blocks (another process)"
    )
    assert progress_line(reading, "The disk is full.") == "4 of 10 windows · 1 failed · The disk is full."


def test_why_a_job_is_paused() -> None:
    reading = JobReading(job("paused", reason="Nothing answers.", resume_at_s=1_735_700_000.0), progress(3))
    assert progress_line(reading, None) == (
        "3 of 10 windows · paused: Nothing answers. Looked at again at 2025-01-01 02:53 UTC."
    )
    reading = JobReading(job("paused", reason="The operator has paused it."), progress(3))
    assert progress_line(reading, None).endswith("paused: The operator has paused it. It waits until it is resumed.")


def test_what_is_said_before_starting() -> None:
    plan = JobPlan(
        WORK, job("queued"), there=1, impossible=tuple(day(number) for number in range(1, 9)), lowest_height=880_000
    )
    assert before_starting(plan) == [
        "Backfill of 2025-01-01 to 2025-01-10, 10 days begins (job 1-a).",
        "1 window has a result already and can be made anew by rerun.",
        "8 windows have blocks that the pruned node has deleted, and can't be had from it: 2025-01-01 to 2025-01-08. "
        "It has those from 880000 on.",
    ]
    resumed = before_starting(JobPlan(WORK, job("queued"), goes_on=True, was_paused="The operator has paused it."))
    assert resumed == [
        "Backfill of 2025-01-01 to 2025-01-10, 10 days goes on (job 1-a).",
        "It was paused and is resumed by asking for it again. The operator has paused it.",
    ]


def test_what_it_would_take() -> None:
    there = JobPlan(WORK, None, there=2, impossible=(day(1),), lowest_height=880_000)
    forecast = Forecast(7, 1_150, 144, 1_921_000_000, 250.0, 12, 6.44, BlockSource.REST)
    preview = JobPreview(there, forecast)
    assert as_preview_text(preview) == (
        "2 windows have a result already and can be made anew by rerun.\n"
        "1 window has blocks that the pruned node has deleted, and can't be had from it: 2025-01-01. It has those from "
        "880000 on.\n"
        "7 windows to do.\n"
        "To get: about 1,150 blocks, 1.9 GB from REST; at hand: the digests of about 144 blocks; "
        "time: about 4 min 10 s; told by: 12 of these, got just now: 1.67 MB each, 6.4 a second.\n"
    )
    document = as_preview(preview)
    assert (document["state"], document["windows"], document["bytes"]) == ("not_begun", 7, 1_921_000_000)
    assert (document["there_already"], document["impossible"]) == (2, ["2025-01-01"])
    slow = replace(forecast, source=BlockSource.BLOCK_FILES, is_upper_bound=True, size_bytes=34_567_890, at_hand=0)
    assert slow.words.startswith(
        "To get: about 1,150 blocks, 35 MB from block files; time: less than 4 min 10 s: it gets faster within"
    )
    kept = Forecast(7, 0, 1_294, 0, 2.45)
    assert kept.words == "At hand: the digests of about 1,294 blocks; time: about 2 s."
    nothing = JobPreview(JobPlan(WORK, None, there=10), None)
    assert as_preview_text(nothing).endswith("\nNothing to do.\n")
    assert as_preview(nothing)["state"] == "nothing_to_do"
    going_on = JobPreview(JobPlan(WORK, job(), goes_on=True), kept)
    assert "10 days was asked for before and would go on.\n" in as_preview_text(going_on)


def test_what_became_of_it() -> None:
    failed = JobItem(
        job="1-a", number=2, window=day(3), state="failed", tries=3, error_kind="pruned_block", error="It is gone."
    )
    outcome = JobOutcome(JobPlan(WORK, job()), job("done"), progress(8, 1, 1), [failed], 62.0, CAME_FROM)
    assert as_text(outcome) == (
        "Backfill of 2025-01-01 to 2025-01-10, 10 days: done in 1 min 02 s\n"
        "  done        8 of 10 windows\n"
        "  skipped     1, which got a result meanwhile\n"
        "  failed      1; rerun --failed tries again\n"
        "  read        1,234.6 MB; here 1,150 blocks from block files and 2 blocks from REST\n"
        "  2025-01-03  It is gone.\n"
    )
    assert as_document(outcome)["blocks_from"] == {"block files": 1_150, "REST": 2}
    assert as_document(outcome)["failures"] == [
        {"window": "2025-01-03", "kind": "pruned_block", "message": "It is gone.", "tries": 3}
    ]
    nothing = JobOutcome(JobPlan(WORK, None, there=10), None, None, (), 0.1)
    assert as_text(nothing) == "Nothing to do.\n"
    assert (as_document(nothing)["state"], as_document(nothing)["there_already"]) == ("nothing_to_do", 10)


@pytest.mark.parametrize(
    ("error", "whose"),
    [
        (NodeBusy(HOST), True),
        (WrongNetwork(HOST, "main", "signet"), True),
        (PrunedBlock(HOST, 5), False),
        (BlockNotFound(HOST, 5), False),
        (RpcFailed(HOST, "getblock", -5, "no"), False),
        (OperatorError("worker_died", "A worker process was ended.", Exit.FAILED), False),
    ],
)
def test_whose_error_it_is(error: OperatorError, whose: bool) -> None:
    assert is_of_the_node(error) == whose


def test_what_may_be_asked_of_the_node_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = make_place(tmp_path, monkeypatch)
    budget = budget_of(place.load().settings)
    assert (budget.max_in_flight, budget.mb_per_s, budget.quiet_hours) == (3, 0.0, None)
    place.environ |= {
        "UTXORACLE_TUI_JOBS_MAX_IN_FLIGHT": "2",
        "UTXORACLE_TUI_JOBS_MB_PER_S": "2.5",
        "UTXORACLE_TUI_JOBS_QUIET_HOURS": " 22:00 - 06:30 ",
    }
    budget = budget_of(place.load().settings)
    assert (budget.max_in_flight, budget.mb_per_s) == (2, 2.5)
    assert budget.quiet_hours == QuietHours.read("22:00-06:30")
    for text in ("8-23", "08:00-24:00", "08:00", "08:00-08:00"):
        place.environ["UTXORACLE_TUI_JOBS_QUIET_HOURS"] = text
        with pytest.raises(ConfigError, match="a span of the day, written as 08:00-23:00"):
            place.load()
