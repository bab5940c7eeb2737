"""Alerts while the engine runs. Of all processes on a store, one raises them and has the sinks told; the others see
them in the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from filelock import FileLock, Timeout

from utxoracle_tui import clock, durable
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
from utxoracle_tui.engine.lasting_trouble import LastingTrouble
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.store.records import Alert, BlockPrice
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble

_log = logging.getLogger(__name__)

LOCK, OUTBOX = "alerts.lock", "alerts-outbox"
STEP_S = 2.0
_REORG_HOURS = 3
_CLOCK_SET_S = 300.0
"""Wall clock and the clock for spans don't come apart by that much between two steps unless somebody has set one."""


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
        """`opened` gives the store as soon as it is known, and may block; `host` is what this machine is called in what
        is sent.
        """
        self._opened = opened
        self._limits = limits
        self._sinks = sinks
        self._host = host
        self._step_s = step_s
        self._store_reading: StoreReading | None = None
        self._stack_reading: StackReading | None = None
        self._jobs_reading: JobsReading | None = None
        self._started_s = clock.elapsed_s()
        self._offset_s: float | None = None
        self._lifecycle: Lifecycle | None = None
        self._delivery: Delivery | None = None
        self._unstored: dict[str, _Unstored] = {}
        self._not_stored = LastingTrouble(_log, "storing alerts, which is tried again", "works again")
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
        if (store := await asyncio.to_thread(self._opened)) is not None:
            await asyncio.to_thread(acknowledge, store, key)

    async def snooze(self, key: str, minutes: float) -> None:
        """Be silent of an open alert for a while. Raises `StoreTrouble`."""
        if (store := await asyncio.to_thread(self._opened)) is not None:
            await asyncio.to_thread(snooze, store, key, minutes)

    async def run(self, on_change: Callable[[AlertsReading], None] = lambda _: None) -> None:
        """Work until cancelled; `on_change` is called whenever there is something new to show."""
        while True:
            store = await asyncio.to_thread(self._opened)
            if store is not None:
                await self._run_on(store, on_change)
            await asyncio.sleep(self._step_s)

    async def _run_on(self, store: Store, on_change: Callable[[AlertsReading], None]) -> None:
        """Work on a store, until another one turns out to be the right one."""
        home = store.folder.home
        lock = FileLock(home / LOCK, mode=durable.PRIVATE_FILE, thread_local=False)
        delivering: asyncio.Task[None] | None = None
        try:
            while store.folder.home == home:
                if delivering is None and await asyncio.to_thread(_is_ours, lock):
                    self._delivery = Delivery(self._sinks, home / OUTBOX)
                    delivering = asyncio.create_task(self._delivery.run())
                if delivering is not None and delivering.done():
                    delivering.result()
                await self._step(store)
                with contextlib.suppress(StoreTrouble):
                    # the rule on the store itself says so
                    await self._show(store, on_change)
                await asyncio.sleep(self._step_s)
                found = await asyncio.to_thread(self._opened)
                store = found if found is not None else store
        finally:
            if delivering is not None:
                delivering.cancel()
                await asyncio.gather(delivering, return_exceptions=True)
            self._delivery = self._lifecycle = self._writes = None
            self._unstored.clear()
            await asyncio.to_thread(lock.release)

    async def _step(self, store: Store) -> None:
        """Raise and resolve, if this is the process that does."""
        delivery = self._delivery
        if delivery is None:
            return
        now_s, elapsed_s = clock.now_s(), clock.elapsed_s()
        self._note_clock(now_s, elapsed_s)
        alerts, trouble = await self._stored(store)
        if self._lifecycle is None:
            if trouble is not None:
                # what is open in there would be raised once more
                return
            self._lifecycle = await self._begin(delivery, alerts, now_s, elapsed_s)
        lifecycle = self._lifecycle
        lifecycle.know(alerts)
        before = {alert.key: alert for alert in lifecycle.open}
        facts = await self._facts(store, now_s, trouble)
        running_s = elapsed_s - self._started_s
        said = {
            name: rule.judge(facts, self._limits, Moment(now_s, running_s, partial(lifecycle.is_open, name)))
            for name, rule in RULES.items()
        }
        changes = lifecycle.step(said, now_s, elapsed_s)
        for change in changes:
            _write_down(change)
            await delivery.add(Told(change.event.value, change.alert, self._host, store.folder.network, now_s))
            earlier = self._unstored.get(change.alert.key)
            base = before.get(change.alert.key) if earlier is None else earlier.before
            self._unstored[change.alert.key] = _Unstored(base, change.alert)
        if self._unstored:
            try:
                await asyncio.to_thread(_keep, store, list(self._unstored.values()))
                self._unstored.clear()
                self._not_stored.note(None)
            except StoreTrouble as failed:
                self._not_stored.note(failed.message)
        if changes:
            delivery.release()

    def _note_clock(self, now_s: float, elapsed_s: float) -> None:
        """A clock that was set, as at the first contact with a time server, makes the newest round no older."""
        offset_s = now_s - elapsed_s
        if self._offset_s is not None and abs(offset_s - self._offset_s) > _CLOCK_SET_S:
            self._started_s = elapsed_s
        self._offset_s = offset_s

    async def _stored(self, store: Store) -> tuple[list[Alert], str | None]:
        """The newest alerts, or why they can't be read."""
        try:
            return await asyncio.to_thread(store.alerts.newest, RECENT), None
        except StoreTrouble as trouble:
            return [], trouble.message

    async def _begin(self, delivery: Delivery, alerts: Sequence[Alert], now_s: float, elapsed_s: float) -> Lifecycle:
        """Go on where the process before ended, which may have been killed between two steps of one change."""
        known = {alert.key: alert for alert in alerts}
        for told in await delivery.waiting():
            if told.event != "test" and (
                told.alert.key not in known or (told.event == "resolved" and known[told.alert.key].resolved_s is None)
            ):
                self._unstored[told.alert.key] = _Unstored(known.get(told.alert.key), told.alert)
                known[told.alert.key] = told.alert
                await delivery.complete(told)
        lifecycle = Lifecycle(RULES, self._limits.cooldown_minutes * 60.0)
        lifecycle.take_over(known.values(), now_s, elapsed_s)
        delivery.release()
        return lifecycle

    async def _facts(self, store: Store, now_s: float, trouble: str | None) -> Facts:
        reading = self._store_reading
        writes = reading.writes if reading is not None else None
        with contextlib.suppress(StoreTrouble):
            if writes != self._writes:
                since_s = now_s - _REORG_HOURS * 3600.0
                blocks = await asyncio.to_thread(store.block_prices.between, since_s, now_s + 7200.0)
                self._writes, self._reorg_blocks = writes, reorganised(blocks)
            if reading is not None and reading.newest is not None and reading.newest.time_s > now_s + _CLOCK_SET_S:
                # the clock was set back: the newest of before would be so until it is as late again. Of rounds that are
                # missing now one learns later, at most by as much as the clock was set
                rounds = await asyncio.to_thread(store.observations.between, now_s - 86_400.0, now_s + _CLOCK_SET_S)
                reading = replace(reading, newest=rounds[-1] if rounds else None)
        if reading is not None and trouble is not None and reading.trouble is None:
            reading = replace(reading, trouble=trouble)
        return facts_of(reading, self._stack_reading, self._jobs_reading, self._reorg_blocks)

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


@dataclass(frozen=True, slots=True)
class _Unstored:
    """An alert that is to be stored, and what was known of it before it changed."""

    before: Alert | None
    after: Alert


def _keep(store: Store, changed: Sequence[_Unstored]) -> None:
    """Store alerts as they are now, with what the operator has done with them meanwhile."""
    kind = store.alerts.kind
    for each in changed:
        store.alerts.edit(kind.place(each.after), partial(_merged, each))
    # those that were not there
    store.alerts.put(each.after for each in changed)


def _merged(each: _Unstored, stored: Alert) -> Alert | None:
    before, after = each.before, each.after
    if stored.key != after.key:
        return None
    if before is None or (stored.acknowledged_s, stored.snoozed_until_s) == (
        before.acknowledged_s,
        before.snoozed_until_s,
    ):
        return after
    return replace(after, acknowledged_s=stored.acknowledged_s, snoozed_until_s=stored.snoozed_until_s)


def _write_down(change: Change) -> None:
    level = logging.INFO if change.event is Event.RESOLVED else logging.WARNING
    _log.log(level, "alert %s (%s, %s): %s", change.event, change.alert.rule, change.alert.level, change.alert.message)


def _is_ours(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return False
    return True
