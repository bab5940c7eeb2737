"""A limit on the requests that a client has in flight, which falls by itself when the server is overloaded."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a client is."""

    in_flight: int
    limit: int
    """Requests that may be in flight now."""
    most: int
    """The limit when the server keeps up."""
    waiting: int
    """Requests that wait for their turn."""


@dataclass(slots=True)
class Slot:
    """The right to one request, held while it is in flight."""

    round: int


class RequestLimiter:
    """Bounds the requests in flight, over all kinds of them: additive increase, multiplicative decrease.

    The limit is halved when the server says that it is overloaded or doesn't answer in time, and when three replies
    in a row are slow. A reply is slow when its first byte took more than 0.5 s and more than four times the median of
    the last 64 replies of its kind, of which there must be eight. One slow reply alone says little: a node that
    connects a block holds everything up for a moment. Requests that were under way when the limit was halved don't
    halve it again. After 32 good replies in a row the limit grows by one.

    Waiters get their turn in order, those that go `ahead` before all others.
    """

    SLOW_S = 0.5
    SLOW_TIMES_MEDIAN = 4.0
    SLOW_IN_A_ROW = 3
    GROW_AFTER_REPLIES = 32
    _REMEMBERED, _LEAST_REMEMBERED = 64, 8

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError("at least one request must be allowed in flight")
        self._most = self._limit = most
        self._in_flight = 0
        self._round = 0
        self._slow = self._good = 0
        self._ahead: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self._waits_s: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=self._REMEMBERED))

    @property
    def load(self) -> Load:
        """How many requests are in flight and waiting now."""
        return Load(self._in_flight, self._limit, self._most, len(self._ahead) + len(self._others))

    @asynccontextmanager
    async def slot(self, *, ahead: bool = False) -> AsyncIterator[Slot]:
        """Wait for a turn and hold it."""
        await self._take(self._ahead if ahead else self._others)
        try:
            yield Slot(self._round)
        finally:
            self._in_flight -= 1
            self._admit()

    def overloaded(self, slot: Slot) -> None:
        """Note that the server could not take the request of this slot, or did not answer it in time."""
        self._slow = self._good = 0
        if slot.round == self._round:
            self._round += 1
            self._limit = max(1, self._limit // 2)

    def served(self, slot: Slot, kind: str, wait_s: float) -> None:
        """Note how long the first byte of a good reply took; `kind` names requests whose times compare."""
        earlier_s = self._waits_s[kind]
        slow = (
            wait_s > self.SLOW_S
            and len(earlier_s) >= self._LEAST_REMEMBERED
            and wait_s > self.SLOW_TIMES_MEDIAN * median(earlier_s)
        )
        earlier_s.append(wait_s)
        if slow:
            self._good = 0
            self._slow += 1
            if self._slow >= self.SLOW_IN_A_ROW:
                self.overloaded(slot)
            return
        self._slow = 0
        self._good += 1
        if self._good >= self.GROW_AFTER_REPLIES and self._limit < self._most:
            self._good = 0
            self._limit += 1
            self._admit()

    async def _take(self, queue: deque[asyncio.Future[None]]) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):
                    queue.remove(turn)
            else:
                self._in_flight -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        while self._in_flight < self._limit and (turn := self._next()) is not None:
            self._in_flight += 1
            turn.set_result(None)

    def _next(self) -> asyncio.Future[None] | None:
        for queue in (self._ahead, self._others):
            while queue:
                turn = queue.popleft()
                if not turn.cancelled():
                    return turn
        return None
