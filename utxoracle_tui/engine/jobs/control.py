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
_APART_S = 1.0


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
    job = find(store, key)
    others = [other for other in store.jobs.queue() if other.key != key]
    here = [other.key for other in store.jobs.queue()].index(key) if job.state in OPEN else -1
    place = min(max(here + places, 0), len(others))
    if here < 0 or place == here:
        return job
    before, after = (others[place - 1] if place else None), (others[place] if place < len(others) else None)
    neighbour = before if places > 0 else after
    assert neighbour is not None
    low = _rank(before) if before is not None and before.priority == neighbour.priority else None
    high = _rank(after) if after is not None and after.priority == neighbour.priority else None
    rank = _between(low, high)
    return _change(store, key, "moved", lambda old: replace(old, priority=neighbour.priority, rank=rank))


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


def _rank(job: Job) -> float:
    return job.time_s if job.rank is None else job.rank


def _between(low: float | None, high: float | None) -> float:
    if low is None:
        return (high or 0.0) - _APART_S
    return low + _APART_S if high is None else (low + high) / 2
