"""Turns for work that can wait: bounded, paced, behind live work, and those who were first go first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from utxoracle_tui import clock
from utxoracle_tui.engine.block_file_pricing import NO_FILES_YET, BlockFilesReading, BlockSource
from utxoracle_tui.engine.jobs.care import Budget, Pace
from utxoracle_tui.engine.precedence import Precedence
from utxoracle_tui.engine.waiting_line import WaitingLine
from utxoracle_tui.sources.http_limits import Load

_BLOCKS_A_PROCESSOR = 8
"""Blocks at hand for each: some are worked on, the next ones wait, and are sent to it together."""


@dataclass(frozen=True, slots=True)
class CareReading:
    """How the node is being spared."""

    in_flight: int
    """Blocks that jobs are getting from the node now."""
    allowed: int
    """How many that may be now: fewer than the budget when the node is busy or slow."""
    budget: Budget
    gives_way: bool
    """Whether jobs wait for live work."""
    files: BlockFilesReading = NO_FILES_YET
    """What is had without the node."""
    came_from: tuple[tuple[BlockSource, int], ...] = ()
    """How many blocks this process got from where."""


class Turns:
    """Hands out turns. All belong to one node, and to one process."""

    def __init__(self, budget: Budget, precedence: Precedence, load: Callable[[], Load], processors: int) -> None:
        """`load` says how many requests the node is given; `processors` is how many windows can be priced at once."""
        self.budget = budget
        self._precedence = precedence
        self._load = load
        self._pace = Pace(budget.mb_per_s)
        self._at_node = WaitingLine(self._allowed, self._wait_s)
        self._at_files = WaitingLine(lambda: 0 if precedence.is_taken else _BLOCKS_A_PROCESSOR * processors)
        self._at_hand = asyncio.Semaphore(_BLOCKS_A_PROCESSOR * processors)
        self._processors = asyncio.Semaphore(processors)
        self._free = asyncio.Event()
        precedence.on_free(self._now_free)

    @property
    def reading(self) -> CareReading:
        """How it is now."""
        allowed = self.budget.allowed(self._load().limit)
        return CareReading(self._at_node.held, allowed, self.budget, self._precedence.is_taken)

    @asynccontextmanager
    async def fetching(self, rank: int) -> AsyncIterator[None]:
        """Wait for a turn to get a block from the node, and hold it; the lowest rank that waits is next."""
        async with self._at_node.turn(rank):
            yield

    @asynccontextmanager
    async def reading_file(self, rank: int) -> AsyncIterator[None]:
        """The same for a block that is read from a file, for which nothing is asked of the node."""
        async with self._at_files.turn(rank):
            yield

    @asynccontextmanager
    async def digesting(self) -> AsyncIterator[None]:
        """Wait until a worker has room for a block that the node sent, and take it."""
        async with self._at_hand:
            yield

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

    def _allowed(self) -> int:
        return 0 if self._precedence.is_taken else self.budget.allowed(self._load().limit)

    def _wait_s(self) -> float:
        return self._pace.wait_s(clock.elapsed_s())

    def _now_free(self) -> None:
        self._free.set()
        self._at_node.admit()
        self._at_files.admit()
