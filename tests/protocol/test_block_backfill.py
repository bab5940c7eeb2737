"""The prices at the blocks of windows that jobs and `price --save` make, against a simulated host on real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.job_place import JobPlace, act, blocks_served, job_place
from utxoracle_tui.commands.price_saving import save
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.engine.block_line import LEAD_BLOCKS
from utxoracle_tui.engine.exchange_past import ExchangePast
from utxoracle_tui.engine.jobs.wanted import Days
from utxoracle_tui.engine.request import Day, Last
from utxoracle_tui.engine.validation import DEFAULT_LIMITS
from utxoracle_tui.engine.worker_tasks import price_kept, price_kept_blocks, price_kept_with_blocks
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.store.records import BlockPrice, ExchangeReading, Job, Window, midnight_s
from utxoracle_tui.store.store import Store

PLANTED_USD = 57_000
DAY_S = 86_400.0
OPTIONS = HostOptions(days=2, tx_per_block=30, speed=0, price=str(PLANTED_USD))


@pytest.fixture(scope="module")
def running() -> Iterator[HostProcess]:
    with start_host(OPTIONS, wait_until_ready=True) as host:
        yield host


@pytest.fixture(scope="module")
def busy_host() -> Iterator[HostProcess]:
    """With fewer payments the last block of a day may have no price, and nobody goes on from there."""
    with start_host(replace(OPTIONS, tx_per_block=150), wait_until_ready=True) as host:
        yield host


@pytest.fixture
def host(running: HostProcess) -> Iterator[HostProcess]:
    act(running, "clear-statistics")
    yield running
    act(running, "prune", below=None)


async def backfilled(place: JobPlace, days: Days) -> Job:
    return await place.run((await place.shop.planner.backfill(days)).job)


def window_of(place: JobPlace, number: int = 0) -> Window:
    """A stored day, the newest first."""
    return place.store.windows.newest("day", 5)[number]


def heights(prices: list[BlockPrice]) -> list[int]:
    return sorted(price.last_height for price in prices)


def of_window(window: Window) -> list[int]:
    assert window.first_height is not None and window.last_height is not None
    return list(range(window.first_height, window.last_height + 1))


async def test_days_in_order_with_the_prices_at_all_their_blocks_and_one_of_them_again(
    host: HostProcess, workers: Workers, tmp_path: Path
) -> None:
    async with job_place(host, workers, tmp_path) as place:
        days = await place.days(2)
        job = await backfilled(place, days)
        windows = [window_of(place, number) for number in (1, 0)]
        stored = place.store.block_prices.all()
        assert heights(stored) == of_window(windows[0]) + of_window(windows[1])
        hashes = await place.node.block_hashes(heights(stored))
        assert {price.last_hash for price in stored} == set(hashes)
        shown = [price.price_usd for price in stored if price.price_usd is not None]
        # thirty transactions a block say too little now and then
        assert len(shown) > 0.25 * len(stored)
        assert shown == pytest.approx([PLANTED_USD] * len(shown), rel=0.02)
        assert all(price.reason for price in stored if price.price_usd is None)
        # the second day's blocks before are those of the first
        served = blocks_served(host)
        lead = min(LEAD_BLOCKS, heights(stored)[0])
        assert (len(served), set(served.values())) == (len(stored) + lead, {1})
        items = place.store.jobs.items(job.key)
        # the last blocks of the first day may be wanted by both at once, and count for both then
        both = sum(item.blocks or 0 for item in items) - len(served)
        assert 0 <= both <= 16
        assert (items[1].blocks or 0) - both == len(of_window(windows[1]))
        assert all(item.blocks == item.blocks_done for item in items)
        await again(place, await place.days(1))


async def test_days_in_a_row_have_the_prices_that_each_has_alone(
    busy_host: HostProcess, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the day before has just been worked out, no run goes over its blocks again."""
    went_over: list[int] = []
    original = Workers.run_behind

    async def run_behind(self: Workers, task: Callable[..., object], *args: object) -> object:
        if task in {price_kept, price_kept_blocks, price_kept_with_blocks}:
            names = args[1]
            assert isinstance(names, list)
            went_over.append(len(names))
        return await original(self, task, *args)

    monkeypatch.setattr(Workers, "run_behind", run_behind)
    async with job_place(busy_host, workers, tmp_path / "in a row") as place:
        days = await place.days(2)
        each = [Days(days.first, days.first), Days(days.last, days.last)]
        for day in each:
            went_over.clear()
            await backfilled(place, day)
        in_a_row = place.store
    assert went_over == [LEAD_BLOCKS + len(of_window(in_a_row.windows.newest("day", 1)[0]))]
    for day in each:
        # as a process of its own, which knows of no run before
        async with job_place(busy_host, workers, tmp_path / "alone") as place:
            went_over.clear()
            await backfilled(place, day)
            alone = place.store
    assert len(went_over) == 2
    assert of_windows(in_a_row) == of_windows(alone)
    assert in_a_row.block_prices.all() == alone.block_prices.all()


async def test_a_damaged_digest_of_the_day_before_is_made_again(
    busy_host: HostProcess, workers: Workers, tmp_path: Path
) -> None:
    async with job_place(busy_host, workers, tmp_path / "damaged") as place:
        days = await place.days(2)
        await backfilled(place, Days(days.first, days.first))
        height = of_window(window_of(place))[-5]
        (damaged,) = tmp_path.rglob(f"{await place.node.block_hash(height)}.*")
        damaged.write_bytes(damaged.read_bytes()[:-1])
        act(busy_host, "clear-statistics")
        await backfilled(place, Days(days.last, days.last))
        assert set(blocks_served(busy_host).values()) == {1}
        found = place.store
    async with job_place(busy_host, workers, tmp_path / "sound") as place:
        await backfilled(place, days)
        assert of_windows(found) == of_windows(place.store)
        assert found.block_prices.all() == place.store.block_prices.all()


def of_windows(store: Store) -> list[Window]:
    """The stored days but for when they were made."""
    return [replace(window, stored_s=0.0, elapsed_s=0.0) for window in store.windows.newest("day", 5)]


async def again(place: JobPlace, days: Days) -> None:
    """What was stored when a block was new stays, unless there is a rerun."""
    as_found = {price.last_hash: price for price in place.store.block_prices.all()}
    window = window_of(place)
    one = next(price for price in as_found.values() if price.last_height == (window.first_height or 0) + 50)
    readings = [ExchangeReading(time_s=one.time_s - 5, price_usd=50_000.0, source="own")]
    place.store.exchange_readings.put(readings)
    then = replace(one, price_usd=1.0, exchange_usd=40_000.0, exchange_time_s=one.time_s - 1)
    place.store.block_prices.put([then], replace=True)
    # the window has gone, its block prices have not: nothing of them is worked out again
    other = replace(window_of(place), orphaned=True)
    place.store.windows.put([other])
    await backfilled(place, days)
    assert not window_of(place).orphaned
    assert {price.last_hash: price for price in place.store.block_prices.all()} == as_found | {one.last_hash: then}
    # a rerun that finds the price that is there leaves them alone, for they come from the same digests
    await place.run((await place.shop.planner.rerun(days)).job)
    assert {price.last_hash: price for price in place.store.block_prices.all()} == as_found | {one.last_hash: then}
    # one that finds another price does not
    place.store.windows.put([replace(window_of(place), price_usd=1.0)], replace=True)
    await place.run((await place.shop.planner.rerun(days)).job)
    assert window_of(place).price_usd == window.price_usd
    after = {price.last_hash: price for price in place.store.block_prices.all()}
    found = after[one.last_hash]
    assert (found.price_usd, found.exchange_usd) == (one.price_usd, 40_000.0)
    assert {price.last_hash: price.price_usd for price in as_found.values()} == {
        price.last_hash: price.price_usd for price in after.values()
    }
    # a block that had no exchange price has the reading of its moment now
    beside = [price for price in after.values() if price.exchange_usd == 50_000.0]
    assert beside
    assert all(price.time_s >= one.time_s - 605 for price in beside)


@pytest.mark.soak
async def test_a_day_of_the_past_stands_beside_the_exchange_prices_of_that_day(
    host: HostProcess, workers: Workers, tmp_path: Path
) -> None:
    async with job_place(host, workers, tmp_path, with_exchange=True) as place:
        await backfilled(place, await place.days(1))
        window = window_of(place)
        assert window.date is not None
        readings = place.store.exchange_readings.between(midnight_s(window.date), midnight_s(window.date) + DAY_S)
        # the backend has a row an hour
        assert len(readings) == 24
        assert window.exchange_usd == pytest.approx(sum(reading.price_usd for reading in readings) / 24)
        assert (window.exchange_coverage, window.exchange_is_daily) == (1.0, False)
        assert window.price_usd is not None
        apart_pct = (window.price_usd / window.exchange_usd - 1) * 100
        assert window.divergence_window_pct == pytest.approx(apart_pct)
        prices = place.store.block_prices.all()
        assert all(price.exchange_usd is not None for price in prices if price.time_s > midnight_s(window.date))
        # what is there is not asked for again
        assert await ExchangePast(place.store, place.exchange).know(readings[0].time_s, readings[-1].time_s) == 0


@pytest.mark.soak
async def test_a_backend_that_does_not_answer_holds_nothing_up(
    host: HostProcess, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(host.env, "MEMPOOL_API_URL", "http://127.0.0.1:9")
    async with job_place(host, workers, tmp_path, with_exchange=True) as place:
        job = await backfilled(place, await place.days(1))
        assert job.state == "done"
        assert (window_of(place).exchange_usd, window_of(place).divergence_window_pct) == (None, None)
        assert place.store.exchange_readings.count() == 0


@pytest.mark.soak
async def test_on_a_pruned_node_it_goes_on_with_what_there_is(
    host: HostProcess, workers: Workers, tmp_path: Path
) -> None:
    async with job_place(host, workers, tmp_path) as place:
        days = await place.days(1)
        newest = await place.live.plan(Day(days.last))
        blocks = newest.window.blocks
        act(host, "prune", below=blocks.first - 20)
        await backfilled(place, days)
        # of 36 blocks something of the start is left
        assert heights(place.store.block_prices.all()) == list(range(blocks.first + 16, blocks.last + 1))
        assert len(blocks_served(host)) == len(blocks) + 20


@pytest.mark.soak
async def test_price_save_keeps_them_too(host: HostProcess, workers: Workers, tmp_path: Path) -> None:
    async with job_place(host, workers, tmp_path) as place:
        result = await place.live.price(Last(20), lambda progress: None)
        said = await save(place.live, place.store, result, DEFAULT_LIMITS)
        assert said.splitlines()[:-1] == ["  block prices  20 new ones stored"]
        stored = place.store.block_prices.all()
        outputs = result.price.outputs
        assert heights(stored) == list(range(outputs.first_height, outputs.last_height + 1))
        assert len(blocks_served(host)) == 20 + LEAD_BLOCKS
        assert "0 new ones stored" in await save(place.live, place.store, result, DEFAULT_LIMITS)
        assert place.store.block_prices.all() == stored
