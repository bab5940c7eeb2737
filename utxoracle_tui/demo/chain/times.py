"""Header times of consecutive blocks.

`MainnetTimes` imitates 96,860 mainnet headers from height 821221 (2023-12-15) to 921682 (2025-10-31), whose
96,463 differences between neighbours have

* a mean of 593.9 s and a standard deviation of 591.0 s, without correlation from one to the next (-0.0005):
  a Poisson process, 145.4 blocks a day (107 to 186);
* percentiles 1, 10, 50, 90, 99 of 7, 65, 414, 1358 and 2740 s, each a little above the exponential's: a block
  needs about three seconds to reach the next miner;
* a share of 0.457 % below zero, by a median of 36 s, a tenth of them by 193 s or more. The difference before
  such a one is longer than usual (737 s), the one after it isn't (567 s): some miners' clocks run ahead;
* never a time at or below the median of the eleven before, the rule of Bitcoin.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from utxoracle_tui.demo.chain.draws import Draws, Stream

DAY_S = 86_400
MEDIAN_TIME_BLOCKS = 11
"""A header time must be above the median of this many before it (Bitcoin's median time past)."""
MAINNET_SPACING_S = 593.92

_PROPAGATION_S = 3.0
_MAX_LEAD_S = 7200.0
"""Nodes refuse a block further ahead of their own clock (Bitcoin Core, MAX_FUTURE_BLOCK_TIME)."""
_LEADS = ((0.055, 40.0), (0.0046, 150.0))
"""Clocks that run ahead: share of the blocks, mean lead in seconds."""
_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class MainnetTimes:
    """Endless header times, distributed like those of mainnet. The first is `first_time_s`."""

    seed: int
    first_time_s: int
    mean_spacing_s: float = MAINNET_SPACING_S

    def __post_init__(self) -> None:
        if self.mean_spacing_s <= _PROPAGATION_S:
            raise ValueError(f"blocks cannot follow each other faster than in {_PROPAGATION_S} s")

    def __iter__(self) -> Iterator[int]:
        """Unix times in block order; the same ones at every call."""
        before = deque([self.first_time_s], maxlen=MEDIAN_TIME_BLOCKS)
        yield self.first_time_s
        found_s = float(self.first_time_s)
        for gap_s, lead_s in self._steps():
            found_s += gap_s
            time_s = max(int(found_s + lead_s), sorted(before)[len(before) // 2] + 1)
            before.append(time_s)
            yield time_s

    def _steps(self) -> Iterator[tuple[float, float]]:
        """Seconds since the block before was found, and by how much the miner's clock runs ahead."""
        for chunk in itertools.count():
            draws = Draws(self.seed, Stream.TIMES, chunk)
            gaps = _PROPAGATION_S + draws.exponential(_CHUNK) * (self.mean_spacing_s - _PROPAGATION_S)
            shares = [share for share, _ in _LEADS]
            means = np.array([mean for _, mean in _LEADS] + [0.0])
            whose = draws.pick([*shares, 1.0 - sum(shares)], _CHUNK)
            leads = np.minimum(draws.exponential(_CHUNK) * means[whose], _MAX_LEAD_S)
            yield from zip(gaps.tolist(), leads.tolist(), strict=True)


@dataclass(frozen=True, slots=True)
class Every:
    """Endless header times at even distances of one second or more."""

    seconds: int
    first_time_s: int

    def __post_init__(self) -> None:
        if self.seconds < 1:
            raise ValueError("header times must rise")

    def __iter__(self) -> Iterator[int]:
        """Unix times in block order."""
        return itertools.count(self.first_time_s, self.seconds)


def midnight_s(day: date) -> int:
    """The unix time at which a UTC day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def day_times(
    seed: int,
    first_day: date,
    days: int = 1,
    *,
    every_s: int | None = None,
    blocks_before: int = 30,
    blocks_after: int = 30,
) -> tuple[int, ...]:
    """Header times that cover whole UTC days, with some blocks on both sides of them.

    Distributed like mainnet's, or `every_s` seconds apart from half of that past the first midnight on. A
    consensus day is only priced once seven blocks follow it. Raises ValueError for a span of no days or
    with nothing after it.
    """
    if days < 1 or blocks_before < 0 or blocks_after < 1:
        raise ValueError("a span has at least one day and one block after it")
    start_s = midnight_s(first_day)
    spacing_s = MAINNET_SPACING_S if every_s is None else every_s
    # Twice as many as wanted and some: the number of blocks in a stretch of time varies by its square root.
    lead_in_s = int(spacing_s * (2 * blocks_before + 40 - 0.5))
    from_s = start_s - lead_in_s
    times: Iterable[int] = MainnetTimes(seed, from_s) if every_s is None else Every(every_s, from_s)
    return _cut(times, start_s, start_s + days * DAY_S, blocks_before, blocks_after)


def _cut(times: Iterable[int], start_s: int, end_s: int, before: int, after: int) -> tuple[int, ...]:
    """From `before` blocks ahead of the first in the span to `after` blocks past its end."""
    kept: list[int] = []
    first = -1
    past = 0
    for time_s in times:
        kept.append(time_s)
        if first < 0 and time_s >= start_s:
            first = len(kept) - 1
        past += time_s >= end_s
        if past >= after and time_s >= end_s:
            break
    return tuple(kept[max(0, first - before) :])
