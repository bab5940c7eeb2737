"""What can be asked for, as one canonical line each: the same line is the same job. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from utxoracle_core import METHOD
from utxoracle_core.selection import BLOCK_WINDOW
from utxoracle_tui import formats
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.records import Job, Window, WindowKey

MOST_WINDOWS = 20_000
"""Windows in one job, which is a file for every 256 of them."""


@dataclass(frozen=True, slots=True)
class Days:
    """UTC days, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise OperatorError("usage", f"{self.first} is after {self.last}; give the earlier day first.", Exit.USAGE)

    @property
    def line(self) -> str:
        """The canonical line."""
        return f"days {self.first} {self.last}"

    def keys(self) -> list[WindowKey]:
        """The windows, in order."""
        count = (self.last - self.first).days + 1
        return [WindowKey(kind="day", method=METHOD, date=self.first + timedelta(days=n)) for n in range(count)]


@dataclass(frozen=True, slots=True)
class BlockWindows:
    """Block windows of 144 blocks, all within these heights, each so many blocks after the one before."""

    first: int
    last: int
    step: int = BLOCK_WINDOW

    def __post_init__(self) -> None:
        if self.step < 1:
            raise OperatorError("usage", f"A step is 1 or more, not {self.step}.", Exit.USAGE)
        if self.last - self.first + 1 < BLOCK_WINDOW:
            message = f"A block window has {BLOCK_WINDOW} blocks; {self.first}-{self.last} has too few for one."
            raise OperatorError("usage", message, Exit.USAGE)
        count = len(self._starts)
        if count > MOST_WINDOWS:
            message = f"That is {count:,} windows; ask for at most {MOST_WINDOWS:,} at a time, or for a longer step."
            raise OperatorError("usage", message, Exit.USAGE)

    @property
    def line(self) -> str:
        """The canonical line."""
        return f"blocks {self.first}-{self.last} step {self.step}"

    def keys(self) -> list[WindowKey]:
        """The windows, in order."""
        return [
            WindowKey(kind="blocks", method=METHOD, first_height=start, last_height=start + BLOCK_WINDOW - 1)
            for start in self._starts
        ]

    @property
    def _starts(self) -> range:
        return range(self.first, self.last - BLOCK_WINDOW + 2, self.step)


@dataclass(frozen=True, slots=True)
class Stored:
    """What is to be done again, by what became of it."""

    which: Literal["failed", "not-valid", "older-method"]

    @property
    def line(self) -> str:
        """The canonical line."""
        return self.which


@dataclass(frozen=True, slots=True)
class Marked:
    """Windows that were picked one by one."""

    windows: frozenset[WindowKey]

    @property
    def line(self) -> str:
        """The canonical line."""
        names = "\n".join(sorted(key.text for key in self.windows))
        return f"marked {len(self.windows)} {hashlib.sha256(names.encode()).hexdigest()[:12]}"

    def keys(self) -> list[WindowKey]:
        """The windows, in order."""
        return in_order(self.windows)


Wanted = Days | BlockWindows | Stored | Marked


def work_line(kind: str, wanted: Wanted) -> str:
    """The line of a job: what is done, to what, and by which method."""
    return f"{kind} {wanted.line} {METHOD}"


def title(job: Job) -> str:
    """What a job is, for people."""
    what = job.work.removeprefix(f"{job.kind} ").rpartition(" ")[0]
    count = formats.plural(job.items, "window")
    match what.split():
        case ["days", first, last]:
            span = first if first == last else f"{first} to {last}"
            return f"{job.kind.capitalize()} of {span}, {formats.plural(job.items, 'day')}"
        case ["blocks", heights, "step", step]:
            return f"{job.kind.capitalize()} of blocks {heights.replace('-', '–')}, {count} at a step of {step}"
        case ["failed"]:
            return f"{job.kind.capitalize()} of {count} that failed"
        case ["not-valid"]:
            return f"{job.kind.capitalize()} of {count} that were not valid"
        case ["older-method"]:
            return f"{job.kind.capitalize()} of {count} made by an older method"
        case _:
            return f"{job.kind.capitalize()} of {formats.plural(job.items, 'marked window')}"


def in_order(keys: Iterable[WindowKey]) -> list[WindowKey]:
    """Windows in the order in which they are worked off: days, then block windows, the oldest first."""
    return sorted(keys, key=lambda key: (key.date is None, key.date or date.min, key.last_height or 0))


def by_this_method(key: WindowKey) -> WindowKey:
    """The same window, as this program makes it."""
    if key.date is not None:
        return WindowKey(kind="day", method=METHOD, date=key.date)
    return WindowKey(kind="blocks", method=METHOD, first_height=key.first_height, last_height=key.last_height)


def is_older(method: str) -> bool:
    """Whether a method is an earlier version of this program's."""
    ours, theirs = _version(METHOD), _version(method)
    return theirs is not None and ours is not None and theirs[0] == ours[0] and theirs[1] < ours[1]


def _version(method: str) -> tuple[str, tuple[int, ...]] | None:
    match = re.fullmatch(r"(.*?)-v?([0-9]+(?:\.[0-9]+)*)", method)
    return (match[1], tuple(int(part) for part in match[2].split("."))) if match else None


def not_valid(windows: Iterable[Window]) -> list[WindowKey]:
    """The windows that were worked out and are not valid. What was imported, and is not known to be, is none."""
    return [window.window_key for window in windows if window.valid is False and not window.imported]
