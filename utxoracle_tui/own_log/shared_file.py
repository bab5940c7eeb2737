"""A log file that several processes write to at once, rotated by size and age.

Every line is one `write` to a descriptor opened with O_APPEND, so that lines of different processes never mix. Who
finds the file full renames it under a lock; the others see that its name stands for another file by now, and go on
with that. A line that was on its way meanwhile ends up in the renamed file, whole. One file for all processes, and not
one for each, because an operator follows one: a round by cron stands where it belongs, among what the console did.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from utxoracle_tui import clock
from utxoracle_tui.own_log.entry import written_at_s

_PRIVATE = 0o600
_DAY_S = 86_400.0
_TIME_WITHIN_BYTES = 64


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept: at most `files` renamed files of `most_bytes` beside the one in use, for `days`."""

    most_bytes: int = 2_000_000
    files: int = 8
    days: float = 28.0
    file_days: float = 7.0
    """A file is renamed at this age even if it is small, so that its oldest lines can go."""


DEFAULT_BOUNDS = Bounds()


class SharedLogFile:
    """One process's way to the file. For one thread; everything raises OSError."""

    def __init__(self, path: Path, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        self.path = path
        self._bounds = bounds
        self._file: int | None = None
        self._began_s = 0.0
        self._is_torn = False
        """Whether the file ends within a line."""

    def write(self, line: str) -> None:
        """Append a line, which has no end yet."""
        data = line.encode("utf-8", errors="backslashreplace") + b"\n"
        file = self._opened()
        if self._is_full(file, len(data)):
            self._rotate()
            file = self._opened()
        if self._is_torn:
            data = b"\n" + data
        written = os.write(file, data)
        self._is_torn = written < len(data)
        if self._is_torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Let go of the file; `write` opens it again."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _opened(self) -> int:
        """The file that has the name now."""
        if self._file is not None and _identity(os.fstat(self._file)) == self._named():
            return self._file
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        self._file = file = os.open(self.path, flags, _PRIVATE)
        status = os.fstat(file)
        if stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
            os.fchmod(file, _PRIVATE)
        beginning = os.pread(file, _TIME_WITHIN_BYTES, 0).decode(errors="replace")
        self._began_s = written_at_s(beginning) or clock.now_s()
        # a process may have died in the middle of a line
        self._is_torn = status.st_size > 0 and os.pread(file, 1, status.st_size - 1) != b"\n"
        return file

    def _named(self) -> tuple[int, int] | None:
        try:
            return _identity(self.path.stat())
        except FileNotFoundError:
            return None

    def _is_full(self, file: int, more_bytes: int) -> bool:
        size = os.fstat(file).st_size
        if size == 0:
            return False
        return size + more_bytes > self._bounds.most_bytes or self._is_older(self._began_s, self._bounds.file_days)

    @staticmethod
    def _is_older(time_s: float, days: float) -> bool:
        return clock.now_s() - time_s > days * _DAY_S

    def _rotate(self) -> None:
        lock = FileLock(self.path.with_name(f".{self.path.name}.lock"), mode=_PRIVATE, timeout=0)
        # whoever has the lock renames the file; until then it may grow a little further
        with contextlib.suppress(Timeout), lock:
            if self._file is None or _identity(os.fstat(self._file)) != self._named():
                return
            for number in range(self._bounds.files, 0, -1):
                renamed = self._numbered(number)
                with contextlib.suppress(FileNotFoundError):
                    if number == self._bounds.files or self._is_older(renamed.stat().st_mtime, self._bounds.days):
                        renamed.unlink()
                    else:
                        renamed.rename(self._numbered(number + 1))
            self.path.rename(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
