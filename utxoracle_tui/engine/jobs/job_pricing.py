"""Pricing for jobs: as any other, but in turns that give way to live work, and from kept digests where they are."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from contextvars import ContextVar

from utxoracle_core import WindowPrice
from utxoracle_tui import clock
from utxoracle_tui.engine.jobs.turns import Turns
from utxoracle_tui.engine.node_pricing import NodePricing
from utxoracle_tui.engine.pricing import (
    DigestKeeper,
    Plan,
    PricedWindow,
    ProgressCallback,
    WantedBlock,
    digest_name,
)
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import Request
from utxoracle_tui.engine.worker_tasks import price_digests, price_kept, scanner_is_compiled
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.block_files import BlockFiles
from utxoracle_tui.sources.node_session import Patience

PATIENCE = Patience(busy_s=10.0)
"""A job that is paused costs the node nothing, a request that is tried again does."""
_rank: ContextVar[int] = ContextVar("rank", default=0)


class JobPricing(NodePricing):
    """Prices the windows of jobs, several at once; the one that was begun first gets its blocks first."""

    def __init__(
        self,
        node: BitcoinCore,
        workers: Workers,
        turns: Turns,
        kept_for: Callable[[str], DigestKeeper] | None = None,
        files_for: Callable[[str], BlockFiles | None] | None = None,
    ) -> None:
        """`node` shares its connections and its limit with whoever else asks it; the rest is as for `NodePricing`."""
        super().__init__(node.with_patience(PATIENCE), workers, kept_for, files_for=files_for)
        self.turns = turns
        self._ranks = itertools.count()

    async def price(self, request: Request, on_progress: ProgressCallback) -> PricedWindow:
        """As `WindowPricing.price`."""
        started_s = clock.elapsed_s()
        _rank.set(next(self._ranks))
        plan = await self.plan(request)
        price = await self._price_from_disk(plan, on_progress, started_s)
        if price is None:
            digests = await self._all_digests(plan.blocks, on_progress, started_s)
            async with self.turns.pricing():
                price = await self._workers.run(price_digests, digests)
        return PricedWindow(plan.window, price, plan.network, clock.elapsed_s() - started_s)

    async def digest(self, block: WantedBlock) -> tuple[bytes, int]:
        """Get and digest the block when it is its turn. What is read from files is no burden to the node."""
        if self.reads_files:
            async with self.turns.reading_file(_rank.get()):
                found = await self.digest_from_files(block)
            if found is not None:
                return found
        async with self.turns.fetching(_rank.get()):
            digest, length_bytes = await self.digest_from_node(block)
            self.turns.spent(length_bytes)
            return digest, length_bytes

    async def is_at_hand(self, block: WantedBlock) -> bool:
        """Whether the digest of a planned block needs not be made."""
        if block.hash_text in self._digests:
            return True
        kept = self._kept
        return kept is not None and await asyncio.to_thread(kept.get, digest_name(block)) is not None

    async def get_ahead(self, block: WantedBlock) -> int:
        """Get and digest a planned block now, for the job to find it at hand; its bytes. Raises `OperatorError`."""
        _, length_bytes = await self._digest_once(block)
        return length_bytes

    async def scanner_is_compiled(self) -> bool:
        """Whether blocks are digested as fast as they will be."""
        return await self._workers.run(scanner_is_compiled)

    async def _price_from_disk(self, plan: Plan, on_progress: ProgressCallback, started_s: float) -> WindowPrice | None:
        """Have a worker read the digests itself, which saves them the way through this process."""
        names, total = [digest_name(block) for block in plan.blocks], len(plan.blocks)
        if not await asyncio.to_thread(self._may_be_kept, names):
            return None
        on_progress(Progress(0, total, 0, None, clock.elapsed_s() - started_s))
        assert self._kept is not None
        async with self.turns.pricing():
            price = await self._workers.run(price_kept, self._kept.get, names)
        if price is not None:
            on_progress(Progress(total, total, 0, 0, clock.elapsed_s() - started_s))
        return price

    def _may_be_kept(self, names: Sequence[str]) -> bool:
        """Whether the last digest and the first are there, which go missing first: those to come, and the oldest."""
        kept = self._kept
        return kept is not None and all(kept.get(name) is not None for name in (names[-1], names[0]))
