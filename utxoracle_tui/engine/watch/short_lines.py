"""The log's entries as short lines on standard error, so that they stand in the journal, too.

They are written by a thread of their own: whoever reads them slowly, or not at all, holds nothing up.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Iterator, Mapping
from typing import TextIO

from utxoracle_tui.config.redaction import RedactingFilter

JOURNAL_VARIABLE = "JOURNAL_STREAM"
"""Is set where standard error goes to the journal: systemd.exec(5)."""
_PACKAGE = "utxoracle_tui"
_MOST_WAITING = 1_000
_END_WITHIN_S = 0.5
_MOST_CHARACTERS = 500


class ShortLines(logging.Handler):
    """Hands lines over to the thread; those that find no room are left out, as they stand in the log file."""

    def __init__(self, stream: TextIO, *, with_priority: bool) -> None:
        """`with_priority` puts `<N>` before each line, which the journal takes as its priority: sd-daemon(3)."""
        super().__init__(logging.INFO)
        self._stream = stream
        self._with_priority = with_priority
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._write_all, name="short lines", daemon=True)
        self._thread.start()
        self.addFilter(RedactingFilter())

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record over; never blocks."""
        text = record.getMessage()
        if record.exc_text:
            text += f" ({record.exc_text.splitlines()[-1]})"
        safe = "".join(character if character.isprintable() else " " for character in text)
        if len(safe) > _MOST_CHARACTERS:
            safe = f"{safe[:_MOST_CHARACTERS]} …"
        prefix = f"<{_priority(record.levelno)}>" if self._with_priority else "utxoracle-tui: "
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(f"{prefix}{safe}\n")

    def finish(self) -> None:
        """Write what waits, but don't wait for long."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
        self._thread.join(_END_WITHIN_S)

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            # a stream that nobody reads any more is no reason to stop working
            with contextlib.suppress(OSError, ValueError):
                self._stream.write(line)
                self._stream.flush()


@contextlib.contextmanager
def short_lines(stream: TextIO, environ: Mapping[str, str]) -> Iterator[None]:
    """Write what the program logs from INFO on, a line an entry."""
    handler = ShortLines(stream, with_priority=_is_journal(stream, environ))
    package = logging.getLogger(_PACKAGE)
    package.addHandler(handler)
    try:
        yield
    finally:
        package.removeHandler(handler)
        handler.finish()


def _is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether a stream goes to the journal: the variable has its device and inode."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get(JOURNAL_VARIABLE) == f"{found.st_dev}:{found.st_ino}"


def _priority(level: int) -> int:
    """As syslog(3) numbers them."""
    if level >= logging.ERROR:
        return 3
    return 4 if level >= logging.WARNING else 6
