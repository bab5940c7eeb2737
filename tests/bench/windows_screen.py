"""How quick the Windows screen is on a full store: `python -m tests.bench.windows_screen`.

A store with 10,000 block windows and 3,650 days; a console on it whose node says nothing, so that the screen alone is
measured. A key counts from its press to when the last picture that it led to has been made. The exit code is 1 when
one misses.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, cast
from unittest.mock import patch

from textual._compositor import CompositorUpdate
from textual.pilot import Pilot
from textual.screen import Screen

from tests.bench.core_speed import Figure
from tests.support.live import StillRounds
from utxoracle_core import METHOD
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.window_list import WindowLists
from utxoracle_tui.store.records import Window
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.messages import StoreRead
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.screens.windows import WindowsScreen
from utxoracle_tui.ui.widgets.rows_view import RowsView

WINDOWS, DAYS = 10_000, 3_650
FIRST_HEIGHT, FIRST_S, BLOCK_S = 850_000, 1_720_000_000, 600
OPENING_S, KEY_S = 1.0, 0.1
KEYS = ("down", "up", "pagedown", "pageup", "end", "home", "t", "t", "s", "s", "s", "f", "f", "space", "x", "escape")
ROUNDS = 5
STILL_S = 0.4


class Silent:
    """In place of a part of the engine: does nothing, for ever."""

    async def run(self, *tells: object) -> None:
        await asyncio.Event().wait()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return Silent()

    def __call__(self, *arguments: object, **options: object) -> None:
        return None


class WindowsAlone(NodeConsole):
    """The console without what its other screens would do."""

    def open_first(self) -> None:
        """Begin with an empty screen."""
        self.add_mode("dashboard", Screen)
        self.add_mode("windows", lambda: WindowsScreen(self.parts))
        self.switch_mode("dashboard")


def main() -> int:
    """Fill the store, measure, print."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Store(Path(folder), "main"))
        # as a process that has just started has it
        figures = asyncio.run(measure(Store(Path(folder), "main")))
    print(f"load average of the machine {os.getloadavg()[0]:.1f}")
    for figure in figures:
        print(figure)
    return 0 if all(figure.met for figure in figures) else 1


def fill(store: Store) -> None:
    """Ten weeks of a window for every block, and ten years of days, some doubtful and some missing."""
    first = date(2026, 9, 1) - timedelta(days=DAYS)
    store.windows.put(window_of_day(first + timedelta(days=n), n) for n in range(DAYS) if n % 50)
    store.windows.put(block_window(number) for number in range(WINDOWS))


def window_of_day(day: date, number: int) -> Window:
    """A day with all its figures."""
    return Window(
        kind="day", method=METHOD, date=day, price_usd=60_000.0 + number, valid=bool(number % 9),
        confidence=(number % 100) / 100, exchange_usd=60_100.0 + number, divergence_window_pct=(number % 70) / 10 - 3,
        points=40_000 + number, blocks=144, elapsed_s=12.0,
    )  # fmt: skip


def block_window(number: int) -> Window:
    """A block window with all its figures."""
    last = FIRST_HEIGHT + number
    return Window(
        kind="blocks", method=METHOD, first_height=last - 143, last_height=last, last_hash=f"{last:064x}",
        first_time=FIRST_S + (number - 143) * BLOCK_S, last_time=FIRST_S + number * BLOCK_S, blocks=144,
        price_usd=60_000.0 + number % 5_000, valid=bool(number % 9), confidence=(number % 100) / 100,
        exchange_usd=60_100.0, divergence_window_pct=(number % 70) / 10 - 3, points=40_000, elapsed_s=0.4,
    )  # fmt: skip


async def measure(store: Store) -> list[Figure]:
    """Open the screen, and press its keys."""
    silent = cast("Any", Silent())
    parts = silent_parts(store, silent)
    async with WindowsAlone(parts).run_test(size=(120, 40)) as pilot:
        started_s = time.perf_counter()
        await pilot.press("3")
        async with asyncio.timeout(30):
            while not rows_of(pilot):
                await asyncio.sleep(0.005)
        await pilot.pause()
        opening_s = time.perf_counter() - started_s
        taken_s: dict[str, list[float]] = {}
        # the key `t` first leads to the block windows
        for _ in range(ROUNDS):
            for key in ("t", *KEYS, "t"):
                taken_s.setdefault(key, []).append(await until_drawn(pilot, partial(pilot.app.simulate_key, key)))
        stored = StoreRead(StoreReading(writes=12_345))
        await asyncio.sleep(1.0)
        again_s = await until_drawn(pilot, lambda: pilot.app.post_message(stored))
    print("; ".join(f"{key} {median(spans) * 1e3:.0f} ms" for key, spans in taken_s.items()))
    assert all(median(spans) > 0 for spans in taken_s.values())
    slowest = max(taken_s, key=lambda key: median(taken_s[key]))
    return [
        Figure("opening the screen on a full store", opening_s, "s", OPENING_S, False),
        Figure(f"the slowest key, {slowest}", median(taken_s[slowest]) * 1e3, "ms", KEY_S * 1e3, False),
        Figure("until what somebody has stored is there", again_s, "s", OPENING_S, False),
    ]


async def until_drawn(pilot: Pilot[None], act: Callable[[], object]) -> float:
    """Seconds from an act to the last picture that is made before all is still; 0 where none is."""
    app, drawn_s = pilot.app, [0.0]
    display = app._display

    def noting(screen: Screen[Any], picture: Any) -> None:  # noqa: ANN401
        # without a terminal nothing is written, but the lines are made all the same
        if isinstance(picture, CompositorUpdate):
            picture.render_segments(app.console)
        display(screen, picture)
        drawn_s.append(time.perf_counter())

    with patch.object(app, "_display", noting):
        started_s = time.perf_counter()
        act()
        await asyncio.sleep(STILL_S)
    return max(drawn_s[-1] - started_s, 0.0)


def silent_parts(store: Store, silent: Any) -> Any:  # noqa: ANN401
    """An engine that knows the store alone."""
    from dataclasses import fields

    from utxoracle_tui.ui.engine_parts import EngineParts

    given: dict[str, Any] = {field.name: silent for field in fields(EngineParts)}

    async def close() -> None:
        pass

    given |= {"stack": lambda: silent, "live": StillRounds(), "windows": WindowLists(lambda: store)}
    given |= {"host": "node", "heading": " bench"}
    return EngineParts(**(given | {"data_dir": None, "close": close}))


def rows_of(pilot: Pilot[None]) -> int:
    """How many rows the table has."""
    if not isinstance(pilot.app.screen, WindowsScreen):
        return 0
    return int(pilot.app.screen.query_one(RowsView).position[1])


if __name__ == "__main__":
    sys.exit(main())
