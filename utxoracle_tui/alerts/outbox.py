"""What is still to be told, on the disk: in order, a file each, and none forgotten when a process is killed.

It belongs to whoever holds the lock of alerts. What can't be written waits in memory, in its turn, and is written as
soon as that can be done.
"""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import asdict
from pathlib import Path

import msgspec

from utxoracle_tui import durable
from utxoracle_tui.alerts.payload import Told

MOST_WAITING = 1_000
_SUFFIX = ".json"


class Outbox:
    """The queue of one sink, safe to use from several threads. Everything blocks for as long as a small file takes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = threading.Lock()
        self._unwritten: dict[int, Told] = {}
        self._done: set[int] = set()
        """What was told, but is still there: a disk may be read-only by now."""
        self.dropped = 0
        """How many of the oldest were given up because a thousand more came."""

    def add(self, told: Told) -> None:
        """Put something at the end."""
        with self._threads:
            numbers = self._waiting()
            number = max([0, *numbers, *self._done]) + 1
            self._unwritten[number] = told
            self._write()
            for oldest in [*numbers, number][:-MOST_WAITING]:
                self._forget(oldest)
                self.dropped += 1

    def first(self) -> tuple[Told, int] | None:
        """What is next, and its number for `remove`; None when nothing waits."""
        with self._threads:
            self._write()
            for number in self._waiting():
                if number in self._unwritten:
                    return self._unwritten[number], number
                if (told := self._read(number)) is not None:
                    return told, number
                # one that can't be read must not hold up the others
                self._forget(number)
        return None

    def remove(self, number: int) -> None:
        """Forget what was told."""
        with self._threads:
            self._forget(number)

    def all(self) -> list[Told]:
        """What waits, in order."""
        with self._threads:
            found = [self._unwritten.get(number) or self._read(number) for number in self._waiting()]
        return [told for told in found if told is not None]

    def __len__(self) -> int:
        with self._threads:
            return len(self._waiting())

    def _waiting(self) -> list[int]:
        """The numbers of all that is to be told, in order."""
        try:
            written = {int(p.stem) for p in self._folder.iterdir() if p.suffix == _SUFFIX and p.stem.isdecimal()}
        except OSError:
            written = set()
        self._done &= written
        return sorted((written | self._unwritten.keys()) - self._done)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012}{_SUFFIX}"

    def _read(self, number: int) -> Told | None:
        try:
            return msgspec.convert(json.loads(self._path(number).read_bytes()), Told)
        except (OSError, ValueError, msgspec.ValidationError):
            return None

    def _write(self) -> None:
        # the disk may be what the alert is about
        with contextlib.suppress(OSError):
            for number, told in sorted(self._unwritten.items()):
                durable.private_folder(self._folder)
                durable.replace_file(self._path(number), json.dumps(asdict(told)).encode())
                del self._unwritten[number]

    def _forget(self, number: int) -> None:
        self._unwritten.pop(number, None)
        try:
            self._path(number).unlink(missing_ok=True)
        except OSError:
            self._done.add(number)
