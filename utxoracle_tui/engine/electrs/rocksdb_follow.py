"""Following the log that RocksDB writes into the folder of a database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from utxoracle_tui.sources.index_folder import put_aside_log
from utxoracle_tui.sources.log_file import LogFile, LogFileError

LOG_NAME = "LOG"
TAIL_BYTES = 33_554_432
"""A compaction of 400 GB writes less than 2 MB, but between two of its lines many others may come."""
_ALL_LINES = 10**9


@dataclass(frozen=True, slots=True)
class RocksdbNews:
    """New lines of one database's log."""

    lines: tuple[str, ...]
    modified_at_s: float | None
    """Unix time at which it was last written to."""


class RocksdbLog:
    """The log of one database, followed; before it, the end of the one that was put aside at the last start.

    Its methods block and belong in a thread.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = LogFile(folder / LOG_NAME, last_lines=_ALL_LINES, most_history_bytes=TAIL_BYTES)
        self._is_first = True

    def close(self) -> None:
        """Let go of the file."""
        self._log.close()

    def read(self) -> RocksdbNews:
        """The lines that are new, the first time those of before as well. Raises `LogFileError`."""
        before = self._before() if self._is_first else ()
        news = self._log.read()
        self._is_first = False
        return RocksdbNews((*before, *news.lines), news.modified_at_s)

    def _before(self) -> tuple[str, ...]:
        path = put_aside_log(self._folder)
        if path is None:
            return ()
        old = LogFile(path, last_lines=_ALL_LINES, most_history_bytes=TAIL_BYTES)
        try:
            return old.read().lines
        except LogFileError:
            return ()
        finally:
            old.close()
