"""Arrays and digests beside the documents: they can be made again, so losing one costs time and nothing else."""

from __future__ import annotations

import contextlib
import os
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import xxhash

from utxoracle_tui import clock, durable

_MAGIC = b"UTXORACLE-TUI-BLOB 2 "
_LINE_BYTES = len(_MAGIC) + 17
_FORMER_MAGIC = b"UTXORACLE-TUI-BLOB 1 "
_FORMER_LINE_BYTES = len(_FORMER_MAGIC) + 9
_EVICT_TO = 0.9
_USED_WITHIN_S = 600.0
"""How exactly it is known when something was used: to note it anew costs as much as to read it."""


class Blobs:
    """Bytes by name, no more than a bound; those that were used longest ago go first.

    Safe to use from several threads and processes. Nothing here raises for a full or unusable disk: what can't be
    kept is not kept.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._size_bytes: int | None = None
        self._counting = threading.Lock()

    def __reduce__(self) -> tuple[type[Blobs], tuple[Path, int]]:
        """Sent to another process it is one of the same folder."""
        return Blobs, (self._folder, self._max_bytes)

    def get(self, name: str) -> bytes | None:
        """The bytes of a name; None where there are none, or they are damaged."""
        path = self._path(name)
        try:
            with path.open("rb", buffering=0) as file:
                state = os.fstat(file.fileno())
                line, content = file.read(_LINE_BYTES), file.read(max(state.st_size - _LINE_BYTES, 0))
        except OSError:
            return None
        if line != _line(content):
            content = line[_FORMER_LINE_BYTES:] + content
            if line[:_FORMER_LINE_BYTES] != _former_line(content):
                return None
        if clock.now_s() - state.st_mtime > _USED_WITHIN_S:
            with contextlib.suppress(OSError):
                os.utime(path)
        return content

    def has(self, name: str) -> bool:
        """Whether there is something under a name, damaged or not."""
        return self._path(name).exists()

    def put(self, name: str, content: bytes) -> None:
        """Keep bytes under a name."""
        if self.grown(self.write(name, content)):
            self.make_room()

    def write(self, name: str, content: bytes) -> int:
        """Keep bytes under a name, for a process that does not mind the bound; how many it takes, 0 if they can't be.

        Whoever minds it is to be told, with `grown`.
        """
        path = self._path(name)
        line = _line(content)
        if len(line) + len(content) > self._max_bytes:
            return 0
        for attempt in range(2):
            try:
                durable.replace_unsynced(path, line, content)
            except FileNotFoundError:
                if attempt or not self._made_folder(path.parent):
                    return 0
            except OSError:
                return 0
            else:
                break
        return len(line) + len(content)

    def grown(self, by_bytes: int) -> bool:
        """Take note of bytes that were written; whether it is time to make room."""
        with self._counting:
            if self._size_bytes is not None:
                self._size_bytes += by_bytes
            return self._size_bytes is None or self._size_bytes > self._max_bytes

    def make_room(self) -> None:
        """Remove what was used longest ago, if there is more than the bound."""
        with self._counting:
            self._size_bytes = sum(size for _, size, _ in self._files())
            if self._size_bytes > self._max_bytes:
                self._size_bytes = self._evict()

    def forget(self, name: str) -> None:
        """Remove a name."""
        with contextlib.suppress(OSError):
            self._path(name).unlink()

    def names(self) -> list[str]:
        """All names."""
        return [path.name for path, _, _ in self._files()]

    def _made_folder(self, folder: Path) -> bool:
        try:
            durable.private_folder(folder.parent)
            # it needs not outlive a power cut any more than what is in it, and there are 256 of them
            folder.mkdir(mode=durable.PRIVATE_FOLDER, exist_ok=True)
        except OSError:
            return False
        return True

    def _evict(self) -> int:
        files = sorted(self._files())
        size = sum(length for _, length, _ in files)
        for path, length, _ in sorted(files, key=lambda file: file[2]):
            if size <= self._max_bytes * _EVICT_TO:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                size -= length
        return size

    def _files(self) -> Iterator[tuple[Path, int, float]]:
        """Path, size and time of last use of each."""
        for folder, _, names in os.walk(self._folder):
            for name in names:
                if not name.endswith(durable.TEMPORARY):
                    path = Path(folder, name)
                    with contextlib.suppress(OSError):
                        state = path.stat()
                        yield path, state.st_size, state.st_mtime

    def _path(self, name: str) -> Path:
        # a folder with a hundred thousand files is slow on some file systems
        return self._folder / f"{zlib.crc32(name.encode()) & 0xFF:02x}" / name


def _former_line(content: bytes) -> bytes:
    """As earlier versions wrote it: what a pruned node can't give again stays readable."""
    return _FORMER_MAGIC + f"{zlib.crc32(content):08x}\n".encode()


def _line(content: bytes) -> bytes:
    return _MAGIC + f"{xxhash.xxh3_64_hexdigest(content)}\n".encode()
