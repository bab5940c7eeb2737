"""Writes the pictures in `screenshots/` from the demo: `python -m tests.screenshots [FOLDER]`.

The demo has a fixed seed and its clock stands still, so that the pictures are the same each time but for its ports and
for how long the work took.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Static

from utxoracle_tui import clock
from utxoracle_tui.commands.job_engine import JobWorkshop, live_jobs
from utxoracle_tui.commands.node import exchange_of, live_rounds, open_node, open_store, pricing
from utxoracle_tui.commands.stack import stack_watch
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import start_host
from utxoracle_tui.engine.chart.history import PriceHistory
from utxoracle_tui.engine.jobs.plan import newest_day
from utxoracle_tui.engine.jobs.wanted import Days
from utxoracle_tui.engine.live_window import LiveWindow
from utxoracle_tui.engine.precedence import Precedence
from utxoracle_tui.engine.window_list import WindowLists
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.node_console import NodeConsole

FOLDER = Path(__file__).parent.parent / "screenshots"
SIZE = (120, 40)
DAYS = 8
NOW_S = 1_795_435_200
"""Noon on 2026-11-23."""
OPTIONS = HostOptions(seed=7, days=DAYS, tx_per_block=400, speed=0, price="61000:66000")


async def pictures(console: NodeConsole, folder: Path) -> None:
    """Save what the screens show, in the order of their keys, when there is something on them."""
    async with console.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: "done in" in _words(pilot, "#progress-words"))
        await pilot.press("W")
        await _save(pilot, folder / "dashboard.svg")
        await pilot.press("2")
        await _save(pilot, folder / "stack.svg")
        await pilot.press("3")
        await _save(pilot, folder / "windows.svg")
        await pilot.press("1", "y")
        await _until(pilot, lambda: "done in" in _words(pilot, "#progress-words"))
        await _save(pilot, folder / "window.svg")


async def _save(pilot: Pilot[None], path: Path) -> None:
    # the charts are drawn beside the loop
    await pilot.pause(2.0)
    pilot.app.save_screenshot(path.name, str(path.parent))


async def _until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    while not holds():
        await pilot.pause(0.1)


def _words(pilot: Pilot[None], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector, Static).render())


async def backfilled(settings: Settings, workers: Workers) -> None:
    """Have the days before today in the store."""
    async with open_node(settings) as node, exchange_of(settings) as exchange:
        workshop = JobWorkshop(settings, await open_store(settings, node), node, workers, exchange=exchange)
        newest = await newest_day(node)
        job = (await workshop.planner.backfill(Days(newest - timedelta(days=DAYS - 2), newest))).job
        assert job is not None
        await workshop.engine(job.key).run_until_over(lambda reading: None)


def main() -> int:
    """All pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    if clock.ENVIRONMENT_NAME not in os.environ:
        # the clock is looked at when it is imported
        environment = {**os.environ, clock.ENVIRONMENT_NAME: f"{NOW_S}@0"}
        command = [sys.executable, "-m", "tests.screenshots", str(folder)]
        return subprocess.run(command, check=False, env=environment).returncode
    folder.mkdir(exist_ok=True)
    workers = Workers(Path(FOLDER.parent / ".venv" / "cache"), 2)
    workers.start()
    try:
        with start_host(OPTIONS, wait_until_ready=True) as host:
            place = Path(host.env["BITCOIN_DATADIR"])
            settings = load(Flags(values={"store.data_dir": place / "console"}), host.env, place).settings
            asyncio.run(backfilled(settings, workers))
            node = open_node(settings)
            heading = f" utxoracle-tui · DEMO · {node.access.host}"
            windows = pricing(settings, node, workers, keep=False)
            exchange = exchange_of(settings)
            live = live_rounds(settings, windows, node, exchange)

            async def close() -> None:
                await exchange.aclose()
                await node.aclose()

            watch = partial(stack_watch, settings, node, exchange, lambda: live.store)
            lists, history = WindowLists(lambda: live.store), PriceHistory(lambda: live.store)

            jobs = live_jobs(
                settings, node, workers, exchange=exchange, precedence=Precedence(), opened=lambda: live.store
            )
            newest = LiveWindow(windows, 600)
            parts = EngineParts(
                windows, newest, watch, live, lists, history, jobs, node.access.host, heading, place, close
            )
            asyncio.run(pictures(NodeConsole(parts), folder))
    finally:
        workers.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
