"""A program on a terminal of its own, which a test reads from and types on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence


class Dialogue:
    """What has been said so far."""

    def __init__(self, pid: int, terminal: int) -> None:
        self._pid, self._terminal = pid, terminal
        self._raw = bytearray()
        self._read_up_to = 0
        self._status: int | None = None

    @property
    def seen(self) -> str:
        """All that was written to the terminal."""
        return self._raw.decode(errors="replace")

    @property
    def raw(self) -> bytes:
        """The same as it came."""
        return bytes(self._raw)

    def read_all(self) -> None:
        """Take what has come."""
        while self._read(0.0):
            pass

    def send(self, text: str) -> None:
        """Type."""
        os.write(self._terminal, text.encode())

    def expect(self, text: str, seconds: float = 30.0) -> str:
        """Wait for a text after the one waited for before; what was written up to its end."""
        end_s = time.monotonic() + seconds
        while (at := self.seen.find(text, self._read_up_to)) < 0:
            assert self._read(end_s), f"{text!r} did not come up after {self.seen[self._read_up_to :]!r}"
        before = self.seen[self._read_up_to : at + len(text)]
        self._read_up_to = at + len(text)
        return before

    def finish(self, seconds: float = 60.0) -> int:
        """Wait for the end of the program; its exit code."""
        end_s = time.monotonic() + seconds
        while self._read(end_s):
            pass
        _, status = os.waitpid(self._pid, 0)
        self._status = status
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        """End the program if it hasn't ended."""
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._terminal)

    def _read(self, end_s: float) -> bool:
        """Read what comes next; whether anything did before the end."""
        if not select.select([self._terminal], [], [], max(0.0, end_s - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self._terminal, 65536)
        except OSError:
            # Linux says so when nobody holds the other side any more
            return False
        self._raw += data
        return bool(data)


@contextlib.contextmanager
def dialogue(command: Sequence[str], environment: Mapping[str, str], columns: int = 120) -> Iterator[Dialogue]:
    """A dialogue with a program, which has this environment alone."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], list(command), dict(environment))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    talk = Dialogue(pid, terminal)
    try:
        yield talk
    finally:
        talk.close()
