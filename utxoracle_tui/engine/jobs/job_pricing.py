"""Pricing for jobs: as any other, but in turns that give way to live work, and from kept digests where they are."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from utxoracle_core import BlockReading
from utxoracle_tui import clock
from utxoracle_tui.engine.block_file_pricing import RunDigest
from utxoracle_tui.engine.jobs.turns import Turns
from utxoracle_tui.engine.node_pricing import NodePricing
from utxoracle_tui.engine.pricing import (
    BlockCounter,
    DigestKeeper,
    Plan,
    PricedWindow,
    ProgressCallback,
    WantedBlock,
    digest_name,
)
from utxoracle_tui.engine.request import Request
from utxoracle_tui.engine.shared_work import SharedWork
from utxoracle_tui.engine.worker_batches import WorkerBatches
from utxoracle_tui.engine.worker_tasks import (
    keep_digest,
    price_digests,
    price_kept,
    price_kept_blocks,
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
_LOOK_AGAIN_S = 10.0
"""How long a look at what is kept holds: looking before every block costs a tenth of getting it."""
P = ParamSpec("P")
T = TypeVar("T")
Kept = Callable[[str], bytes | None]
_rank: ContextVar[int] = ContextVar("rank", default=0)
_looked_s: ContextVar[float] = ContextVar("looked_s", default=-math.inf)


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
        self._batches = WorkerBatches(workers)
        self._ranks = itertools.count()
        self._being_kept: SharedWork[str, int] = SharedWork()
        self._came: dict[tuple[str, bool], asyncio.Task[bytes]] = {}
        """Blocks that the node has sent and that are being digested, by hash and by whether the digest is kept."""
        self._kept_s: dict[str, float] = {}
        """When the digests that were kept since anybody's last look were, in that order."""
        self._gone = 0
        """How often something of what was kept was gone before it was used."""

    async def price(self, request: Request, on_progress: ProgressCallback) -> PricedWindow:
        """As `WindowPricing.price`."""
        started_s = clock.elapsed_s()
        _rank.set(next(self._ranks))
        plan = await self.plan(request)
        price = await self._from_disk(plan.blocks, on_progress, started_s, price_kept)
        if price is None:
            digests = await self._all_digests(plan.blocks, on_progress, started_s)
            async with self.turns.pricing():
                price = await self._workers.run(price_digests, digests)
        return PricedWindow(plan.window, price, plan.network, clock.elapsed_s() - started_s)

    async def readings(
        self, request: Request, start_price_usd: float, on_progress: ProgressCallback
    ) -> tuple[Plan, list[BlockReading]]:
        """As `WindowPricing.readings`."""
        started_s = clock.elapsed_s()
        plan = await self.plan(request)
        found = await self._from_disk(plan.blocks, on_progress, started_s, price_kept_blocks, start_price_usd)
        if found is None:
            digests = await self._all_digests(plan.blocks, on_progress, started_s)
            async with self.turns.pricing():
                found = await self.block_prices((), digests, start_price_usd)
        return plan, found

    async def digest(self, block: WantedBlock) -> tuple[bytes, int]:
        """Get and digest the block when it is its turn. What is read from files is no burden to the node."""
        return await self._in_turn(block)

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

    async def _from_disk(
        self,
        blocks: Sequence[WantedBlock],
        on_progress: ProgressCallback,
        started_s: float,
        task: Callable[Concatenate[Kept, Sequence[str], P], T | None],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T | None:
        """Have the workers keep the digests and read them themselves, which saves these the way through this process.

        None where that can't be done: then they have to be had in memory.
        """
        kept = self._kept
        if kept is None or self._gone >= _MOST_GONE:
            return None
        names = [digest_name(block) for block in blocks]
        _looked_s.set(clock.elapsed_s())
        are_there = await asyncio.to_thread(lambda: [kept.has(name) for name in names])
        at_hand = {block.hash_text for block, is_there in zip(blocks, are_there, strict=True) if is_there}
        missing = [block for block in blocks if block.hash_text not in at_hand | self._digests.keys()]
        counter = BlockCounter(blocks, missing, on_progress, started_s)
        counter.report()
        async for _, _, length_bytes in self.each_of(missing, self._keep_once):
            counter.add(length_bytes)
        async with self.turns.pricing():
            found = await self._workers.run(task, kept.get, names, *args, **kwargs)
        if found is None:
            self._gone += 1
        return found

    async def _keep_once(self, block: WantedBlock) -> tuple[None, int]:
        length_bytes, joined = await self._being_kept.join(block.hash_text, lambda: self._keep(block))
        return None, 0 if joined else length_bytes

    async def _keep(self, block: WantedBlock) -> int:
        """Have a worker keep the digest of a block; how many bytes were got for it."""
        kept = self._kept
        assert kept is not None
        digest, length_bytes = await self._in_turn(block, kept)
        if digest:
            self._digests[block.hash_text] = digest
        return length_bytes

    async def _in_turn(self, block: WantedBlock, kept: DigestKeeper | None = None) -> tuple[bytes, int]:
        """The digest of a block, and the bytes that were got for it; no digest if it is kept instead."""
        run = self._keeping(kept, digest_name(block)) if kept is not None else self._batches.run
        if self.reads_files:
            async with self.turns.reading_file(_rank.get()):
                found = await self.digest_from_files(block, run)
            if found is not None:
                return found
        key = block.hash_text, kept is not None
        if key in self._came:
            return await asyncio.shield(self._came[key]), 0
        async with self.turns.fetching(_rank.get()):
            if kept is not None and await self._is_kept_by_now(kept, digest_name(block)):
                # another process, or a round, got it meanwhile
                return b"", 0
            raw = await self.raw_from_node(block)
            self.turns.spent(len(raw))
            # a window that ends meanwhile leaves it to be done: the node should not have to send the block again
            has_room = asyncio.Event()
            self._came[key] = came = asyncio.create_task(self._digest_in_turn(block, raw, run, has_room))
            came.add_done_callback(partial(self._is_digested, key, has_room))
            # the node's turn is kept till a worker has room, so that blocks don't pile up
            await has_room.wait()
        return await asyncio.shield(came), len(raw)

    async def _is_kept_by_now(self, kept: DigestKeeper, name: str) -> bool:
        if name in self._kept_s:
            return True
        looked_a_moment_ago = clock.elapsed_s() - _looked_s.get() < _LOOK_AGAIN_S
        return not looked_a_moment_ago and await asyncio.to_thread(kept.has, name)

    def _note_kept(self, name: str) -> None:
        now_s = clock.elapsed_s()
        self._kept_s[name] = now_s
        while now_s - self._kept_s[oldest := next(iter(self._kept_s))] > _LOOK_AGAIN_S:
            del self._kept_s[oldest]

    async def _digest_in_turn(self, block: WantedBlock, raw: bytes, run: RunDigest, has_room: asyncio.Event) -> bytes:
        async with self.turns.digesting():
            has_room.set()
            return await self.digest_of_raw(block, raw, run)

    def _is_digested(self, key: tuple[str, bool], has_room: asyncio.Event, came: asyncio.Task[bytes]) -> None:
        del self._came[key]
        has_room.set()
        if not came.cancelled():
            # nobody may be waiting for it any more, and asyncio complains of errors that nobody looks at
            came.exception()

    def _keeping(self, kept: DigestKeeper, name: str) -> RunDigest:
        async def run(task: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs) -> bytes:
            written_bytes, digest = await self._batches.run(keep_digest, kept.write, name, task, *args, **kwargs)
            if written_bytes:
                self._note_kept(name)
            if kept.grown(written_bytes):
                await asyncio.to_thread(kept.make_room)
            return digest

        return run
