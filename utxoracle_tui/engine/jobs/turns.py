"""Turns at the node for work that can wait: bounded, paced, behind live work, and those who were first go first."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from utxoracle_tui import clock
from utxoracle_tui.engine.jobs.care import Budget, Pace
from utxoracle_tui.engine.precedence import Precedence
from utxoracle_tui.sources.http import Load


@dataclass(frozen=True, slots=True)
class CareReading:
    """How the node is being spared."""

    in_flight: int
    """Blocks that jobs are getting now."""
    allowed: int
    """How many that may be now: fewer than the budget when the node is busy or slow."""
    budget: Budget
    gives_way: bool
    """Whether jobs wait for live work."""


class Turns:
    """Hands out turns. All belong to one node, and to one process."""

    def __init__(self, budget: Budget, precedence: Precedence, load: Callable[[], Load], processors: int) -> None:
        """`load` says how many requests the node is given; `processors` is how many windows can be priced at once."""
        self.budget = budget
        self._precedence = precedence
        self._load = load
        self._pace = Pace(budget.mb_per_s)
        self._in_flight = 0
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._processors = asyncio.Semaphore(processors)
        self._free = asyncio.Event()
        precedence.on_free(self._now_free)

    @property
    def reading(self) -> CareReading:
        """How it is now."""
        allowed = self.budget.allowed(self._load().limit)
        return CareReading(self._in_flight, allowed, self.budget, self._precedence.is_taken)

    @asynccontextmanager
    async def fetching(self, rank: int) -> AsyncIterator[None]:
        """Wait for a turn to get a block, and hold it; among those who wait the lowest rank is next."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._numbers), turn))
        self._admit()
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

    def spent(self, count_bytes: int) -> None:
        """Note what was taken from the node."""
        self._pace.spent(count_bytes, clock.elapsed_s())

    @asynccontextmanager
    async def pricing(self) -> AsyncIterator[None]:
        """Wait for a turn to price a window, and hold it."""
        async with self._processors:
            while self._precedence.is_taken:
                self._free.clear()
                await self._free.wait()
            yield

    def _now_free(self) -> None:
        self._free.set()
        self._admit()

    def _give_back(self) -> None:
        self._in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and not self._precedence.is_taken:
            if self._in_flight >= self.budget.allowed(self._load().limit):
                return
            wait_s = self._pace.wait_s(clock.elapsed_s())
            if wait_s > 0:
                self._admit_in(wait_s)
                return
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)

    def _admit_in(self, wait_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._admit)
