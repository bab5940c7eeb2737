"""What clients asked of the simulated node, for tests of how gently they treat it."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from utxoracle_tui import clock
from utxoracle_tui.demo.host.json_text import Json

_LOG_LENGTH = 50_000
"""Newest requests of which time and status are kept: hours of a console, at a bounded size."""


@dataclass(slots=True)
class Statistics:
    """Counts since the host started, or since `clear`.

    A call is an RPC method, `getblock` with its verbosity behind it, or a REST path without what changes from one
    request to the next: `getblockcount`, `getblock 0`, `/rest/block.bin`. Where a request isn't read so far, as after a
    wrong password, it is the path alone.
    """

    calls: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    blocks_served: Counter[str] = field(default_factory=Counter)
    """How often each block was sent, by its hash."""
    in_flight: int = 0
    max_in_flight: int = 0
    connections: int = 0
    """How many were opened."""
    log: deque[tuple[float, str, int]] = field(default_factory=lambda: deque(maxlen=_LOG_LENGTH))
    """Second of arrival (from the same start for all), what was called, HTTP status; in the order of the replies."""

    def begin(self) -> float:
        """A request has arrived. Returns when, for `end`."""
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        return clock.elapsed_s()

    def end(self, begun_s: float, calls: list[str], status: int | None) -> None:
        """The request that arrived at `begun_s` was answered; `status` is None when its client went away."""
        self.in_flight -= 1
        self.calls.update(calls)
        self.statuses[status or 0] += 1
        self.log.append((begun_s, " ".join(calls), status or 0))

    def clear(self) -> None:
        """Count from nothing again; what is in flight stays."""
        for counts in (self.calls, self.statuses, self.blocks_served):
            counts.clear()
        self.log.clear()
        self.connections = 0
        self.max_in_flight = self.in_flight

    def as_document(self) -> Json:
        """Everything but the log."""
        return {
            "calls": dict(self.calls),
            "statuses": {str(status): n for status, n in self.statuses.items()},
            "blocks_served": dict(self.blocks_served),
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "connections": self.connections,
        }
