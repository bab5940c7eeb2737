"""What can be done to a job. It is written to the store, so that any process may ask, whoever works on the job.

Everything raises `StoreTrouble`, and `OperatorError` for a job that is not there or is past it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from utxoracle_tui import clock
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.jobs import OPEN
from utxoracle_tui.store.records import Job, JobItem
from utxoracle_tui.store.store import Store

BY_OPERATOR = "The operator has paused it."


def find(store: Store, key: str) -> Job:
    """The job with a key."""
    job = store.jobs.get(key)
    if job is None:
        raise OperatorError("no_job", f"There is no job {key}.", Exit.USAGE)
    return job


def pause(store: Store, key: str, reason: str = BY_OPERATOR) -> Job:
    """Let a job rest until it is resumed; windows at work are begun anew then."""
    return _change(store, key, "paused", lambda job: replace(job, state="paused", reason=reason, resume_at_s=None))


def resume(store: Store, key: str) -> Job:
    """Let a paused job go on; one that is not paused stays as it is."""
    job = find(store, key)
    if job.state != "paused":
        return job
    return _change(store, key, "resumed", _queued)


def cancel(store: Store, key: str) -> Job:
    """End a job; what it has stored stays."""
    ended_s = clock.now_s()
    return _change(
        store,
        key,
        "cancelled",
        lambda job: replace(job, state="cancelled", reason=None, resume_at_s=None, ended_s=ended_s),
    )


def retry(store: Store, key: str, numbers: frozenset[int] | None = None) -> int:
    """Have windows of a job done again that failed, all or those with these numbers; how many that is.

    A job that was done is open again then.
    """
    job = find(store, key)

    def chosen(item: JobItem) -> bool:
        return item.state == "failed" and (numbers is None or item.number in numbers)

    count = store.jobs.reset(key, chosen)
    if count and job.state not in OPEN:
        store.jobs.change(job, _queued)
    return count


def set_priority(store: Store, key: str, priority: int) -> Job:
    """Give a job a priority; higher ones go first."""
    return _change(store, key, "moved", lambda job: replace(job, priority=priority, rank=None))


def move(store: Store, key: str, places: int) -> Job:
    """Move a job that many places down the queue, up when negative; past one of another priority it gets that one's.

    At the ends of the queue it stays where it is.
    """
    job, queue = find(store, key), store.jobs.queue()
    here = next((place for place, other in enumerate(queue) if other.key == key), None)
    if here is None:
        return job
    there = min(max(here + places, 0), len(queue) - 1)
    if there == here:
        return job
    priority = queue[there].priority
    queue.insert(there, replace(queue.pop(here), priority=priority))
    alike = [other for other in queue if other.priority == priority]
    # those that are asked for later have no rank, and come after these
    for rank, other in enumerate(alike):
        _change(store, other.key, "moved", _placed(priority, float(rank)))
    return find(store, key)


def _placed(priority: int, rank: float) -> Callable[[Job], Job]:
    return lambda job: replace(job, priority=priority, rank=rank)


def _change(store: Store, key: str, done: str, change: Callable[[Job], Job]) -> Job:
    job = find(store, key)
    changed = store.jobs.change(job, lambda old: change(old) if old.state in OPEN else None)
    if changed is not None:
        return changed
    now = find(store, key)
    if now.state not in OPEN:
        raise OperatorError("job_over", f"The job is {now.state} and can't be {done} any more.", Exit.USAGE)
    return now


def _queued(job: Job) -> Job:
    return replace(job, state="queued", reason=None, resume_at_s=None, ended_s=None)
