"""A receiver of alerts that listens while the test itself waits for processes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.receiver import Receiver, receiving


class Receiving:
    """A receiver of alerts in a thread of its own."""

    def __init__(self) -> None:
        self.receiver = Receiver()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)

    async def _run(self) -> None:
        self._over = asyncio.Event()
        async with receiving(self.receiver):
            self._ready.set()
            await self._over.wait()

    @contextmanager
    def listening(self) -> Iterator[Receiver]:
        self._thread.start()
        self._ready.wait()
        yield self.receiver
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    @property
    def events(self) -> list[tuple[str, str]]:
        """Event and subject, in the order in which they came."""
        found = [json.loads(body) for _, body in self.receiver.got]
        return [(each["event"], each["key"].rpartition(".")[0]) for each in found]
