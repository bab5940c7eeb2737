"""Jobs against a simulated host on real sockets: what is done, what is asked of the node, what stops them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.block_file_folder import KEY, BlockFileFolder, read_records
from tests.support.building import chain_of
from tests.support.job_place import JobPlace, act, at_work, blocks_served, job_place, until
from utxoracle_core import METHOD
from utxoracle_tui import clock
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.engine.block_file_pricing import BlockSource
from utxoracle_tui.engine.jobs import control, rest, runner
from utxoracle_tui.engine.jobs.reading import JobReading, JobsReading
from utxoracle_tui.engine.jobs.wanted import BlockWindows, Days, Marked, Stored
from utxoracle_tui.engine.request import Day, Last
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.store.records import Job, JobItem, Window, midnight_s
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble

PLANTED_USD = 57_000
NO_KEY = bytes(8)
FEW = BlockWindows(100, 251, 4)
"""Three windows of 152 blocks."""
DAY_S = 86_400
OPTIONS = HostOptions(days=3, tx_per_block=20, speed=0, price=str(PLANTED_USD))


@pytest.fixture(scope="module")
def running() -> Iterator[HostProcess]:
    with start_host(OPTIONS, wait_until_ready=True) as host:
        yield host


@pytest.fixture
def host(running: HostProcess) -> Iterator[HostProcess]:
    act(running, "clear-statistics")
    yield running
    act(running, "start", warm_up_s=0.0)
    act(running, "busy")
    act(running, "latency", seconds=0.0)
    act(running, "prune", below=None)
    act(running, "settings", initial_block_download=False)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are short."""
    monkeypatch.setattr(rest, "_AGAIN_AFTER_S", (0.2,))
    monkeypatch.setattr(rest, "_SYNCING_S", 0.2)
    monkeypatch.setattr(runner, "_LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(runner, "_STORE_AGAIN_S", 0.2)


def job_of(place: JobPlace, job: Job) -> Job:
    return control.find(place.store, job.key)


def dates(days: Days) -> list[date | None]:
    return [key.date for key in days.keys()]  # noqa: SIM118  (it is no mapping)


async def backfill(place: JobPlace, wanted: Days | BlockWindows) -> Job:
    job = (await place.shop.planner.backfill(wanted)).job
    assert job is not None
    return job


async def test_a_backfill_and_a_rerun(host: HostProcess, workers: Workers, tmp_path: Path) -> None:
    async with job_place(host, workers, tmp_path) as place:
        days = await place.days(2)
        done = await place.run(await backfill(place, days))
        assert (done.state, done.items) == ("done", 2)
        prices = place.prices()
        assert list(prices) == dates(days)
        assert all(price == pytest.approx(PLANTED_USD, rel=0.01) for price in prices.values())
        items = place.store.jobs.items(done.key)
        served = blocks_served(host)
        assert set(served.values()) == {1}
        assert [(item.state, item.tries, item.lease) for item in items] == [("done", 1, None)] * 2
        # of the blocks before the days, one that both wait for at once counts for both
        assert len(served) <= sum(item.blocks or 0 for item in items) <= len(served) + 16
        assert all(item.bytes_read > 0 and item.elapsed_s and item.ended_s for item in items)
        # what is there is not done again
        plan = await place.shop.planner.backfill(days)
        assert (plan.job, plan.there) == (None, 2)
        # unless that is asked for, and then without the node's help
        again = await place.run((await place.shop.planner.rerun(days)).job)
        assert blocks_served(host) == served
        assert place.prices() == prices
        progress = place.store.jobs.progress(again.key)
        assert (progress.done, progress.bytes_read) == (2, 0)


async def test_blocks_are_got_once_for_all_windows(host: HostProcess, workers: Workers, tmp_path: Path) -> None:
    # nothing is kept on disk, and two windows are at work at once
    async with job_place(host, workers, tmp_path, digests_mb=0) as place:
        blocks = BlockWindows(100, 260, 4)
        done = await place.run(await backfill(place, blocks))
        served = blocks_served(host)
        # with the hundred before them, which the prices at the first blocks need
        assert (len(served), set(served.values())) == (260, {1})
        windows = place.store.windows.between_heights(0, 1000, "blocks")
        assert [(w.first_height, w.last_height) for w in windows] == [(h, h + 143) for h in range(100, 118, 4)]
        assert place.store.jobs.progress(done.key).done == 5
        hashes = await place.node.block_hashes([window.last_height or 0 for window in windows])
        assert [window.last_hash for window in windows] == hashes


async def test_what_a_job_takes_is_told_before(host: HostProcess, workers: Workers, tmp_path: Path) -> None:
    async with job_place(host, workers, tmp_path) as place:
        newest = (await place.days(1)).last
        days = Days(newest, newest)
        told = await place.shop.planner.preview("backfill", days)
        assert (told.plan.job, place.store.jobs.count()) == (None, 0)
        assert told.forecast is not None
        assert (told.forecast.windows, told.forecast.at_hand, told.forecast.sampled) == (1, 0, 12)
        assert len(blocks_served(host)) == 12
        done = await place.run(await backfill(place, days))
        # what was got to tell it by is not got again
        served = blocks_served(host)
        assert (told.forecast.blocks, set(served.values())) == (len(served), {1})
        read_bytes = place.store.jobs.progress(done.key).bytes_read
        # sizes of blocks differ more here than they do on the main network
        assert told.forecast.size_bytes == pytest.approx(read_bytes * len(served) / (len(served) - 12), rel=0.35)
        again = await place.shop.planner.preview("rerun", days)
        assert again.forecast is not None
        assert (again.forecast.blocks, again.forecast.at_hand, again.forecast.size_bytes) == (0, len(served), 0)
        assert (await place.shop.planner.preview("backfill", days)).forecast is None


async def test_files_of_the_node_are_no_burden_to_it(host: HostProcess, workers: Workers, tmp_path: Path) -> None:
    # a byte a second is what may be taken of the node
    async with job_place(
        host, workers, tmp_path, mb_per_s=1e-6, blocks_dir=Path(host.env["BITCOIN_DATADIR"]) / "regtest" / "blocks"
    ) as place:
        done = await place.run(await backfill(place, BlockWindows(100, 243)))
        assert place.store.jobs.progress(done.key).done == 1
        assert blocks_served(host) == {}
        care = place.shop.care
        assert (care.files.folder, care.files.notes) == (place.settings.node.blocks_dir, ())
        # those of the window, and those before it, for the prices at its blocks
        assert dict(care.came_from) == {"block files": 244}


@pytest.mark.soak
async def test_what_is_not_in_the_files_comes_from_the_node(
    host: HostProcess, workers: Workers, tmp_path: Path
) -> None:
    stored = (Path(host.env["BITCOIN_DATADIR"]) / "regtest" / "blocks" / "blk00000.dat").read_bytes()
    first_half = BlockFileFolder(tmp_path / "half", KEY)
    first_half.append_all([raw for _, raw in read_records(stored, NO_KEY)][:76])
    of_main = BlockFileFolder(tmp_path / "main", KEY, bytes.fromhex("f9beb4d9"))
    of_main.append_all(raw for _, raw in chain_of([[], []]))
    prices = set()
    for folder, had, said in (
        (None, 0, []),
        (first_half.path, 76, []),
        (of_main.path, 0, ["holds blocks of the network main, not of regtest, so the node is asked for blocks"]),
    ):
        act(host, "clear-statistics")
        async with job_place(
            host, workers, tmp_path / f"store of {folder and folder.name}", blocks_dir=folder
        ) as place:
            done = await place.run(await backfill(place, BlockWindows(0, 143)))
            assert place.store.jobs.progress(done.key).done == 1
            care, served = place.shop.care, blocks_served(host)
            assert dict(care.came_from) == {BlockSource.REST: 144 - had} | (
                {BlockSource.BLOCK_FILES: had} if had else {}
            )
            assert (len(served), set(served.values())) == (144 - had, {1})
            assert [text in note for text, note in zip(said, care.files.notes, strict=True)] == [True] * len(said)
            prices.add(place.store.windows.newest("blocks")[0].price_usd)
    assert len(prices) == 1


async def test_the_same_work_is_one_job(host: HostProcess, workers: Workers, tmp_path: Path) -> None:
    async with job_place(host, workers, tmp_path) as place:
        days = await place.days(2)
        first, second = await asyncio.gather(*(place.shop.planner.backfill(days) for _ in range(2)))
        assert first.job == second.job
        assert first.job is not None
        control.pause(place.store, first.job.key)
        asked_again = await place.shop.planner.backfill(days)
        assert asked_again.goes_on
        assert asked_again.was_paused == control.BY_OPERATOR
        assert job_of(place, first.job).state == "queued"


@pytest.mark.soak
async def test_two_engines_share_a_job(host: HostProcess, workers: Workers, tmp_path: Path, soon: None) -> None:
    async with job_place(host, workers, tmp_path) as one, job_place(host, workers, tmp_path) as two:
        job = await backfill(one, BlockWindows(100, 293, 10))
        async with at_work(one), at_work(two):
            await until(lambda: job_of(two, job).state == "done")
            await until(lambda: one.reading(job.key).progress.done == job.items)
        items = one.store.jobs.items(job.key)
        assert {(item.state, item.tries) for item in items} == {("done", 1)}
        owners = [reading.of(job.key) for place in (one, two) for reading in place.readings]
        # each has seen what the other was at
        assert {hand.here for reading in owners if reading for hand in reading.at_hand} == {True, False}


async def test_pause_resume_and_cancel(host: HostProcess, workers: Workers, tmp_path: Path, soon: None) -> None:
    act(host, "latency", seconds=0.02, path="/rest/block/")
    async with job_place(host, workers, tmp_path) as place:
        job = await backfill(place, FEW)
        elsewhere = Store(tmp_path, "regtest")
        async with at_work(place):
            await until(lambda: bool(blocks_served(host)))
            control.pause(elsewhere, job.key)
            await until(lambda: place.store.jobs.progress(job.key).at_work == 0)
            served = len(blocks_served(host))
            await asyncio.sleep(0.2)
            assert len(blocks_served(host)) <= served + 3
            assert job_of(place, job).state == "paused"
            control.resume(elsewhere, job.key)
            await until(lambda: place.store.jobs.progress(job.key).at_work > 0)
            assert job_of(place, job).started_s is not None
            control.cancel(elsewhere, job.key)
            await until(lambda: place.store.jobs.progress(job.key).at_work == 0)
        assert job_of(place, job).state == "cancelled"
        assert {item.state for item in place.store.jobs.items(job.key)} == {"waiting"}
        # what had been got is not got again
        again = await backfill(place, FEW)
        assert again.key != job.key
        act(host, "latency", seconds=0.0)
        await place.run(again)
        assert max(blocks_served(host).values()) <= 3
        assert sum(count - 1 for count in blocks_served(host).values()) <= 6


async def test_who_stops_gives_its_windows_back(
    host: HostProcess, workers: Workers, tmp_path: Path, soon: None
) -> None:
    act(host, "latency", seconds=0.05, path="/rest/block/")
    async with job_place(host, workers, tmp_path) as place:
        job = await backfill(place, FEW)
        async with at_work(place):
            await until(lambda: place.store.jobs.progress(job.key).at_work == 2)
            assert job_of(place, job).state == "running"
        assert place.store.jobs.progress(job.key).at_work == 0
        assert job_of(place, job).state == "queued"


async def test_a_node_that_goes_away(host: HostProcess, workers: Workers, tmp_path: Path, soon: None) -> None:
    act(host, "latency", seconds=0.01, path="/rest/block/")
    async with job_place(host, workers, tmp_path) as place:
        job = await backfill(place, FEW)
        async with at_work(place):
            await until(lambda: len(blocks_served(host)) > 20)
            await asyncio.to_thread(act, host, "stop", clean=True)
            await until(lambda: job_of(place, job).state == "paused")
            paused = job_of(place, job)
            assert paused.reason is not None
            assert host.env["BITCOIN_RPC_URL"].removeprefix("http://") in paused.reason
            assert paused.resume_at_s is not None
            await until(lambda: place.store.jobs.progress(job.key).at_work == 0)
            await asyncio.to_thread(act, host, "start", warm_up_s=0.1)
            await until(lambda: job_of(place, job).state == "done")
        assert job_of(place, job).reason is None
        assert {item.state for item in place.store.jobs.items(job.key)} == {"done"}
        # what was on its way when the node went is asked for once more, and nothing else: three blocks, and those that
        # had their turn while it went
        served = blocks_served(host)
        assert sum(count - 1 for count in served.values()) <= 6


async def test_a_node_that_is_busy(host: HostProcess, workers: Workers, tmp_path: Path, soon: None) -> None:
    async with job_place(host, workers, tmp_path) as place:
        job = await backfill(place, FEW)
        allowed: set[int] = set()
        async with at_work(place):
            await until(lambda: len(blocks_served(host)) > 20)
            act(host, "busy", seconds=0.5)
            while job_of(place, job).state != "done":
                care = place.readings[-1].care
                assert care is not None
                allowed.add(care.allowed)
                await asyncio.sleep(0.02)
        # one is left to live work, and one is the least
        assert allowed >= {3, 1}
        assert {item.state for item in place.store.jobs.items(job.key)} == {"done"}


async def test_a_node_that_syncs_is_left_alone(host: HostProcess, workers: Workers, tmp_path: Path, soon: None) -> None:
    act(host, "settings", initial_block_download=True)
    async with job_place(host, workers, tmp_path) as place:
        job = await backfill(place, FEW)
        act(host, "clear-statistics")
        async with at_work(place):
            await until(lambda: job_of(place, job).state == "paused")
            assert "is catching up with the chain" in (job_of(place, job).reason or "")
            assert blocks_served(host) == {}
            act(host, "settings", initial_block_download=False)
            await until(lambda: job_of(place, job).state == "done")


async def test_quiet_hours(host: HostProcess, workers: Workers, tmp_path: Path, soon: None) -> None:
    async with job_place(host, workers, tmp_path, quiet_hours="00:00-23:59") as place:
        job = await backfill(place, FEW)
        async with at_work(place):
            await until(lambda: job_of(place, job).state != "queued")
        paused = job_of(place, job)
        # in the one minute of the day that is not quiet there is nothing to see
        if paused.state == "paused":
            assert "quiet hours 00:00-23:59" in (paused.reason or "")
            assert paused.resume_at_s is not None
            assert 0 < paused.resume_at_s - clock.now_s() < 86_400


async def test_live_work_does_not_wait(host: HostProcess, workers: Workers, tmp_path: Path, soon: None) -> None:
    act(host, "latency", seconds=0.05, path="/rest/block/")
    async with job_place(host, workers, tmp_path) as place:
        job = await backfill(place, FEW)
        async with at_work(place):
            await until(lambda: len(blocks_served(host)) > 5)
            tip = (await place.node.chain_info()).blocks
            live = set(await place.node.block_hashes(range(tip - 20, tip)))
            before = set(blocks_served(host))
            await place.live.price(Last(20), lambda progress: None)
            meanwhile = set(blocks_served(host)) - before
            assert live <= meanwhile | before
            # of the job only what was on its way when the round began, and when it ended
            assert len(meanwhile - live) <= 6
            assert job_of(place, job).state == "running"


async def test_what_a_pruned_node_has_not_is_said_before(host: HostProcess, workers: Workers, tmp_path: Path) -> None:
    async with job_place(host, workers, tmp_path) as place:
        days = await place.days(3)
        first = await place.run(await backfill(place, Days(days.last, days.last)))
        (newest,) = place.store.windows.newest("day")
        assert newest.first_height is not None
        act(host, "prune", below=newest.first_height - 20)
        other = tmp_path / "other"
        other.mkdir()
        async with job_place(host, workers, other) as empty:
            plan = await empty.shop.planner.backfill(days)
            assert [key.date for key in plan.impossible] == dates(days)[:2]
            assert plan.lowest_height == newest.first_height - 20
            done = await empty.run(plan.job)
            assert (done.items, len(empty.prices())) == (1, 1)
        # where the digests are at hand the node's blocks are not needed
        act(host, "prune", below=newest.first_height + 200)
        plan = await place.shop.planner.rerun(Days(days.last, days.last))
        assert plan.impossible == ()
        again = await place.run(plan.job)
        assert place.store.jobs.progress(again.key).done == 1
        assert first.key != again.key


async def test_errors_of_a_window_do_not_stop_the_others(host: HostProcess, workers: Workers, tmp_path: Path) -> None:
    async with job_place(host, workers, tmp_path) as place:
        days = await place.days(2)
        job = await backfill(place, days)
        newest = await place.live.plan(Day(days.last))
        act(host, "prune", below=newest.window.blocks.first)
        assert (await place.run(job)).state == "done"
        items = place.store.jobs.items(job.key)
        assert [(item.state, item.error_kind) for item in items] == [
            ("failed", "pruned_block"),
            ("done", None),
        ]
        assert "has the blocks from height" in (items[0].error or "")
        # the node has them again
        act(host, "prune", below=None)
        plan = await place.shop.planner.rerun(Stored("failed"))
        assert plan.job is not None
        assert [item.window.date for item in place.store.jobs.items(plan.job.key)] == [days.first]
        await place.run(plan.job)
        assert list(place.prices()) == dates(days)
        assert (await place.shop.planner.rerun(Stored("failed"))).job is None


async def test_what_is_to_be_done_again(host: HostProcess, workers: Workers, tmp_path: Path) -> None:
    async with job_place(host, workers, tmp_path) as place:
        days = await place.days(3)
        first, second, third = (
            Window(kind="day", method=METHOD, date=day, valid=True, price_usd=1e5) for day in dates(days)
        )
        place.store.windows.put(
            [
                replace(first, valid=False, reason="low_confidence"),
                replace(second, valid=None, imported=True),
                third,
                replace(third, method="utxoracle-9.0"),
                replace(third, method="utxoracle-9.0", date=second.date),
                replace(third, method="utxoracle-8.2", date=days.first.replace(year=2024), valid=False),
            ]
        )

        async def chosen(wanted: Stored | Marked) -> list[JobItem]:
            plan = await place.shop.planner.rerun(wanted)
            return place.store.jobs.items(plan.job.key) if plan.job else []

        # of the older method's only the day that has no result of this one
        assert [item.window.text for item in await chosen(Stored("older-method"))] == [
            f"day.{days.first.replace(year=2024)}.{METHOD}"
        ]
        assert [item.window.date for item in await chosen(Stored("not-valid"))] == [
            days.first.replace(year=2024),
            first.date,
        ]
        marked = Marked(frozenset({second.window_key}))
        assert [item.window for item in await chosen(marked)] == [second.window_key]


async def test_refused_days(host: HostProcess, workers: Workers, tmp_path: Path) -> None:
    async with job_place(host, workers, tmp_path) as place:
        newest = (await place.days(1)).last
        for days, kind in (
            (Days(date(2023, 12, 14), newest), "date_too_old"),
            (Days(newest, newest + timedelta(days=1)), "date_too_new"),
            (Days(newest - timedelta(days=90), newest), "blocks_missing"),
        ):
            with pytest.raises(OperatorError) as refused:
                await place.shop.planner.backfill(days)
            assert (refused.value.kind, refused.value.exit_code) == (kind, 2)
        assert place.store.jobs.count() == 0


@pytest.mark.soak
async def test_a_reorg_while_windows_are_at_work(
    host: HostProcess, workers: Workers, tmp_path: Path, soon: None
) -> None:
    async with job_place(host, workers, tmp_path) as place:
        tip = (await place.node.chain_info()).blocks
        job = await backfill(place, BlockWindows(tip - 153, tip, 2))
        act(host, "latency", seconds=0.02, path="/rest/block/")
        async with at_work(place):
            await until(lambda: len(blocks_served(host)) > 20)
            await asyncio.to_thread(act, host, "reorg", depth=6, length=7)
            act(host, "latency", seconds=0.0)
            await until(lambda: job_of(place, job).state == "done")
        windows = place.store.windows.between_heights(0, tip, "blocks")
        assert len(windows) == job.items == 6
        hashes = await place.node.block_hashes([window.last_height or 0 for window in windows])
        assert [window.last_hash for window in windows] == hashes


async def test_a_disk_that_is_full_for_a_while(
    host: HostProcess, workers: Workers, tmp_path: Path, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with job_place(host, workers, tmp_path) as place:
        job = await backfill(place, FEW)
        put, full = place.store.windows.put, True

        def refusing(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
            if full:
                raise StoreTrouble("disk_full", "The disk is full.")
            return put(*arguments, **options)

        monkeypatch.setattr(place.store.windows, "put", refusing)
        async with at_work(place):
            await until(lambda: bool(place.readings) and place.readings[-1].trouble == "The disk is full.")
            assert place.store.windows.count() == 0
            full = False
            await until(lambda: job_of(place, job).state == "done")
            await until(lambda: place.readings[-1].trouble is None)
        assert place.store.windows.count() == 3
        assert set(blocks_served(host).values()) == {1}


async def test_what_was_at_hand_is_no_sign_of_how_fast_the_node_is(
    host: HostProcess, workers: Workers, tmp_path: Path
) -> None:
    async with job_place(host, workers, tmp_path) as place:
        # the digests of the newest day are kept from here on
        await place.run(await backfill(place, await place.days(1)))
        job = (await place.shop.planner.rerun(await place.days(2))).job
        assert job is not None
        act(host, "clear-statistics")
        act(host, "latency", seconds=0.2)
        told: list[JobReading] = []

        def note(reading: JobsReading) -> None:
            of_job = reading.of(job.key)
            if of_job is not None and of_job.estimate.eta is not None:
                told.append(of_job)

        await place.shop.engine(job.key).run_until_over(note)
        left = [sum((window.blocks or 0) - window.blocks_done for window in reading.at_hand) for reading in told]
        early = [(blocks, reading) for blocks, reading in zip(left, told, strict=True) if blocks >= 30]
        assert len(early) >= 3
        for blocks, reading in early:
            assert reading.estimate.eta is not None
            assert reading.estimate.blocks_per_s is not None
            # at most three requests are in flight, and each takes a fifth of a second
            assert reading.estimate.blocks_per_s <= 15.5
            assert reading.estimate.eta.likely_s >= blocks / 15.5
            assert 0.5 < reading.share < 1


async def test_the_days_that_can_be_asked_for(host: HostProcess, workers: Workers, tmp_path: Path) -> None:
    async with job_place(host, workers, tmp_path) as place:
        found = await place.shop.planner.possible_days()
        newest = (await place.days(1)).last
        assert found is not None
        assert found.last == newest
        # the first day after the chain's begin is whole, or else the next one
        ((_, begin),) = await place.node.headers(1, 1)
        after_s = begin.time + DAY_S - begin.time % DAY_S
        assert midnight_s(found.first) in (after_s, after_s + DAY_S)
        assert (await place.shop.planner.preview("backfill", found)).forecast is not None
        too_early = found.first - timedelta(days=1)
        with pytest.raises(OperatorError) as refused:
            await place.live.plan(Day(too_early))
        assert refused.value.message == f"{too_early} can't be priced: the chain begins only after its midnight."
