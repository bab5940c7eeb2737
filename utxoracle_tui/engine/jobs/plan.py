"""From what is asked for to a job: what is there already is left out, and what can't be had is said."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from utxoracle_core import METHOD, MissingHeaderTime, WindowRefused, select_day
from utxoracle_core.selection import CONSENSUS_DEPTH, FIRST_DATE
from utxoracle_tui import clock
from utxoracle_tui.engine.jobs.control import resume
from utxoracle_tui.engine.jobs.forecast import Forecast, forecast
from utxoracle_tui.engine.jobs.job_pricing import JobPricing
from utxoracle_tui.engine.jobs.wanted import (
    BlockWindows,
    Days,
    Stored,
    Wanted,
    by_this_method,
    in_order,
    is_older,
    not_valid,
    work_line,
)
from utxoracle_tui.engine.jobs.window_work import request_of
from utxoracle_tui.engine.request import Day
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.node_errors import PrunedBlock
from utxoracle_tui.sources.node_replies import ChainInfo
from utxoracle_tui.store.jobs import OPEN
from utxoracle_tui.store.records import Job, JobItem, WindowKey, WindowKind, midnight_s
from utxoracle_tui.store.store import Store

JobKind = Literal["backfill", "rerun"]
_DAY_S = 86_400.0
_EVER_S = 1e11
_DAYS_AT_THE_BEGINNING = 3
_HEADER_TIME_SLACK_S = 7_200
"""A header's time may be so far ahead (Bitcoin Core, `MAX_FUTURE_BLOCK_TIME` in src/chain.h)."""


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What a request comes to."""

    work: str
    """The line of the job."""
    job: Job | None
    """None where nothing is left to do."""
    goes_on: bool = False
    """Whether it was asked for before, and is not over."""
    was_paused: str | None = None
    """Why it was paused, where it was and asking again has resumed it."""
    there: int = 0
    """Windows that have a result already."""
    impossible: tuple[WindowKey, ...] = ()
    """Windows whose blocks the node has deleted."""
    lowest_height: int | None = None
    """From where on a pruned node has its blocks."""


@dataclass(frozen=True, slots=True)
class JobPreview:
    """What a request would come to."""

    plan: JobPlan
    """Its job is None, unless it was asked for before and goes on."""
    forecast: Forecast | None
    """None where nothing is left to do."""


async def newest_day(node: BitcoinCore) -> date:
    """The newest UTC day that can be asked for: the one before that of the block six below the tip.

    Raises `OperatorError`.
    """
    _, _, consensus_time_s = await _consensus(node)
    return datetime.fromtimestamp(consensus_time_s, UTC).date() - timedelta(days=1)


class Planner:
    """Makes jobs of requests."""

    def __init__(self, store: Store, node: BitcoinCore, windows: JobPricing, processors: int) -> None:
        """`processors` is how many windows can be priced at once."""
        self._store = store
        self._node = node
        self._windows = windows
        self._processors = processors

    async def backfill(self, wanted: Days | BlockWindows) -> JobPlan:
        """Windows over a range, but for those that are there. Raises `OperatorError`: for refused days, too."""
        return await self._plan("backfill", wanted, skip=True)

    async def rerun(self, wanted: Wanted) -> JobPlan:
        """Windows again, whether they are there or not. Raises `OperatorError`."""
        return await self._plan("rerun", wanted, skip=False)

    async def ask_for(self, kind: JobKind, wanted: Wanted) -> JobPlan:
        """One or the other; a backfill is of days or of block windows."""
        if kind == "rerun":
            return await self.rerun(wanted)
        assert isinstance(wanted, Days | BlockWindows)
        return await self.backfill(wanted)

    async def preview(self, kind: JobKind, wanted: Wanted) -> JobPreview:
        """What asking for a backfill or a rerun would come to, and what that would take; nothing is begun.

        Raises `OperatorError`.
        """
        work = work_line(kind, wanted)
        job = await asyncio.to_thread(self._open_job, work)
        if job is not None:
            items = await asyncio.to_thread(self._store.jobs.items, job.key)
            plan, keys = JobPlan(work, job, goes_on=True), [i.window for i in items if i.state == "waiting"]
        else:
            plan, keys = await self._choose(work, wanted, skip=kind == "backfill")
        return JobPreview(plan, await forecast(self._windows, keys, self._processors) if keys else None)

    async def possible_days(self) -> Days | None:
        """The days whose blocks the node has, from the first to the newest; None where it has those of none.

        Raises `OperatorError`.
        """
        newest = await newest_day(self._node)
        # the first block of all may be years older than the second one
        lowest = max(await self._windows.lowest_height(), 1)
        begins_s = await self._time_of(lowest, await self._node.chain_info())
        first = max(datetime.fromtimestamp(begins_s, UTC).date(), FIRST_DATE)
        if first > FIRST_DATE:
            # the day in which the chain begins is there in part, and the next one's search may lead before it
            for _ in range(_DAYS_AT_THE_BEGINNING):
                if first > newest or await self._has_day(first):
                    break
                first += timedelta(days=1)
        return Days(first, newest) if first <= newest else None

    async def _has_day(self, day: date) -> bool:
        try:
            await self._windows.plan(Day(day))
        except OperatorError as error:
            if error.exit_code is Exit.UNREACHABLE:
                raise
            return False
        return True

    async def _plan(self, kind: JobKind, wanted: Wanted, *, skip: bool) -> JobPlan:
        work = work_line(kind, wanted)
        going_on = await asyncio.to_thread(self._going_on, work)
        if going_on is not None:
            return going_on
        plan, items = await self._choose(work, wanted, skip=skip)
        job = await asyncio.to_thread(self._add, kind, work, items) if items else None
        return replace(plan, job=job)

    async def _choose(self, work: str, wanted: Wanted, *, skip: bool) -> tuple[JobPlan, list[WindowKey]]:
        """What a new job comes to, but for the job, and the windows that it is to do."""
        if isinstance(wanted, Days):
            await self._refuse(wanted)
        if isinstance(wanted, Stored):
            keys = await asyncio.to_thread(self._stored, wanted)
        else:
            keys = wanted.keys()
        there = await asyncio.to_thread(self._there, keys) if skip else set()
        missing = [key for key in keys if key.text not in there]
        lowest, impossible = await self._pruned(missing)
        plan = JobPlan(work, None, there=len(there), impossible=tuple(in_order(impossible)), lowest_height=lowest)
        return plan, [key for key in missing if key not in impossible]

    def _open_job(self, work: str) -> Job | None:
        return next((job for job in self._store.jobs.all() if job.work == work and job.state in OPEN), None)

    def _going_on(self, work: str) -> JobPlan | None:
        job = self._open_job(work)
        if job is None:
            return None
        if job.state == "paused" and job.resume_at_s is None:
            return JobPlan(work, resume(self._store, job.key), goes_on=True, was_paused=job.reason)
        return JobPlan(work, job, goes_on=True)

    def _add(self, kind: JobKind, work: str, keys: Sequence[WindowKey]) -> Job:
        now_s = clock.now_s()
        key = f"{int(now_s)}-{uuid.uuid4().hex[:8]}"
        items = [JobItem(job=key, number=number, window=window) for number, window in enumerate(keys)]
        job = Job(
            key=key,
            time_s=now_s,
            kind=kind,
            work=work,
            items=len(items),
        )
        return self._store.jobs.add(job, items)

    async def _refuse(self, days: Days) -> None:
        """Raise `OperatorError` for days that the method doesn't price, or not yet."""
        tip, height, time_s = await _consensus(self._node)
        for day in (days.last, days.first):
            try:
                select_day(day, {height: time_s}, tip)
            except WindowRefused as refused:
                raise OperatorError(refused.kind, f"{refused}.", Exit.USAGE) from None
            except MissingHeaderTime:
                # not refused: the search has begun
                continue

    def _there(self, keys: Sequence[WindowKey]) -> set[str]:
        """The windows that have a result whose last block is on the chain."""
        days = [midnight_s(key.date) for key in keys if key.date is not None]
        heights = [key.last_height for key in keys if key.last_height is not None]
        found = self._store.windows.between(min(days), max(days) + 1, "day") if days else []
        if heights:
            found += self._store.windows.between_heights(min(heights), max(heights), "blocks")
        wanted = {key.text for key in keys}
        return {window.key for window in found if window.key in wanted and not window.orphaned}

    def _stored(self, wanted: Stored) -> list[WindowKey]:
        if wanted.which == "failed":
            return in_order(_failed(self._store))
        kinds: tuple[WindowKind, ...] = ("day", "blocks")
        windows = [window for kind in kinds for window in self._store.windows.between(0.0, _EVER_S, kind)]
        ours = [window for window in windows if window.method == METHOD]
        if wanted.which == "not-valid":
            chosen, settled = not_valid(windows), {window.key for window in ours if window.valid is not False}
        else:
            chosen = [window.window_key for window in windows if is_older(window.method) and not window.imported]
            settled = {window.key for window in ours}
        return in_order(key for key in {by_this_method(key) for key in chosen} if key.text not in settled)

    async def _pruned(self, keys: Sequence[WindowKey]) -> tuple[int | None, set[WindowKey]]:
        """From where on a pruned node has its blocks, and the windows that it can't give any more."""
        info = await self._node.chain_info()
        if not info.pruned or not info.prune_height:
            return None, set()
        before_s = await self._time_of(info.prune_height, info) + _HEADER_TIME_SLACK_S
        impossible = set()
        for key in keys:
            if _begins_before(key, info.prune_height, before_s) and not await self._can_be_had(key):
                impossible.add(key)
        return info.prune_height, impossible

    async def _time_of(self, height: int, info: ChainInfo) -> int:
        ((_, header),) = await self._node.headers(min(height, info.blocks), 1)
        return header.time

    async def _can_be_had(self, key: WindowKey) -> bool:
        try:
            await self._windows.plan(request_of(key))
        except PrunedBlock:
            return False
        except OperatorError as error:
            if error.exit_code is Exit.UNREACHABLE:
                raise
        # whatever else there is to say of a window is said when its turn comes
        return True


def _begins_before(key: WindowKey, height: int, time_s: float) -> bool:
    if key.date is not None:
        return midnight_s(key.date) < time_s
    return key.first_height is not None and key.first_height < height


def _failed(store: Store) -> Iterable[WindowKey]:
    """The windows whose newest try has failed, and that have no newer result."""
    newest: dict[str, JobItem] = {}
    for job in store.jobs.all():
        for item in store.jobs.items(job.key):
            name = by_this_method(item.window).text
            if item.ended_s is not None and (name not in newest or item.ended_s > (newest[name].ended_s or 0.0)):
                newest[name] = item
    for item in newest.values():
        key = by_this_method(item.window)
        found = store.windows.get(key) if item.state == "failed" else None
        if item.state == "failed" and (found is None or found.stored_s < (item.ended_s or 0.0)):
            yield key


async def _consensus(node: BitcoinCore) -> tuple[int, int, int]:
    """The tip's height, and height and header time of the block six below it, which days are counted from."""
    info = await node.chain_info()
    height = info.blocks - CONSENSUS_DEPTH
    if height < 0:
        raise OperatorError(
            "blocks_missing", f"{node.access.host} has {info.blocks + 1} blocks, too few for a day.", Exit.USAGE
        )
    ((_, header),) = await node.headers(height, 1)
    return info.blocks, height, header.time
