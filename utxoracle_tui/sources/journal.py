"""The system's journal, followed by `journalctl -o json`: systemd.journal-fields(7), journalctl(1)."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.http import clean_text

MOST_ENTRY_BYTES = 1_048_576
"""journalctl shortens fields of more than 4 kB unless told otherwise, so that no entry comes near this."""
_MICROS = 1e6
_ENVIRONMENT = {"LC_ALL": "C", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""}
_END_S = 2.0


class JournalError(OperatorError):
    """The journal can't be followed."""

    def __init__(self, what: str, happened: str) -> None:
        super().__init__(
            "journal_unreadable",
            f"The journal of {what} can't be followed: {happened}. It is tried again soon. Check that this machine "
            "runs systemd, and that this user may read its journal (group systemd-journal).",
            Exit.UNREACHABLE,
        )


@dataclass(frozen=True, slots=True)
class JournalQuery:
    """Whose entries are wanted: those of a unit, or of a container with Docker's journald driver."""

    unit: str | None = None
    container: str | None = None

    @property
    def name(self) -> str:
        """As sentences name it."""
        return f"unit {self.unit}" if self.unit is not None else f"container {self.container}"

    @property
    def arguments(self) -> tuple[str, ...]:
        """For journalctl."""
        return (f"--unit={self.unit}",) if self.unit is not None else (f"CONTAINER_NAME={self.container}",)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One entry."""

    message: str
    at_s: float | None
    """Unix seconds."""
    pid: int | None
    priority: int | None
    """0 (emergency) to 7 (debug), as in syslog."""
    cursor: str | None
    """Where to go on after it."""


def parse_entry(line: bytes | str) -> JournalEntry | None:
    """An entry from a line of `journalctl -o json`; None for one that can't be read or has no message.

    A message that isn't UTF-8, or has control characters, is an array of its bytes; one that is too long is null.
    """
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    message = _message(fields.get("MESSAGE"))
    if message is None:
        return None
    micros = _whole(fields.get("__REALTIME_TIMESTAMP"))
    cursor = fields.get("__CURSOR")
    return JournalEntry(
        message,
        None if micros is None else micros / _MICROS,
        _whole(fields.get("_PID")),
        _whole(fields.get("PRIORITY")),
        cursor if isinstance(cursor, str) else None,
    )


def _message(value: object) -> str | None:
    if isinstance(value, list):
        if all(type(byte) is int and 0 <= byte < 256 for byte in value):
            return bytes(value).decode(errors="replace")
        # a field that is there several times is an array of its values
        return next((text for item in value if (text := _message(item)) is not None), None)
    return value if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    text = str(value)
    return int(text) if isinstance(value, str | int) and text.isascii() and text.isdecimal() else None


async def follow(
    query: JournalQuery, *, last_entries: int = 200, after: str | None = None, command: str = "journalctl"
) -> AsyncGenerator[JournalEntry, None]:
    """The entries as they come, before them the last ones, or those after the cursor `after`.

    It ends with `JournalError` when journalctl can't be started, or ends.
    """
    start = (f"--after-cursor={after}",) if after is not None else (f"--lines={last_entries}",)
    try:
        process = await asyncio.create_subprocess_exec(
            command,
            "--output=json",
            "--no-pager",
            "--quiet",
            "--follow",
            *start,
            *query.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=MOST_ENTRY_BYTES,
            env=os.environ | _ENVIRONMENT,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it has no such name"
        raise JournalError(query.name, f"{command} can't be started ({reason.lower()})") from None
    errors = asyncio.create_task(_read_errors(process))
    try:
        async for entry in _entries(process):
            yield entry
        said = await errors
        status = await process.wait()
        raise JournalError(query.name, f"{command} ended with {status}{f' ({said})' if said else ''}")
    finally:
        await _end(process)
        errors.cancel()
        await asyncio.gather(errors, return_exceptions=True)


async def _entries(process: asyncio.subprocess.Process) -> AsyncIterator[JournalEntry]:
    assert process.stdout is not None
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError:
            # an entry beyond the limit; what was read of it is gone, its rest can't be parsed and is passed over
            continue
        if not line:
            return
        entry = parse_entry(line)
        if entry is not None:
            yield entry


async def _read_errors(process: asyncio.subprocess.Process) -> str:
    """What journalctl says besides; read to the end, so that it never waits for a reader."""
    assert process.stderr is not None
    first = b""
    while chunk := await process.stderr.read(4096):
        first = first or chunk
    return clean_text(first.decode(errors="replace"))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_END_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
