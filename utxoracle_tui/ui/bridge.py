"""The only place where the engine's events become messages to a screen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message_pump import MessagePump

from utxoracle_tui.alerts.reading import AlertsReading
from utxoracle_tui.engine.jobs.reading import JobsReading
from utxoracle_tui.engine.live_jobs import LiveJobs
from utxoracle_tui.engine.live_rounds import LiveRounds, StoreReading
from utxoracle_tui.engine.live_window import LiveWindow, WindowReading
from utxoracle_tui.engine.logs.live import LiveLogs, LogsReading
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.pricing import PricedWindow, WindowPricing
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import Request
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.ui.messages import (
    AlertsRead,
    BlockLineReady,
    JobsRead,
    LogsRead,
    NewestWindowRead,
    NodeRead,
    StackRead,
    StoreRead,
    WindowCancelled,
    WindowFailed,
    WindowPriced,
    WindowProgress,
    WindowStarted,
)

if TYPE_CHECKING:
    from utxoracle_tui.alerts.watch import AlertWatch
    from utxoracle_tui.engine.stack.stack import StackWatch

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
            self._target.post_message(WindowFailed(request, error.message))
        except Exception as error:
            log.exception("pricing %s failed", request)
            sentence = f"The window could not be priced: {type(error).__name__}. This is a fault of the program."
            self._target.post_message(WindowFailed(request, sentence))
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


class NewestWindowBridge:
    """Has the block window before the tip priced again and again, a round made of it, and tells a screen."""

    def __init__(self, newest: LiveWindow, live: LiveRounds, target: MessagePump) -> None:
        self._newest = newest
        self._live = live
        self._target = target

    async def run(self) -> None:
        """Work until cancelled; each reading becomes a `NewestWindowRead`."""
        await self._newest.run(self._on_reading, self._live.priced)

    def _on_reading(self, reading: WindowReading) -> None:
        self._target.post_message(NewestWindowRead(reading))


class StackBridge:
    """Has the stack watched, its node included, and tells a screen what is found."""

    def __init__(self, make: Callable[[], StackWatch], target: MessagePump) -> None:
        self._make = make
        self._target = target

    async def run(self) -> None:
        """Watch until cancelled; readings become `StackRead`, those of the node's tip `NodeRead`."""
        watch = await asyncio.to_thread(self._make)
        await watch.run(self._on_reading, self._on_node)

    def _on_reading(self, reading: StackReading) -> None:
        self._target.post_message(StackRead(reading))

    def _on_node(self, reading: NodeReading) -> None:
        self._target.post_message(NodeRead(reading))


class StoreBridge:
    """Has rounds made and kept, and tells a screen what the store holds."""

    def __init__(self, live: LiveRounds, target: MessagePump) -> None:
        self._live = live
        self._target = target

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


class AlertsBridge:
    """Has alerts raised over what the engine says, and tells a screen of them."""

    def __init__(self, make: Callable[[], AlertWatch] | None, target: MessagePump) -> None:
        self._make = make
        self._target = target
        self.watch: AlertWatch | None = None
        """Once it is there."""

    async def run(self) -> None:
        """Work until cancelled; each reading becomes an `AlertsRead`."""
        if self._make is not None:
            self.watch = await asyncio.to_thread(self._make)
            await self.watch.run(self._on_reading)

    def _on_reading(self, reading: AlertsReading) -> None:
        self._target.post_message(AlertsRead(reading))


class LogsBridge:
    """Has the logs followed, and tells a screen when there are new lines."""

    def __init__(self, logs: LiveLogs, target: MessagePump) -> None:
        self._logs = logs
        self._target = target

    async def run(self) -> None:
        """Follow until cancelled; each reading becomes a `LogsRead`."""
        await self._logs.run(self._on_reading)

    def _on_reading(self, reading: LogsReading) -> None:
        self._target.post_message(LogsRead(reading))
