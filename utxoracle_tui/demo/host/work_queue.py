"""The few threads that a node answers requests with, and the queue before them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class QueueFull(Exception):
    """There are as many requests waiting as may wait."""


class WorkQueue:
    """Lets `threads` requests at a time through, `depth` more wait."""

    def __init__(self, threads: int, depth: int) -> None:
        self._free = asyncio.Semaphore(threads)
        self._depth = depth
        self._waiting = 0

    @asynccontextmanager
    async def thread(self) -> AsyncIterator[None]:
        """Hold a thread, after waiting for it in the queue. Raises `QueueFull` at once when nobody else may wait."""
        if self._free.locked():
            if self._waiting >= self._depth:
                raise QueueFull
            self._waiting += 1
            try:
                await self._free.acquire()
            finally:
                self._waiting -= 1
        else:
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()
