"""The newest lines that a simulated program has printed, for whoever reads its log."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass

from utxoracle_tui import clock

STDOUT = 1
STDERR = 2
_KEPT_LINES = 5_000


@dataclass(frozen=True, slots=True)
class Line:
    """What was printed at once, without the end of the line."""

    number: int
    """Of the lines since the program's first one."""
    time_ns: int
    """Unix time."""
    stream: int
    text: str


class LogBook:
    """Keeps the newest lines and wakes those who wait for more."""

    def __init__(self, stream: int = STDERR) -> None:
        """`stream` is where the program prints to."""
        self._stream = stream
        self._lines: deque[Line] = deque(maxlen=_KEPT_LINES)
        self._written = 0
        self._more = asyncio.Event()

    def write(self, text: str, time_s: float | None = None) -> None:
        """Print a line, now unless a unix time is given. Only for the thread of the event loop."""
        self._written += 1
        time_ns = int((clock.now_s() if time_s is None else time_s) * 1e9)
        self._lines.append(Line(self._written, time_ns, self._stream, text))
        self._more.set()

    @property
    def newest(self) -> int:
        """The number of the newest line; 0 before the first."""
        return self._written

    def after(self, number: int) -> list[Line]:
        """The lines that are kept and came after the one of a number."""
        if number >= self._written:
            return []
        return [line for line in self._lines if line.number > number]

    async def wait(self, number: int) -> None:
        """Wait until there is a line after the one of a number."""
        while self._written <= number:
            self._more.clear()
            await self._more.wait()


def syslog_time(time_s: float) -> str:
    """As in `Nov 22 10:05:33`, in UTC."""
    return time.strftime("%b %d %H:%M:%S", time.gmtime(time_s))
