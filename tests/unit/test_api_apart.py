"""Work beside the replies: it can't hold them up, and ends with them."""

from __future__ import annotations

import asyncio
import threading

import pytest

from utxoracle_tui.serve.apart import apart


async def test_what_blocks_over_there_blocks_nothing_here() -> None:
    done_here = threading.Event()

    async def work() -> bool:
        # ends only when the loop of the test goes on meanwhile
        return done_here.wait(10)

    async def here() -> None:
        await asyncio.sleep(0.01)
        done_here.set()

    assert (await asyncio.gather(apart(work), here()))[0]


async def test_errors_come_back() -> None:
    async def work() -> None:
        raise LookupError("there")

    with pytest.raises(LookupError, match="there"):
        await apart(work)


@pytest.mark.parametrize("after_s", [0.0, 0.1])
async def test_cancelling_ends_it(after_s: float) -> None:
    ended = threading.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(apart(work))
    await asyncio.sleep(after_s)
    task.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await task
    # cancelled before its first step it had nothing to end
    assert ended.is_set() or after_s == 0
