"""What jobs may ask of the node, as pure rules: how much at once, how much a second, and at what hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from utxoracle_tui.engine.progress import BYTES_PER_MB

_MOST_SAVED_S = 1.0
"""A pause saves up no more than this: a node is not to be hit the harder for it."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A span of the day, local time, in which jobs rest; one that ends before it begins goes over midnight."""

    start: time
    end: time

    @classmethod
    def read(cls, text: str) -> QuietHours | None:
        """As `jobs.quiet_hours` has it: HH:MM-HH:MM, or nothing."""
        start, _, end = text.partition("-")
        return cls(time.fromisoformat(start), time.fromisoformat(end)) if text else None

    def __str__(self) -> str:
        """As it is set."""
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def until(self, now: datetime) -> datetime | None:
        """When the rest that it is time for ends; None when it isn't. `now` is local time, its offset included."""
        clock_time = now.time()
        over_midnight = self.end < self.start
        inside = (
            clock_time >= self.start or clock_time < self.end if over_midnight else self.start <= clock_time < self.end
        )
        if not inside:
            return None
        day = now.date() + timedelta(days=1) if over_midnight and clock_time >= self.start else now.date()
        return datetime.combine(day, self.end, now.tzinfo)


@dataclass(frozen=True, slots=True)
class Budget:
    """What the operator allows."""

    max_in_flight: int = 3
    mb_per_s: float = 0.0
    """0: no bound."""
    quiet_hours: QuietHours | None = None

    def allowed(self, limit: int) -> int:
        """Blocks that may be asked for at once, where the node is given `limit` requests altogether.

        One of these is left to live work, as long as there are two.
        """
        return max(1, min(self.max_in_flight, limit - 1))


class Pace:
    """Keeps to so many megabytes a second on average; times are seconds on any clock that doesn't step back."""

    def __init__(self, mb_per_s: float) -> None:
        self._bytes_per_s = mb_per_s * BYTES_PER_MB
        self._paid_until_s = float("-inf")

    def spent(self, count_bytes: int, now_s: float) -> None:
        """Note what was taken."""
        if self._bytes_per_s:
            self._paid_until_s = max(self._paid_until_s, now_s - _MOST_SAVED_S) + count_bytes / self._bytes_per_s

    def wait_s(self, now_s: float) -> float:
        """How long to take nothing; 0 when more can be taken."""
        return max(0.0, self._paid_until_s - now_s)
