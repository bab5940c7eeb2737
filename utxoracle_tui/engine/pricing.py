"""One window from blocks to price: digesting in the workers, block by block, then pricing there."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from utxoracle_core import BlockError, HeightRange, WindowPrice
from utxoracle_tui import clock
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import MAIN, Chain, Request, Window, resolve
from utxoracle_tui.engine.worker_tasks import digest_from_file, price_digests
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.block_folder import BlockFolder, BlockRef

ProgressCallback = Callable[[Progress], None]
REPORT_EVERY_S = 0.1
KEPT_DIGESTS = 1200
"""Digests kept in memory, about 0.15 MB each on the main network."""


@dataclass(frozen=True, slots=True)
class PricedWindow:
    """A window with its price, and how long the work took."""

    window: Window
    price: WindowPrice
    network: str | None
    elapsed_s: float


class FolderPricing:
    """Prices windows of a block folder. Digests stay in memory, so that another window costs only its new blocks."""

    def __init__(self, folder: BlockFolder, workers: Workers) -> None:
        self.folder = folder
        self.chain = Chain(folder.base, folder.tip, folder.times, MAIN if folder.is_main else None)
        self._workers = workers
        self._digests: OrderedDict[int, bytes] = OrderedDict()

    async def price(self, request: Request, on_progress: ProgressCallback) -> PricedWindow:
        """Price one window; `on_progress` is called at the start, at the end, and ten times a second in between.

        Raises `OperatorError`. Cancelling leaves the digests that are done for the next time.
        """
        started_s = clock.elapsed_s()
        window = resolve(request, self.chain)
        digests = await self._digest(window.blocks, on_progress, started_s)
        price = await self._workers.run(price_digests, digests)
        return PricedWindow(window, price, self.chain.network, clock.elapsed_s() - started_s)

    async def _digest(self, blocks: HeightRange, on_progress: ProgressCallback, started_s: float) -> Sequence[bytes]:
        refs = [self.folder.refs[height] for height in blocks.heights]
        missing = [ref for ref in refs if ref.height not in self._digests]
        bytes_total = sum(ref.length_bytes for ref in missing)
        bytes_done = 0

        done = 0
        last_report_s = 0.0

        def report() -> None:
            nonlocal last_report_s
            now_s = clock.elapsed_s()
            if 0 < done < len(missing) and now_s - last_report_s < REPORT_EVERY_S:
                return
            last_report_s = now_s
            already = len(refs) - len(missing)
            on_progress(Progress(already + done, len(refs), bytes_done, bytes_total, now_s - started_s))

        report()
        async for ref, data in self._in_workers(missing):
            self._digests[ref.height] = data
            done += 1
            bytes_done += ref.length_bytes
            report()
        digests = [self._digests[ref.height] for ref in refs]
        self._forget(keep=blocks)
        return digests

    async def _in_workers(self, refs: Sequence[BlockRef]) -> AsyncIterator[tuple[BlockRef, bytes]]:
        """Digest blocks in the workers, two at hand for each, and yield them as they are done."""
        pending: set[asyncio.Task[tuple[BlockRef, bytes]]] = set()
        waiting = iter(refs)
        try:
            while True:
                while len(pending) < 2 * self._workers.count and (ref := next(waiting, None)) is not None:
                    pending.add(asyncio.create_task(self._digest_one(ref)))
                if not pending:
                    return
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def _digest_one(self, ref: BlockRef) -> tuple[BlockRef, bytes]:
        try:
            return ref, await self._workers.run(digest_from_file, ref)
        except BlockError as error:
            raise OperatorError(
                "damaged",
                f"Block {error.block} in {ref.path} is damaged: at byte {error.offset_bytes}, "
                f"expected {error.expected}.",
                Exit.FAILED,
            ) from None
        except OSError as error:
            message = f"{ref.path} can't be read: {error.strerror}."
            raise OperatorError("unreadable", message, Exit.UNREACHABLE) from None

    def _forget(self, keep: HeightRange) -> None:
        for height in list(self._digests):
            if len(self._digests) <= KEPT_DIGESTS:
                return
            if height not in keep.heights:
                del self._digests[height]
