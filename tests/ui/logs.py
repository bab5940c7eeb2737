"""A console whose logs a test writes itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

from tests.ui.test_dashboard_pictures import Shown, console
from utxoracle_tui.engine.logs.book import LogBook
from utxoracle_tui.engine.logs.line import Level, LogLine, Origin
from utxoracle_tui.engine.logs.live import LogsReading, SourceOfLines
from utxoracle_tui.engine.request import Day, Heights
from utxoracle_tui.ui.node_console import NodeConsole

START_S = 1_795_399_200.0
"""2026-11-23 02:00:00 UTC."""


class WrittenLogs:
    """In place of the engine's logs: says what it is told to."""

    def __init__(self, troubles: dict[Origin, str] | None = None) -> None:
        self.book = LogBook()
        self._troubles = troubles or {}
        self._changed = asyncio.Event()

    def write(self, lines: Iterable[LogLine]) -> None:
        self.book.add(list(lines))
        self._changed.set()

    async def run(self, on_reading: Callable[[LogsReading], None]) -> None:
        while True:
            on_reading(self.reading)
            self._changed.clear()
            await self._changed.wait()

    @property
    def reading(self) -> LogsReading:
        sources = tuple(
            SourceOfLines(
                each,
                f"the log of {each}",
                self.book.count(each),
                each not in self._troubles and each is not Origin.NODE,
                self._troubles.get(each),
            )
            for each in Origin
        )
        return LogsReading(self.book.arrived, sources)


def line(
    logs: WrittenLogs,
    text: str,
    *,
    after_s: float = 0.0,
    origin: Origin = Origin.OWN,
    level: Level = Level.INFO,
    window: Day | Heights | None = None,
    dated: bool = True,
) -> LogLine:
    return LogLine(next(logs.book.numbers), START_S + after_s, origin, level, text, window, dated)


def numbered(logs: WrittenLogs, first: int, count: int) -> list[LogLine]:
    """Lines that say which they are, a second apart."""
    return [line(logs, f"line {number}", after_s=number) for number in range(first, first + count)]


def console_of(logs: WrittenLogs, log_trouble: Callable[[], str | None] = lambda: None) -> NodeConsole:
    parts = console(Shown()).parts
    return NodeConsole(replace(parts, logs=logs, log_trouble=log_trouble))  # type: ignore[arg-type]
