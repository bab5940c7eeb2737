"""Groups of actions of the control port, and those that all servers have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from utxoracle_tui.demo.host.faults import Faults
from utxoracle_tui.demo.host.json_text import Json
from utxoracle_tui.demo.host.statistics import Statistics

Known = Mapping[str, Callable[..., Awaitable[Json]]]


@dataclass(frozen=True, slots=True)
class Actions:
    """What can be read and done, by name."""

    reads: Known
    acts: Known

    def under(self, prefix: str) -> Actions:
        """The same, their names behind a prefix and a slash."""
        return Actions(
            {f"{prefix}/{name}": action for name, action in self.reads.items()},
            {f"{prefix}/{name}": action for name, action in self.acts.items()},
        )

    def __or__(self, more: Actions) -> Actions:
        return Actions({**self.reads, **more.reads}, {**self.acts, **more.acts})


def server_actions(faults: Faults, statistics: Statistics) -> Actions:
    """To make a server bad company, and to read what it was asked."""

    async def busy(*, requests: int = 0, seconds: float = 0.0) -> Json:
        """Refuse so many requests, and all for so long, as a server that has too many."""
        faults.be_busy(requests=requests, seconds=seconds)
        return {}

    async def latency(*, seconds: float, path: str = "") -> Json:
        """Take that long for requests to paths that begin so."""
        faults.be_slow(seconds, path)
        return {}

    async def hang(*, on: bool = True, path: str = "") -> Json:
        """Leave requests to paths that begin so without an answer, until `on` is false."""
        if on:
            faults.hang(path)
        else:
            faults.answer()
        return {}

    async def read_statistics() -> Json:
        """Counts of what was asked."""
        return statistics.as_document()

    async def requests() -> Json:
        """The newest requests: second of arrival, what was called, status (0: the client went away)."""
        return list(statistics.log)

    async def clear_statistics() -> Json:
        """Count from nothing again."""
        statistics.clear()
        return {}

    return Actions(
        {"statistics": read_statistics, "requests": requests},
        {"busy": busy, "latency": latency, "hang": hang, "clear_statistics": clear_statistics},
    )


def change(settings: object, changes: Mapping[str, Json]) -> None:
    """Set attributes of settings. Raises ValueError for one that they haven't got."""
    for name, value in changes.items():
        if not hasattr(settings, name):
            raise ValueError(f"there is no setting {name}")
        setattr(settings, name, value)
