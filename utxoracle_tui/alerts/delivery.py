"""Telling the sinks: each has a queue of its own, and none holds up another, nor whoever raises alerts."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from pathlib import Path

from utxoracle_tui.alerts.outbox import Outbox
from utxoracle_tui.alerts.payload import Told
from utxoracle_tui.alerts.sinks import NotTold, Sink

_log = logging.getLogger(__name__)


class Delivery:
    """Queues in a folder, and a task for each sink. Used by whoever holds the lock of alerts."""

    def __init__(self, sinks: Sequence[Sink], folder: Path) -> None:
        self._lines = [_Line(sink, Outbox(folder / sink.name)) for sink in sinks]

    async def add(self, told: Told) -> None:
        """Have all sinks told; it waits on the disk until they were."""
        for line in self._lines:
            await asyncio.to_thread(line.box.add, told)

    def release(self) -> None:
        """Begin with what was added: the alerts themselves are stored by now."""
        for line in self._lines:
            line.wake.set()

    async def waiting(self) -> list[Told]:
        """What an earlier process has left, each once, in order."""
        found: dict[tuple[str, str], Told] = {}
        for line in self._lines:
            for told in await asyncio.to_thread(line.box.all):
                found.setdefault((told.alert.key, told.event), told)
        return sorted(found.values(), key=lambda told: told.time_s)

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why somebody was not told yet, as sentences."""
        return tuple(line.trouble for line in self._lines if line.trouble is not None)

    async def run(self) -> None:
        """Tell until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for line in self._lines:
                tasks.create_task(line.run())


class _Line:
    """One sink and its queue."""

    def __init__(self, sink: Sink, box: Outbox) -> None:
        self.box = box
        self.wake = asyncio.Event()
        self.trouble: str | None = None
        self._sink = sink

    async def run(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            await self._empty()

    async def _empty(self) -> None:
        failures = 0
        while (found := await asyncio.to_thread(self.box.first)) is not None:
            told, path = found
            try:
                await self._sink.tell(told)
            except NotTold as failed:
                failures += 1
                await self._failed(failed, failures)
                if not failed.is_final:
                    continue
            failures = 0
            if self.trouble is not None:
                _log.info("the %s is told of alerts again", self._sink.name)
            self.trouble = None
            await asyncio.to_thread(self.box.remove, path)

    async def _failed(self, failed: NotTold, failures: int) -> None:
        wait_s = 0.0 if failed.is_final else self._sink.again.delay_s(failures, random.random())
        count = len(self.box)
        trouble = f"{failed.sentence} {count} to be told of wait{'s' if count == 1 else ''}, and nothing is lost."
        if self.trouble is None or failed.is_final:
            _log.error("%s", trouble)
        self.trouble = trouble
        await asyncio.sleep(wait_s)
