"""One window from blocks to price: digested in the workers block by block, then priced there."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from utxoracle_core import BlockReading, WindowPrice
from utxoracle_core.digest import DIGEST_VERSION
from utxoracle_tui import clock
from utxoracle_tui.engine.precedence import Precedence
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import Heights, Request, Window
from utxoracle_tui.engine.shared_work import SharedWork
from utxoracle_tui.engine.worker_tasks import price_blocks, price_digests
from utxoracle_tui.engine.workers import Workers

T = TypeVar("T")
ProgressCallback = Callable[[Progress], None]
REPORT_EVERY_S = 0.1
SETTLED_AFTER = 36
"""After so many blocks nothing is left of the price that a line of block prices starts from."""
KEPT_DIGESTS = 600
"""Digests kept in memory, about 0.15 MB each on the main network."""


@dataclass(frozen=True, slots=True)
class PricedWindow:
    """A window with its price, and how long the work took."""

    window: Window
    price: WindowPrice
    """Without the amounts that it was made from."""
    network: str | None
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class WantedBlock:
    """A block of a window."""

    height: int
    hash_text: str
    length_bytes: int | None
    """None where only the block itself tells."""
    time_s: int | None = None
    """The time in its header, where that is at hand; unix seconds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request comes to."""

    window: Window
    network: str | None
    blocks: Sequence[WantedBlock]


@dataclass(frozen=True, slots=True)
class BlockReadings:
    """The prices at consecutive blocks."""

    blocks: Sequence[WantedBlock]
    readings: Sequence[BlockReading]
    """One for each."""
    settled_from: int = SETTLED_AFTER
    """From which of them on nothing is left of the price that they start from."""


class DigestKeeper(Protocol):
    """Keeps digests by name, for as long as there is room."""

    def get(self, name: str) -> bytes | None:
        """The digest of a name, if it is still there."""

    def has(self, name: str) -> bool:
        """Whether there is a digest of a name, though it may be damaged."""

    def put(self, name: str, content: bytes) -> None:
        """Keep a digest."""

    def write(self, name: str, content: bytes) -> int:
        """Keep a digest, in a worker; its bytes there, 0 where it can't be kept."""

    def grown(self, by_bytes: int) -> bool:
        """Take note of what a worker has written; whether it is time to make room."""

    def make_room(self) -> None:
        """Remove what was used longest ago."""


def digest_name(block: WantedBlock) -> str:
    """What the digest of a block is kept under."""
    return f"{block.hash_text}.{DIGEST_VERSION}"


class WindowPricing(ABC):
    """Prices windows, several at once if need be. Digests stay in memory, so that another window costs only the blocks
    that are new in it.
    """

    def __init__(self, workers: Workers, at_once: int, precedence: Precedence | None = None) -> None:
        """Work goes before whatever else minds `precedence`."""
        self._workers = workers
        self._at_once = at_once
        self._precedence = precedence or Precedence()
        self._under_way: SharedWork[str, tuple[bytes, int]] = SharedWork()
        self._kept: DigestKeeper | None = None
        """Where digests outlive the process, if anywhere."""
        self._digests: OrderedDict[str, bytes] = OrderedDict()

    @abstractmethod
    async def plan(self, request: Request) -> Plan:
        """Find the blocks of a request. Raises `OperatorError`."""

    @abstractmethod
    async def lowest_height(self) -> int:
        """The height from which on blocks can be had. Raises `OperatorError`."""

    def known_hashes(self) -> Mapping[int, str]:
        """The block hashes of the best chain, by height, as far as they were needed for what was priced last."""
        return {}

    @abstractmethod
    async def digest(self, block: WantedBlock) -> tuple[bytes, int]:
        """Get one block and digest it: the digest, and how many bytes the block has. Raises `OperatorError`."""

    async def price(self, request: Request, on_progress: ProgressCallback) -> PricedWindow:
        """Price one window; `on_progress` is called at the start, at the end, and ten times a second in between.

        Raises `OperatorError`. Cancelling leaves the digests that are done for the next time.
        """
        started_s = clock.elapsed_s()
        with self._precedence.taken():
            plan, digests = await self.digests(request, on_progress)
            price = await self._workers.run(price_digests, digests)
        return PricedWindow(plan.window, price, plan.network, clock.elapsed_s() - started_s)

    async def digests(self, request: Request, on_progress: ProgressCallback) -> tuple[Plan, Sequence[bytes]]:
        """The digests of a request's blocks, in order; progress, errors and cancelling as with `price`."""
        started_s = clock.elapsed_s()
        with self._precedence.taken():
            plan = await self.plan(request)
            return plan, await self._all_digests(plan.blocks, on_progress, started_s)

    async def block_line(self, result: PricedWindow) -> list[BlockReading]:
        """The price at each block of a window that was priced just now, from where its start has worn off.

        It starts from the window's own price, so the first `SETTLED_AFTER` blocks are left out. Raises
        `OperatorError`.
        """
        outputs = result.price.outputs
        if result.price.price_usd is None or outputs.n_blocks <= SETTLED_AFTER:
            return []
        blocks = Heights(outputs.first_height, outputs.last_height)
        found = await self.readings(blocks, result.price.price_usd, lambda progress: None)
        return list(found.readings[found.settled_from :])

    async def readings(
        self, request: Request, start_price_usd: float, on_progress: ProgressCallback, n_lead: int = 0
    ) -> BlockReadings:
        """The price at each block of a request; progress, errors and cancelling as with `price`.

        The first `n_lead` blocks serve those behind them, and the prices at them may be left out.
        """
        plan, digests = await self.digests(request, on_progress)
        return BlockReadings(plan.blocks, await self.block_prices((), digests, start_price_usd))

    async def block_prices(
        self, before: Sequence[bytes], digests: Sequence[bytes], start_price_usd: float | None
    ) -> list[BlockReading]:
        """The price at each block: see `price_blocks`."""
        return await self._workers.run(price_blocks, before, digests, start_price_usd)

    async def _all_digests(
        self, blocks: Sequence[WantedBlock], on_progress: ProgressCallback, started_s: float
    ) -> Sequence[bytes]:
        wanted = {block.hash_text for block in blocks}
        known = {hash_text: digest for hash_text, digest in self._digests.items() if hash_text in wanted}
        missing = [block for block in blocks if block.hash_text not in known]
        counter = BlockCounter(blocks, missing, on_progress, started_s)
        counter.report()
        async for block, digest, length_bytes in self.each_of(missing, self._digest_once):
            known[block.hash_text] = digest
            counter.add(length_bytes)
        self._forget(keep=wanted)
        return [known[block.hash_text] for block in blocks]

    async def each_of(
        self, blocks: Sequence[WantedBlock], get: Callable[[WantedBlock], Coroutine[Any, Any, tuple[T, int]]]
    ) -> AsyncIterator[tuple[WantedBlock, T, int]]:
        """Get something of each block, some at once, and yield it and how many bytes it took as they are done."""
        pending: dict[asyncio.Task[tuple[T, int]], WantedBlock] = {}
        waiting = iter(blocks)
        try:
            while True:
                while len(pending) < self._at_once and (block := next(waiting, None)) is not None:
                    pending[asyncio.create_task(get(block))] = block
                if not pending:
                    return
                done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    block = pending.pop(task)
                    found, length_bytes = task.result()
                    yield block, found, length_bytes
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def _digest_once(self, block: WantedBlock) -> tuple[bytes, int]:
        """The digest, and the bytes that it took to get it: none where another window needed it, too."""
        known = self._digests.get(block.hash_text)
        if known is not None:
            return known, 0
        (digest, length_bytes), joined = await self._under_way.join(
            block.hash_text, lambda: self._digest_or_kept(block)
        )
        self._digests[block.hash_text] = digest
        return digest, 0 if joined else length_bytes

    async def _digest_or_kept(self, block: WantedBlock) -> tuple[bytes, int]:
        if self._kept is None:
            return await self.digest(block)
        name = digest_name(block)
        kept = await asyncio.to_thread(self._kept.get, name)
        if kept is not None:
            return kept, 0
        digest, length_bytes = await self.digest(block)
        await asyncio.to_thread(self._kept.put, name, digest)
        return digest, length_bytes

    def _forget(self, keep: set[str]) -> None:
        for key in list(self._digests):
            if len(self._digests) <= KEPT_DIGESTS:
                return
            if key not in keep:
                del self._digests[key]


class BlockCounter:
    """Counts what is done and reports it, not too often."""

    def __init__(
        self,
        blocks: Sequence[WantedBlock],
        missing: Sequence[WantedBlock],
        on_progress: ProgressCallback,
        started_s: float,
    ) -> None:
        lengths = [block.length_bytes for block in missing]
        self._bytes_total = sum(n for n in lengths if n is not None) if None not in lengths else None
        self._blocks_total, self._missing = len(blocks), len(missing)
        self._on_progress = on_progress
        self._started_s = started_s
        self._done = self._bytes_done = 0
        self._reported_s = 0.0

    def add(self, length_bytes: int) -> None:
        """One more block is done."""
        self._done += 1
        self._bytes_done += length_bytes
        if self._done == self._missing or clock.elapsed_s() - self._reported_s >= REPORT_EVERY_S:
            self.report()

    def report(self) -> None:
        """Tell how far it is."""
        self._reported_s = clock.elapsed_s()
        already = self._blocks_total - self._missing
        self._on_progress(
            Progress(
                blocks_done=already + self._done,
                blocks_total=self._blocks_total,
                bytes_done=self._bytes_done,
                bytes_total=self._bytes_total,
                elapsed_s=self._reported_s - self._started_s,
                blocks_at_hand=already,
            )
        )
