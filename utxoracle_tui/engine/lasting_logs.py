"""Logs of the journal and of Docker, followed for ever: what breaks off is told of, and taken up where it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from utxoracle_tui.sources import journal
from utxoracle_tui.sources.containers import DockerEngine, Log
from utxoracle_tui.sources.containers_errors import DockerError, LogsUnavailable
from utxoracle_tui.sources.containers_logs import LogLine
from utxoracle_tui.sources.journal import JournalEntry, JournalError, JournalQuery

AGAIN_AFTER_S = 5.0
"""How long to wait before following anew a log that broke off."""


async def of_journal(query: JournalQuery, last_entries: int) -> AsyncGenerator[JournalEntry | JournalError]:
    """Entries of the journal, the last `last_entries` of before first; an error wherever it can't be followed."""
    cursor: str | None = None
    while True:
        try:
            async with aclosing(journal.follow(query, last_entries=last_entries, after=cursor)) as entries:
                async for entry in entries:
                    cursor = entry.cursor or cursor
                    yield entry
        except JournalError as error:
            yield error
        await asyncio.sleep(AGAIN_AFTER_S)


async def of_container(docker: DockerEngine, name: str, last_lines: int) -> AsyncGenerator[Log | LogLine | DockerError]:
    """A container's log: the last `last_lines` of before at once, then line by line; an error wherever it breaks off.

    It ends with `LogsUnavailable` where Docker hands the log to something else, the journal as a rule.
    """
    last_ns: int | None = None
    while True:
        try:
            tty = (await docker.inspect(name)).tty
            if last_ns is None:
                past = await docker.log(name, tty=tty, tail=last_lines)
                last_ns = max((line.time_ns for line in past.lines if line.time_ns is not None), default=None)
                yield past
            async with docker.follow(name, tty=tty, since_ns=last_ns) as lines:
                async for line in lines:
                    last_ns = line.time_ns or last_ns
                    yield line
        except LogsUnavailable as error:
            yield error
            return
        except DockerError as error:
            yield error
        await asyncio.sleep(AGAIN_AFTER_S)
