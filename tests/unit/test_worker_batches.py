"""Tasks that are sent to the workers together: each has its own result, error and end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from utxoracle_core.errors import BlockError
from utxoracle_tui.engine.worker_batches import MOST_AT_ONCE, WorkerBatches
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


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def test_each_gets_its_own_result(workers: Workers) -> None:
    batches = WorkerBatches(workers)
    found = await asyncio.gather(*(batches.run(doubled, n) for n in range(50)), batches.run(doubled, 0, of="ab"))
    assert [value for value, _ in found] == [*range(0, 100, 2), "abab"]
    assert os.getpid() not in {pid for _, pid in found}


async def test_each_gets_its_own_error(workers: Workers) -> None:
    batches = WorkerBatches(workers)
    asked = [batches.run(refused, n) if n % 3 == 0 else batches.run(doubled, n) for n in range(20)]
    for n, found in enumerate(await asyncio.gather(*asked, return_exceptions=True)):
        if n % 3 == 0:
            assert isinstance(found, BlockError)
            assert found.offset_bytes == n
        else:
            assert isinstance(found, tuple)
            assert found[0] == 2 * n


async def test_one_that_is_given_up_while_it_waits_is_not_run(workers: Workers, tmp_path: Path) -> None:
    batches = WorkerBatches(workers)
    go = tmp_path / "go"
    held = [asyncio.create_task(batches.run(wait_for, go)) for _ in range((workers.count + 1) * MOST_AT_ONCE)]
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(batches.run(noted, tmp_path / str(n))) for n in range(2 * MOST_AT_ONCE)]
    await asyncio.sleep(0)
    given_up = waiting[1::2]
    for task in given_up:
        task.cancel()
    go.touch()
    await asyncio.gather(*held)
    ran = await asyncio.gather(*waiting[::2])
    assert ran == sorted(ran)
    assert all(task.cancelled() for task in given_up)
    assert {path.name for path in tmp_path.iterdir()} == {"go", *(str(n) for n in range(0, 2 * MOST_AT_ONCE, 2))}


async def test_a_worker_that_is_ended_is_told_of_and_replaced(workers: Workers) -> None:
    batches = WorkerBatches(workers)
    with pytest.raises(OperatorError, match="ended from outside"):
        await batches.run(killed)
    assert (await batches.run(doubled, 4))[0] == 8
