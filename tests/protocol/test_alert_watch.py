"""Alerts of a store on which several processes work: one raises them, all see them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.receiver import Receiver, receiving
from utxoracle_tui import clock
from utxoracle_tui.alerts import rules
from utxoracle_tui.alerts.answering import acknowledge, snooze
from utxoracle_tui.alerts.outbox import Outbox
from utxoracle_tui.alerts.payload import Told
from utxoracle_tui.alerts.reading import AlertsReading
from utxoracle_tui.alerts.sinks import Webhook
from utxoracle_tui.alerts.watch import OUTBOX, AlertWatch
from utxoracle_tui.config.settings import Alerts
from utxoracle_tui.engine.jobs.reading import JobReading, JobsReading
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.store.jobs import JobProgress
from utxoracle_tui.store.records import Alert, Job
from utxoracle_tui.store.store import Store

STEP_S = 0.02


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without minutes of waiting: these are tried with the lifecycle itself."""
    at_once = {name: replace(rule, hold_s=0.0, over_s=0.0) for name, rule in rules.RULES.items()}
    monkeypatch.setattr("utxoracle_tui.alerts.watch.RULES", at_once)


def failed_job(failed: int) -> JobsReading:
    job = Job(key="j1", time_s=1.0, kind="backfill", work="a week", items=7, state="done")
    return JobsReading((JobReading(job, JobProgress(7, 7 - failed, failed, 0, 0, 0)),))


@asynccontextmanager
async def watching(
    folder: Path, receiver: Receiver, seen: list[AlertsReading]
) -> AsyncIterator[tuple[AlertWatch, asyncio.Task[None]]]:
    store = Store(folder, "main")
    sinks = [Webhook(receiver.url, "json", None)]
    watch = AlertWatch(lambda: store, Alerts(cooldown_minutes=0), sinks, "pi", step_s=STEP_S)
    watch.on_store(StoreReading())
    task = asyncio.create_task(watch.run(seen.append))
    try:
        yield watch, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


def sent(receiver: Receiver) -> list[tuple[str, str]]:
    return [(json.loads(body)["event"], json.loads(body)["rule"]) for _, body in receiver.got]


async def test_of_two_processes_one_tells_and_both_see_it(tmp_path: Path) -> None:
    receiver = Receiver()
    first: list[AlertsReading] = []
    second: list[AlertsReading] = []
    async with (
        receiving(receiver),
        watching(tmp_path, receiver, first) as (one, _),
        watching(tmp_path, receiver, second) as (other, _),
    ):
        for watch in (one, other):
            watch.on_jobs(failed_job(2))
        await until(lambda: bool(first and second and first[-1].open and second[-1].open))
        assert second[-1].open[0].message == "2 of 7 windows failed in the job “backfill a week”."
        for watch in (one, other):
            watch.on_jobs(failed_job(0))
        await until(lambda: not first[-1].open and not second[-1].open)
        await receiver.until(2)
    assert sent(receiver) == [("raised", "job"), ("resolved", "job")]
    assert len(Store(tmp_path, "main").alerts.all()) == 1


async def test_when_the_one_that_tells_ends_the_other_goes_on(tmp_path: Path) -> None:
    receiver = Receiver()
    seen: list[AlertsReading] = []
    async with receiving(receiver), watching(tmp_path, receiver, []) as (one, task):
        one.on_jobs(failed_job(1))
        await receiver.until(1)
        async with watching(tmp_path, receiver, seen) as (other, _):
            other.on_jobs(failed_job(1))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.sleep(10 * STEP_S)
            # it is not raised again, and its end is told
            other.on_jobs(failed_job(0))
            await receiver.until(2)
    assert sent(receiver) == [("raised", "job"), ("resolved", "job")]


async def test_one_that_was_killed_before_it_had_stored_the_alert(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    alert = Alert(
        key="job.j1.1795435200", time_s=1_795_435_200.0, rule="job", level="warning", message="1 of 7 windows failed."
    )
    Outbox(store.folder.home / OUTBOX / "webhook").add(Told("raised", alert, "pi", "main", alert.time_s))
    receiver = Receiver()
    async with receiving(receiver), watching(tmp_path, receiver, []) as (watch, _):
        watch.on_jobs(failed_job(1))
        await receiver.until(1)
        await until(lambda: bool(store.alerts.all()))
        await asyncio.sleep(10 * STEP_S)
        assert sent(receiver) == [("raised", "job")]
        assert [kept.key for kept in store.alerts.all()] == [alert.key]


async def test_an_operator_acknowledges_and_snoozes(tmp_path: Path) -> None:
    receiver = Receiver()
    seen: list[AlertsReading] = []
    async with receiving(receiver), watching(tmp_path, receiver, seen) as (watch, _):
        watch.on_jobs(failed_job(1))
        await until(lambda: bool(seen and seen[-1].open))
        (alert,) = seen[-1].wanting(clock.now_s())
        store = Store(tmp_path, "main")
        assert snooze(store, alert.key, 60) is not None
        await until(lambda: not seen[-1].wanting(clock.now_s()))
        assert seen[-1].open
        assert acknowledge(store, alert.key) is not None
        await until(lambda: seen[-1].open[0].acknowledged_s is not None)
        watch.on_jobs(failed_job(0))
        await until(lambda: not seen[-1].open)
        assert seen[-1].alerts[0].acknowledged_s is not None
        assert acknowledge(store, alert.key) is None
