"""The console as a program of its own, on a terminal that a test types on and reads from."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence


class OpenConsole:
    """A console on a terminal of 120x40."""

    def __init__(self, pid: int, terminal: int) -> None:
        self._pid, self._terminal = pid, terminal
        self._seen = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def seen(self) -> str:
        """All that was written to the terminal so far."""
        return self._seen.decode(errors="replace")

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._terminal, keys.encode())

    def wait_for(self, text: str, seconds: float = 120.0) -> None:
        """Wait until a text has been written in one piece."""
        end_s = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end_s, f"{text!r} did not come up"
            time.sleep(0.1)

    def end(self) -> int:
        """End the console as a terminal that is closed does; the status of its process."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)
        _, status = os.waitpid(self._pid, 0)
        self._reader.join(5.0)
        os.close(self._terminal)
        return status

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._terminal, 65536):
                self._seen += data


@contextlib.contextmanager
def open_console(environment: Mapping[str, str], arguments: Sequence[str]) -> Iterator[OpenConsole]:
    """A console for as long as it is needed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(environment, TERM="xterm-256color", COLUMNS="120", LINES="40")
        os.execv(sys.executable, [sys.executable, "-m", "utxoracle_tui", *arguments])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    console = OpenConsole(pid, terminal)
    try:
        yield console
    finally:
        console.end()
