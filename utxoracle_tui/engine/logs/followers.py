"""Following logs wherever they are: in files, in the journal, in Docker. What fails is told of, and tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from utxoracle_tui import clock
from utxoracle_tui.engine import lasting_logs
from utxoracle_tui.engine.logs.line import Level, LogLine
from utxoracle_tui.engine.logs.reading import LineReader, Raw
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.sources import log_file
from utxoracle_tui.sources.containers import DockerEngine, Log
from utxoracle_tui.sources.containers_errors import DockerAbsent, LogsUnavailable, NoSuchContainer
from utxoracle_tui.sources.containers_logs import LogLine as DockerLine
from utxoracle_tui.sources.journal import JournalError, JournalQuery
from utxoracle_tui.sources.log_file import LogFileError

HISTORY_LINES = 1_000
"""Lines of each log that are read from before it was followed."""
_NANOS = 1e9
_AT_ONCE = 200
"""So many lines are read in the loop; more, in a thread."""
_MOST_OF_A_READING = 4_000
"""Of more that came at once, only the last are kept anyway."""
_PRIORITIES = (*[Level.ERROR] * 4, Level.WARNING, Level.INFO, Level.INFO, Level.DEBUG)
"""Of syslog (RFC 5424, 6.2.1), 0 to 7."""


@dataclass(frozen=True, slots=True)
class Where:
    """One log, wherever it is: exactly one of the four."""

    file: Path | None = None
    unit: str | None = None
    container: str | None = None
    is_named: bool = True
    """Whether the operator has told of it; what nobody named needs not be there."""

    @property
    def words(self) -> str:
        """For people."""
        if self.file is not None:
            return str(self.file)
        return f"unit {self.unit}" if self.unit is not None else f"container {self.container}"


class Channel:
    """The way of one log to the book."""

    def __init__(self, reader: LineReader, take: Callable[[Sequence[LogLine]], None]) -> None:
        self.trouble: str | None = None
        """Why it can't be followed, as a sentence."""
        self.is_there = False
        """Whether it is followed."""
        self._reader = reader
        self._take = take

    async def hear(self, lines: Sequence[Raw], at_s: float, *, is_new: bool) -> None:
        """Take lines; `at_s` is for those that bear no time, and with `is_new` that of their writing."""
        self.trouble, self.is_there = None, True
        lines = lines[-_MOST_OF_A_READING:]
        if len(lines) <= _AT_ONCE:
            self._take(self._reader.read(lines, at_s, is_new=is_new))
        else:
            self._take(await asyncio.to_thread(self._reader.read, lines, at_s, is_new=is_new))

    def fail(self, error: OperatorError, *, is_missed: bool = True) -> None:
        """Note why nothing comes; what isn't missed is just not there."""
        self.trouble, self.is_there = error.message if is_missed else None, False


async def follow(channel: Channel, where: Where, docker: DockerEngine) -> None:
    """Follow a log, for ever."""
    if where.file is not None:
        await _follow_file(channel, where.file, is_named=where.is_named)
    elif where.unit is not None:
        await _follow_journal(channel, JournalQuery(unit=where.unit))
    elif where.container is not None:
        await _follow_container(channel, docker, where.container, is_named=where.is_named)


async def _follow_file(channel: Channel, path: Path, *, is_named: bool) -> None:
    async with aclosing(log_file.follow(path, last_lines=HISTORY_LINES)) as news:
        async for found in news:
            if isinstance(found, LogFileError):
                channel.fail(found, is_missed=is_named or await asyncio.to_thread(path.exists))
                continue
            # what is there already may be old; a line that comes now was written now
            at_s = (found.modified_at_s or found.at_s) if found.history else found.at_s
            await channel.hear([Raw(line) for line in found.lines], at_s, is_new=not found.history)


async def _follow_journal(channel: Channel, query: JournalQuery) -> None:
    async with aclosing(lasting_logs.of_journal(query, HISTORY_LINES)) as news:
        async for found in news:
            if isinstance(found, JournalError):
                channel.fail(found)
                continue
            level = None if found.priority is None else _PRIORITIES[min(found.priority, 7)]
            lines = [Raw(text, found.at_s, level) for text in found.message.split("\n")]
            await channel.hear(lines, clock.now_s(), is_new=True)


async def _follow_container(channel: Channel, docker: DockerEngine, name: str, *, is_named: bool) -> None:
    """Follow a container's log; where Docker hands it to the journal, follow it there."""
    async with aclosing(lasting_logs.of_container(docker, name, HISTORY_LINES)) as news:
        async for found in news:
            if isinstance(found, Log):
                await channel.hear([_raw(line) for line in found.lines], found.at_s, is_new=False)
            elif isinstance(found, DockerLine):
                await channel.hear([_raw(found)], clock.now_s(), is_new=True)
            elif not isinstance(found, LogsUnavailable):
                channel.fail(found, is_missed=is_named or not isinstance(found, DockerAbsent | NoSuchContainer))
    await _follow_journal(channel, JournalQuery(container=name))


def _raw(line: DockerLine) -> Raw:
    stamp_s = None if line.time_ns is None else line.time_ns / _NANOS
    return Raw(line.line.decode(errors="replace"), stamp_s)
