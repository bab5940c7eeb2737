"""The block window before the tip, priced anew with every block, and every so often while no block comes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from utxoracle_core import BlockReading
from utxoracle_tui import clock
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.pricing import PricedWindow, WindowPricing
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import Last
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.http import Backoff
from utxoracle_tui.sources.node_replies import ChainInfo

_FAR_BEHIND_BLOCKS = 6
_AGAIN = Backoff(first_s=5.0, most_s=60.0)
"""Before a window that failed is tried once more, where no new block asks for it sooner."""
_log = logging.getLogger(__name__)


class Doing(StrEnum):
    """What becomes of the window."""

    WAITING = "waiting"
    """For the node to answer."""
    SYNCING = "syncing"
    """The node is, and is left alone."""
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, eq=False)
class WindowReading:
    """How the pricing of the newest block window goes, and its newest result."""

    doing: Doing = Doing.WAITING
    progress: Progress | None = None
    """Of the work that is under way."""
    result: PricedWindow | None = None
    """The newest; it stays while the next one is worked on, or fails."""
    line: tuple[BlockReading, ...] = ()
    """The price at each block of the result, once that is known."""
    trouble: str | None = None
    """Why the newest attempt failed, as a sentence with what is done about it."""


def is_syncing(chain: ChainInfo) -> bool:
    """Whether the node has better things to do than to serve blocks, and a tip that runs ahead every second."""
    return bool(chain.initial_download) or chain.headers - chain.blocks > _FAR_BEHIND_BLOCKS


class LiveWindow:
    """Prices the block window for as long as the console, or whatever else watches, is there."""

    def __init__(self, pricing: WindowPricing, every_s: float) -> None:
        """A window is priced again after `every_s` without a block."""
        self._pricing = pricing
        self._every_s = every_s
        self._node: NodeReading | None = None
        self._news = asyncio.Event()
        self._tip: str | None = None
        self._failures = 0
        self._again_at_s: float | None = None
        self._is_wanted = False
        self.reading = WindowReading()

    def node_read(self, reading: NodeReading) -> None:
        """Take what the node says; a new tip asks for a new window."""
        self._node = reading
        self._news.set()

    def ask(self) -> None:
        """Price the window now, also on a node that syncs."""
        self._is_wanted = True
        self._news.set()

    async def run(self, on_reading: Callable[[WindowReading], None], on_priced: Callable[[PricedWindow], None]) -> None:
        """Work until cancelled; every result goes to `on_priced` once."""

        def tell(**changes: object) -> None:
            if any(getattr(self.reading, name) is not value for name, value in changes.items()):
                self.reading = replace(self.reading, **changes)  # type: ignore[arg-type]
                on_reading(self.reading)

        while True:
            tip = self._due(tell)
            if tip is None:
                await self._wait()
                continue
            self._is_wanted = False
            result = await self._price(tell)
            self._tip = tip
            if result is not None:
                on_priced(result)
                await self._add_line(result, tell)

    def _due(self, tell: Callable[..., None]) -> str | None:
        """The tip whose window is due, or None."""
        node = self._node
        if node is None or node.trouble or node.chain is None:
            return None
        if is_syncing(node.chain) and not self._is_wanted:
            tell(doing=Doing.SYNCING)
            return None
        is_late = self._again_at_s is not None and clock.elapsed_s() >= self._again_at_s
        return node.chain.best_hash if self._is_wanted or is_late or node.chain.best_hash != self._tip else None

    async def _wait(self) -> None:
        wait_s = None if self._again_at_s is None else max(self._again_at_s - clock.elapsed_s(), 0.1)
        try:
            async with asyncio.timeout(wait_s):
                await self._news.wait()
        except TimeoutError:
            pass
        self._news.clear()

    async def _price(self, tell: Callable[..., None]) -> PricedWindow | None:
        tell(doing=Doing.WORKING, progress=None)
        try:
            result = await self._pricing.price(Last(), lambda progress: tell(progress=progress))
        except OperatorError as error:
            self._failed(error.message, tell, may_pass=error.exit_code is Exit.UNREACHABLE)
            return None
        except Exception as error:  # noqa: BLE001  (the edge of a worker)
            _log.exception("pricing the block window failed")
            sentence = f"The window could not be priced: {type(error).__name__}. This is a fault of the program."
            self._failed(sentence, tell, may_pass=False)
            return None
        self._failures, self._again_at_s = 0, clock.elapsed_s() + self._every_s
        tell(doing=Doing.DONE, progress=None, result=result, line=(), trouble=None)
        return result

    def _failed(self, sentence: str, tell: Callable[..., None], *, may_pass: bool) -> None:
        self._failures += 1
        wait_s = _AGAIN.delay_s(self._failures, 1.0) if may_pass else self._every_s
        self._again_at_s = clock.elapsed_s() + wait_s
        then = f" It is tried again in {wait_s:.0f} s." if may_pass else " It is tried again with the next block."
        _log.warning("the block window failed: %s%s", sentence, then)
        tell(doing=Doing.FAILED, progress=None, trouble=f"{sentence}{then}")

    async def _add_line(self, result: PricedWindow, tell: Callable[..., None]) -> None:
        try:
            line = await self._pricing.block_line(result)
        except OperatorError as error:
            # the window itself is there; its blocks may have gone since
            _log.warning("no block prices for the window: %s", error.message)
        else:
            tell(line=tuple(line))
