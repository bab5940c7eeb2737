"""Alerts while the engine runs. Of all processes on a store, one raises them and has the sinks told; the others see
them in the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from filelock import FileLock, Timeout

from utxoracle_tui import clock
from utxoracle_tui.alerts.answering import acknowledge, snooze
from utxoracle_tui.alerts.delivery import Delivery
from utxoracle_tui.alerts.facts import Facts, facts_of
from utxoracle_tui.alerts.lifecycle import Change, Event, Lifecycle
from utxoracle_tui.alerts.payload import Told
from utxoracle_tui.alerts.reading import RECENT, AlertsReading
from utxoracle_tui.alerts.rules import RULES, Moment
from utxoracle_tui.alerts.sinks import Sink
from utxoracle_tui.config.settings import Alerts
from utxoracle_tui.engine.jobs.reading import JobsReading
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.store import durable
from utxoracle_tui.store.records import Alert, BlockPrice
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble

_log = logging.getLogger(__name__)

LOCK, OUTBOX = "alerts.lock", "alerts-outbox"
STEP_S = 2.0
_REORG_HOURS = 3


class AlertWatch:
    """Looks at what the engine says every two seconds."""

    def __init__(
        self,
        opened: Callable[[], Store | None],
        limits: Alerts,
        sinks: Sequence[Sink],
        host: str,
        *,
        step_s: float = STEP_S,
    ) -> None:
        """`opened` gives the store as soon as it is open; `host` is what this machine is called in what is sent."""
        self._opened = opened
        self._limits = limits
        self._sinks = sinks
        self._host = host
        self._step_s = step_s
        self._store_reading: StoreReading | None = None
        self._stack_reading: StackReading | None = None
        self._jobs_reading: JobsReading | None = None
        self._started_s = clock.elapsed_s()
        self._lifecycle: Lifecycle | None = None
        self._delivery: Delivery | None = None
        self._unstored: dict[str, Alert] = {}
        self._reading = AlertsReading()
        self._writes: int | None = None
        self._reorg_blocks = 0

    def on_store(self, reading: StoreReading) -> None:
        """Take in what the store holds."""
        self._store_reading = reading

    def on_stack(self, reading: StackReading) -> None:
        """Take in how the stack is."""
        self._stack_reading = reading

    def on_jobs(self, reading: JobsReading) -> None:
        """Take in how jobs go."""
        self._jobs_reading = reading

    async def acknowledge(self, key: str) -> None:
        """Say that somebody knows of an open alert. Raises `StoreTrouble`."""
        if (store := self._opened()) is not None:
            await asyncio.to_thread(acknowledge, store, key)

    async def snooze(self, key: str, minutes: float) -> None:
        """Be silent of an open alert for a while. Raises `StoreTrouble`."""
        if (store := self._opened()) is not None:
            await asyncio.to_thread(snooze, store, key, minutes)

    async def run(self, on_change: Callable[[AlertsReading], None] = lambda _: None) -> None:
        """Work until cancelled; `on_change` is called whenever there is something new to show."""
        while (store := self._opened()) is None:
            await asyncio.sleep(self._step_s)
        lock = FileLock(store.folder.home / LOCK, mode=durable.PRIVATE_FILE, thread_local=False)
        delivering: asyncio.Task[None] | None = None
        try:
            while True:
                if delivering is None and await asyncio.to_thread(_is_ours, lock):
                    self._delivery = Delivery(self._sinks, store.folder.home / OUTBOX)
                    delivering = asyncio.create_task(self._delivery.run())
                if delivering is not None and delivering.done():
                    delivering.result()
                with contextlib.suppress(StoreTrouble):
                    # the rule on the store itself says so
                    await self._step(store)
                    await self._show(store, on_change)
                await asyncio.sleep(self._step_s)
        finally:
            if delivering is not None:
                delivering.cancel()
                await asyncio.gather(delivering, return_exceptions=True)
            await asyncio.to_thread(lock.release)

    async def _step(self, store: Store) -> None:
        """Raise and resolve, if this is the process that does."""
        delivery = self._delivery
        if delivery is None:
            return
        now_s, elapsed_s = clock.now_s(), clock.elapsed_s()
        alerts = await asyncio.to_thread(store.alerts.newest, RECENT)
        if self._lifecycle is None:
            self._lifecycle = await self._begin(store, delivery, alerts, now_s, elapsed_s)
        lifecycle = self._lifecycle
        lifecycle.know(alerts)
        facts = await self._facts(store, now_s)
        running_s = elapsed_s - self._started_s
        findings = {
            name: rule.judge(facts, self._limits, Moment(now_s, running_s, partial(lifecycle.is_open, name)))
            for name, rule in RULES.items()
        }
        changes = lifecycle.step(findings, now_s, elapsed_s)
        for change in changes:
            _write_down(change)
            await delivery.add(Told(change.event.value, change.alert, self._host, store.folder.network, now_s))
            self._unstored[change.alert.key] = change.alert
        if self._unstored:
            try:
                await asyncio.to_thread(_keep, store, list(self._unstored.values()))
                self._unstored.clear()
            except StoreTrouble as trouble:
                _log.error("an alert could not be stored and will be tried again: %s", trouble.message)
        if changes:
            delivery.release()

    async def _begin(
        self, store: Store, delivery: Delivery, alerts: Sequence[Alert], now_s: float, elapsed_s: float
    ) -> Lifecycle:
        """Go on where the process before ended, which may have been killed between two steps of one change."""
        known = {alert.key: alert for alert in alerts}
        for told in await delivery.waiting():
            if told.event != "test" and (
                told.alert.key not in known or (told.event == "resolved" and known[told.alert.key].resolved_s is None)
            ):
                known[told.alert.key] = self._unstored[told.alert.key] = told.alert
        lifecycle = Lifecycle(RULES, self._limits.cooldown_minutes * 60.0)
        lifecycle.take_over(known.values(), now_s, elapsed_s)
        delivery.release()
        return lifecycle

    async def _facts(self, store: Store, now_s: float) -> Facts:
        writes = self._store_reading.writes if self._store_reading is not None else None
        if writes != self._writes:
            self._writes = writes
            since_s = now_s - _REORG_HOURS * 3600.0
            blocks = await asyncio.to_thread(store.block_prices.between, since_s, now_s + 7200.0)
            self._reorg_blocks = reorganised(blocks)
        return facts_of(self._store_reading, self._stack_reading, self._jobs_reading, self._reorg_blocks)

    async def _show(self, store: Store, on_change: Callable[[AlertsReading], None]) -> None:
        alerts = await asyncio.to_thread(store.alerts.newest, RECENT)
        reading = AlertsReading(tuple(alerts), self._delivery.troubles if self._delivery is not None else ())
        if reading != self._reading:
            self._reading = reading
            on_change(reading)


def reorganised(blocks: Sequence[BlockPrice]) -> int:
    """How many blocks in a row of these were replaced, at most."""
    heights = sorted({block.last_height for block in blocks if block.orphaned})
    longest = run = 0
    for height, before in zip(heights, [None, *heights], strict=False):
        run = run + 1 if before is not None and height == before + 1 else 1
        longest = max(longest, run)
    return longest


def _keep(store: Store, alerts: Sequence[Alert]) -> None:
    """Store alerts as they are now, with what the operator has done with them meanwhile."""
    there = {alert.key: alert for alert in store.alerts.newest(RECENT)}
    merged = []
    for alert in alerts:
        old = there.get(alert.key)
        if old is not None and alert.acknowledged_s is None and alert.resolved_s is not None:
            alert = replace(alert, acknowledged_s=old.acknowledged_s)  # noqa: PLW2901
        merged.append(alert)
    store.alerts.put(merged, replace=True)


def _write_down(change: Change) -> None:
    level = logging.INFO if change.event is Event.RESOLVED else logging.WARNING
    _log.log(level, "alert %s (%s, %s): %s", change.event, change.alert.rule, change.alert.level, change.alert.message)


def _is_ours(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return False
    return True
