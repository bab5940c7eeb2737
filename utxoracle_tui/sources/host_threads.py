"""Threads for questions that may never be answered: a file system that hangs holds whoever asks it for ever.

Such a thread must not be one of the event loop's own pool: a few would use it up, and the program could not end.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


class SideThreads:
    """Runs work in threads that nobody has to wait for, one at a time for each subject."""

    def __init__(self) -> None:
        self._busy: set[Hashable] = set()

    async def run(self, subject: Hashable, work: Callable[[], T], timeout_s: float) -> T:
        """The result of the work. Raises what it raises, and `TimeoutError` when it isn't there in time.

        While earlier work on the subject still hangs, it is `TimeoutError` at once.
        """
        if subject in self._busy:
            raise TimeoutError
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()

        def deliver(value: T | None, error: BaseException | None) -> None:
            if result.done():
                return
            if error is not None:
                result.set_exception(error)
            else:
                result.set_result(value)  # type: ignore[arg-type]  # None only if T allows it

        def thread() -> None:
            value: T | None = None
            error: BaseException | None = None
            try:
                value = work()
            except BaseException as raised:  # noqa: BLE001  (the edge of a worker: whoever waits gets it)
                error = raised
            self._busy.discard(subject)
            # the loop may have ended meanwhile
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(deliver, value, error)

        self._busy.add(subject)
        threading.Thread(target=thread, name=f"host {subject}", daemon=True).start()
        async with asyncio.timeout(timeout_s):
            return await result
