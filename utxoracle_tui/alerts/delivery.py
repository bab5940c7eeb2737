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
            await line.add(told)

    async def complete(self, told: Told) -> None:
        """Have those sinks told for whom it doesn't wait: whoever added it was killed between two of them."""
        for line in self._lines:
            waiting = await asyncio.to_thread(line.box.all)
            if all((other.alert.key, other.event) != (told.alert.key, told.event) for other in waiting):
                await line.add(told)

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

    async def add(self, told: Told) -> None:
        dropped = self.box.dropped
        await asyncio.to_thread(self.box.add, told)
        if self.box.dropped > dropped:
            _log.error("the oldest alert for the %s was given up: %d newer ones wait", self._sink.name, len(self.box))

    async def run(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            await self._empty()

    async def _empty(self) -> None:
        failures = 0
        while (found := await asyncio.to_thread(self.box.first)) is not None:
            told, number = found
            sentence = await self._failure(told)
            if sentence is not None:
                failures += 1
                self._failed(sentence)
                await asyncio.sleep(self._sink.again.delay_s(failures, random.random()))
                continue
            failures = 0
            if self.trouble is not None:
                _log.info("the %s is told of alerts again", self._sink.name)
            self.trouble = None
            await asyncio.to_thread(self.box.remove, number)

    async def _failure(self, told: Told) -> str | None:
        """Tell the sink; why it could not be told, None when it was."""
        try:
            await self._sink.tell(told)
        except NotTold as failed:
            return failed.sentence
        except Exception as error:  # noqa: BLE001  (a sink must not end the engine, and a traceback may hold its address)
            return (
                f"The {self._sink.name} could not be told: {type(error).__name__}. This is a fault of the program, or "
                "of what alerts.* says of it."
            )
        return None

    def _failed(self, sentence: str) -> None:
        count, dropped = len(self.box), self.box.dropped
        lost = f"{dropped} older ones were given up" if dropped else "nothing is lost"
        trouble = f"{sentence} {count} to be told of wait{'s' if count == 1 else ''}, and {lost}."
        if self.trouble is None:
            _log.error("%s", trouble)
        self.trouble = trouble
