"""Which header times the chain has when the host starts: some whole UTC days, and today until now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from utxoracle_tui.demo.chain.times import DAY_S, MAINNET_SPACING_S, MEDIAN_TIME_BLOCKS, MainnetTimes

BLOCKS_TODAY = 7
"""With that many the sixth below the tip is of today, and so yesterday can be priced."""
_LEAST_LEAD_IN_BLOCKS = 60
_BLOCKS_PER_DAY = 144


@dataclass(frozen=True, slots=True)
class History:
    """Header times in height order, the first ones of `lead_in_s`."""

    lead_in_s: tuple[int, ...]
    """Before the first whole day. A search for the first block of a day goes there when the days have fewer blocks
    than it expects."""
    times_s: tuple[int, ...]
    """Of the whole days and of today."""
    first_midnight_s: int
    last_midnight_s: int

    def __len__(self) -> int:
        """Number of blocks, without the genesis block."""
        return len(self.lead_in_s) + len(self.times_s)


def plan_history(seed: int, days: int, now_s: float) -> History:
    """The chain of a host that starts at `now_s` (unix seconds), with `days` whole UTC days before that day.

    Distributed like mainnet's. No time is after `now_s`, but in the first second of a day the newest may be one
    second ahead.
    """
    now = int(now_s)
    midnight = now - now % DAY_S
    start = midnight - days * DAY_S
    lead_in = _lead_in_blocks(days)
    # Twice as long as these blocks take on average: how many there are in a stretch of time varies.
    from_s = start - int(MAINNET_SPACING_S * (2 * lead_in + 40))
    times = list(takewhile(lambda time_s: time_s <= now, MainnetTimes(seed, from_s)))
    if times[-BLOCKS_TODAY] < midnight:
        times = list(takewhile(lambda time_s: time_s < midnight, times))
        _append_early_blocks(times, midnight, now)
    first = next(place for place, time_s in enumerate(times) if time_s >= start)
    return History(tuple(times[first - lead_in : first]), tuple(times[first:]), start, midnight)


def median_time_past(times_s: Sequence[int]) -> int:
    """The time that the next header must be above: the median of the last eleven (fewer at the start of a chain)."""
    before = sorted(times_s[-MEDIAN_TIME_BLOCKS:])
    return before[len(before) // 2]


def _lead_in_blocks(days: int) -> int:
    """Enough for four standard deviations of a Poisson process over the whole days."""
    return _LEAST_LEAD_IN_BLOCKS + int(4 * (days * _BLOCKS_PER_DAY) ** 0.5)


def _append_early_blocks(times: list[int], midnight: int, now: int) -> None:
    """As many blocks as a priceable yesterday needs, in a day that is too young to have them."""
    for n in range(1, BLOCKS_TODAY + 1):
        time_s = midnight + (now - midnight) * n // (BLOCKS_TODAY + 1)
        times.append(max(time_s, median_time_past(times) + 1))
