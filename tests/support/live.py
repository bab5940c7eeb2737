"""Rounds for screens under test: with a store in a folder of the test, or standing still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.support.demo_node import DemoNode
from utxoracle_tui.commands.job_engine import JobWorkshop
from utxoracle_tui.commands.stack import stack_watch
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.exchange import Exchange
from utxoracle_tui.engine.live_jobs import JobPlanner, JobRunner, LiveJobs
from utxoracle_tui.engine.live_rounds import LiveRounds, StoreReading
from utxoracle_tui.engine.pricing import PricedWindow, WindowPricing
from utxoracle_tui.engine.rounds import Rounds
from utxoracle_tui.engine.stack.stack import StackWatch
from utxoracle_tui.engine.validation import DEFAULT_LIMITS
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.mempool import MempoolBackend
from utxoracle_tui.sources.mempool_session import MempoolAccess
from utxoracle_tui.store.store import Store


def live_rounds(pricing: WindowPricing, mempool_url: str, folder: Path) -> tuple[LiveRounds, Exchange]:
    """Rounds that are kept in a folder, and what has to be closed at the end."""
    exchange = Exchange((MempoolBackend(MempoolAccess(mempool_url)),))

    async def open_store() -> Store:
        return Store(folder, "regtest")

    return LiveRounds(open_store, lambda store: Rounds(pricing, exchange, store, DEFAULT_LIMITS)), exchange


class StillRounds:
    """In place of the engine's rounds: one reading, and silence."""

    def __init__(self, reading: StoreReading | None = None) -> None:
        self._reading = reading

    def priced(self, result: PricedWindow) -> None:
        pass

    async def run(self, on_reading: Callable[[StoreReading], None]) -> None:
        if self._reading is not None:
            on_reading(self._reading)
        await asyncio.Event().wait()


class NoJobs(StillRounds):
    """In place of the engine's jobs: silence."""

    async def possible_days(self) -> None:
        """The node has said nothing of its days."""


def live_jobs(client: BitcoinCore, workers: Workers, live: LiveRounds, folder: Path) -> LiveJobs:
    """Jobs on the store that `live` opens in a folder."""
    settings = replace(Settings(), store=replace(Settings().store, data_dir=folder))

    def tools(store: Store) -> tuple[JobPlanner, JobRunner]:
        workshop = JobWorkshop(settings, store, client, workers)
        return workshop.planner, workshop.engine()

    return LiveJobs(lambda: live.store, tools)


def watched_stack(
    node: DemoNode, client: BitcoinCore, exchange: Exchange, live: LiveRounds
) -> Callable[[], StackWatch]:
    """What makes the watch of all that a simulated host runs."""
    settings = load(Flags(), dict(node.env), node.folder).settings
    return partial(stack_watch, settings, client, exchange, lambda: getattr(live, "store", None))
