"""The worker processes: CPU work goes there, so that the event loop stays free."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessPool

from utxoracle_tui.engine.handing_over import HandingOver
from utxoracle_tui.engine.worker_tasks import compile_scanner, start_worker
from utxoracle_tui.errors import Exit, OperatorError

P = ParamSpec("P")
T = TypeVar("T")
_STOP_S = 0.8
"""How long ended processes are waited for."""


class Workers:
    """A pool of worker processes.

    Use as an async context manager; leaving it ends the processes at once, whatever they are at.
    """

    def __init__(self, cache_dir: Path, count: int | None = None) -> None:
        # one core is left to the screen and, on its own host, to the node; a worker also costs some 200 MB
        self.count = count or max(1, (os.cpu_count() or 1) - 1)
        self._cache_dir = str(cache_dir / "compiled")
        self._context = multiprocessing.get_context("spawn")
        self._pool: ProcessPool | None = None
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
        if self._pool is None:
            resource_tracker.ensure_running()
            self._pool = ProcessPool(
                self.count, context=self._context, initializer=start_worker, initargs=(self._cache_dir,)
            )
            for _ in range(self.count):
                self._pool.schedule(os.getpid)

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
        """Run a task in a worker and wait for its result.

        Raises what the task raises, and `OperatorError` when the worker was ended from outside. Cancelling leaves
        the worker alone: it finishes what it is at, and nobody takes the result.
        """
        self.start()
        assert self._pool is not None
        future = asyncio.wrap_future(self._pool.schedule(task, args=args, kwargs=kwargs))
        future.add_done_callback(_take_note)
        try:
            return await asyncio.shield(future)
        except (ProcessExpired, BrokenProcessPool):
            raise OperatorError(
                "worker_died",
                "A worker process was ended from outside, perhaps for lack of memory. Ask again.",
                Exit.FAILED,
            ) from None

    def stop(self) -> None:
        """End all processes, without waiting for what they are at."""
        if self._compile_timer is not None:
            self._compile_timer.cancel()
            # it may be starting the process just now
            self._compile_timer.join()
        compiler, self._compiler = self._compiler, None
        if compiler is not None:
            compiler.terminate()
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            with contextlib.suppress(TimeoutError):
                self._pool.join(timeout=_STOP_S)
            self._pool = None
        if compiler is not None:
            compiler.join(timeout=_STOP_S)
        self.handing_over.close()


def _take_note(future: asyncio.Future[T]) -> None:
    """Look at the exception of a task whose result nobody waits for any more, or asyncio complains of it."""
    if not future.cancelled():
        future.exception()
