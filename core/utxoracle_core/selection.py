"""Which blocks a window is made of: the reference's search over header times, as a pure function.

Header times are handed in as a mapping. Where one is missing, `MissingHeaderTime` says which; the caller gets it
(and, wisely, its neighbours) and asks again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

CONSENSUS_DEPTH = 6
BLOCK_WINDOW = 144
FIRST_DATE = date(2023, 12, 15)
_BLOCKS_PER_DAY = 144
_DAY_S = 86_400
_CLOSE_JUMP = 6
_BOUNDARY_REACH = 30


class MissingHeaderTime(LookupError):
    """The search needs the header time of a height that it wasn't given."""

    def __init__(self, height: int) -> None:
        self.height = height
        super().__init__(f"the header time of height {height} is needed")


class WindowRefused(ValueError):
    """A window that the rules don't allow. `kind` is a stable word, the text a sentence for people."""

    def __init__(self, kind: str, sentence: str) -> None:
        self.kind = kind
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class HeightRange:
    """Consecutive heights, both ends included."""

    first: int
    last: int

    def __len__(self) -> int:
        """Number of blocks."""
        return self.last - self.first + 1

    @property
    def heights(self) -> range:
        """The heights, in order."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True, slots=True)
class DaySelection:
    """The blocks of a UTC day, as found from one tip."""

    day: date
    blocks: HeightRange
    alternatives: tuple[HeightRange, ...]
    """Other windows that the same rules give when the search starts within 30 blocks of the first."""

    @property
    def boundary_ambiguous(self) -> bool:
        """Whether the day can come out with other blocks when it is asked for later."""
        return bool(self.alternatives)


class _Times:
    def __init__(self, times: Mapping[int, int], tip: int) -> None:
        self._times = times
        self.tip = tip
        self.day: date | None = None
        """The day whose blocks are looked for, once it is known."""

    def __getitem__(self, height: int) -> int:
        if height < 0:
            raise WindowRefused(
                "blocks_missing", f"{self.day or 'A day'} can't be priced: the chain begins only after its midnight"
            )
        try:
            return self._times[height]
        except KeyError:
            raise MissingHeaderTime(height) from None


def select_day(day: date | None, times: Mapping[int, int], tip: int) -> DaySelection:
    """The blocks of the UTC day `day`, or of the newest day that can be asked for.

    `times` maps heights to header times (unix seconds), `tip` is the height of the newest block. Raises
    `WindowRefused` for a day that is too new or too old, `MissingHeaderTime` for a time that it needs.
    """
    known = _Times(times, tip)
    consensus_time = known[tip - CONSENSUS_DEPTH]
    newest = _utc_day(consensus_time) - timedelta(days=1)
    day = known.day = day or newest
    if day > newest:
        raise WindowRefused(
            "date_too_new",
            f"{day} is not finished in the chain: block {tip - CONSENSUS_DEPTH}, six below the tip, "
            f"is of {newest + timedelta(days=1)}; the newest day that can be priced is {newest}",
        )
    if day < FIRST_DATE:
        raise WindowRefused("date_too_old", f"{day} is before {FIRST_DATE}, the first day that the method prices")
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    first = _first_at_midnight(_near_midnight(midnight, known, tip - CONSENSUS_DEPTH), midnight, known)
    blocks = _same_day(first, known)
    others = _windows_nearby(first, midnight, known) - {blocks}
    return DaySelection(day, blocks, tuple(sorted(others, key=lambda r: (r.first, r.last))))


def select_last(count: int, tip: int) -> HeightRange:
    """The `count` blocks before the tip; the tip itself is not among them, as in the reference.

    Raises `WindowRefused` when the chain is shorter.
    """
    if not 1 <= count <= tip:
        raise WindowRefused("bad_window", f"{count} blocks before height {tip} can't be had; ask for 1 to {tip}")
    return HeightRange(tip - count, tip - 1)


def _utc_day(time_s: int) -> date:
    return datetime.fromtimestamp(time_s, UTC).date()


def _blocks_between(span_s: int) -> int:
    # Python's round: half to even, as the reference's
    return round(_BLOCKS_PER_DAY * span_s / _DAY_S)


def _near_midnight(midnight: int, times: _Times, consensus_height: int) -> int:
    """Step 1 of the search: jump back by estimates. Jumps only go back."""
    height = consensus_height - _blocks_between(times[consensus_height] - midnight)
    before_last = last = 0
    jump = _blocks_between(times[height] - midnight)
    while jump > _CLOSE_JUMP and jump != before_last:
        before_last, last = last, jump
        height -= jump
        jump = _blocks_between(times[height] - midnight)
    return height


def _first_at_midnight(height: int, midnight: int, times: _Times) -> int:
    """Step 2: walk to the boundary. Coming from above, a block at exactly midnight is left out; from below it is in."""
    if times[height] > midnight:
        while times[height] > midnight:
            height -= 1
        return height + 1
    while times[height] < midnight:
        height += 1
    return height


def _same_day(first: int, times: _Times) -> HeightRange:
    """Step 3: heights from `first` on while the UTC day of the month stays that of the first block."""
    day_of_month = _utc_day(times[first]).day
    last = first
    while last < times.tip and _utc_day(times[last + 1]).day == day_of_month:
        last += 1
    return HeightRange(first, last)


def _windows_nearby(first: int, midnight: int, times: _Times) -> set[HeightRange]:
    """Steps 2 and 3 from every height within 30 of the first block."""
    windows: dict[int, HeightRange] = {}
    for start in range(max(first - _BOUNDARY_REACH, 0), min(first + _BOUNDARY_REACH, times.tip) + 1):
        try:
            begin = _first_at_midnight(start, midnight, times)
            if begin not in windows:
                windows[begin] = _same_day(begin, times)
        except MissingHeaderTime as missing:
            # stepping past the tip finds no block, and so no window
            if missing.height <= times.tip:
                raise
    return set(windows.values())
