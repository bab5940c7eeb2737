"""A place to work on jobs in: a simulated host in a process of its own, a store, and the engine as commands make it."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from utxoracle_tui.commands.job_engine import JobWorkshop
from utxoracle_tui.commands.node import exchange_of, open_node, open_store, pricing
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.demo.host.process import HostProcess
from utxoracle_tui.engine.exchange import Exchange
from utxoracle_tui.engine.jobs.plan import newest_day
from utxoracle_tui.engine.jobs.reading import JobReading, JobsReading
from utxoracle_tui.engine.jobs.runner import JobEngine
from utxoracle_tui.engine.jobs.wanted import Days
from utxoracle_tui.engine.node_pricing import NodePricing
from utxoracle_tui.engine.precedence import Precedence
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.store.records import Job
from utxoracle_tui.store.store import Store

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def act(host: HostProcess, action: str, **arguments: Any) -> Any:  # noqa: ANN401
    """Do something through the control port of a host."""
    url = f"{host.env['UTXORACLE_DEMO_CONTROL_URL']}/{action}"
    with _OPENER.open(url, json.dumps(arguments).encode()) as reply:
        return json.loads(reply.read())


def read(host: HostProcess, what: str) -> Any:  # noqa: ANN401
    """Read something from the control port of a host."""
    with _OPENER.open(f"{host.env['UTXORACLE_DEMO_CONTROL_URL']}/{what}") as reply:
        return json.loads(reply.read())


def blocks_served(host: HostProcess) -> dict[str, int]:
    """How often each block was sent since the statistics were cleared, by hash."""
    served: dict[str, int] = read(host, "statistics")["blocks_served"]
    return served


@dataclass
class JobPlace:
    """All that is needed to work on jobs."""

    settings: Settings
    store: Store
    node: BitcoinCore
    shop: JobWorkshop
    live: NodePricing
    """Work that goes before jobs."""
    exchange: Exchange
    readings: list[JobsReading] = field(default_factory=list)

    async def days(self, count: int) -> Days:
        """The newest days."""
        newest = await newest_day(self.node)
        return Days(newest - timedelta(days=count - 1), newest)

    async def run(self, job: Job | None) -> Job:
        """Work on a job until it is over."""
        assert job is not None
        return await self.shop.engine(job.key).run_until_over(self.readings.append)

    def reading(self, key: str) -> JobReading:
        """How a job goes, as it was told last."""
        reading = self.readings[-1].of(key)
        assert reading is not None
        return reading

    def prices(self) -> dict[date | None, float | None]:
        """The prices of the stored days."""
        return {window.date: window.price_usd for window in self.store.windows.between(0.0, 1e11, "day")}


@asynccontextmanager
async def job_place(
    host: HostProcess,
    workers: Workers,
    folder: Path,
    *,
    quiet_hours: str = "",
    digests_mb: int = 100,
    mb_per_s: float = 0.0,
    blocks_dir: Path | None = None,
    with_exchange: bool = False,
) -> AsyncIterator[JobPlace]:
    """A place whose files lie in `folder`. Blocks come over the port, unless `blocks_dir` is given."""
    settings = load(Flags(), host.env, folder).settings
    settings = replace(
        settings,
        node=replace(settings.node, read_block_files=blocks_dir is not None, blocks_dir=blocks_dir),
        store=replace(settings.store, data_dir=folder, digests_mb=digests_mb),
        jobs=replace(settings.jobs, quiet_hours=quiet_hours, mb_per_s=mb_per_s),
    )
    precedence = Precedence()
    async with open_node(settings) as node, exchange_of(settings) as exchange:
        store = await open_store(settings, node)
        shop = JobWorkshop(settings, store, node, workers, precedence, exchange=exchange if with_exchange else None)
        live = pricing(settings, node, workers, keep=False, precedence=precedence)
        yield JobPlace(settings, store, node, shop, live, exchange)


@asynccontextmanager
async def at_work(place: JobPlace, engine: JobEngine | None = None) -> AsyncIterator[None]:
    """An engine that works on all jobs meanwhile."""
    task = asyncio.create_task((engine or place.shop.engine()).run(place.readings.append))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(met: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not met():
            await asyncio.sleep(0.02)
