"""The worker processes: CPU work goes there, so that the event loop stays free."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import resource_tracker
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, TypeVar

from utxoracle_tui.engine.worker_tasks import compile_scanner, start_worker

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """A pool of worker processes, started when first used.

    Use as an async context manager; leaving it ends the processes at once, whatever they are at.
    """

    def __init__(self, cache_dir: Path, count: int | None = None) -> None:
        self.count = count or os.cpu_count() or 1
        self._cache_dir = str(cache_dir / "compiled")
        self._context = multiprocessing.get_context("spawn")
        self._pool: ProcessPoolExecutor | None = None
        self._compiler: multiprocessing.process.BaseProcess | None = None

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
        if self._pool is None:
            resource_tracker.ensure_running()
            self._pool = ProcessPoolExecutor(
                self.count, self._context, initializer=start_worker, initargs=(self._cache_dir,)
            )
            for _ in range(self.count):
                self._pool.submit(os.getpid)

    def compile_in_background(self) -> None:
        """Have the scanner compiled beside the work, for a process that stays up long enough to gain from it."""
        if self._compiler is None:
            self._compiler = self._context.Process(target=compile_scanner, args=(self._cache_dir,), daemon=True)
            self._compiler.start()

    async def run(self, task: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a task in a worker and wait for its result.

        Raises what the task raises, and `BrokenProcessPool` when the worker was killed.
        """
        self.start()
        assert self._pool is not None
        future = self._pool.submit(task, *args, **kwargs)
        return await asyncio.wrap_future(future)

    def stop(self) -> None:
        """End all processes, without waiting for what they are at."""
        if self._compiler is not None and self._compiler.is_alive():
            self._compiler.terminate()
        self._compiler = None
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            # shutdown alone waits for tasks that have begun
            for process in multiprocessing.active_children():
                process.terminate()
            self._pool = None
