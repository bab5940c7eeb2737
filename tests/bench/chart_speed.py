"""The speed of the price chart at 100,000 blocks: reading the store, reducing, and drawing beside the event loop.

`python -m tests.bench.chart_speed`. Budgets are of processor time, which other work on the machine does not change;
the time on the clock stands beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from textual.app import App, ComposeResult

from tests.support import price_story as story
from tests.support.records import reading
from utxoracle_tui import clock
from utxoracle_tui.engine.chart.history import price_range
from utxoracle_tui.engine.chart.reading import read_series
from utxoracle_tui.engine.chart.series import PriceSeries
from utxoracle_tui.engine.chart.sorting import SortKey, matching, ordered
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.inks import inks_of
from utxoracle_tui.ui.pictures import Colour
from utxoracle_tui.ui.price_glyphs import Style
from utxoracle_tui.ui.price_pictures import Frame, Marks, divergence_picture, price_picture
from utxoracle_tui.ui.widgets import chart
from utxoracle_tui.ui.widgets.chart import Chart

SIZES = ((80, 14), (120, 24), (200, 40))
REDRAW_MS = 100.0
LOOP_MS = 50.0
STRIP_ROWS = 9


def timed(work: Callable[[], object], times: int) -> tuple[float, float]:
    """The median of processor time and of time on the clock, in milliseconds."""
    spans = []
    for _ in range(times):
        worked, started = time.process_time(), time.perf_counter()
        work()
        spans.append((time.process_time() - worked, time.perf_counter() - started))
    worked_s, passed_s = (statistics.median(column) for column in zip(*spans, strict=True))
    return worked_s * 1e3, passed_s * 1e3


def fill(folder: Path, count: int) -> Store:
    """A store with so many blocks ten minutes apart, a round for each fifth, and a reading for each."""
    store = Store(folder, "main")
    start_s = story.NOW_S - count * story.BLOCK_S
    for first in range(0, count, 10_000):
        numbers = range(first, min(first + 10_000, count))
        blocks = [story.block_price(n, start_s + n * story.BLOCK_S, (n % 997) / 300) for n in numbers]
        store.block_prices.put(blocks)
        store.observations.put(story.round_of(block, block.last_height) for block in blocks[::5])
        store.exchange_readings.put(reading(block.time_s - 60, story.exchange_usd(block.time_s)) for block in blocks)
    return store


class Alone(App[None]):
    """A chart that is drawn again and again, and how long the loop's own thread is at work at a stretch meanwhile."""

    def __init__(self, frame: Frame, times: int) -> None:
        super().__init__()
        self._frame = frame
        self._times = times
        self.longest_ms = 0.0

    def compose(self) -> ComposeResult:
        """The chart."""
        yield Chart("")

    async def measure(self) -> None:
        """Draw, and look every millisecond at how long the thread of the loop has worked."""
        shown = self.query_one(Chart)
        for _ in range(self._times):
            shown.show_fitted(lambda columns, rows: price_picture(self._frame, columns, rows), "")
            while any(worker.is_running or not worker.is_finished for worker in self.workers):
                worked = time.thread_time()
                await asyncio.sleep(0.001)
                self.longest_ms = max(self.longest_ms, (time.thread_time() - worked) * 1e3)


async def loop_at_work(frame: Frame) -> float:
    """The longest stretch in milliseconds, from when the screen is there."""
    app = Alone(frame, 5)
    async with app.run_test(size=(200, 40)) as pilot:
        await pilot.pause()
        await app.measure()
    return app.longest_ms


def redraw(frame: Frame, columns: int, rows: int) -> None:
    """Both charts as the widget has them drawn: reduced, laid out in cells, and made into text by plotext."""
    inks = inks_of(dict.fromkeys((*get_args(Colour), "background", "surface"), "#c8c8c8"))
    for make, height in ((price_picture, rows - STRIP_ROWS), (divergence_picture, STRIP_ROWS)):
        look = chart._Look(columns, height, inks)
        chart._draw(lambda wide, high, make=make: make(frame, wide, high), look)  # type: ignore[misc]


class Table:
    """Prints figures, and remembers whether all were met."""

    def __init__(self) -> None:
        self.met = True

    def row(self, name: str, found: tuple[float, float], budget: float | None = None) -> None:
        """One figure."""
        milliseconds, passed = found
        met = budget is None or milliseconds <= budget
        self.met &= met
        wanted = f"(at most {budget:g} ms) {'ok' if met else 'MISSED'}" if budget is not None else ""
        print(f"{name:<52} {milliseconds:8.1f} ms ({passed:.0f} by the clock)  {wanted}", flush=True)


def measure(store: Store, count: int) -> int:
    """All figures; 0 when all are met."""
    table = Table()
    start_s, end_s = story.NOW_S - count * story.BLOCK_S, story.NOW_S

    def read() -> PriceSeries:
        return read_series(store, start_s, end_s, story.NOW_S)

    read()
    table.row(f"read {count:,} blocks and what goes with them, warm", timed(read, 5))
    series = read()
    table.row("statistics on three bases", timed(lambda: price_range(series), 5))
    frame = Frame(series, start_s, end_s, "block", Style.COLOUR, Marks(cursor_s=end_s - 3600))
    for columns, rows in SIZES:
        redraw(frame, columns, rows)
        table.row(
            f"redraw both charts, {columns} by {rows}",
            timed(lambda c=columns, r=rows: redraw(frame, c, r), 9),
            REDRAW_MS,
        )  # type: ignore[misc]
    stretch_ms = asyncio.run(loop_at_work(frame))
    table.row("the loop itself at work at a stretch while drawing", (stretch_ms, stretch_ms), LOOP_MS)
    rows_read = series.rows
    by_size = SortKey.DIVERGENCE
    table.row("sort all rows", timed(lambda: ordered(rows_read, by_size, "block", downwards=True), 5))
    table.row("filter all rows", timed(lambda: matching(rows_read, "alert 2024-12", "block"), 5))
    return 0 if table.met else 1


def main() -> int:
    """Fill a store and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100_000)
    count = parser.parse_args().count
    clock.now_s = lambda: story.NOW_S
    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        store = fill(Path(scratch), count)
        print(f"{count:,} blocks written in {time.perf_counter() - started:.0f} s")
        return measure(store, count)


if __name__ == "__main__":
    sys.exit(main())
