"""The whole stack: what is made of all that its sources have said, and the watch of it.

The watch has a task for each source, so that one which hangs or fails holds up no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from utxoracle_tui import clock
from utxoracle_tui.config.settings import Containers, Electrs, Mempool, Settings
from utxoracle_tui.engine.electrs.state import State
from utxoracle_tui.engine.stack import backend, containers, disks, electrs, exchange, node_verdict
from utxoracle_tui.engine.stack.backend import BackendStatus, BackendWatch
from utxoracle_tui.engine.stack.changes import VerdictLog
from utxoracle_tui.engine.stack.containers import ContainersStatus, ContainersWatch
from utxoracle_tui.engine.stack.disks import DisksStatus, DisksWatch
from utxoracle_tui.engine.stack.electrs import ElectrsStatusWatch
from utxoracle_tui.engine.stack.exchange import ExchangeStatus, ExchangeWatch
from utxoracle_tui.engine.stack.node import NodeStatus, NodeStatusWatch, OnNode
from utxoracle_tui.engine.stack.reading import Health, Heard, Source, SourceReading, Standing, Verdict
from utxoracle_tui.engine.stack.stack_reading import StackReading

_LOOK_EVERY_S = 1.0
"""Ages grow while nothing happens."""
_SPACING_S = 0.1
"""Several changes at once are told once."""
_BEGIN_ANEW_S = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Named:
    """What of the stack the operator has told of: what nobody named and nowhere shows itself isn't missed."""

    electrs: bool = True
    backend: bool = True
    containers: bool = True

    @classmethod
    def of(cls, settings: Settings) -> Named:
        """What the settings name otherwise than everybody's do."""
        return cls(
            settings.electrs != Electrs(),
            settings.mempool.api_url != Mempool().api_url,
            settings.containers != Containers(),
        )


@dataclass(frozen=True, slots=True)
class HeardOf:
    """What all sources have said so far."""

    node: Heard[NodeStatus]
    electrs: Heard[State]
    backend: Heard[BackendStatus]
    exchange: Heard[ExchangeStatus]
    containers: Heard[ContainersStatus]
    disks: Heard[DisksStatus]


def judge(heard: HeardOf, named: Named, now_s: float, wall_s: float) -> StackReading:
    """The reading at a moment: `now_s` on the clock for spans, `wall_s` in unix seconds."""
    status, state = heard.node.detail, heard.electrs.detail
    network = status.chain.network if status is not None else None
    refusals = tuple(why.sentence for why in status.refusals.values()) if status is not None else ()
    docker_answers = heard.containers.trouble is None
    of_electrs = electrs.judge(heard.electrs, now_s, named=named.electrs)
    # of what nobody has told of and isn't there nothing is missed
    is_missed = of_electrs.health is not Health.NOT_CONFIGURED
    unread = electrs.troubles_of(state, docker_answers=docker_answers) if state is not None and is_missed else ()
    price = exchange.judge(heard.exchange, wall_s, named=named.backend, network=network)
    return StackReading(
        SourceReading(Source.NODE, heard.node, node_verdict.judge(heard.node, now_s, wall_s), refusals),
        SourceReading(Source.ELECTRS, heard.electrs, of_electrs, unread),
        SourceReading(Source.BACKEND, heard.backend, backend.judge(heard.backend, now_s, named=named.backend)),
        SourceReading(Source.EXCHANGE, heard.exchange, price),
        SourceReading(
            Source.CONTAINERS, heard.containers, containers.judge(heard.containers, now_s, named=named.containers)
        ),
        SourceReading(Source.DISKS, heard.disks, disks.judge(heard.disks, now_s)),
    )


@dataclass(frozen=True)
class Watches:
    """A watch for each source."""

    node: NodeStatusWatch
    electrs: ElectrsStatusWatch
    backend: BackendWatch
    exchange: ExchangeWatch
    containers: ContainersWatch
    disks: DisksWatch

    @property
    def heard(self) -> HeardOf:
        """What all of them have heard so far."""
        return HeardOf(
            self.node.heard,
            self.electrs.heard,
            self.backend.heard,
            self.exchange.heard,
            self.containers.heard,
            self.disks.heard,
        )


OnReading = Callable[[StackReading], None]


class StackWatch:
    """Runs the watches, each by itself: one that meets what nobody foresaw is told of and begun anew."""

    def __init__(self, watches: Watches, named: Named) -> None:
        self._watches = watches
        self._named = named
        self._faults: dict[Source, str] = {}
        self._changed = asyncio.Event()

    def reading(self) -> StackReading:
        """What is known now."""
        reading = judge(self._watches.heard, self._named, clock.elapsed_s(), clock.now_s())
        kept = self._watches.electrs.troubles
        if kept:
            reading = replace(reading, electrs=replace(reading.electrs, troubles=reading.electrs.troubles + kept))
        for source, sentence in self._faults.items():
            found: SourceReading[Any] = getattr(reading, source)
            verdict = Verdict(Health.UNKNOWN, Standing.DEGRADED, "fault", sentence)
            reading = replace(reading, **{source.value: replace(found, verdict=verdict)})
        return reading

    async def run(self, on_reading: OnReading, on_node: OnNode = lambda _: None) -> None:
        """Watch until cancelled.

        `on_reading` is called whenever something has changed, at most ten times a second; `on_node` with every reading
        of the node's tip.
        """
        watches = self._watches

        async def node(on_change: Callable[[], None]) -> None:
            await watches.node.run(on_change, on_node)

        runs: dict[Source, Callable[[Callable[[], None]], Awaitable[None]]] = {
            Source.NODE: node,
            Source.ELECTRS: watches.electrs.run,
            Source.BACKEND: watches.backend.run,
            Source.EXCHANGE: watches.exchange.run,
            Source.CONTAINERS: watches.containers.run,
            Source.DISKS: watches.disks.run,
        }
        async with asyncio.TaskGroup() as tasks:
            for source, run in runs.items():
                tasks.create_task(self._keep_running(source, run), name=f"stack {source}")
            tasks.create_task(self._tell(on_reading))

    async def _keep_running(self, source: Source, run: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        def changed() -> None:
            self._faults.pop(source, None)
            self._changed.set()

        while True:
            try:
                await run(changed)
            except Exception as error:
                if _is_being_cancelled():
                    # what fails while it is torn down must not keep it alive
                    raise asyncio.CancelledError from error
                _log.exception("watching %s failed", source)
                self._faults[source] = (
                    f"Watching it failed: {type(error).__name__}. This is a fault of the program; it is begun anew in "
                    f"{_BEGIN_ANEW_S:.0f} s."
                )
                self._changed.set()
            await asyncio.sleep(_BEGIN_ANEW_S)

    async def _tell(self, on_reading: OnReading) -> None:
        told: StackReading | None = None
        verdicts = VerdictLog()
        while True:
            try:
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            reading = self.reading()
            if reading != told:
                told = reading
                verdicts.note(reading.all)
                on_reading(reading)
            await asyncio.sleep(_SPACING_S)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
