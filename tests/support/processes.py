"""Processes and what they have started, as /proc has them (proc(5))."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

_PROC = Path("/proc")


def _status(pid: int) -> tuple[str, int] | None:
    """State and parent; None for a process that has gone."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def descendants(pid: int) -> set[int]:
    """All that a process has started, and what those have."""
    parents = {}
    for entry in _PROC.iterdir():
        if entry.name.isdecimal() and (status := _status(int(entry.name))) is not None:
            parents[int(entry.name)] = status[1]
    found: set[int] = set()
    wave = {pid}
    while wave:
        wave = {child for child, parent in parents.items() if parent in wave} - found
        found |= wave
    return found


def command_line(pid: int) -> list[str]:
    """The words that a process was started with."""
    with contextlib.suppress(OSError):
        return (_PROC / str(pid) / "cmdline").read_text().split("\0")
    return []


def still_running(pids: set[int], within_s: float) -> set[int]:
    """Those that have not ended after so many seconds; zombies have."""
    end_s = time.monotonic() + within_s
    while True:
        left = {pid for pid in pids if (status := _status(pid)) is not None and status[0] != "Z"}
        if not left or time.monotonic() > end_s:
            return left
        time.sleep(0.05)
