"""The worker processes: CPU work goes there, so that the event loop stays free."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from multiprocessing import resource_tracker
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from utxoracle_tui.engine.handing_over import HandingOver
from utxoracle_tui.engine.waiting_line import WaitingLine
from utxoracle_tui.engine.worker_process import WorkerEnded, WorkerProcess
from utxoracle_tui.engine.worker_tasks import compile_scanner
from utxoracle_tui.errors import Exit, OperatorError

P = ParamSpec("P")
T = TypeVar("T")
_STOP_S = 0.8
"""How long ended processes are waited for."""
_SOON, _BEHIND = range(2)


class Workers:
    """A pool of worker processes.

    Use as an async context manager; leaving it ends the processes at once, whatever they are at.
    """

    def __init__(self, cache_dir: Path, count: int | None = None) -> None:
        # one core is left to the screen and, on its own host, to the node; a worker also costs some 200 MB
        self.count = count or max(1, (os.cpu_count() or 1) - 1)
        self._cache_dir = str(cache_dir / "compiled")
        self._context = multiprocessing.get_context("spawn")
        self._idle: deque[WorkerProcess] = deque()
        self._all: list[WorkerProcess] = []
        self._line = WaitingLine(lambda: self.count)
        self._at_work: set[asyncio.Task[Any]] = set()
        """What has a worker, as against what waits for one."""
        self._is_stopped = False
        self._compile_timer: threading.Timer | None = None
        self._compiler: multiprocessing.process.BaseProcess | None = None
        self.handing_over = HandingOver()

    async def __aenter__(self) -> Workers:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the processes now instead of with the first piece of work.

        To be called before a console takes the terminal over: the helper process that Python starts along with
        the first worker inherits standard error, which must be a real file then.
        """
        resource_tracker.ensure_running()
        while len(self._all) < self.count:
            self._idle.append(self._new())

    def compile_in_background(self, after_s: float = 0.0) -> None:
        """Have the scanner compiled beside the work, for a process that stays up long enough to gain from it.

        It begins `after_s` seconds from now, so as not to compete with a console that is starting.
        """
        if self._compile_timer is None:
            self._compile_timer = threading.Timer(after_s, self._compile)
            self._compile_timer.daemon = True
            self._compile_timer.start()

    def _compile(self) -> None:
        self._compiler = self._context.Process(target=compile_scanner, args=(self._cache_dir,), daemon=True)
        self._compiler.start()

    async def run(self, task: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a task in a worker and wait for its result; those that wait for a worker get one in their order.

        Raises what the task raises, and `OperatorError` when the worker was ended from outside. Cancelled while it
        waits, it is not run; cancelled later, the worker finishes what it is at, and nobody takes the result.
        """
        return await self._in_turn(_SOON, partial(task, *args, **kwargs))

    async def run_behind(self, task: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `run`, for work that can wait: behind all that can't."""
        return await self._in_turn(_BEHIND, partial(task, *args, **kwargs))

    async def _in_turn(self, rank: int, task: Callable[[], T]) -> T:
        running = asyncio.create_task(self._run(rank, task))
        running.add_done_callback(self._over)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if running not in self._at_work:
                running.cancel()
            raise

    async def _run(self, rank: int, task: Callable[[], T]) -> T:
        async with self._line.turn(rank):
            running = asyncio.current_task()
            assert running is not None
            self._at_work.add(running)
            try:
                return await self._done_by(self._next(), task)
            except WorkerEnded:
                raise OperatorError(
                    "worker_died",
                    "A worker process was ended from outside, perhaps for lack of memory. Ask again.",
                    Exit.FAILED,
                ) from None

    def _over(self, running: asyncio.Task[T]) -> None:
        self._at_work.discard(running)
        if not running.cancelled():
            # nobody may be waiting for it any more, and asyncio complains of errors that nobody looks at
            running.exception()

    async def _done_by(self, worker: WorkerProcess, task: Callable[[], T]) -> T:
        try:
            return await worker.outcome_of(task)
        finally:
            if worker.is_at_odds:
                self._drop(worker)
            else:
                self._idle.append(worker)

    def _next(self) -> WorkerProcess:
        if self._is_stopped:
            raise WorkerEnded
        while self._idle:
            worker = self._idle.popleft()
            if worker.is_usable:
                return worker
            self._drop(worker)
        return self._new()

    def _new(self) -> WorkerProcess:
        worker = WorkerProcess(self._context, self._cache_dir)
        self._all.append(worker)
        return worker

    def _drop(self, worker: WorkerProcess) -> None:
        if worker in self._all:
            self._all.remove(worker)
            worker.end()

    def stop(self) -> None:
        """End all processes, without waiting for what they are at."""
        if self._compile_timer is not None:
            self._compile_timer.cancel()
            # it may be starting the process just now
            self._compile_timer.join()
        compiler, self._compiler = self._compiler, None
        if compiler is not None:
            compiler.terminate()
        self._is_stopped = True
        ended, self._all = self._all, []
        self._idle.clear()
        for worker in ended:
            worker.end()
        for worker in ended:
            worker.wait(_STOP_S)
        if compiler is not None:
            compiler.join(timeout=_STOP_S)
        self.handing_over.close()
