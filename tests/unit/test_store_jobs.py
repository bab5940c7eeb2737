"""Jobs, and the leases under which several processes work on one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from utxoracle_tui import clock
from utxoracle_tui.store import leases
from utxoracle_tui.store.records import Job, JobItem, WindowKey
from utxoracle_tui.store.store import Store

FIRST = date(2025, 1, 1)


def job(key: str, items: int, work: str = "days 2025-01-01 2025-12-31") -> Job:
    return Job(key=key, time_s=1.7e9, kind="backfill", work=work, items=items)


def items(key: str, count: int) -> list[JobItem]:
    return [
        JobItem(job=key, number=n, window=WindowKey(kind="day", method="m", date=FIRST + timedelta(days=n)))
        for n in range(count)
    ]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, "main")


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(clock, "since_boot_s", lambda: now[0])
    return now


def test_the_same_work_is_one_job(store: Store) -> None:
    first = store.jobs.add(job("a", 3), items("a", 3))
    again = store.jobs.add(job("b", 3), items("b", 3))
    assert first == again
    assert [found.key for found in store.jobs.all()] == ["a"]
    store.jobs.change(first, lambda old: replace(old, state="done"))
    assert store.jobs.add(job("b", 3), items("b", 3)).key == "b"


def test_two_owners_never_have_the_same_item(store: Store, tmp_path: Path) -> None:
    store.jobs.add(job("a", 700), items("a", 700))
    other = Store(tmp_path, "main")
    taken: list[int] = []
    for turn in range(100):
        opened, owner = ((store, "one"), (other, "two"))[turn % 2]
        taken += [item.number for item in opened.jobs.take("a", owner, 7)]
    assert taken == list(range(700))
    assert store.jobs.take("a", "three", 1) == []
    assert store.jobs.progress("a").at_work == 700


def test_a_lease_ends_after_thirty_seconds(store: Store, minutes: list[float]) -> None:
    store.jobs.add(job("a", 2), items("a", 2))
    (first,) = store.jobs.take("a", "one", 1)
    minutes[0] += 29
    assert [item.number for item in store.jobs.take("a", "two", 5)] == [1]
    assert len(store.jobs.renew([first], "one")) == 1
    minutes[0] += 29
    assert store.jobs.take("a", "two", 5) == []
    minutes[0] += 2
    taken = store.jobs.take("a", "two", 5)
    assert [(item.number, item.tries) for item in taken] == [(0, 2), (1, 2)]
    # what the first owner brings now is too late
    assert store.jobs.renew([first], "one") == []
    assert not store.jobs.settle(replace(first, state="done"), "one")
    assert store.jobs.settle(replace(taken[0], state="done"), "two")
    progress = store.jobs.progress("a")
    assert (progress.done, progress.at_work, progress.total) == (1, 1, 2)


def test_a_lease_of_before_a_reboot_is_void(
    store: Store, minutes: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.jobs.add(job("a", 1), items("a", 1))
    store.jobs.take("a", "one", 1)
    assert store.jobs.take("a", "two", 1) == []
    monkeypatch.setattr(leases, "boot_id", lambda: "another")
    assert len(store.jobs.take("a", "two", 1)) == 1


def test_a_lease_that_ends_too_far_ahead_is_void(store: Store, minutes: list[float]) -> None:
    store.jobs.add(job("a", 1), items("a", 1))
    minutes[0] = 500_000.0
    store.jobs.take("a", "one", 1)
    # the host was started again, and has no id that tells so
    minutes[0] = 100.0
    assert len(store.jobs.take("a", "two", 1)) == 1


def test_released_items_are_free_at_once(store: Store) -> None:
    store.jobs.add(job("a", 3), items("a", 3))
    taken = store.jobs.take("a", "one", 3)
    store.jobs.release(taken[1:], "one")
    assert [item.number for item in store.jobs.take("a", "two", 3)] == [1, 2]


def test_failed_items_can_wait_again(store: Store) -> None:
    store.jobs.add(job("a", 3), items("a", 3))
    for item in store.jobs.take("a", "one", 3):
        state = "failed" if item.number == 1 else "done"
        store.jobs.settle(replace(item, state=state, error="x"), "one")  # type: ignore[arg-type]
    assert store.jobs.progress("a").failed == 1
    assert store.jobs.reset("a", lambda item: item.state == "failed") == 1
    (again,) = store.jobs.take("a", "two", 3)
    assert (again.number, again.error, again.tries) == (1, None, 2)
