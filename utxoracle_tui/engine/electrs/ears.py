"""Listening to electrs's log wherever it is: in a file, in Docker, in the journal."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from utxoracle_tui import clock
from utxoracle_tui.engine import lasting_logs
from utxoracle_tui.engine.electrs.evidence import LogNews
from utxoracle_tui.engine.electrs.log_lines import LogEvent, parse_line
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.sources import log_file
from utxoracle_tui.sources.containers import DockerEngine, Log
from utxoracle_tui.sources.containers_errors import LogsUnavailable
from utxoracle_tui.sources.containers_logs import LogLine
from utxoracle_tui.sources.journal import JournalError, JournalQuery
from utxoracle_tui.sources.log_file import LogFileError

HISTORY_LINES = 2000
MOST_PENDING = 20_000
"""Lines that are kept for the next look; more come only where nobody looks."""
_NANOS = 1e9


class Ears:
    """Collects what the log says until somebody looks."""

    def __init__(self) -> None:
        self.trouble: OperatorError | None = None
        """Why nothing can be heard."""
        self._pending: deque[LogNews] = deque()
        self._is_listening = False

    def take(self) -> list[LogNews]:
        """What was heard since the last time, in order; empty news where the log is silent and can be heard."""
        taken = list(self._pending)
        self._pending.clear()
        if not taken and self._is_listening and self.trouble is None:
            return [LogNews(clock.now_s())]
        return taken

    def hear(self, news: LogNews) -> None:
        """Keep new lines for the next look."""
        self.trouble, self._is_listening = None, True
        last = self._pending[-1] if self._pending else None
        if last is not None and last.history == news.history and not news.gap:
            events = last.events + news.events
            dropped = len(events) > MOST_PENDING
            self._pending[-1] = replace(last, at_s=news.at_s, events=events[-MOST_PENDING:], gap=last.gap or dropped)
        else:
            self._pending.append(news)

    def deaf(self, error: OperatorError) -> None:
        """Note why nothing can be heard."""
        self.trouble = error


def events_of(lines: Iterable[tuple[str, float | None]]) -> tuple[LogEvent, ...]:
    """The events of lines, each with the time that its bearer knows."""
    return tuple(event for text, at_s in lines if (event := parse_line(text, at_s)) is not None)


async def listen_to_file(ears: Ears, path: Path) -> None:
    """Follow a file, for ever."""
    async with aclosing(log_file.follow(path, last_lines=HISTORY_LINES)) as news:
        async for found in news:
            if isinstance(found, LogFileError):
                ears.deaf(found)
                continue
            # what is there already may be old; a line that comes now was written now
            at_s = None if found.history else found.at_s
            parsed = (parse_line(line, at_s, dated=False) for line in found.lines)
            events = tuple(event for event in parsed if event is not None)
            ears.hear(LogNews(found.at_s, events, found.history, found.gap))


async def listen_to_journal(ears: Ears, query: JournalQuery) -> None:
    """Follow the journal, for ever."""
    is_first = True
    began_s = clock.now_s()
    async with aclosing(lasting_logs.of_journal(query, HISTORY_LINES)) as news:
        async for found in news:
            if isinstance(found, JournalError):
                ears.deaf(found)
                continue
            history = found.at_s is not None and found.at_s < began_s
            ears.hear(LogNews(clock.now_s(), events_of([(found.message, found.at_s)]), history, gap=is_first))
            is_first = False


async def listen_to_container(ears: Ears, docker: DockerEngine, name: str) -> None:
    """Follow a container's log, for ever; where Docker hands it to the journal, follow it there."""
    async with aclosing(lasting_logs.of_container(docker, name, HISTORY_LINES)) as news:
        async for found in news:
            if isinstance(found, Log):
                ears.hear(LogNews(found.at_s, _events_of_docker(found.lines), history=True, gap=True))
            elif isinstance(found, LogLine):
                ears.hear(LogNews(clock.now_s(), _events_of_docker([found])))
            elif not isinstance(found, LogsUnavailable):
                ears.deaf(found)
    await listen_to_journal(ears, JournalQuery(container=name))


def _events_of_docker(lines: Iterable[LogLine]) -> tuple[LogEvent, ...]:
    return events_of(
        (line.line.decode(errors="replace"), None if line.time_ns is None else line.time_ns / _NANOS) for line in lines
    )
