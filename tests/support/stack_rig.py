"""The watch of the whole stack on a simulated host, impatient enough for tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.support.demo_node import DemoNode
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.electrs.watch import ElectrsWatch
from utxoracle_tui.engine.exchange import Exchange
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.stack.backend import BackendWatch
from utxoracle_tui.engine.stack.containers import ContainersWatch
from utxoracle_tui.engine.stack.disks import DisksWatch
from utxoracle_tui.engine.stack.electrs import ElectrsStatusWatch
from utxoracle_tui.engine.stack.exchange import ExchangeWatch
from utxoracle_tui.engine.stack.milestones import KeptMilestones
from utxoracle_tui.engine.stack.node import NodeStatusWatch
from utxoracle_tui.engine.stack.setup import Setup
from utxoracle_tui.engine.stack.stack import StackWatch, Watches
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.mempool import MempoolBackend
from utxoracle_tui.sources.node_access import NodeAccess

TIMEOUT_S = 0.5
SAID_WITHIN_S = 3.0
"""After the time-out, what happened must be said."""
Condition = Callable[[StackReading], object]


def settings_of(env: Mapping[str, str], folder: Path, **changes: str) -> Settings:
    """The settings as a command would have them."""
    found = load(Flags(), {**env, **changes}, folder).settings
    return replace(found, store=replace(found.store, data_dir=folder / "data"))


@dataclass
class Rig:
    """A watch that runs, and every reading that it gave."""

    watch: StackWatch
    readings: list[StackReading] = field(default_factory=list)
    nodes: list[NodeReading] = field(default_factory=list)

    @property
    def now(self) -> StackReading:
        return self.watch.reading()

    async def until(self, condition: Condition, within_s: float = 10.0) -> StackReading:
        """Wait for a reading that was given; fails when there is none in time."""
        end_s = time.monotonic() + within_s
        seen = 0
        while True:
            for reading in self.readings[seen:]:
                if condition(reading):
                    return reading
            seen = len(self.readings)
            said = "; ".join(f"{each.source}: {each.health}, {each.word}, {each.sentence}" for each in self.now.all)
            assert time.monotonic() < end_s, said
            await asyncio.sleep(0.01)

    async def next(self, condition: Condition, within_s: float = 10.0) -> StackReading:
        """The same, of readings that are given from now on."""
        self.readings.clear()
        return await self.until(condition, within_s)


@asynccontextmanager
async def stack_rig(
    settings: Settings,
    *,
    timeout_s: float = TIMEOUT_S,
    every_s: float = 0.1,
    milestones: KeptMilestones | None = None,
) -> AsyncIterator[Rig]:
    """A watch of what the settings name; `every_s` is how often sources are asked, but for the node."""
    setup = Setup.of(settings, settings.store.data_dir or Path("/"), timeout_s=timeout_s)
    access = NodeAccess(settings.node.url, cookie_path=settings.node.cookie_file, read_timeout_s=timeout_s)
    async with BitcoinCore(access) as client, Exchange((MempoolBackend(setup.backend),)) as exchange:
        node = NodeStatusWatch(client)

        def electrs(kept: object) -> ElectrsWatch:
            return ElectrsWatch(setup.electrs, node=node.as_evidence, kept=kept)

        watches = Watches(
            node=node,
            electrs=ElectrsStatusWatch(electrs, milestones, tick_s=every_s),
            backend=BackendWatch(setup.backend, every_s=every_s),
            exchange=ExchangeWatch(exchange, every_s=every_s),
            containers=ContainersWatch(setup.docker, setup.containers, every_s=every_s),
            disks=DisksWatch(setup.folders, every_s=every_s),
        )
        rig = Rig(StackWatch(watches, setup.named))
        task = asyncio.create_task(rig.watch.run(rig.readings.append, rig.nodes.append))
        try:
            yield rig
            assert not task.done(), "the watch has ended"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def demo_settings(node: DemoNode, folder: Path, **changes: str) -> Settings:
    """The settings for a simulated host."""
    return settings_of(node.env, folder, **changes)
