"""All logs, followed for as long as somebody looks at them, each by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from utxoracle_tui.engine.lasting_logs import AGAIN_AFTER_S
from utxoracle_tui.engine.logs.book import LogBook
from utxoracle_tui.engine.logs.followers import Channel, Where, follow
from utxoracle_tui.engine.logs.line import Origin
from utxoracle_tui.engine.logs.reading import LineReader
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.containers import DockerEngine
from utxoracle_tui.sources.containers_session import DockerAccess

_TELL_EVERY_S = 0.4
"""Lines that come meanwhile are told of together."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceOfLines:
    """How it is about one log."""

    origin: Origin
    where: str
    lines: int
    """How many of it are kept."""
    is_there: bool
    trouble: str | None
    """Why it can't be followed, as a sentence; None also for one that isn't there and isn't missed."""


@dataclass(frozen=True, slots=True)
class LogsReading:
    """There are new lines, or it is otherwise about a log. The lines themselves are in the book."""

    arrived: int
    """How many lines have come so far."""
    sources: tuple[SourceOfLines, ...]


NO_LOGS: Mapping[Origin, Where] = MappingProxyType({})


class LiveLogs:
    """Follows logs into a book."""

    def __init__(self, logs: Mapping[Origin, Where] = NO_LOGS, docker: DockerAccess | None = None) -> None:
        self.book = LogBook()
        self._logs = logs
        self._docker = docker or DockerAccess()
        self._channels = {
            origin: Channel(LineReader(origin, self.book.numbers), self.book.add) for origin in self._logs
        }

    @property
    def reading(self) -> LogsReading:
        """How it is now."""
        sources = (
            SourceOfLines(origin, self._logs[origin].words, self.book.count(origin), channel.is_there, channel.trouble)
            for origin, channel in self._channels.items()
        )
        return LogsReading(self.book.arrived, tuple(sources))

    async def run(self, on_reading: Callable[[LogsReading], None]) -> None:
        """Follow until cancelled; `on_reading` is called when something has changed, a few times a second at most."""
        async with DockerEngine(self._docker) as docker, asyncio.TaskGroup() as tasks:
            for origin in self._logs:
                tasks.create_task(self._keep_following(origin, docker), name=f"log {origin}")
            told: LogsReading | None = None
            while True:
                reading = self.reading
                if reading != told:
                    told = reading
                    on_reading(reading)
                await asyncio.sleep(_TELL_EVERY_S)

    async def _keep_following(self, origin: Origin, docker: DockerEngine) -> None:
        channel = self._channels[origin]
        while True:
            try:
                await follow(channel, self._logs[origin], docker)
            except Exception as error:  # noqa: BLE001  (the edge of a worker)
                _log.exception("following the log of %s failed", origin)
                sentence = (
                    f"Following it failed: {type(error).__name__}. This is a fault of the program; it is begun anew."
                )
                channel.fail(OperatorError("fault", sentence, Exit.FAILED))
            await asyncio.sleep(AGAIN_AFTER_S)
