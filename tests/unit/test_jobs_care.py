"""What jobs may ask of the node: hours, bytes a second, blocks at once, and who goes first."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta, timezone

import pytest

from utxoracle_tui import clock
from utxoracle_tui.engine.jobs.care import Budget, Pace, QuietHours
from utxoracle_tui.engine.jobs.turns import Turns
from utxoracle_tui.engine.precedence import Precedence
from utxoracle_tui.sources.http_limits import Load

ROME = timezone(timedelta(hours=1))


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 22, hour, minute, tzinfo=ROME)


def load(limit: int = 4) -> Load:
    return Load(in_flight=0, limit=limit, most=4, waiting=0)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (at(7, 59), None),
        (at(8), at(23)),
        (at(22, 59), at(23)),
        (at(23), None),
    ],
)
def test_quiet_hours(now: datetime, end: datetime | None) -> None:
    hours = QuietHours.read("08:00-23:00")
    assert hours is not None
    assert hours.until(now) == end
    assert str(hours) == "08:00-23:00"


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (at(21, 59), None),
        (at(22), at(6) + timedelta(days=1)),
        (at(23, 59), at(6) + timedelta(days=1)),
        (at(0), at(6)),
        (at(6), None),
    ],
)
def test_quiet_hours_over_midnight(now: datetime, end: datetime | None) -> None:
    hours = QuietHours.read("22:00-06:00")
    assert hours is not None
    assert hours.until(now) == end


def test_no_quiet_hours() -> None:
    assert QuietHours.read("") is None


def test_quiet_hours_are_those_of_the_local_clock() -> None:
    hours = QuietHours.read("08:00-23:00")
    assert hours is not None
    end = hours.until(datetime(2026, 11, 22, 8, 30, tzinfo=ROME))
    assert end is not None
    assert end.astimezone(UTC) == datetime(2026, 11, 22, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(("limit", "allowed"), [(1, 1), (2, 1), (3, 2), (4, 3), (16, 3)])
def test_a_request_is_left_to_live_work(limit: int, allowed: int) -> None:
    assert Budget(max_in_flight=3).allowed(limit) == allowed


def test_megabytes_a_second() -> None:
    pace, now_s, taken = Pace(2.0), 100.0, 0
    while now_s < 160.0:
        wait_s = pace.wait_s(now_s)
        if wait_s == 0:
            pace.spent(1_500_000, now_s)
            taken += 1_500_000
            now_s += 0.01
        now_s += wait_s
    # one second may have been saved up, and one block be on its way
    assert 2.0 * 60 - 1.5 <= taken / 1e6 <= 2.0 * 61 + 1.5


def test_no_bound_of_megabytes() -> None:
    pace = Pace(0.0)
    pace.spent(10**12, 5.0)
    assert pace.wait_s(5.0) == 0


async def test_turns_are_bounded_and_fall_with_the_limit() -> None:
    limit = 4
    turns = Turns(Budget(max_in_flight=3), Precedence(), lambda: load(limit), processors=1)
    most = done = 0

    async def fetch() -> None:
        nonlocal most, done
        async with turns.fetching(0):
            most = max(most, turns.reading.in_flight)
            await asyncio.sleep(0)
        done += 1

    await asyncio.gather(*(fetch() for _ in range(20)))
    assert (most, done, turns.reading.in_flight) == (3, 20, 0)
    limit, most = 1, 0
    await asyncio.gather(*(fetch() for _ in range(5)))
    assert (most, done) == (1, 25)


async def test_the_window_that_was_begun_first_goes_first() -> None:
    turns = Turns(Budget(max_in_flight=1), Precedence(), load, processors=1)
    order: list[int] = []

    async def fetch(rank: int) -> None:
        async with turns.fetching(rank):
            order.append(rank)
            await asyncio.sleep(0)

    async with turns.fetching(0):
        waiting = [asyncio.create_task(fetch(rank)) for rank in (2, 1, 2, 1)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert order == [1, 1, 2, 2]


async def test_live_work_goes_first() -> None:
    precedence = Precedence()
    turns = Turns(Budget(), precedence, load, processors=1)
    begun: list[str] = []

    async def fetch() -> None:
        async with turns.fetching(0):
            begun.append("block")

    async def price() -> None:
        async with turns.pricing():
            begun.append("price")

    with precedence.taken(), precedence.taken():
        waiting = [asyncio.create_task(fetch()), asyncio.create_task(price())]
        for _ in range(5):
            await asyncio.sleep(0)
        assert begun == []
        assert turns.reading.gives_way
    await asyncio.gather(*waiting)
    assert sorted(begun) == ["block", "price"]
    assert not turns.reading.gives_way


async def test_whoever_is_cancelled_leaves_no_turn_taken() -> None:
    turns = Turns(Budget(max_in_flight=1), Precedence(), load, processors=1)

    async def fetch() -> None:
        async with turns.fetching(0):
            await asyncio.sleep(3600)

    tasks = [asyncio.create_task(fetch()) for _ in range(3)]
    await asyncio.sleep(0)
    # the first has its turn, the second gets it in the very moment in which it is cancelled
    tasks[0].cancel()
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert turns.reading.in_flight == 0
    async with AsyncExitStack() as held:
        await held.enter_async_context(turns.fetching(0))
        assert turns.reading.in_flight == 1


async def test_no_more_blocks_wait_for_workers_than_eight_each() -> None:
    turns = Turns(Budget(), Precedence(), load, processors=2)
    done = asyncio.Event()
    held = 0

    async def digest() -> None:
        nonlocal held
        async with turns.digesting():
            held += 1
            await done.wait()
            held -= 1

    tasks = [asyncio.create_task(digest()) for _ in range(20)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert held == 16
    done.set()
    await asyncio.gather(*tasks)
    assert held == 0


async def test_turns_keep_to_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 50.0
    monkeypatch.setattr(clock, "elapsed_s", lambda: now_s)
    turns = Turns(Budget(max_in_flight=3, mb_per_s=1.0), Precedence(), load, processors=1)
    async with turns.fetching(0):
        turns.spent(3_000_000)
    fetch = asyncio.create_task(_held(turns))
    await asyncio.sleep(0)
    assert not fetch.done()
    # a second had been saved up
    now_s = 52.1
    async with turns.fetching(0):
        pass
    await fetch


async def _held(turns: Turns) -> None:
    async with turns.fetching(0):
        pass
