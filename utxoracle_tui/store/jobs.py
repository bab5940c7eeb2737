"""Jobs and their items: asked for by one process, worked on by any."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from utxoracle_tui.store.collection import Collection
from utxoracle_tui.store.kinds import JOB_ITEMS, JOBS, items_part
from utxoracle_tui.store.leases import is_live, lease
from utxoracle_tui.store.part_names import PartName
from utxoracle_tui.store.records import Job, JobItem
from utxoracle_tui.store.store_folder import StoreFolder

_log = logging.getLogger(__name__)
OPEN = ("queued", "running", "paused")
"""The states of jobs that are not over."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is, in items."""

    total: int
    done: int
    failed: int
    skipped: int
    at_work: int
    bytes_read: int

    @property
    def tried(self) -> int:
        """How many are over, one way or the other."""
        return self.done + self.failed + self.skipped


def progress_of(items: Sequence[JobItem]) -> JobProgress:
    """How far the job is that has these items."""
    states = Counter(item.state for item in items)
    return JobProgress(
        total=len(items),
        done=states["done"],
        failed=states["failed"],
        skipped=states["skipped"],
        at_work=sum(item.state == "waiting" and is_live(item.lease) for item in items),
        bytes_read=sum(item.bytes_read for item in items),
    )


class Jobs:
    """All jobs of a store. Everything raises `StoreTrouble`."""

    def __init__(self, folder: StoreFolder) -> None:
        self._folder = folder
        self._jobs: Collection[Job] = Collection(JOBS, folder)
        self._items: Collection[JobItem] = Collection(JOB_ITEMS, folder)

    def add(self, job: Job, items: Sequence[JobItem]) -> Job:
        """Ask for a job; where the same work is asked for already and not over, that job is given back."""
        with self._folder.writing("add a job"):
            same = next((old for old in self.all() if old.work == job.work and old.state in OPEN), None)
            if same is not None:
                return same
            # a job must never be seen without its items
            self._items.put(items)
            self._jobs.put([job])
        _log.info("job %s (%s) was asked for, %d windows", job.key, job.work, len(items))
        return job

    def all(self) -> list[Job]:
        """All jobs, the oldest first."""
        return sorted(self._jobs.all(), key=lambda job: job.time_s)

    def queue(self) -> list[Job]:
        """The jobs that are not over, in the order in which they are worked off."""
        return sorted((job for job in self._jobs.all() if job.state in OPEN), key=place_in_queue)

    def count(self) -> int:
        """How many jobs there are."""
        return self._jobs.count()

    def get(self, key: str) -> Job | None:
        """The job with a key."""
        return next((job for job in self._jobs.all() if job.key == key), None)

    def change(self, job: Job, change: Callable[[Job], Job | None]) -> Job | None:
        """Change a job as it is now; the new one, None where nothing was changed."""
        before = job.state

        def change_it(old: Job) -> Job | None:
            nonlocal before
            if old.key != job.key:
                return None
            before = old.state
            return change(old)

        changed = self._jobs.edit(JOBS.place(job), change_it)
        if changed and changed[0].state != before:
            why = f": {changed[0].reason}" if changed[0].reason else ""
            _log.info("job %s (%s) is %s, was %s%s", job.key, job.work, changed[0].state, before, why)
        return changed[0] if changed else None

    def items(self, job: str) -> list[JobItem]:
        """A job's items, in order."""
        found = [item for name in self._parts(job) for item in self._items.parts.load(name).records]
        return sorted(found, key=lambda item: item.number)

    def progress(self, job: str) -> JobProgress:
        """How far a job is."""
        return progress_of(self.items(job))

    def take(self, job: str, owner: str, count: int) -> list[JobItem]:
        """Take up to `count` items that nobody is at, in order, under a lease."""
        taken: list[JobItem] = []
        with self._folder.writing("take work"):
            for name in self._parts(job):
                free = {
                    item.key
                    for item in self._items.parts.load(name).records
                    if item.state == "waiting" and not is_live(item.lease)
                }
                chosen = set(sorted(free, key=_number_in)[: count - len(taken)])
                if chosen:
                    taken += self._items.edit(name, _under_lease(chosen, owner))
                if len(taken) >= count:
                    break
        return sorted(taken, key=lambda item: item.number)

    def renew(self, items: Iterable[JobItem], owner: str) -> list[JobItem]:
        """Renew the leases of items, and tell how far they are; those that are still the owner's."""
        kept: list[JobItem] = []
        current = {item.key: item for item in items}
        for part in _by_part(current.values()):
            kept += self._items.edit(part, _renewed(current, owner))
        return kept

    def settle(self, item: JobItem, owner: str) -> bool:
        """Put down what came of an item and give up its lease; False where another owner has it by now."""

        def change(old: JobItem) -> JobItem | None:
            if old.key != item.key or old.state != "waiting" or old.lease is None or old.lease.owner != owner:
                return None
            return replace(item, lease=None)

        settled = bool(self._items.edit(items_part(item.job, item.number), change))
        if settled and item.state == "failed":
            key = item.window
            what = f"day {key.date}" if key.date is not None else f"blocks {key.first_height}–{key.last_height}"
            _log.warning("%s of job %s failed: %s", what, item.job, item.error)
        return settled

    def release(self, items: Iterable[JobItem], owner: str) -> None:
        """Give up leases, so that others need not wait for them to expire."""
        for part, keys in _by_part(items).items():
            self._items.edit(part, _released(keys, owner))

    def reset(self, job: str, chosen: Callable[[JobItem], bool]) -> int:
        """Make items wait again; how many."""
        return sum(len(self._items.edit(name, _waiting_again(chosen))) for name in self._parts(job))

    def _parts(self, job: str) -> list[PartName]:
        return self._items.parts.names_in(job)


def place_in_queue(job: Job) -> tuple[int, float]:
    """What jobs are in order by."""
    return -job.priority, job.time_s if job.rank is None else job.rank


def _by_part(items: Iterable[JobItem]) -> dict[PartName, set[str]]:
    found: dict[PartName, set[str]] = {}
    for item in items:
        found.setdefault(items_part(item.job, item.number), set()).add(item.key)
    return found


def _under_lease(keys: set[str], owner: str) -> Callable[[JobItem], JobItem | None]:
    given = lease(owner)
    return lambda item: replace(item, lease=given, tries=item.tries + 1) if item.key in keys else None


def _renewed(current: Mapping[str, JobItem], owner: str) -> Callable[[JobItem], JobItem | None]:
    given = lease(owner)

    def change(old: JobItem) -> JobItem | None:
        new = current.get(old.key)
        if new is None or not _is_of(old, owner):
            return None
        return replace(
            old,
            lease=given,
            blocks=new.blocks,
            blocks_done=new.blocks_done,
            blocks_at_hand=new.blocks_at_hand,
            bytes_read=new.bytes_read,
            elapsed_s=new.elapsed_s,
        )

    return change


def _released(keys: set[str], owner: str) -> Callable[[JobItem], JobItem | None]:
    return lambda item: replace(item, lease=None) if item.key in keys and _is_of(item, owner) else None


def _waiting_again(chosen: Callable[[JobItem], bool]) -> Callable[[JobItem], JobItem | None]:
    def change(item: JobItem) -> JobItem | None:
        if not chosen(item):
            return None
        return replace(item, state="waiting", error_kind=None, error=None, blocks_done=0, blocks_at_hand=0, lease=None)

    return change


def _is_of(item: JobItem, owner: str) -> bool:
    return item.state == "waiting" and item.lease is not None and item.lease.owner == owner


def _number_in(key: str) -> int:
    return int(key.rpartition(".")[2])
