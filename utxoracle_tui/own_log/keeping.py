"""Keeping the log while a command runs: from Python's logging to the file, without ever holding anybody up.

What is logged is made a line of at once, secrets taken out, and written by a thread of its own: a disk that hangs, is
full or may not be written to costs the log, and nothing else.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from utxoracle_tui import __version__, clock, formats
from utxoracle_tui.config.paths import state_dir
from utxoracle_tui.config.redaction import RedactingFilter, redact
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.own_log.entry import Entry, as_json, as_text
from utxoracle_tui.own_log.shared_file import DEFAULT_BOUNDS, Bounds, SharedLogFile

FILE_NAME = "utxoracle-tui.log"
_PACKAGE = "utxoracle_tui"
_MOST_WAITING = 10_000
"""Lines; more wait only where the disk hangs."""
_END_WITHIN_S = 0.5
_log = logging.getLogger(__name__)


def log_path(data_dir: Path | None) -> Path:
    """Where the log is; `data_dir` is the folder that the operator has chosen for all files, if any."""
    return state_dir(data_dir) / FILE_NAME


class OwnLog:
    """The log of this process while it is kept."""

    def __init__(self, path: Path, *, json_lines: bool = False, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        self.path = path
        self._file = SharedLogFile(path, bounds)
        self._render = as_json if json_lines else as_text
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        self._lost = 0
        self.trouble: str | None = None
        """Why entries can't be written, as a sentence; it stays when they can be again, so that it is told of."""
        self._thread = threading.Thread(target=self._write_all, name="own log", daemon=True)
        self._thread.start()

    def add(self, entry: Entry) -> None:
        """Have an entry written; never blocks."""
        try:
            self._lines.put_nowait(self._render(entry))
        except queue.Full:
            self._lost += 1

    def close(self) -> None:
        """Write what waits, but don't wait for long."""
        with suppress(queue.Full):
            self._lines.put_nowait(None)
        self._thread.join(_END_WITHIN_S)

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._own_up()
                self._file.write(line)
            except OSError as error:
                self._lost += 1
                self._file.close()
                self.trouble = self.trouble or (
                    f"The log {self.path} can't be written: {(error.strerror or 'unknown reason').lower()}. "
                    "Everything else goes on; what happens is written down again as soon as that is possible."
                )
        self._file.close()

    def _own_up(self) -> None:
        """Say in the log how much of it is missing."""
        if not self._lost:
            return
        text = f"{formats.plural(self._lost, 'line')} before this could not be written"
        self._file.write(self._render(Entry(clock.now_s(), "WARNING", os.getpid(), "own_log", text)))
        self._lost = 0


class OwnLogHandler(logging.Handler):
    """Hands records over, without what is secret."""

    def __init__(self, own: OwnLog) -> None:
        super().__init__()
        self._own = own
        self.addFilter(RedactingFilter())

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record over."""
        trace = "\n".join(part for part in (record.exc_text, record.stack_info) if part)
        module = record.name.removeprefix(f"{_PACKAGE}.").replace(" ", "_")
        # the clock of the program, which may be a simulated one
        at_s = clock.now_s()
        self._own.add(Entry(at_s, record.levelname, record.process or 0, module, record.getMessage(), trace))


def set_level(level: str) -> None:
    """Keep what this program logs from another level on."""
    logging.getLogger(_PACKAGE).setLevel(level)


@contextmanager
def logging_to(own: OwnLog, level: str) -> Iterator[None]:
    """Let this process log there, from `level` on; of libraries only what is a warning, as they log every request."""
    handler, package, root = OwnLogHandler(own), logging.getLogger(_PACKAGE), logging.getLogger()
    before = package.level
    package.setLevel(level)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        package.setLevel(before)
        own.close()


@contextmanager
def kept_log(settings: Settings, command: str, tell: Callable[[str], object] | None = None) -> Iterator[OwnLog]:
    """Keep the log while `command` runs, with its begin and its end.

    At the end `tell` is called with a sentence if something could not be written.
    """
    own = OwnLog(log_path(settings.store.data_dir), json_lines=settings.log.json)
    with logging_to(own, settings.log.level):
        started_s = clock.elapsed_s()
        _log.info("%s begins, utxoracle-tui %s", command, __version__)
        try:
            yield own
        except OperatorError as error:
            _log.error("%s failed, %s: %s", command, error.kind, error.message)
            raise
        except Exception:
            _log.exception("%s ends by a fault of the program", command)
            raise
        except BaseException as ended:
            # Ctrl-C, a signal, an exit
            _log.info("%s was ended (%s)", command, type(ended).__name__)
            raise
        else:
            _log.info("%s ends after %s", command, formats.span(clock.elapsed_s() - started_s))
    if own.trouble is not None and tell is not None:
        tell(redact(own.trouble))
