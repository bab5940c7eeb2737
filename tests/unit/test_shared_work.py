"""Work that several ask for at the same time is done once."""

from __future__ import annotations

import asyncio

import pytest

from utxoracle_tui.engine.shared_work import SharedWork


class Counted:
    """Work that waits until it is let go."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.go = asyncio.Event()

    async def work(self) -> str:
        self.begun += 1
        try:
            await self.go.wait()
        finally:
            self.ended += 1
        return "done"


async def test_it_is_done_once() -> None:
    shared, counted = SharedWork[str, str](), Counted()
    tasks = [asyncio.create_task(shared.join("a", counted.work)) for _ in range(3)]
    await asyncio.sleep(0)
    counted.go.set()
    assert sorted(await asyncio.gather(*tasks)) == [("done", False), ("done", True), ("done", True)]
    assert counted.begun == 1
    # nobody waits for it any more, so it is begun anew
    assert await shared.join("a", counted.work) == ("done", False)
    assert counted.begun == 2


async def test_it_goes_on_for_those_who_still_wait() -> None:
    shared, counted = SharedWork[str, str](), Counted()
    first, second = (asyncio.create_task(shared.join("a", counted.work)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    assert counted.ended == 0
    counted.go.set()
    assert await second == ("done", True)


async def test_it_ends_with_the_last_who_waits() -> None:
    shared, counted = SharedWork[str, str](), Counted()
    tasks = [asyncio.create_task(shared.join("a", counted.work)) for _ in range(2)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)
    assert (counted.begun, counted.ended) == (1, 1)


async def test_what_is_to_last_is_done_to_its_end_and_can_be_joined() -> None:
    shared, counted = SharedWork[str, str](), Counted()
    first = asyncio.create_task(shared.join("a", counted.work))
    await asyncio.sleep(0)
    shared.last("a")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = asyncio.create_task(shared.join("a", counted.work))
    await asyncio.sleep(0)
    counted.go.set()
    assert await second == ("done", True)
    assert (counted.begun, counted.ended) == (1, 1)
    assert await shared.join("a", counted.work) == ("done", False)


async def test_its_error_is_everybodys() -> None:
    shared = SharedWork[str, str]()

    async def fail() -> str:
        await asyncio.sleep(0)
        raise ValueError("no")

    results = await asyncio.gather(*(shared.join("a", fail) for _ in range(2)), return_exceptions=True)
    assert [str(error) for error in results] == ["no", "no"]
    with pytest.raises(ValueError, match="no"):
        await shared.join("a", fail)
