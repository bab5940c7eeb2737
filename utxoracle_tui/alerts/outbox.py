"""What is still to be told, on the disk: in order, a file each, and none forgotten when a process is killed.

It belongs to whoever holds the lock of alerts; what can't be written waits in memory.
"""

from __future__ import annotations

import contextlib
import json
from collections import deque
from dataclasses import asdict
from pathlib import Path

import msgspec

from utxoracle_tui.alerts.payload import Told
from utxoracle_tui.store import durable

MOST_WAITING = 1_000
_SUFFIX = ".json"


class Outbox:
    """The queue of one sink. Everything blocks for as long as a small file takes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unwritten: deque[Told] = deque(maxlen=MOST_WAITING)
        self.dropped = 0
        """How many of the oldest were given up because a thousand more came."""

    def add(self, told: Told) -> None:
        """Put something at the end."""
        paths = self._paths()
        number = int(paths[-1].stem) + 1 if paths else 1
        try:
            durable.private_folder(self._folder)
            durable.replace_file(self._folder / f"{number:012}{_SUFFIX}", json.dumps(asdict(told)).encode())
        except OSError:
            # the disk may be what the alert is about
            self._unwritten.append(told)
            return
        for path in paths[: max(len(paths) + 1 - MOST_WAITING, 0)]:
            with contextlib.suppress(OSError):
                path.unlink()
                self.dropped += 1

    def first(self) -> tuple[Told, Path | None] | None:
        """What is next, and its file, if it has one; None when nothing waits."""
        for path in self._paths():
            try:
                return msgspec.convert(json.loads(path.read_bytes()), Told), path
            except (OSError, ValueError, msgspec.ValidationError):
                # one that can't be read must not hold up the others
                with contextlib.suppress(OSError):
                    path.unlink()
        return (self._unwritten[0], None) if self._unwritten else None

    def remove(self, path: Path | None) -> None:
        """Forget what was told."""
        if path is None:
            self._unwritten.popleft()
            return
        with contextlib.suppress(OSError):
            path.unlink()

    def all(self) -> list[Told]:
        """What waits on the disk, in order."""
        found = []
        for path in self._paths():
            with contextlib.suppress(OSError, ValueError, msgspec.ValidationError):
                found.append(msgspec.convert(json.loads(path.read_bytes()), Told))
        return found

    def __len__(self) -> int:
        return len(self._paths()) + len(self._unwritten)

    def _paths(self) -> list[Path]:
        try:
            return sorted(path for path in self._folder.iterdir() if path.suffix == _SUFFIX and path.stem.isdecimal())
        except OSError:
            return []
