"""One window of a job: priced, with the prices at its blocks, kept, and what came of it.

Errors are told apart by whose they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from utxoracle_core import HeightRange
from utxoracle_core.selection import BLOCK_WINDOW
from utxoracle_tui import clock
from utxoracle_tui.engine.block_keeping import keep_block_prices, missing_prices
from utxoracle_tui.engine.exchange_past import ExchangePast
from utxoracle_tui.engine.jobs.job_pricing import JobPricing
from utxoracle_tui.engine.keeping import keep_window, window_record
from utxoracle_tui.engine.pricing import PricedWindow, ProgressCallback
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import BLOCK_WINDOW_PRICE, MAIN, Day, Heights, Request
from utxoracle_tui.engine.validation import Limits
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.fault_report import report
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.node_errors import BlockNotFound, NodeError, PrunedBlock, RpcFailed
from utxoracle_tui.store.records import BlockPrice, Job, JobItem, WindowKey, midnight_s
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble

TRIES = 3
_DAY_S = 86_400.0
_AGAIN_AFTER_S = 1.0
_PASSING = frozenset({"reorganised", "worker_died", BlockNotFound.KIND, "damaged"})
"""What the next try can mend: the chain moved, a process was ended, a block was cut off on its way."""


def is_of_the_node(error: OperatorError) -> bool:
    """Whether an error is the node's, so that every other window would meet it as well."""
    return isinstance(error, NodeError) and not isinstance(error, PrunedBlock | BlockNotFound | RpcFailed)


def request_of(key: WindowKey) -> Request:
    """What to ask for to get a window. Raises `OperatorError` for a key that names no blocks."""
    if key.date is not None:
        return Day(key.date)
    if key.first_height is None or key.last_height is None:
        raise OperatorError("bad_window", f"{key.text} names no blocks.", Exit.FAILED)
    return Heights(key.first_height, key.last_height)


def is_there(store: Store, key: WindowKey) -> bool:
    """Whether a window has a result whose last block is on the chain. Raises `StoreTrouble`."""
    found = store.windows.get(key)
    return found is not None and not found.orphaned


class WindowWork:
    """Does windows of jobs, any number at once."""

    def __init__(
        self,
        store: Store,
        windows: JobPricing,
        node: BitcoinCore,
        limits: Limits,
        *,
        data_dir: Path | None = None,
        past: ExchangePast | None = None,
    ) -> None:
        """`data_dir` is where reports of faults go, as `cache_dir` has it; `past` knows exchange prices of then."""
        self._store = store
        self._windows = windows
        self._node = node
        self._limits = limits
        self._data_dir = data_dir
        self._past = past

    async def do(self, job: Job, item: JobItem, on_progress: Callable[[JobItem], None]) -> JobItem:
        """Do an item; how it is then, to be settled. Errors of the window are in it.

        `on_progress` is called with the item as far as it is, ten times a second.

        Raises `OperatorError` for those of the node, and `StoreTrouble`.
        """
        started_s = clock.elapsed_s()
        so_far = _SoFar(item, on_progress)
        if job.kind == "backfill" and await asyncio.to_thread(is_there, self._store, item.window):
            return replace(item, state="skipped", elapsed_s=0.0, ended_s=clock.now_s())
        failed = await self._try(so_far, is_rerun=job.kind == "rerun")
        return replace(
            so_far.item,
            state="failed" if failed else "done",
            error_kind=failed.kind if failed else None,
            error=failed.message if failed else None,
            elapsed_s=clock.elapsed_s() - started_s,
            ended_s=clock.now_s(),
        )

    async def _try(self, so_far: _SoFar, *, is_rerun: bool) -> OperatorError | None:
        """Try as often as it makes sense; the error that remains."""
        attempts = 0
        while True:
            attempts += 1
            try:
                result = await self._price(so_far, with_blocks=not is_rerun)
                if self._past is not None:
                    await self._past.know(*_span_of(so_far.item.window, result))
                # of what the prices at blocks are made from, nothing but what they start from can have changed
                anew = is_rerun and await asyncio.to_thread(self._is_another_price, so_far.item.window, result)
                prices = await self._block_prices(result, so_far, anew=anew)
            except OperatorError as error:
                if is_of_the_node(error) or isinstance(error, StoreTrouble):
                    raise
                failed = error
            except Exception as error:  # noqa: BLE001  (one window that nobody foresaw must not stop the others)
                return await asyncio.to_thread(report, error, self._data_dir)
            else:
                await asyncio.to_thread(self._keep, result, prices, anew=anew)
                return None
            if failed.kind not in _PASSING or attempts >= TRIES:
                return failed
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def _price(self, so_far: _SoFar, *, with_blocks: bool) -> PricedWindow:
        key = so_far.begin()
        result = await self._windows.price(request_of(key), so_far.note, with_blocks=with_blocks)
        outputs = result.price.outputs
        if await self._node.block_hash(outputs.last_height) != outputs.last_hash:
            raise OperatorError(
                "reorganised",
                f"The chain was reorganised while {key.text} was worked out.",
                Exit.FAILED,
                self._node.access.host,
            )
        if result.network == MAIN and key.kind == "blocks" and outputs.n_blocks == BLOCK_WINDOW:
            # it is the price that the block after it saw when it was the tip
            return replace(result, window=replace(result.window, name=BLOCK_WINDOW_PRICE))
        return result

    async def _block_prices(self, result: PricedWindow, so_far: _SoFar, *, anew: bool) -> list[BlockPrice]:
        """The prices at the window's blocks that are to be kept; none of a window that has no price to start from."""
        outputs = result.price.outputs
        if result.price.price_usd is None:
            return []
        blocks = HeightRange(outputs.first_height, outputs.last_height)
        return await missing_prices(
            self._windows,
            self._store,
            blocks,
            result.price.price_usd,
            on_progress=so_far.besides(outputs.n_blocks),
            anew=anew,
        )

    def _is_another_price(self, key: WindowKey, result: PricedWindow) -> bool:
        stored = self._store.windows.get(key)
        return stored is not None and stored.price_usd != result.price.price_usd

    def _keep(self, result: PricedWindow, prices: Sequence[BlockPrice], *, anew: bool) -> None:
        # a window that is there has the prices at its blocks, whenever this ends
        keep_block_prices(self._store, prices, anew=anew)
        keep_window(self._store, window_record(self._store, result, self._limits), result)


def _span_of(key: WindowKey, result: PricedWindow) -> tuple[float, float]:
    """The unix times between which a window's exchange price is looked for."""
    times = result.price.outputs.block_times
    first, last = float(times.min()), float(times.max())
    if key.date is None:
        return first, last
    # a block of the day before or after may be among them
    return min(midnight_s(key.date), first), max(midnight_s(key.date) + _DAY_S, last)


class _SoFar:
    """An item, and how far it is: of the try that it is at, but with the bytes of all."""

    def __init__(self, item: JobItem, on_progress: Callable[[JobItem], None]) -> None:
        self.item = item
        self._before_bytes = item.bytes_read
        self._is_known = False
        """Whether it is known how many blocks were at hand."""
        self._on_progress = on_progress

    def begin(self) -> WindowKey:
        """Another try; what is to be done."""
        self._before_bytes = self.item.bytes_read
        return self.item.window

    def note(self, progress: Progress) -> None:
        """Take note of progress, and tell it."""
        if not self._is_known:
            # what an earlier try has got was not at hand
            self.item = replace(self.item, blocks_at_hand=progress.blocks_at_hand)
            self._is_known = True
        self._note(progress.blocks_total, progress.blocks_done, progress.bytes_done)

    def besides(self, n_blocks: int) -> ProgressCallback:
        """What takes note of progress with the blocks before a window of so many, which is done: of those that had to
        be got for its sake.
        """
        window_bytes = self.item.bytes_read - self._before_bytes
        there: list[int] = []

        def note(progress: Progress) -> None:
            there.append(progress.blocks_done)
            got, wanted = progress.blocks_done - there[0], progress.blocks_total - there[0]
            self._note(n_blocks + wanted, n_blocks + got, window_bytes + progress.bytes_done)

        return note

    def _note(self, blocks: int, blocks_done: int, bytes_done: int) -> None:
        bytes_read = self._before_bytes + bytes_done
        self.item = replace(self.item, blocks=blocks, blocks_done=blocks_done, bytes_read=bytes_read)
        self._on_progress(self.item)
