"""How fast a job goes and when it will be done, from what its windows took so far. Pure.

What counts is the time from the end of one window to the end of the next: it is right however many windows are worked
on side by side, by however many processes. Times in which nothing was worked on are left out. Blocks that were at hand
cost next to nothing, so the pace is that of those that had to be got, as long as there are any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import fmean, variance

from utxoracle_tui.engine.progress import BYTES_PER_MB

_NEWEST = 20
"""Windows that the estimate rests on: a node's pace an hour ago says little."""
_ENOUGH = 3
_UNKNOWN_SPREAD = 0.5
"""Of the mean, the deviation that is taken where too few windows are done to tell it."""
_FOUR_IN_FIVE = 1.28
"""Standard deviations of a normal distribution on either side of the mean that hold 80 % of it."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A window that is done."""

    ended_s: float
    elapsed_s: float
    blocks_got: int
    """Those that were not at hand when it was begun."""
    bytes_read: int


@dataclass(frozen=True, slots=True)
class AtWork:
    """A window that is being worked on."""

    elapsed_s: float
    blocks_to_get: int | None
    """All that were not at hand when it was begun; None as long as that isn't known."""
    blocks_got: int
    bytes_read: int
    share: float = 0.0
    """How much of it is done, what was at hand included, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds left."""

    likely_s: float
    low_s: float
    """Four in five jobs are done between this"""
    high_s: float
    """and this."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How it goes; None where nothing is known yet, or nothing is at work."""

    blocks_per_s: float | None = None
    mb_per_s: float | None = None
    eta: Eta | None = None


NOTHING_KNOWN = Estimate()


def estimate(finished: Sequence[Finished], at_work: Sequence[AtWork], waiting: int, now_s: float) -> Estimate:
    """The pace of a job and the time that it still takes. `waiting` windows have not been begun; `now_s` is on the
    clock of `ended_s`.
    """
    if not at_work:
        return NOTHING_KNOWN
    newest = sorted(finished, key=lambda window: window.ended_s)[-_NEWEST - 1 :]
    gaps_s = _gaps_s(newest)
    since_last_s = max(window.elapsed_s for window in at_work)
    if newest:
        since_last_s = min(since_last_s, max(now_s - newest[-1].ended_s, 0.0))
    span_s = sum(gaps_s) + since_last_s
    if span_s <= 0:
        return NOTHING_KNOWN
    timed = newest[-len(gaps_s) :] if gaps_s else []
    blocks = sum(window.blocks_got for window in timed) + sum(window.blocks_got for window in at_work)
    count_bytes = sum(window.bytes_read for window in timed) + sum(window.bytes_read for window in at_work)
    if blocks:
        eta = _eta(_by_blocks(timed, gaps_s, at_work, waiting), span_s)
    elif any(window.blocks_to_get for window in at_work):
        # how fast those at hand went says nothing of those that have to be got
        eta = None
    else:
        eta = _eta(_by_windows(gaps_s, at_work, waiting), span_s)
    return Estimate(blocks / span_s, count_bytes / BYTES_PER_MB / span_s, eta)


@dataclass(frozen=True, slots=True)
class _Work:
    """What was done in a time, and what is left, in windows of the usual size."""

    done: float
    left: float
    each_s: Sequence[float]
    """What such a window took, of those that tell."""


def _by_blocks(timed: Sequence[Finished], gaps_s: Sequence[float], at_work: Sequence[AtWork], waiting: int) -> _Work:
    """By the blocks that had to be got; windows that have not been begun will have as many of these as the others."""
    known = [window.blocks_got for window in timed]
    known += [window.blocks_to_get for window in at_work if window.blocks_to_get is not None]
    usual = fmean(known) if any(known) else 1.0
    got = sum(window.blocks_got for window in timed) + sum(window.blocks_got for window in at_work)
    left = waiting * usual + sum(
        usual if window.blocks_to_get is None else max(window.blocks_to_get - window.blocks_got, 0)
        for window in at_work
    )
    told = [gap * usual / window.blocks_got for gap, window in zip(gaps_s, timed, strict=True) if window.blocks_got]
    return _Work(got / usual, left / usual, told)


def _by_windows(gaps_s: Sequence[float], at_work: Sequence[AtWork], waiting: int) -> _Work:
    """Where all blocks are at hand."""
    shares = sum(window.share for window in at_work)
    return _Work(len(gaps_s) + shares, waiting + len(at_work) - shares, gaps_s)


def _gaps_s(newest: Sequence[Finished]) -> list[float]:
    """For each window but the first the time since the one before it ended, or since its own beginning where that was
    later; for a lone one, all that it took.
    """
    if len(newest) == 1:
        return [newest[0].elapsed_s]
    return [min(after.ended_s - before.ended_s, after.elapsed_s) for before, after in pairwise(newest)]


def _eta(work: _Work, span_s: float) -> Eta | None:
    if work.done <= 0:
        return None
    mean_s, left = span_s / work.done, work.left
    told = len(work.each_s)
    deviation_s = sqrt(variance(work.each_s)) if told >= _ENOUGH else _UNKNOWN_SPREAD * mean_s
    # of a sum of `left` more windows, whose mean is itself known from so many only
    spread_s = _FOUR_IN_FIVE * deviation_s * sqrt(left + left * left / max(told, 1))
    likely_s = left * mean_s
    return Eta(likely_s, max(likely_s - spread_s, 0.0), likely_s + spread_s)
