"""Tasks in worker processes: each has its own result, error and end, and those that can wait do."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from utxoracle_core.errors import BlockError
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import OperatorError


def doubled(number: int, *, of: str = "") -> tuple[int | str, int]:
    return of * 2 if of else number * 2, os.getpid()


def refused(offset: int) -> int:
    raise BlockError("damaged", offset, "a block")


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


def noted(path: Path) -> float:
    """When it ran, by a clock that all processes share."""
    path.touch()
    return time.monotonic()


def unsendable(go: Path) -> object:
    return lambda: go


def with_lock() -> None:
    raise ValueError(threading.Lock())


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def test_each_gets_its_own_result(workers: Workers) -> None:
    found = await asyncio.gather(*(workers.run(doubled, n) for n in range(50)), workers.run(doubled, 0, of="ab"))
    assert [value for value, _ in found] == [*range(0, 100, 2), "abab"]
    assert os.getpid() not in {pid for _, pid in found}


async def test_large_ones_go_both_ways(workers: Workers) -> None:
    large = os.urandom(5_000_000)
    assert await asyncio.gather(*(workers.run(bytes.__add__, large, b"!") for _ in range(3))) == [large + b"!"] * 3


async def test_replies_of_every_size_come_whole(workers: Workers) -> None:
    for size in (0, 1, *range(4040, 4100), 8_192, 300_000):
        assert await workers.run(bytes, size) == bytes(size)


async def test_each_gets_its_own_error_and_where_it_was(workers: Workers) -> None:
    asked = [workers.run(refused, n) if n % 3 == 0 else workers.run(doubled, n) for n in range(20)]
    for n, found in enumerate(await asyncio.gather(*asked, return_exceptions=True)):
        if n % 3 == 0:
            assert isinstance(found, BlockError)
            assert found.offset_bytes == n
            assert any("in refused" in note for note in found.__notes__)
        else:
            assert isinstance(found, tuple)
            assert found[0] == 2 * n


async def test_what_cannot_be_sent_is_an_error(workers: Workers, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="pickle"):
        await workers.run(unsendable, tmp_path)
    with pytest.raises(Exception, match="pickle"):
        await workers.run(doubled, lambda: 1)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="in with_lock"):
        await workers.run(with_lock)
    assert (await workers.run(doubled, 4))[0] == 8


async def test_one_that_is_given_up_while_it_waits_is_not_run(workers: Workers, tmp_path: Path) -> None:
    go = tmp_path / "go"
    held = [asyncio.create_task(workers.run(wait_for, go)) for _ in range(workers.count)]
    await asyncio.sleep(0.05)
    waiting = [asyncio.create_task(workers.run(noted, tmp_path / str(n))) for n in range(16)]
    await asyncio.sleep(0)
    given_up = waiting[1::2]
    for task in given_up:
        task.cancel()
    await asyncio.sleep(0)
    go.touch()
    await asyncio.gather(*held)
    ran = await asyncio.gather(*waiting[::2])
    assert ran == sorted(ran)
    assert all(task.cancelled() for task in given_up)
    assert {path.name for path in tmp_path.iterdir()} == {"go", *(str(n) for n in range(0, 16, 2))}


async def test_one_that_is_given_up_while_it_runs_is_run_to_its_end(workers: Workers, tmp_path: Path) -> None:
    before = (await workers.run(doubled, 0))[1]
    go = tmp_path / "go"
    held = asyncio.create_task(workers.run(wait_for, go))
    await asyncio.sleep(0.05)
    held.cancel()
    behind = asyncio.create_task(workers.run(doubled, 1))
    await asyncio.sleep(0.05)
    assert not behind.done()
    go.touch()
    assert await behind == (2, before)


async def test_what_can_wait_is_behind_what_cannot(workers: Workers, tmp_path: Path) -> None:
    go = tmp_path / "go"
    held = [asyncio.create_task(workers.run(wait_for, go)) for _ in range(workers.count)]
    await asyncio.sleep(0.05)
    behind = [asyncio.create_task(workers.run_behind(noted, tmp_path / f"behind {n}")) for n in range(5)]
    await asyncio.sleep(0)
    soon = [asyncio.create_task(workers.run(noted, tmp_path / f"soon {n}")) for n in range(5)]
    await asyncio.sleep(0)
    go.touch()
    await asyncio.gather(*held)
    assert max(await asyncio.gather(*soon)) < min(await asyncio.gather(*behind))


async def test_a_worker_that_is_ended_is_told_of_and_replaced(workers: Workers) -> None:
    with pytest.raises(OperatorError, match="ended from outside"):
        await workers.run(killed)
    assert (await workers.run(doubled, 4))[0] == 8


async def test_one_that_was_ended_while_it_had_nothing_to_do_is_replaced(workers: Workers) -> None:
    pid = (await workers.run(doubled, 0))[1]
    os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.1)
    found = await workers.run(doubled, 4)
    assert (found[0], found[1] != pid) == (8, True)


def test_work_that_a_loop_leaves_behind_does_not_reach_the_next(workers: Workers, tmp_path: Path) -> None:
    async def leave() -> None:
        left = asyncio.create_task(workers.run(wait_for, tmp_path / "never"))
        await asyncio.sleep(0.05)
        assert not left.done()

    asyncio.run(leave())
    assert asyncio.run(workers.run(doubled, 4))[0] == 8


async def test_stopping_ends_what_is_under_way(tmp_path: Path) -> None:
    async with Workers(tmp_path, 1) as own:
        pid = (await own.run(doubled, 0))[1]
        under_way = asyncio.create_task(own.run(wait_for, tmp_path / "never"))
        waiting = asyncio.create_task(own.run(doubled, 1))
        await asyncio.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    for task in (under_way, waiting):
        with pytest.raises(OperatorError, match="ended from outside"):
            await task
