"""Which runs over blocks others go on from."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.support.records import block_reading
from utxoracle_core import Gap
from utxoracle_tui.engine.jobs.block_runs import BlockRuns
from utxoracle_tui.engine.pricing import WantedBlock

READING = block_reading(price_usd=60_000.0)
SETTLED = [READING] * 143
END = b"where it has come"


def blocks(first: int, last: int) -> list[WantedBlock]:
    return [WantedBlock(height, f"{height:064x}", None) for height in range(first, last + 1)]


async def count_before(runs: BlockRuns, lead: list[WantedBlock], start_usd: float) -> int:
    """After how many blocks of the lead a run goes on."""
    found = await runs.before(lead, start_usd)
    assert found is not None
    assert found[1].run_end == END
    return found[0]


@pytest.mark.parametrize("start_usd", [48_500.0, 60_000.0, 79_000.0])
async def test_a_run_goes_on_from_the_end_of_the_one_before(start_usd: float) -> None:
    runs = BlockRuns()
    with runs.over(blocks(0, 9)) as run:
        run.ended(SETTLED, END)
    assert await count_before(runs, blocks(5, 9), start_usd) == 5
    # what lies between is gone over
    assert await count_before(runs, blocks(5, 12), start_usd) == 5
    assert await runs.before(blocks(5, 8), start_usd) is None
    assert await runs.before([], start_usd) is None


@pytest.mark.parametrize("start_usd", [30_000.0, 47_900.0, 81_000.0, 120_000.0])
async def test_an_end_too_far_from_the_start_is_left_alone(start_usd: float) -> None:
    runs = BlockRuns()
    with runs.over(blocks(0, 9)) as run:
        run.ended(SETTLED, END)
    assert await runs.before(blocks(5, 9), start_usd) is None


@pytest.mark.parametrize("reason", [Gap.UNCERTAIN, Gap.RIVAL, Gap.OCTAVE])
async def test_nobody_goes_on_from_a_gap(reason: Gap) -> None:
    runs = BlockRuns()
    with runs.over(blocks(0, 9)) as run:
        run.ended([*SETTLED, replace(READING, price_usd=None, reason=reason)], END)
    assert await runs.before(blocks(5, 9), 60_000.0) is None


@pytest.mark.parametrize(("place", "goes_on"), [(0, True), (1, False), (143, False)])
async def test_nobody_goes_on_where_one_of_the_last_143_was_uncertain(place: int, goes_on: bool) -> None:
    """The octave test counts the last 144 that were not: others than those of a run over the blocks before."""
    readings = [READING] * 144
    readings[place] = replace(READING, confidence=0.49)
    runs = BlockRuns()
    with runs.over(blocks(0, 9)) as run:
        run.ended(readings, END)
    assert (await runs.before(blocks(5, 9), 60_000.0) is not None) is goes_on


@pytest.mark.parametrize(("confidence", "goes_on"), [(0.95, True), (0.49, False)])
async def test_with_a_short_run_those_of_the_one_before_count(confidence: float, goes_on: bool) -> None:
    runs = BlockRuns()
    short = [READING, replace(READING, confidence=confidence)]
    with runs.over(blocks(0, 9)) as first:
        first.ended(SETTLED, END)
    with runs.over(blocks(0, 11)) as second:
        second.ended(short, END, first.end_now)
    assert (second.end_now is not None) is goes_on
    with runs.over(blocks(0, 11)) as alone:
        alone.ended(short, END)
    assert alone.end_now is None


async def test_the_end_of_a_run_that_is_under_way_is_waited_for() -> None:
    runs = BlockRuns()
    with runs.over(blocks(0, 9)) as run:
        waiting = [asyncio.create_task(runs.before(blocks(5, 9), 60_000.0)) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        # one that waits may be given up
        waiting.pop().cancel()
        await asyncio.sleep(0)
        run.ended(SETTLED, END)
    found = await waiting[0]
    assert found is not None
    assert (found[0], found[1].run_end) == (5, END)


async def test_a_run_that_came_to_nothing_holds_nobody_up() -> None:
    runs = BlockRuns()

    async def fail() -> None:
        with runs.over(blocks(0, 9)):
            await asyncio.sleep(0)
            raise ConnectionError

    failing = asyncio.create_task(fail())
    await asyncio.sleep(0)
    assert await runs.before(blocks(5, 9), 60_000.0) is None
    with pytest.raises(ConnectionError):
        await failing


async def test_prices_that_are_kept_are_taken_once() -> None:
    runs = BlockRuns()
    with runs.over(blocks(0, 9)) as run:
        run.readings = [replace(READING, height=height) for height in range(6, 10)]
        run.ended(SETTLED, END)
    last = blocks(9, 9)[0].hash_text
    assert runs.take_readings(last, at_least=5) is None
    assert runs.take_readings("another", at_least=1) is None
    found = runs.take_readings(last, at_least=3)
    assert found is not None
    assert [block.height for block in found.blocks] == [6, 7, 8, 9]
    assert [reading.height for reading in found.readings] == [6, 7, 8, 9]
    assert found.settled_from == 0
    assert runs.take_readings(last, at_least=3) is None
    # the end stays for those that go on
    assert await count_before(runs, blocks(5, 9), 60_000.0) == 5


async def test_only_the_last_runs_are_known() -> None:
    runs = BlockRuns()
    for last in range(9, 20):
        with runs.over(blocks(last - 5, last)) as run:
            run.ended(SETTLED, END)
    assert await runs.before(blocks(8, 11), 60_000.0) is None
    assert await count_before(runs, blocks(8, 12), 60_000.0) == 5
