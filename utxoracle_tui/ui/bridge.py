"""The only place where the engine's events become messages to a screen."""

from __future__ import annotations

import asyncio
import logging

from textual.message_pump import MessagePump

from utxoracle_tui.engine.jobs.reading import JobsReading
from utxoracle_tui.engine.live_jobs import LiveJobs
from utxoracle_tui.engine.live_rounds import LiveRounds, StoreReading
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.pricing import PricedWindow, WindowPricing
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import Request
from utxoracle_tui.engine.stack.stack import StackReading, StackWatch
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.ui.messages import (
    BlockLineReady,
    JobsRead,
    NodeRead,
    StackRead,
    StoreRead,
    WindowCancelled,
    WindowFailed,
    WindowPriced,
    WindowProgress,
    WindowStarted,
)

log = logging.getLogger(__name__)


class PricingBridge:
    """Has windows priced by the engine and tells a screen how that goes."""

    def __init__(self, pricing: WindowPricing, target: MessagePump) -> None:
        self._pricing = pricing
        self._target = target

    async def price(self, request: Request) -> None:
        """Price a window; ends with `WindowPriced`, `WindowFailed` or `WindowCancelled`."""
        self._target.post_message(WindowStarted(request))
        try:
            result = await self._pricing.price(request, self._on_progress)
        except asyncio.CancelledError:
            self._target.post_message(WindowCancelled())
            raise
        except OperatorError as error:
            may_pass = error.exit_code is Exit.UNREACHABLE
            self._target.post_message(WindowFailed(request, error.message, may_pass=may_pass))
        except Exception as error:
            log.exception("pricing %s failed", request)
            sentence = f"The window could not be priced: {type(error).__name__}. This is a fault of the program."
            self._target.post_message(WindowFailed(request, sentence, may_pass=False))
        else:
            self._target.post_message(WindowPriced(request, result))
            await self._block_line(result)

    async def _block_line(self, result: PricedWindow) -> None:
        try:
            readings = await self._pricing.block_line(result)
        except OperatorError as error:
            # the window itself is there; its blocks may have gone since
            log.warning("no block prices for the window: %s", error.message)
        else:
            self._target.post_message(BlockLineReady(result, readings))

    def _on_progress(self, progress: Progress) -> None:
        self._target.post_message(WindowProgress(progress))


class StackBridge:
    """Has the stack watched, its node included, and tells a screen what is found."""

    def __init__(self, watch: StackWatch, target: MessagePump) -> None:
        self._watch = watch
        self._target = target

    async def run(self) -> None:
        """Watch until cancelled; readings become `StackRead`, those of the node's tip `NodeRead`."""
        await self._watch.run(self._on_reading, self._on_node)

    def _on_reading(self, reading: StackReading) -> None:
        self._target.post_message(StackRead(reading))

    def _on_node(self, reading: NodeReading) -> None:
        self._target.post_message(NodeRead(reading))


class StoreBridge:
    """Has rounds made and kept, and tells a screen what the store holds."""

    def __init__(self, live: LiveRounds, target: MessagePump) -> None:
        self._live = live
        self._target = target

    def priced(self, result: PricedWindow) -> None:
        """Make a round of a block window."""
        self._live.priced(result)

    async def run(self) -> None:
        """Work until cancelled; each reading becomes a `StoreRead`."""
        await self._live.run(self._on_reading)

    def _on_reading(self, reading: StoreReading) -> None:
        self._target.post_message(StoreRead(reading))


class JobsBridge:
    """Has jobs worked on, and tells a screen how they go."""

    def __init__(self, live: LiveJobs, target: MessagePump) -> None:
        self._live = live
        self._target = target

    async def run(self) -> None:
        """Work until cancelled; each reading becomes a `JobsRead`."""
        await self._live.run(self._on_reading)

    def _on_reading(self, reading: JobsReading) -> None:
        self._target.post_message(JobsRead(reading))
