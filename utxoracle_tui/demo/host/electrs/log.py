"""The log of the simulated electrs: its standard error, in a file and for whoever asks Docker."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

from utxoracle_tui.demo.host.electrs.settings import ElectrsSettings, Level
from utxoracle_tui.demo.host.log_book import LogBook


class ElectrsLog:
    """Any thread may print; the event loop hands the lines on."""

    def __init__(self, path: Path, settings: ElectrsSettings) -> None:
        """`path` is a file that its standard error is led to."""
        self.path = path
        self.book = LogBook()
        self._settings = settings
        self._lock = threading.Lock()
        self._unwritten: list[str] = []
        self._unpublished: list[tuple[str, float]] = []

    def say(self, level: Level | None, message: str, time_s: float) -> None:
        """Print a line, if the level is among those that are printed; None is printed always and as it is."""
        if level is not None and level > self._settings.verbosity:
            return
        text = message if level is None else f"{self._stamp(time_s)}{level.name} - {message}"
        with self._lock:
            self._unwritten.append(text)
            self._unpublished.append((text, time_s))

    def write_file(self) -> None:
        """Bring new lines to the file. Raises OSError."""
        with self._lock:
            lines, self._unwritten = self._unwritten, []
        if lines:
            with self.path.open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)

    def publish(self) -> None:
        """Hand new lines on."""
        with self._lock:
            lines, self._unpublished = self._unpublished, []
        for text, time_s in lines:
            self.book.write(text, time_s)

    def _stamp(self, time_s: float) -> str:
        if not self._settings.timestamp:
            return ""
        return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds") + " - "
