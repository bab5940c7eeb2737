"""Pricing for jobs: as any other, but in turns that give way to live work, and from kept digests where they are."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from contextvars import ContextVar
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from utxoracle_core import BlockReading, WindowPrice
from utxoracle_tui import clock
from utxoracle_tui.engine.block_line import LEAD_BLOCKS
from utxoracle_tui.engine.jobs.block_runs import BlockRuns
from utxoracle_tui.engine.jobs.kept_digests import KeptDigests
from utxoracle_tui.engine.jobs.turns import Turns
from utxoracle_tui.engine.node_pricing import NodePricing
from utxoracle_tui.engine.pricing import (
    SETTLED_AFTER,
    BlockCounter,
    BlockReadings,
    DigestKeeper,
    PricedWindow,
    ProgressCallback,
    WantedBlock,
    digest_name,
)
from utxoracle_tui.engine.request import Request
from utxoracle_tui.engine.shared_work import SharedWork
from utxoracle_tui.engine.worker_tasks import (
    Kept,
    price_blocks,
    price_digests,
    price_kept,
    price_kept_blocks,
    price_kept_with_blocks,
    scanner_is_compiled,
)
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.block_files import BlockFiles
from utxoracle_tui.sources.node_session import Patience

PATIENCE = Patience(busy_s=10.0)
"""A job that is paused costs the node nothing, a request that is tried again does."""
_MOST_GONE = 3
"""After so many times, there is no room to keep the digests of a window, or the disk can't be relied on."""
P = ParamSpec("P")
T = TypeVar("T")
_rank: ContextVar[int] = ContextVar("rank", default=0)


class JobPricing(NodePricing):
    """Prices the windows of jobs, several at once; the one that was begun first gets its blocks first."""

    def __init__(
        self,
        node: BitcoinCore,
        workers: Workers,
        turns: Turns,
        kept_for: Callable[[str], DigestKeeper | None] | None = None,
        files_for: Callable[[str], BlockFiles | None] | None = None,
    ) -> None:
        """`node` shares its connections and its limit with whoever else asks it; the rest is as for `NodePricing`."""
        super().__init__(node.with_patience(PATIENCE), workers, kept_for, files_for=files_for)
        self.turns = turns
        self._ranks = itertools.count()
        self._got: SharedWork[str, tuple[bytes, int]] = SharedWork()
        """Digests that are being made, by block hash."""
        self._on_disk: KeptDigests | None = None
        self._runs = BlockRuns()
        self._gone = 0
        """How often something of what was kept was gone before it was used."""

    async def price(
        self, request: Request, on_progress: ProgressCallback, *, with_blocks: bool = False
    ) -> PricedWindow:
        """As `WindowPricing.price`.

        `with_blocks` says that the prices at its blocks will be asked for: where a run can go on, they are made along
        with it.
        """
        started_s = clock.elapsed_s()
        _rank.set(next(self._ranks))
        plan = await self.plan(request)
        hash_before = self.hash_before(plan.blocks) if with_blocks else None
        kept = await self._all_on_disk(plan.blocks, on_progress, started_s)
        price = await self._price_on_disk(kept, plan.blocks, hash_before) if kept else None
        if price is None:
            self._gone += kept is not None
            digests = await self._all_digests(plan.blocks, on_progress, started_s)
            async with self.turns.pricing():
                price = await self._workers.run_behind(price_digests, digests)
        return PricedWindow(plan.window, price, plan.network, clock.elapsed_s() - started_s)

    async def readings(
        self, request: Request, start_price_usd: float, on_progress: ProgressCallback, n_lead: int = 0
    ) -> BlockReadings:
        """As `WindowPricing.readings`; goes on from where another run over these blocks has ended, if one has."""
        started_s = clock.elapsed_s()
        blocks = (await self.plan(request)).blocks
        made = self._runs.take_readings(blocks[-1].hash_text, at_least=len(blocks) - n_lead)
        if made is not None:
            return made
        with self._runs.over(blocks) as run:
            n_before, after = await self._runs.before(blocks[:n_lead], start_price_usd) or (0, None)
            start = after.run_end if after else start_price_usd
            kept = await self._all_on_disk(blocks, on_progress, started_s)
            found = await self._from_disk(kept, blocks, price_kept_blocks, n_before, start) if kept else None
            if found is not None:
                run.ended(*found, after)
                return BlockReadings(blocks[n_before:], found[0], 0 if after else SETTLED_AFTER)
            self._gone += kept is not None
        digests = await self._all_digests(blocks, on_progress, started_s)
        async with self.turns.pricing():
            return BlockReadings(blocks, await self.block_prices((), digests, start_price_usd))

    async def block_prices(
        self, before: Sequence[bytes], digests: Sequence[bytes], start_price_usd: float | None
    ) -> list[BlockReading]:
        """As `WindowPricing.block_prices`."""
        return await self._workers.run_behind(price_blocks, before, digests, start_price_usd)

    async def digest(self, block: WantedBlock) -> tuple[bytes, int]:
        """Get and digest the block when it is its turn. What is read from files is no burden to the node."""
        return await self._once(block)

    async def is_at_hand(self, block: WantedBlock) -> bool:
        """Whether the digest of a planned block needs not be made."""
        if block.hash_text in self._digests:
            return True
        kept = self._kept
        return kept is not None and await asyncio.to_thread(kept.has, digest_name(block))

    async def get_ahead(self, block: WantedBlock) -> int:
        """Get and digest a planned block now, for the job to find it at hand; its bytes. Raises `OperatorError`."""
        _, length_bytes = await self._digest_once(block)
        return length_bytes

    async def scanner_is_compiled(self) -> bool:
        """Whether blocks are digested as fast as they will be."""
        return await self._workers.run(scanner_is_compiled)

    async def _price_on_disk(
        self, kept: KeptDigests, blocks: Sequence[WantedBlock], hash_before: str | None
    ) -> WindowPrice | None:
        """The price of a window, and the prices at its blocks where a run has ended with the block before it."""
        before = self._runs.ending_with(hash_before)
        end = before.end_now if before else None
        lead = before.blocks[-LEAD_BLOCKS:] if before else []
        if end is None or len(await kept.among(map(digest_name, lead))) < len(lead):
            return await self._from_disk(kept, blocks, price_kept)
        with self._runs.over([*lead, *blocks]) as run:
            found = await self._from_disk(kept, run.blocks, price_kept_with_blocks, len(lead), end.run_end)
            if found is None:
                # one of those before may be damaged, which the window doesn't need
                return await self._from_disk(kept, blocks, price_kept)
            price, made = found
            if price.price_usd is not None and end.fits(price.price_usd):
                run.readings = made[0]
                run.ended(*made, end)
            return price

    async def _all_on_disk(
        self, blocks: Sequence[WantedBlock], on_progress: ProgressCallback, started_s: float
    ) -> KeptDigests | None:
        """Have the workers keep the digests; None where that can't be done: then they have to be had in memory."""
        kept = self._kept_digests()
        if kept is None or self._gone >= _MOST_GONE:
            return None
        there = await kept.among([digest_name(block) for block in blocks])
        missing = [
            block for block in blocks if digest_name(block) not in there and block.hash_text not in self._digests
        ]
        counter = BlockCounter(blocks, missing, on_progress, started_s)
        counter.report()
        async for _, _, length_bytes in self.each_of(missing, partial(self._keep, kept)):
            counter.add(length_bytes)
        return kept

    async def _from_disk(
        self,
        kept: KeptDigests,
        blocks: Sequence[WantedBlock],
        task: Callable[Concatenate[Kept, Sequence[str], P], T | None],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T | None:
        """Have a worker read the digests itself, which saves them the way through here; None where one is gone."""
        names = [digest_name(block) for block in blocks]
        async with self.turns.pricing():
            return await self._workers.run_behind(task, kept.keeper.get, names, *args, **kwargs)

    def _kept_digests(self) -> KeptDigests | None:
        if self._kept is None:
            return None
        if self._on_disk is None or self._on_disk.keeper is not self._kept:
            self._on_disk = KeptDigests(self._kept, self._workers.run_behind)
        return self._on_disk

    async def _keep(self, kept: KeptDigests, block: WantedBlock) -> tuple[None, int]:
        """Have a worker keep the digest of a block; how many bytes were got for it."""
        _, length_bytes = await self._once(block, kept)
        return None, length_bytes

    async def _once(self, block: WantedBlock, kept: KeptDigests | None = None) -> tuple[bytes, int]:
        """The digest of a block, or none if it is kept instead; and the bytes that were got for it, by this call.

        Whoever comes first says whether it is kept. One that can't be ends up in memory.
        """
        known = self._digests.get(block.hash_text)
        if known is not None:
            # it came into memory since it was looked for
            return known, 0
        (digest, length_bytes), joined = await self._got.join(block.hash_text, lambda: self._made(block, kept))
        if joined and kept is None and not digest:
            return await self._digest_or_kept(block)
        return digest, 0 if joined else length_bytes

    async def _made(self, block: WantedBlock, kept: KeptDigests | None) -> tuple[bytes, int]:
        digest, length_bytes = await self._in_turn(block, kept)
        if digest:
            self._digests[block.hash_text] = digest
        return digest, length_bytes

    async def _in_turn(self, block: WantedBlock, kept: KeptDigests | None) -> tuple[bytes, int]:
        name = digest_name(block)
        run = kept.making(name) if kept else self._workers.run_behind
        if self.reads_files:
            async with self.turns.reading_file(_rank.get()):
                found = await self.digest_from_files(block, run)
            if found is not None:
                return found
        async with AsyncExitStack() as room:
            async with self.turns.fetching(_rank.get()):
                if kept and await kept.has(name):
                    # another process, or a round, got it meanwhile
                    return b"", 0
                raw = await self.raw_from_node(block)
                self.turns.spent(len(raw))
                # a window that ends meanwhile leaves it to be done: the node should not have to send the block again
                self._got.last(block.hash_text)
                # the node's turn is kept till a worker has room, so that blocks don't pile up
                await room.enter_async_context(self.turns.digesting())
            return await self.digest_of_raw(block, raw, run), len(raw)
