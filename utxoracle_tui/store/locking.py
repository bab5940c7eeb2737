"""One writer at a time, across threads and processes. Readers need no lock: files are replaced as a whole."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from utxoracle_tui.durable import PRIVATE_FILE, private_folder
from utxoracle_tui.store.troubles import StoreTrouble, told

WAIT_S = 30.0
"""Writers hold the lock for milliseconds; whoever holds it for this long hangs."""
_POLL_S = 0.002
_COUNTER_BYTES = 8


class WriteLock:
    """The store's lock, and a counter beside it that tells every reader that something was written."""

    def __init__(self, path: Path, wait_s: float = WAIT_S) -> None:
        self._path = path
        self._counter = path.with_suffix(".sequence")
        self._wait_s = wait_s
        self._file_lock = FileLock(path, mode=PRIVATE_FILE, thread_local=False)
        self._threads = threading.RLock()

    @contextmanager
    def held(self, doing: str) -> Iterator[None]:
        """Hold the lock; it may be held already by this thread. Raises `StoreTrouble`."""
        with self._threads:
            self._acquire(doing, self._wait_s)
            try:
                yield
            finally:
                self._file_lock.release()

    @contextmanager
    def held_if_free(self) -> Iterator[bool]:
        """Hold the lock where nobody else does and it can be had at all; whether it is held."""
        if not self._threads.acquire(blocking=False):
            yield False
            return
        try:
            try:
                self._acquire("lock the store", 0.0)
            except StoreTrouble:
                yield False
                return
            try:
                yield True
            finally:
                self._file_lock.release()
        finally:
            self._threads.release()

    def _acquire(self, doing: str, wait_s: float) -> None:
        with told(doing, self._path.parent):
            private_folder(self._path.parent)
        with told(doing, self._path):
            try:
                self._file_lock.acquire(timeout=wait_s, poll_interval=_POLL_S)
            except Timeout:
                # it is an `OSError`, and would pass for one of the disk
                raise StoreTrouble(
                    "store_locked",
                    f"Could not {doing}: another process has held {self._path} for {wait_s:.0f} s and hangs. Find it "
                    f"with `fuser -v {self._path}`; when it is gone this works again.",
                ) from None

    def count_write(self) -> None:
        """Tell all readers that something was written; the lock must be held. Raises `OSError`."""
        descriptor = os.open(self._counter, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            count = int.from_bytes(os.pread(descriptor, _COUNTER_BYTES, 0), "little") + 1
            os.pwrite(descriptor, count.to_bytes(_COUNTER_BYTES, "little"), 0)
        finally:
            os.close(descriptor)

    def writes(self) -> int:
        """How many writes there were; only worth comparing with what it was before."""
        try:
            descriptor = os.open(self._counter, os.O_RDONLY)
        except OSError:
            return 0
        try:
            return int.from_bytes(os.pread(descriptor, _COUNTER_BYTES, 0), "little")
        finally:
            os.close(descriptor)
