"""What there is to see of jobs: the queue, how far each is and how fast, what is at hand, and what holds it up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from utxoracle_tui import clock
from utxoracle_tui.engine.jobs.estimate import NOTHING_KNOWN, AtWork, Estimate, Finished, estimate
from utxoracle_tui.engine.jobs.turns import CareReading
from utxoracle_tui.store.jobs import OPEN, JobProgress, place_in_queue, progress_of
from utxoracle_tui.store.leases import is_live
from utxoracle_tui.store.records import Job, JobItem, WindowKey
from utxoracle_tui.store.store import Store

HISTORY = 50
"""Jobs that are over and still shown, the newest."""


@dataclass(frozen=True, slots=True)
class AtHand:
    """A window that somebody is working on."""

    window: WindowKey
    blocks_done: int
    blocks: int | None
    here: bool
    """Whether it is this process. Of others one knows how far they were at most ten seconds ago."""

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        return self.blocks_done / self.blocks if self.blocks else 0.0


@dataclass(frozen=True, slots=True)
class JobReading:
    """A job, and how it goes."""

    job: Job
    progress: JobProgress
    at_hand: tuple[AtHand, ...] = ()
    """In the order of the job."""
    estimate: Estimate = NOTHING_KNOWN

    @property
    def share(self) -> float:
        """How much of the job is done, 0 to 1, the windows at hand included."""
        if not self.progress.total:
            return 0.0
        return (self.progress.tried + sum(window.share for window in self.at_hand)) / self.progress.total

    @property
    def is_open(self) -> bool:
        """Whether it is not over."""
        return self.job.state in OPEN


@dataclass(frozen=True, slots=True)
class JobsReading:
    """All jobs."""

    jobs: tuple[JobReading, ...] = ()
    """Those that are not over in the order of the queue, and then the newest of those that are."""
    care: CareReading | None = None
    """How this process spares the node, if it works on jobs."""
    trouble: str | None = None
    """Why this process can't work on them, as a sentence."""

    def of(self, key: str) -> JobReading | None:
        """The reading of one job."""
        return next((reading for reading in self.jobs if reading.job.key == key), None)


class JobsView:
    """Reads jobs from the store. Everything raises `StoreTrouble`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._over: dict[tuple[str, float | None], JobReading] = {}

    def read(
        self, here: Mapping[str, JobItem] | None = None, care: CareReading | None = None, trouble: str | None = None
    ) -> JobsReading:
        """All jobs as they are now; `here` are the items that this process is at, by key, as far as they are."""
        jobs = self._store.jobs.all()
        queue = sorted((job for job in jobs if job.state in OPEN), key=place_in_queue)
        over = sorted((job for job in jobs if job.state not in OPEN), key=_end, reverse=True)[:HISTORY]
        # what is over stays as it is, and its items need not be read again
        self._over = {(job.key, job.ended_s): self._reading_of_over(job) for job in over}
        return JobsReading((*(self._reading(job, here or {}) for job in queue), *self._over.values()), care, trouble)

    def items(self, job: str) -> list[JobItem]:
        """The windows of a job, in its order."""
        return self._store.jobs.items(job)

    def _reading_of_over(self, job: Job) -> JobReading:
        known = self._over.get((job.key, job.ended_s))
        return known or JobReading(job, self._store.jobs.progress(job.key))

    def _reading(self, job: Job, here: Mapping[str, JobItem]) -> JobReading:
        items = [here.get(item.key, item) for item in self._store.jobs.items(job.key)]
        progress = progress_of(items)
        at_work = [item for item in items if item.state == "waiting" and is_live(item.lease)]
        return JobReading(
            job,
            progress,
            tuple(AtHand(item.window, item.blocks_done, item.blocks, item.key in here) for item in at_work),
            estimate(
                _finished(items),
                [_at_work(item) for item in at_work],
                progress.total - progress.tried - len(at_work),
                clock.now_s(),
            ),
        )


def _finished(items: Iterable[JobItem]) -> Sequence[Finished]:
    return [
        Finished(item.ended_s, item.elapsed_s, max((item.blocks or 0) - item.blocks_at_hand, 0), item.bytes_read)
        for item in items
        if item.state == "done" and item.ended_s is not None and item.elapsed_s is not None
    ]


def _at_work(item: JobItem) -> AtWork:
    got = max(item.blocks_done - item.blocks_at_hand, 0)
    to_get = None if item.blocks is None else max(item.blocks - item.blocks_at_hand, 0)
    return AtWork(item.elapsed_s or 0.0, to_get, got, item.bytes_read, item.blocks_done / (item.blocks or 1))


def _end(job: Job) -> float:
    return job.ended_s or job.time_s
