"""What can be done to a job, from any process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from utxoracle_tui.engine.jobs import control
from utxoracle_tui.engine.jobs.reading import JobsView
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.store.records import ItemState, Job, JobItem, WindowKey
from utxoracle_tui.store.store import Store

FIRST = date(2025, 1, 1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, "main")


def add(store: Store, key: str, states: Sequence[ItemState] = ("waiting",), priority: int = 0) -> Job:
    items = [
        JobItem(
            job=key,
            number=number,
            window=WindowKey(kind="day", method="m", date=FIRST + timedelta(days=number)),
            state=state,
            error="it broke" if state == "failed" else None,
        )
        for number, state in enumerate(states)
    ]
    time_s = 1.7e9 + store.jobs.count()
    job = Job(key=key, time_s=time_s, kind="backfill", work=key, items=len(items), priority=priority)
    return store.jobs.add(job, items)


def order(store: Store) -> str:
    return "".join(job.key for job in store.jobs.queue())


def end(store: Store, key: str) -> None:
    store.jobs.change(control.find(store, key), lambda job: replace(job, state="done", ended_s=1.8e9))


def test_pause_and_resume(store: Store) -> None:
    add(store, "a")
    paused = control.pause(store, "a")
    assert (paused.state, paused.reason, paused.resume_at_s) == ("paused", "The operator has paused it.", None)
    assert control.pause(store, "a").state == "paused"
    resumed = control.resume(store, "a")
    assert (resumed.state, resumed.reason) == ("queued", None)
    assert control.resume(store, "a") == resumed


def test_an_operators_pause_takes_the_place_of_one_that_ends_by_itself(store: Store) -> None:
    job = add(store, "a")
    store.jobs.change(job, lambda old: replace(old, state="paused", reason="The node is away.", resume_at_s=1.7e9))
    assert control.pause(store, "a").resume_at_s is None


def test_cancel(store: Store) -> None:
    add(store, "a")
    assert control.cancel(store, "a").state == "cancelled"
    with pytest.raises(OperatorError, match="is cancelled and can't be paused any more"):
        control.pause(store, "a")
    with pytest.raises(OperatorError, match="There is no job b"):
        control.cancel(store, "b")


def test_failed_windows_are_tried_again(store: Store) -> None:
    add(store, "a", ("done", "failed", "failed", "skipped"))
    end(store, "a")
    assert control.retry(store, "a", frozenset({2})) == 1
    job = control.find(store, "a")
    assert (job.state, job.ended_s) == ("queued", None)
    assert [item.state for item in store.jobs.items("a")] == ["done", "failed", "waiting", "skipped"]
    assert control.retry(store, "a") == 1
    assert control.retry(store, "a") == 0
    assert {item.error for item in store.jobs.items("a")} == {None}


def test_nothing_to_try_again_leaves_a_job_over(store: Store) -> None:
    add(store, "a", ("done",))
    end(store, "a")
    assert control.retry(store, "a") == 0
    assert control.find(store, "a").state == "done"


def test_the_queue_goes_by_priority_and_age(store: Store) -> None:
    for key, priority in (("a", 0), ("b", 5), ("c", 0), ("d", 5)):
        add(store, key, priority=priority)
    assert order(store) == "bdac"
    control.set_priority(store, "c", 9)
    assert order(store) == "cbda"
    end(store, "b")
    assert order(store) == "cda"


@pytest.mark.parametrize(
    ("key", "places", "expected"),
    [
        ("a", 1, "bacd"),
        ("a", 2, "bcad"),
        ("a", 99, "bcda"),
        ("d", -1, "abdc"),
        ("d", -3, "dabc"),
        ("c", -1, "acbd"),
        ("b", 0, "abcd"),
        ("a", -1, "abcd"),
    ],
)
def test_jobs_can_be_moved(store: Store, key: str, places: int, expected: str) -> None:
    for name in "abcd":
        add(store, name)
    control.move(store, key, places)
    assert order(store) == expected


def test_moves_add_up(store: Store) -> None:
    for name in "abcd":
        add(store, name)
    for _ in range(40):
        # two that change places again and again come no closer to each other than floats can tell
        control.move(store, store.jobs.queue()[2].key, -1)
    assert order(store) == "abcd"
    control.move(store, "d", -2)
    control.move(store, "a", 2)
    assert order(store) == "dbac"


def test_moving_past_a_priority_takes_it(store: Store) -> None:
    add(store, "a", priority=5)
    add(store, "b", priority=5)
    add(store, "c")
    control.move(store, "c", -1)
    assert order(store) == "acb"
    assert control.find(store, "c").priority == 5
    control.move(store, "a", 2)
    assert order(store) == "cba"


def test_the_reading_has_open_jobs_in_order_and_then_those_that_are_over(store: Store) -> None:
    for name in "abc":
        add(store, name, ("done", "failed", "waiting"))
    end(store, "a")
    control.set_priority(store, "c", 1)
    view = JobsView(store)
    reading = view.read()
    assert [job.job.key for job in reading.jobs] == ["c", "b", "a"]
    first = reading.jobs[0].progress
    assert (first.total, first.done, first.failed, first.tried) == (3, 1, 1, 2)
    store.jobs.take("b", "somebody", 1)
    (hand,) = view.read().jobs[1].at_hand
    assert (hand.window.date, hand.here) == (FIRST + timedelta(days=2), False)
    assert view.read() == view.read()
