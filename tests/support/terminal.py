"""The console as a program of its own on a terminal, timed."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import sys
import time
from collections.abc import Mapping, Sequence


def seconds_until(text: str, environment: Mapping[str, str], arguments: Sequence[str] = ()) -> float:
    """From starting the console to a text on a terminal of 120x40, in seconds; then it is ended."""
    started_s = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        # installed programs have their bytecode at hand
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ.update(environment, TERM="xterm-256color", COLUMNS="120", LINES="40")
        os.execv(sys.executable, [sys.executable, "-m", "utxoracle_tui", *arguments])
    seen = b""
    while text.encode() not in seen:
        seen += os.read(terminal, 65536)
    took_s = time.perf_counter() - started_s
    os.kill(pid, signal.SIGTERM)
    with contextlib.suppress(OSError):
        while os.read(terminal, 65536):
            pass
    os.waitpid(pid, 0)
    os.close(terminal)
    return took_s
