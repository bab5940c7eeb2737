"""Jobs while the console is open: it works on them itself, and asks for them as any other process may."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol, TypeVar

from utxoracle_tui.engine.jobs import control
from utxoracle_tui.engine.jobs.plan import JobKind, JobPlan, JobPreview
from utxoracle_tui.engine.jobs.reading import JobsReading, JobsView
from utxoracle_tui.engine.jobs.wanted import BlockWindows, Days, Wanted
from utxoracle_tui.engine.live_rounds import store_not_open
from utxoracle_tui.store.records import JobItem
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble

_LOOK_EVERY_S, _SHOW_EVERY_S = 0.2, 0.5
T = TypeVar("T")


class JobRunner(Protocol):
    """Works on jobs."""

    async def run(self, on_reading: Callable[[JobsReading], None]) -> None:
        """Until cancelled."""


class JobPlanner(Protocol):
    """Makes jobs of requests. Raises `OperatorError`."""

    async def backfill(self, wanted: Days | BlockWindows) -> JobPlan:
        """Windows over a range, but for those that are there."""

    async def rerun(self, wanted: Wanted) -> JobPlan:
        """Windows anew."""

    async def preview(self, kind: JobKind, wanted: Wanted) -> JobPreview:
        """What asking for one of them would come to, and what that would take."""

    async def possible_days(self) -> Days | None:
        """The days whose blocks the node has."""


class LiveJobs:
    """The jobs of the store that the console has open. What asks for something raises `OperatorError`."""

    def __init__(
        self,
        opened: Callable[[], Store | None],
        tools_in: Callable[[Store], tuple[JobPlanner, JobRunner]],
        readable: Callable[[], Store | None] | None = None,
    ) -> None:
        """`opened` gives the store as soon as it is open; what `readable` gives until then is shown."""
        self._opened = opened
        self._readable = readable or opened
        self._tools_in = tools_in
        self._planner: JobPlanner | None = None

    async def run(self, on_reading: Callable[[JobsReading], None]) -> None:
        """Work on jobs until cancelled."""
        showing = asyncio.create_task(self._show(on_reading))
        try:
            while (store := self._opened()) is None:
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
        self._planner, runner = self._tools_in(store)
        await runner.run(on_reading)

    async def _show(self, on_reading: Callable[[JobsReading], None]) -> None:
        """Tell of the jobs as they stand, until there is a store to work on."""
        seen: tuple[Store | None, int] = (None, 0)
        while True:
            store = self._readable()
            now = (store, await asyncio.to_thread(store.writes) if store is not None else 0)
            if now != seen:
                # what is wrong with a store is told by whoever follows it
                with contextlib.suppress(StoreTrouble):
                    on_reading(await asyncio.to_thread(JobsView(store).read) if store is not None else JobsReading())
                    seen = now
            await asyncio.sleep(_SHOW_EVERY_S)

    async def backfill(self, wanted: Days | BlockWindows) -> JobPlan:
        """Ask for the windows of a range that are not there."""
        return await self._ready_planner.backfill(wanted)

    async def rerun(self, wanted: Wanted) -> JobPlan:
        """Ask for windows to be made anew."""
        return await self._ready_planner.rerun(wanted)

    async def preview(self, kind: JobKind, wanted: Wanted) -> JobPreview:
        """What asking for windows would come to, and what that would take."""
        return await self._ready_planner.preview(kind, wanted)

    async def possible_days(self) -> Days | None:
        """The days whose blocks the node has, from the first to the newest; None where it has those of none."""
        return await self._ready_planner.possible_days()

    async def pause(self, key: str) -> None:
        """Let a job rest."""
        await asyncio.to_thread(control.pause, self._store, key)

    async def resume(self, key: str) -> None:
        """Let it go on."""
        await asyncio.to_thread(control.resume, self._store, key)

    async def cancel(self, key: str) -> None:
        """End it; what it has stored stays."""
        await asyncio.to_thread(control.cancel, self._store, key)

    async def retry(self, key: str) -> int:
        """Have its failed windows done again; how many."""
        return await asyncio.to_thread(control.retry, self._store, key)

    async def move(self, key: str, places: int) -> None:
        """Move it down the queue, or up."""
        await asyncio.to_thread(control.move, self._store, key, places)

    async def items(self, key: str) -> list[JobItem]:
        """Its windows, in order."""
        store = self._readable()
        if store is None:
            raise store_not_open()
        return await asyncio.to_thread(store.jobs.items, key)

    @property
    def _store(self) -> Store:
        store = self._opened()
        if store is None:
            raise store_not_open()
        return store

    @property
    def _ready_planner(self) -> JobPlanner:
        if self._planner is None:
            raise store_not_open()
        return self._planner
