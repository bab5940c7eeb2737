"""The engine of jobs: takes windows under lease from the queue, does them side by side, puts down what came of them.

Any number of processes can run one on the same store; what they know of each other stands there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from utxoracle_tui import clock
from utxoracle_tui.engine.jobs.reading import JobsReading, JobsView
from utxoracle_tui.engine.jobs.rest import Rest, RestRules
from utxoracle_tui.engine.jobs.turns import CareReading
from utxoracle_tui.engine.jobs.window_work import WindowWork
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.store.jobs import OPEN
from utxoracle_tui.store.leases import RENEW_EVERY_S, new_owner
from utxoracle_tui.store.records import Job, JobItem
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble

_LOOK_EVERY_S = 0.5
_STORE_AGAIN_S = 5.0
_TELL_SHARE = 10.0
"""Telling how it goes takes no more of the time than one part in so many."""

OnReading = Callable[[JobsReading], None]


@dataclass(slots=True)
class _Working:
    """An item that this process is at."""

    job: Job
    item: JobItem
    """With how far it is."""
    started_s: float
    task: asyncio.Task[None]

    @property
    def now(self) -> JobItem:
        """The item as it is at this moment."""
        return replace(self.item, elapsed_s=clock.elapsed_s() - self.started_s)


class JobEngine:
    """Works on all jobs of a store, or on one."""

    def __init__(
        self,
        store: Store,
        work: WindowWork,
        care: Callable[[], CareReading],
        rules: RestRules,
        *,
        at_once: int,
        only: str | None = None,
    ) -> None:
        """`at_once` windows are worked on side by side; `only` is the key of the one job to look at; `care` tells how
        the node is spared.
        """
        self.owner = new_owner()
        self._store = store
        self._work = work
        self._care = care
        self._rules = rules
        self._at_once = at_once
        self._only = only
        self._view = JobsView(store)
        self._working: dict[str, _Working] = {}
        self._wake = asyncio.Event()
        self._over = asyncio.Event()
        """Whether the only job has turned out to be over."""
        self._rest: Rest | None = None
        self._trouble: str | None = None
        self._store_again_s = 0.0

    async def run(self, on_reading: OnReading) -> None:
        """Work until cancelled; windows at hand are given up then, so that others can take them at once.

        `on_reading` is called with what there is to see, at most twice a second.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._renew())
                tasks.create_task(self._tell(on_reading))
                tasks.create_task(self._work_off())
        finally:
            await self._give_up(list(self._working.values()))
            await self._leave()

    async def run_until_over(self, on_reading: OnReading) -> Job:
        """Work on the only job until it is done or cancelled, by whomever; the job as it is then."""
        assert self._only is not None
        running = asyncio.create_task(self.run(on_reading))
        try:
            while True:
                job = await self._look(self._only)
                if job is not None and job.state not in OPEN:
                    return job
                if running.done():
                    await running
                await _set(self._over)
                self._over.clear()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def reading(self) -> JobsReading:
        """What there is to see now. Raises `StoreTrouble`."""
        here = {key: working.now for key, working in self._working.items()}
        return await asyncio.to_thread(self._view.read, here, self._care(), self._trouble)

    async def _look(self, key: str) -> Job | None:
        try:
            return await asyncio.to_thread(self._store.jobs.get, key)
        except StoreTrouble as trouble:
            self._trouble = trouble.message
            return None

    async def _work_off(self) -> None:
        while True:
            self._wake.clear()
            again_s = self._store_again_s
            if clock.elapsed_s() >= again_s:
                try:
                    await self._step()
                except StoreTrouble as trouble:
                    self._store_fails(trouble)
                if self._store_again_s == again_s:
                    self._trouble = None
            await _set(self._wake)

    async def _step(self) -> None:
        queue = [job for job in await asyncio.to_thread(self._store.jobs.queue) if self._only in (None, job.key)]
        running = {job.key for job in queue if job.state != "paused"}
        await self._give_up([working for working in self._working.values() if working.job.key not in running])
        due = [job for job in queue if job.state != "paused" or _is_due(job)]
        if not due:
            return
        rest, self._rest = self._rest or await self._rules.needed(), None
        if rest is not None:
            await self._give_up(list(self._working.values()))
            for job in due:
                await asyncio.to_thread(self._store.jobs.change, job, lambda old: _resting(old, rest))
            return
        for job in due:
            if not await self._fill(await self._awake(job)):
                break

    async def _awake(self, job: Job) -> Job:
        """A job whose rest is over goes on."""
        if job.state != "paused":
            return job
        return await asyncio.to_thread(self._store.jobs.change, job, _queued) or job

    async def _fill(self, job: Job) -> bool:
        """Take as many windows of a job as there is room for; whether there is room for more."""
        while len(self._working) < self._at_once:
            taken = await self._take(job)
            if not taken:
                if await asyncio.to_thread(self._close_if_over, job) and job.key == self._only:
                    self._over.set()
                return True
            if job.state != "running":
                started = await asyncio.to_thread(self._store.jobs.change, job, _running)
                job = started or job
            self._begin(job, taken[0])
        return False

    async def _take(self, job: Job) -> list[JobItem]:
        """The next window, if there is one; when this is cancelled, what is taken meanwhile is given back."""
        taking = asyncio.ensure_future(asyncio.to_thread(self._store.jobs.take, job.key, self.owner, 1))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            with contextlib.suppress(StoreTrouble):
                await self._release(await taking)
            raise

    def _begin(self, job: Job, item: JobItem) -> None:
        task = asyncio.create_task(self._do(job, item))
        self._working[item.key] = _Working(job, replace(item, blocks_done=0, blocks_at_hand=0), clock.elapsed_s(), task)

    async def _do(self, job: Job, item: JobItem) -> None:
        def note(so_far: JobItem) -> None:
            self._working[item.key].item = so_far

        settled = False
        try:
            result = await self._work.do(job, item, note)
            await asyncio.to_thread(self._store.jobs.settle, result, self.owner)
            settled = True
            if result.state == "done":
                self._rules.all_is_well()
        except StoreTrouble as trouble:
            self._store_fails(trouble)
        except OperatorError as error:
            self._rest = self._rest or self._rules.after(error)
        finally:
            working = self._working.pop(item.key, None)
            if not settled and working is not None:
                await self._release([working.item])
            self._wake.set()

    async def _give_up(self, unwanted: Iterable[_Working]) -> None:
        """Stop work on items and give back their leases."""
        tasks = [working.task for working in unwanted]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _release(self, items: list[JobItem]) -> None:
        try:
            await asyncio.to_thread(self._store.jobs.release, items, self.owner)
        except StoreTrouble as trouble:
            # the leases end by themselves
            self._store_fails(trouble)

    async def _leave(self) -> None:
        """Say of jobs that nobody works on that they wait; whether that is said changes nothing of what they do."""
        with contextlib.suppress(StoreTrouble):
            await asyncio.to_thread(self._queue_again)

    def _queue_again(self) -> None:
        for job in self._store.jobs.queue():
            in_scope = self._only in (None, job.key)
            if in_scope and job.state == "running" and not self._store.jobs.progress(job.key).at_work:
                self._store.jobs.change(job, _waiting)

    def _close_if_over(self, job: Job) -> bool:
        progress = self._store.jobs.progress(job.key)
        if progress.tried < progress.total:
            return False
        self._store.jobs.change(job, _done)
        return True

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            current = [working.now for working in self._working.values()]
            try:
                kept = await asyncio.to_thread(self._store.jobs.renew, current, self.owner)
            except StoreTrouble as trouble:
                self._store_fails(trouble)
                continue
            ours = {item.key for item in kept}
            lost = [item.key for item in current if item.key not in ours]
            await self._give_up([self._working[key] for key in lost if key in self._working])

    async def _tell(self, on_reading: OnReading) -> None:
        told: JobsReading | None = None
        while True:
            started_s = clock.elapsed_s()
            try:
                reading = await self.reading()
            except StoreTrouble as trouble:
                reading = JobsReading(told.jobs if told else (), self._care(), trouble.message)
            if reading != told:
                told = reading
                on_reading(reading)
            # a job of many windows takes a while to be read
            await asyncio.sleep(max(_LOOK_EVERY_S, _TELL_SHARE * (clock.elapsed_s() - started_s)))

    def _store_fails(self, trouble: StoreTrouble) -> None:
        self._trouble = trouble.message
        self._store_again_s = clock.elapsed_s() + _STORE_AGAIN_S


async def _set(event: asyncio.Event) -> None:
    """Wait until an event is set, but no longer than until it is time to look at the store again."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LOOK_EVERY_S):
            await event.wait()


def _is_due(job: Job) -> bool:
    return job.resume_at_s is not None and job.resume_at_s <= clock.now_s()


def _resting(job: Job, rest: Rest) -> Job | None:
    if job.state not in OPEN or (job.state == "paused" and job.resume_at_s is None):
        return None
    return replace(job, state="paused", reason=rest.reason, resume_at_s=rest.until_s)


def _running(job: Job) -> Job | None:
    if job.state not in OPEN or (job.state == "paused" and job.resume_at_s is None):
        return None
    return replace(job, state="running", reason=None, resume_at_s=None, started_s=job.started_s or clock.now_s())


def _queued(job: Job) -> Job | None:
    if job.state != "paused" or job.resume_at_s is None:
        return None
    return replace(job, state="queued", reason=None, resume_at_s=None)


def _waiting(job: Job) -> Job | None:
    return replace(job, state="queued") if job.state == "running" else None


def _done(job: Job) -> Job | None:
    if job.state not in OPEN:
        return None
    return replace(job, state="done", reason=None, resume_at_s=None, ended_s=clock.now_s())
