"""The newest lines of all logs, and those of them that somebody wants to see."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import count, islice

from utxoracle_tui.engine.logs.line import LogLine, Origin

MOST_LINES = 20_000
"""Of all logs together."""
_FEW = 32


class LogBook:
    """Keeps as many lines of each log, so that one which talks a lot drives out no other."""

    def __init__(self, most_lines: int = MOST_LINES) -> None:
        self.numbers = count(1)
        """For who reads lines."""
        self._most_of_each = max(most_lines // len(Origin), 1)
        self._kept: dict[Origin, deque[LogLine]] = {}
        self._newest: deque[LogLine] = deque(maxlen=self._most_of_each * len(Origin))
        """In the order in which they came, which need not be that of their numbers."""
        self.arrived = 0
        """How many lines have come so far."""
        self.dropped = 0
        """How many of them had to go."""

    def add(self, lines: Sequence[LogLine]) -> None:
        """Keep lines of one log, or of several."""
        for line in lines:
            kept = self._kept.setdefault(line.origin, deque(maxlen=self._most_of_each))
            self.dropped += len(kept) == self._most_of_each
            kept.append(line)
        self._newest.extend(lines)
        self.arrived += len(lines)

    def all(self) -> list[LogLine]:
        """All lines that are kept, in no order."""
        return [line for kept in self._kept.values() for line in kept]

    def knows_since(self, arrived: int) -> bool:
        """Whether `after` has all that came since so many had come, and not only the newest of it."""
        return self.arrived - arrived <= len(self._newest)

    def after(self, arrived: int) -> list[LogLine]:
        """The lines that came since so many had come, in that order."""
        new = self.arrived - arrived
        return list(islice(reversed(self._newest), new))[::-1]

    def keeps(self, line: LogLine) -> bool:
        """Whether a line is still there."""
        return self._kept[line.origin][0].number <= line.number

    def count(self, origin: Origin) -> int:
        """How many lines of a log there are."""
        return len(self._kept.get(origin, ()))


class LogView:
    """Lines in the order of their times; those of the same time in the order in which they came."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self._dropped = 0

    def replace(self, lines: Iterable[LogLine], dropped: int) -> None:
        """Show these and no others; `dropped` is what `LogBook.dropped` was when they were taken."""
        self.lines = sorted(lines, key=_place)
        self._dropped = dropped

    def merge(self, lines: Sequence[LogLine]) -> None:
        """Add lines that came; most are newer than all before them."""
        new = sorted(lines, key=_place)
        if new and (not self.lines or _place(new[0]) > _place(self.lines[-1])):
            self.lines += new
        elif len(new) <= _FEW:
            for line in new:
                insort(self.lines, line, key=_place)
        else:
            self.lines = sorted(self.lines + new, key=_place)

    def prune(self, book: LogBook) -> None:
        """Leave out what is no longer kept, once that is a share that is worth the while."""
        if (book.dropped - self._dropped) * 20 < len(self.lines):
            return
        self._dropped = book.dropped
        self.lines = [line for line in self.lines if book.keeps(line)]


def _place(line: LogLine) -> tuple[float, int]:
    return line.place
