"""Short tasks of which workers are sent several at once: each way there and back costs as much as half of the work."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar

from utxoracle_tui.engine.worker_tasks import Failed, one_after_another
from utxoracle_tui.engine.workers import Workers

P = ParamSpec("P")
T = TypeVar("T")
MOST_AT_ONCE = 8
"""Tasks in a batch. More would save little, and let live work wait longer."""
GATHER_S = 0.02
"""How long tasks wait for others: blocks come every few milliseconds, and nobody looks at a single one."""
_WAITING_FOR_A_WORKER = 1


@dataclass(frozen=True, slots=True)
class _Waiting:
    task: Callable[[], Any]
    outcome: asyncio.Future[Any]


class WorkerBatches:
    """Sends tasks together when there are enough of them, or none has come along for a moment."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._waiting: deque[_Waiting] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, task: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `Workers.run`, which runs the tasks of a batch one after another.

        Cancelled while it waits, a task is not run.
        """
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(partial(task, *args, **kwargs), outcome))
        if len(self._waiting) >= MOST_AT_ONCE:
            self._send()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self._send)
        return await outcome

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and len(self._under_way) < self._workers.count + _WAITING_FOR_A_WORKER:
            batch: list[_Waiting] = []
            while self._waiting and len(batch) < MOST_AT_ONCE:
                waiting = self._waiting.popleft()
                if not waiting.outcome.done():
                    batch.append(waiting)
            if batch:
                sent = asyncio.create_task(self._run(batch))
                self._under_way.add(sent)
                sent.add_done_callback(self._over)

    def _over(self, sent: asyncio.Task[None]) -> None:
        self._under_way.discard(sent)
        self._send()

    async def _run(self, batch: Sequence[_Waiting]) -> None:
        results: Sequence[object]
        try:
            results = await self._workers.run(one_after_another, [waiting.task for waiting in batch])
        except asyncio.CancelledError:
            for waiting in batch:
                waiting.outcome.cancel()
            raise
        except Exception as error:  # noqa: BLE001  (the edge of a worker: whoever waits gets it)
            results = [Failed(error)] * len(batch)
        for waiting, result in zip(batch, results, strict=True):
            if waiting.outcome.done():
                continue
            if isinstance(result, Failed):
                waiting.outcome.set_exception(result.error)
            else:
                waiting.outcome.set_result(result)
