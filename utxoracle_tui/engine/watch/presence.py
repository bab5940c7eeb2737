"""That a `watch` runs on a store: one at a time, and seen by every other process of this host.

The lock tells whether it runs, even after it was killed; a small file beside it tells which process it is, since when,
and when it was last heard of.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from utxoracle_tui import clock, durable
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.troubles import told

LOCK, BEAT = "watch.lock", "watch.json"
BEAT_EVERY_S = 10.0
_SILENT_AFTER_S = 6 * BEAT_EVERY_S
_WAIT_S = 0.3
"""Whoever looks whether a watch runs holds the lock for an instant."""


class WatchRuns(OperatorError):
    """There is one already."""

    def __init__(self, home: Path, seen: WatchSeen | None) -> None:
        which = f" (process {seen.pid})" if seen is not None and seen.pid is not None else ""
        super().__init__(
            "watch_runs",
            f"A watch runs on the store in {home} already{which}: one is enough. End that one first, or name another "
            "folder with --data-dir.",
            Exit.FAILED,
        )


@dataclass(frozen=True, slots=True)
class _Beat:
    """What the file says. Times are unix seconds."""

    pid: int
    since_s: float
    beat_s: float


@dataclass(frozen=True, slots=True)
class WatchSeen:
    """A watch as other processes see it. Times are unix seconds."""

    runs: bool
    """Whether it does now; otherwise it ended without saying so, as when it was killed."""
    pid: int | None = None
    """None, as the moments, where it could not write them down."""
    since_s: float | None = None
    beat_s: float | None = None
    """When it was last heard of."""

    def is_silent(self, now_s: float) -> bool:
        """Whether it runs, but has not been heard of for a minute, as when its disk is full or it was stopped."""
        return self.runs and (self.beat_s is None or now_s - self.beat_s > _SILENT_AFTER_S)


class Presence:
    """The mark of this process on the store that it watches. Everything blocks."""

    def __init__(self) -> None:
        self._threads = threading.RLock()
        self._since_s = clock.now_s()
        self._home: Path | None = None
        self._lock: FileLock | None = None

    def take(self, home: Path) -> None:
        """Be the watch of the store in a network's folder, and of no other.

        Raises `WatchRuns` where another process is that, and `StoreTrouble`; this one's mark stays where it was then.
        """
        with self._threads:
            if home != self._home:
                self._take(home)

    def _take(self, home: Path) -> None:
        path = home / LOCK
        with told("watch the store", home):
            durable.private_folder(home)
        lock = FileLock(path, mode=durable.PRIVATE_FILE, thread_local=False)
        with told("watch the store", path):
            try:
                lock.acquire(timeout=_WAIT_S, poll_interval=0.01)
            except Timeout:
                # it is an `OSError`, and would pass for one of the disk
                raise WatchRuns(home, _read(home, runs=True)) from None
        self.leave()
        self._home, self._lock = home, lock
        self.beat()

    def beat(self) -> None:
        """Say that this process is there; where that can't be written, the lock still says so."""
        with self._threads:
            if self._home is not None:
                self._write(self._home)

    def _write(self, home: Path) -> None:
        beat = _Beat(os.getpid(), self._since_s, clock.now_s())
        data = json.dumps(asdict(beat)).encode() + b"\n"
        with suppress(OSError):
            durable.replace_unsynced(home / BEAT, data)

    def leave(self) -> None:
        """Take the mark away."""
        with self._threads:
            if self._home is None or self._lock is None:
                return
            with suppress(OSError):
                (self._home / BEAT).unlink()
            self._lock.release()
            self._home = self._lock = None


def find_watch(home: Path) -> WatchSeen | None:
    """The watch of the store in a network's folder: one that runs, or one that was killed; None where there is none.

    Blocks for an instant, changes nothing, and raises nothing: what can't be read is not there.
    """
    return _read(home, runs=_is_held(home / LOCK))


def find_watch_among(homes: Iterable[Path]) -> WatchSeen | None:
    """The watch that runs on one of several stores, else one that was killed, if there is any."""
    found = [seen for seen in map(find_watch, homes) if seen is not None]
    return next((seen for seen in found if seen.runs), found[0] if found else None)


def _is_held(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with FileLock(path, mode=durable.PRIVATE_FILE).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def _read(home: Path, *, runs: bool) -> WatchSeen | None:
    try:
        found = json.loads((home / BEAT).read_bytes())
        return WatchSeen(runs, int(found["pid"]), float(found["since_s"]), float(found["beat_s"]))
    except (OSError, ValueError, KeyError, TypeError):
        return WatchSeen(runs) if runs else None
