"""What a watch runs: the same parts as the console's, with nobody to look at them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from utxoracle_tui import formats
from utxoracle_tui.engine.jobs.reading import JobsReading
from utxoracle_tui.engine.lasting_trouble import LastingTrouble
from utxoracle_tui.engine.live_jobs import LiveJobs
from utxoracle_tui.engine.live_rounds import LiveRounds, StoreReading
from utxoracle_tui.engine.live_window import LiveWindow
from utxoracle_tui.engine.stack.stack import StackWatch
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.engine.watch.daily_backup import DailyBackup
from utxoracle_tui.store.records import Observation

_log = logging.getLogger(__name__)


class Alerts(Protocol):
    """What is told of all that the engine says, and raises alerts over it."""

    def on_store(self, reading: StoreReading) -> None:
        """Of the store."""

    def on_stack(self, reading: StackReading) -> None:
        """Of the stack."""

    def on_jobs(self, reading: JobsReading) -> None:
        """Of jobs."""

    async def run(self) -> None:
        """Work until cancelled."""


@dataclass(frozen=True, slots=True)
class WatchParts:
    """The parts of the engine."""

    newest: LiveWindow
    live: LiveRounds
    stack: StackWatch
    jobs: LiveJobs
    backups: DailyBackup
    alerts: Alerts


class WatchEngine:
    """Runs the parts, and says in one line how things are."""

    def __init__(self, parts: WatchParts, on_change: Callable[[str], None]) -> None:
        """`on_change` is called with that line whenever it is another."""
        self._parts = parts
        self._on_change = on_change
        self._store = StoreReading()
        self._node = "asking the node"
        self._line = ""
        self._store_trouble = LastingTrouble(_log, "the store", "can be written again")
        self._job_trouble = LastingTrouble(_log, "jobs", "go on")

    async def run(self) -> None:
        """Work until cancelled. A part that fails in a way that nobody foresaw ends all of them."""
        parts = self._parts
        async with asyncio.TaskGroup() as tasks:
            for work in (
                parts.stack.run(self._on_stack, parts.newest.node_read),
                parts.newest.run(lambda _: None, parts.live.priced),
                parts.live.run(self._on_store),
                parts.jobs.run(self._on_jobs),
                parts.backups.run(),
                parts.alerts.run(),
            ):
                tasks.create_task(work)
            self._tell()

    def _on_stack(self, reading: StackReading) -> None:
        self._parts.alerts.on_stack(reading)
        self._node = f"node {reading.node.word}"
        self._tell()

    def _on_store(self, reading: StoreReading) -> None:
        self._parts.alerts.on_store(reading)
        self._store = reading
        self._store_trouble.note(reading.trouble)
        self._tell()

    def _on_jobs(self, reading: JobsReading) -> None:
        self._parts.alerts.on_jobs(reading)
        self._job_trouble.note(reading.trouble)

    def _tell(self) -> None:
        line = f"{self._node}; {round_words(self._store.newest)}"
        if self._store.waiting:
            line += f"; {formats.plural(self._store.waiting, 'round')} not stored yet"
        if line != self._line:
            self._line = line
            self._on_change(line)


def round_words(newest: Observation | None) -> str:
    """The newest round in a few words."""
    if newest is None:
        return "no round yet"
    price = formats.usd(newest.onchain_usd) if newest.onchain_usd is not None else "no price"
    valid = "" if newest.valid else ", not valid"
    return f"newest round {formats.utc_minute(newest.time_s)} UTC: {price}{valid}"
