"""The terminal that the console is shown on, which may be slow, hang, or go away: none of that holds the console up."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO, cast

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

MOST_PENDING = 500_000
"""Characters that wait for a terminal, at most: some ten screens of 200 by 60."""
_LAST_WORDS_S = 0.5
"""How long a terminal is waited for at the end, to be given back as it was."""


class Outlet:
    """Takes what is to be written at once, and writes it as fast as the terminal will have it.

    A line over SSH that has dropped takes nothing for minutes before it is known to be gone. What would have to wait
    for long is old by then and is left out; `on_caught_up` is called, in a thread, when the terminal takes text again
    and has to be drawn anew.
    """

    def __init__(self, file: TextIO, on_caught_up: Callable[[], None]) -> None:
        self._file = file
        self._on_caught_up = on_caught_up
        self._changed = threading.Condition()
        self._pending: deque[str] = deque()
        self._size = 0
        self._is_writing = False
        self._leaves_out = False
        self._is_gone = False
        threading.Thread(target=self._run, daemon=True, name="terminal").start()

    @property
    def is_gone(self) -> bool:
        """Whether there is no terminal any more."""
        return self._is_gone

    def write(self, text: str) -> int:
        """Have a text written, or left out."""
        with self._changed:
            if not (self._is_gone or self._leaves_out):
                self._pending.append(text)
                self._size += len(text)
                if self._size > MOST_PENDING:
                    self._pending.clear()
                    self._size = 0
                    self._leaves_out = True
                self._changed.notify_all()
        return len(text)

    def flush(self) -> None:
        """Nothing: what is pending is written anyway."""

    def fileno(self) -> int:
        """The number of the terminal's file."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._file.isatty()

    def finish(self, within_s: float = _LAST_WORDS_S) -> None:
        """Wait until all is written, but not for long."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_gone or not (self._pending or self._is_writing), within_s)

    def _run(self) -> None:
        while self._write_pending():
            pass

    def _write_pending(self) -> bool:
        with self._changed:
            self._is_writing = False
            caught_up = self._leaves_out
            self._leaves_out = False
            self._changed.notify_all()
        if caught_up:
            self._on_caught_up()
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._leaves_out)
            text = "".join(self._pending)
            self._pending.clear()
            self._size = 0
            self._is_writing = True
        try:
            self._file.write(text)
            self._file.flush()
        except (OSError, ValueError):
            # whoever sent the console's terminal away has told it by a signal, too
            with self._changed:
                self._is_gone = True
                self._changed.notify_all()
            return False
        return True


class SteadyDriver(LinuxDriver):
    """Textual's driver, without its waits for the terminal."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._outlet = Outlet(cast("TextIO", self._file), self._caught_up)
        self._file = cast("Any", self._outlet)

    def close(self) -> None:
        """Give the terminal back."""
        super().close()
        self._outlet.finish()

    def _caught_up(self) -> None:
        self._loop.call_soon_threadsafe(self._app.refresh)
