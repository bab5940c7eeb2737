"""Alerts of a store on which several processes work: one raises them, all see them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import records, stack_looks
from tests.support.receiver import Receiver, receiving
from utxoracle_tui import clock
from utxoracle_tui.alerts import rules
from utxoracle_tui.alerts.answering import acknowledge, snooze
from utxoracle_tui.alerts.outbox import Outbox
from utxoracle_tui.alerts.payload import Told
from utxoracle_tui.alerts.reading import AlertsReading
from utxoracle_tui.alerts.sinks import Webhook
from utxoracle_tui.alerts.watch import OUTBOX, AlertWatch
from utxoracle_tui.commands.alerting import alert_watch
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.config.settings import Alerts, Node, Settings
from utxoracle_tui.config.settings import Store as StoreSettings
from utxoracle_tui.engine.jobs.reading import JobReading, JobsReading
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.store.jobs import JobProgress
from utxoracle_tui.store.records import Alert, Job
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble

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
async def running(watch: AlertWatch) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


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


NODE_DOWN = stack_looks.reading(node=stack_looks.failed("refused", "Nothing answers."))
ALERT = Alert(
    key="job.j1.1795435200", time_s=1_795_435_200.0, rule="job", level="warning", message="1 of 7 windows failed."
)


def of_rule(receiver: Receiver, rule: str) -> list[str]:
    return [message["message"] for _, body in receiver.got if (message := json.loads(body))["rule"] == rule]


async def test_a_node_that_never_comes_up_is_told_of_all_the_same(tmp_path: Path) -> None:
    # after a reboot nobody says which store is the right one: it is the one that was used before
    Store(tmp_path, "main").observations.insert(records.observation(1))
    receiver = Receiver()
    async with receiving(receiver):
        alerts = Alerts(webhook_url=Secret(receiver.url))
        watch = alert_watch(Settings(store=StoreSettings(data_dir=tmp_path), alerts=alerts), lambda: None)
        watch.on_stack(NODE_DOWN)
        async with running(watch):
            await receiver.until(1)
    assert "Bitcoin Core is down. Nothing answers." in of_rule(receiver, "source")


async def test_a_store_that_nobody_has_used_is_not_begun_by_an_alert(tmp_path: Path) -> None:
    # it would not know its genesis block
    (tmp_path / "main").mkdir()
    settings = Settings(Node(network="main"), store=StoreSettings(data_dir=tmp_path))
    watch = alert_watch(settings, lambda: None)
    watch.on_stack(NODE_DOWN)
    async with running(watch):
        await asyncio.sleep(0.2)
    assert list((tmp_path / "main").iterdir()) == []


async def test_when_another_store_is_the_right_one_alerts_go_there(tmp_path: Path) -> None:
    stores = [Store(tmp_path, "main"), Store(tmp_path, "signet")]
    watch = AlertWatch(lambda: stores[0], Alerts(), [], "pi", step_s=STEP_S)
    watch.on_jobs(failed_job(1))
    async with running(watch):
        await until(lambda: len(Store(tmp_path, "main").alerts.all()) == 1)
        del stores[0]
        await until(lambda: len(Store(tmp_path, "signet").alerts.all()) == 1)


async def test_a_store_that_cannot_be_read_any_more_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver = Receiver()
    async with receiving(receiver), watching(tmp_path, receiver, []) as (watch, _):
        watch.on_jobs(failed_job(1))
        await receiver.until(1)

        def gone(*_: object) -> None:
            raise StoreTrouble("store_unreadable", "The disk does not answer.")

        monkeypatch.setattr("utxoracle_tui.store.collection.Collection.newest", gone)
        await receiver.until(2)
        monkeypatch.undo()
    assert of_rule(receiver, "store") == ["The disk does not answer."]


class Clocks:
    """Both clocks, of which one can be set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall_s = records.START_S
        self.span_s = 50_000.0
        self.looks = 0
        monkeypatch.setattr(clock, "now_s", self._look)
        monkeypatch.setattr(clock, "elapsed_s", lambda: self.span_s)

    def _look(self) -> float:
        self.looks += 1
        return self.wall_s

    async def pass_five_minutes(self) -> None:
        self.wall_s += 300.0
        self.span_s += 300.0
        # whoever looks now has seen it
        before = self.looks
        await until(lambda: self.looks >= before + 2)


@pytest.mark.parametrize("set_by_s", [3600.0, -3600.0, -7200.0])
async def test_a_clock_that_is_set_raises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, set_by_s: float
) -> None:
    clocks = Clocks(monkeypatch)
    store = Store(tmp_path, "main")
    receiver = Receiver()

    def make_round() -> None:
        store.observations.insert(records.observation(1, clocks.wall_s, valid=True, reason=None))
        watch.on_store(StoreReading(newest=store.observations.newest()[0]))

    async with receiving(receiver):
        watch = AlertWatch(lambda: store, Alerts(), [Webhook(receiver.url, "json", None)], "pi", step_s=0.001)
        watch.on_stack(stack_looks.reading())
        make_round()
        async with running(watch):
            for number in range(1, 27):
                if number == 9:
                    clocks.wall_s += set_by_s
                await clocks.pass_five_minutes()
                if number % 2 == 0:
                    make_round()
            assert of_rule(receiver, "no_round") == []
            # one that is really missing is told of; where the clock was set back, once it is past the rounds of before
            for _ in range(9 if set_by_s > -7200.0 else 16):
                await clocks.pass_five_minutes()
            await until(lambda: len(of_rule(receiver, "no_round")) == 1)


def test_what_is_over_is_not_opened_again_by_who_says_that_he_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path, "main")
    store.alerts.insert(ALERT)
    newest = store.alerts.newest

    def resolved_just_then(count: int) -> list[Alert]:
        found = newest(count)
        Store(tmp_path, "main").alerts.put([replace(ALERT, resolved_s=1_795_435_260.0)], replace=True)
        return found

    monkeypatch.setattr(store.alerts, "newest", resolved_just_then)
    assert acknowledge(store, ALERT.key) is None
    assert Store(tmp_path, "main").alerts.all()[0].resolved_s == 1_795_435_260.0


def test_what_was_said_last_of_an_alert_counts(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    store.alerts.insert(ALERT)
    for answer, is_known in ((snooze, False), (acknowledge, True), (snooze, False)):
        if answer is snooze:
            snooze(store, ALERT.key, 60)
        else:
            acknowledge(store, ALERT.key)
        (alert,) = store.alerts.all()
        # who knows is not reminded
        assert (alert.acknowledged_s is not None, alert.snoozed_until_s is not None) == (is_known, not is_known)


async def test_one_that_was_killed_between_two_sinks_has_both_told(tmp_path: Path) -> None:
    class Second(Webhook):
        name = "second"

    store = Store(tmp_path, "main")
    Outbox(store.folder.home / OUTBOX / "webhook").add(Told("raised", ALERT, "pi", "main", ALERT.time_s))
    receiver, other = Receiver(), Receiver()
    async with receiving(receiver), receiving(other):
        sinks = [Webhook(receiver.url, "json", None), Second(other.url, "json", None)]
        watch = AlertWatch(lambda: store, Alerts(), sinks, "pi", step_s=STEP_S)
        watch.on_jobs(failed_job(1))
        async with running(watch):
            await receiver.until(1)
            await other.until(1)
            await asyncio.sleep(10 * STEP_S)
    assert sent(receiver) == sent(other) == [("raised", "job")]
