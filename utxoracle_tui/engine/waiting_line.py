"""A line of those who wait for one thing: the engine's work waits in several, for the node, for files, for workers."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class WaitingLine:
    """Those who wait for one thing, the lowest rank first, and among equals whoever came first."""

    def __init__(self, allowed: Callable[[], int], wait_s: Callable[[], float] = lambda: 0.0) -> None:
        """`allowed` turns may be held at once, the next one after `wait_s`."""
        self.held = 0
        """How many hold a turn."""
        self._allowed = allowed
        self._wait_s = wait_s
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def turn(self, rank: int) -> AsyncIterator[None]:
        """Wait for a turn, and hold it."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._numbers), turn))
        self.admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back()
            raise
        try:
            yield
        finally:
            self._give_back()

    def admit(self) -> None:
        """Let in whoever may."""
        while self._waiting:
            if self.held >= self._allowed():
                return
            wait_s = self._wait_s()
            if wait_s > 0:
                self._admit_in(wait_s)
                return
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self.held += 1
                turn.set_result(None)

    def _give_back(self) -> None:
        self.held -= 1
        self.admit()

    def _admit_in(self, wait_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait_s, self.admit)
