"""Following a log file: from its last lines on, through rotation by renaming and through truncation.

A file that was renamed is read to its end before the one that took its name is begun. A file that is shorter than
what was read of it, or whose bytes before the place of reading are others, was truncated, and is read from its start.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from utxoracle_tui import clock
from utxoracle_tui.errors import Exit, OperatorError

MOST_AT_ONCE_BYTES = 8_388_608
"""No more is read in one go; the rest comes with the next."""
MOST_LINE_BYTES = 65_536
"""A line that goes on for longer is given out in parts."""
_BLOCK_BYTES = 65_536
_MARK_BYTES = 64


class LogFileError(OperatorError):
    """A log file that can't be read."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(
            "log_file_unreadable",
            f"The log file {path} can't be read: {reason}. It is looked for again soon. Check the path, and this "
            "user's right to read it.",
            Exit.UNREACHABLE,
        )


@dataclass(frozen=True, slots=True)
class NewLines:
    """What was read in one go."""

    lines: tuple[str, ...]
    """Without their ends; bytes that are no UTF-8 are replaced."""
    at_s: float
    """Unix seconds."""
    history: bool = False
    """These are the last lines from before the file was followed."""
    gap: bool = False
    """Lines may be missing before these: the file was truncated, or has been another since."""
    modified_at_s: float | None = None
    """When the file was last written to."""


class LogFile:
    """One file that is followed. Its methods block and belong in a thread; they raise `LogFileError`.

    `last_lines` of what is there already are given first, taken from the file's last `most_history_bytes`.
    """

    def __init__(self, path: Path, *, last_lines: int = 200, most_history_bytes: int = MOST_AT_ONCE_BYTES) -> None:
        self.path = path
        self._last_lines = last_lines
        self._most_history_bytes = most_history_bytes
        self._reading = threading.Lock()
        self._is_closed = False
        self._file: BinaryIO | None = None
        self._identity: tuple[int, int] | None = None
        """Device and inode of the file that is followed; None before the first."""
        self._next: BinaryIO | None = None
        """The file that has taken its name; as long as it is empty the old one may still be written."""
        self._read_bytes = 0
        self._mark = b""
        """The last bytes before the place of reading."""
        self._rest = b""
        """The beginning of a line whose end isn't there yet."""

    def close(self) -> None:
        """Let go of the file; `read` goes on where it was.

        It doesn't block: where a read is under way in another thread, that one lets go when it is through.
        """
        self._is_closed = True
        self._close_if_idle()

    def read(self) -> NewLines:
        """The lines that are new; the first time, the last ones that there are."""
        self._is_closed = False
        try:
            with self._reading:
                return self._read()
        except OSError as error:
            self._is_closed = True
            raise LogFileError(self.path, (error.strerror or "unknown reason").lower()) from None
        finally:
            if self._is_closed:
                self._close_if_idle()

    def _close_if_idle(self) -> None:
        if not self._reading.acquire(blocking=False):
            return
        for file in (self._file, self._next):
            if file is not None:
                file.close()
        self._file = self._next = None
        self._reading.release()

    def _read(self) -> NewLines:
        before, is_open = self._identity, self._file is not None
        file = self._file or self._take(self.path.open("rb"))
        if before is None:
            return self._begin(file)
        gap = (not is_open and self._identity != before) or self._was_truncated(file)
        if gap:
            self._go_to(0)
        lines = self._lines(file)
        while _size(file) <= self._read_bytes and (newer := self._successor()) is not None:
            lines += self._last_part()
            file.close()
            file = self._take(newer)
            self._go_to(0)
            lines += self._lines(file)
        return NewLines(tuple(lines), clock.now_s(), gap=gap, modified_at_s=_modified_at_s(file))

    def _successor(self) -> BinaryIO | None:
        """The file to go on with, if there is another by now with something in it, or with yet another after it."""
        named = self._named()
        if self._next is None:
            if named is None or named == self._identity:
                return None
            self._next = self.path.open("rb")
        is_last = named is None or named == _identity(self._next)
        if is_last and _size(self._next) == 0:
            return None
        newer, self._next = self._next, None
        return newer

    def _named(self) -> tuple[int, int] | None:
        """Which file has the name now."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _take(self, file: BinaryIO) -> BinaryIO:
        self._file, self._identity = file, _identity(file)
        return file

    def _begin(self, file: BinaryIO) -> NewLines:
        size = _size(file)
        self._go_to(self._start_of_last_lines(file, size))
        lines: list[str] = []
        while self._read_bytes < size and (more := self._lines(file)):
            lines += more
        kept = lines[-self._last_lines :] if self._last_lines else []
        return NewLines(tuple(kept), clock.now_s(), history=True, gap=True, modified_at_s=_modified_at_s(file))

    def _go_to(self, place: int) -> None:
        self._read_bytes, self._mark, self._rest = place, b"", b""

    def _start_of_last_lines(self, file: BinaryIO, size: int) -> int:
        """The place where the last lines begin, found from the end in blocks."""
        place, ends = size, 0
        least = max(0, size - self._most_history_bytes)
        while place > least and ends <= self._last_lines:
            step = min(_BLOCK_BYTES, place - least)
            place -= step
            file.seek(place)
            ends += file.read(step).count(b"\n")
        if place > 0:
            # somewhere within a line: go on to the next one
            file.seek(place)
            place += len(file.readline(MOST_LINE_BYTES))
        return place

    def _lines(self, file: BinaryIO) -> list[str]:
        """The complete lines from the place of reading on."""
        file.seek(self._read_bytes)
        read = file.read(MOST_AT_ONCE_BYTES)
        self._read_bytes += len(read)
        self._mark = (self._mark + read)[-_MARK_BYTES:]
        *lines, self._rest = (self._rest + read).split(b"\n")
        if len(self._rest) > MOST_LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        return [_text(part) for line in lines for part in _parts(line)]

    def _last_part(self) -> list[str]:
        """A last line without an end, of a file that nobody writes to any more."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest else []

    def _was_truncated(self, file: BinaryIO) -> bool:
        if _size(file) < self._read_bytes:
            return True
        file.seek(self._read_bytes - len(self._mark))
        return file.read(len(self._mark)) != self._mark


def _identity(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _modified_at_s(file: BinaryIO) -> float:
    return os.fstat(file.fileno()).st_mtime


def _parts(line: bytes) -> list[bytes]:
    if len(line) <= MOST_LINE_BYTES:
        return [line]
    return [line[start : start + MOST_LINE_BYTES] for start in range(0, len(line), MOST_LINE_BYTES)]


def _text(line: bytes) -> str:
    # where a file was truncated under a writer that keeps its place, zeros fill the hole
    return line.lstrip(b"\0").removesuffix(b"\r").decode("utf-8", errors="replace")


async def follow(
    path: Path, *, last_lines: int = 200, every_s: float = 1.0
) -> AsyncGenerator[NewLines | LogFileError, None]:
    """What comes to a file, as it comes, looked for every `every_s`; first its last lines, even if there are none.

    A file that can't be read is told of once, as an error among the lines, until it can be read again.
    """
    file = LogFile(path, last_lines=last_lines)
    first, told = True, False
    try:
        while True:
            try:
                news = await asyncio.to_thread(file.read)
            except LogFileError as error:
                if not told:
                    yield error
                told = True
            else:
                if first or told or news.lines or news.gap:
                    yield news
                first = told = False
            await asyncio.sleep(every_s)
    finally:
        file.close()
