"""Writes the pictures in `screenshots/` from the demo: `python -m tests.screenshots`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Static

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


async def pictures(console: NodeConsole) -> None:
    """Save what the screens show, in the order of their keys, when there is something on them."""
    async with console.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: "done in" in _words(pilot, "#progress-words"))
        await pilot.press("W")
        await _save(pilot, "dashboard")
        await pilot.press("2")
        await _save(pilot, "stack")
        await pilot.press("3")
        await _save(pilot, "windows")
        await pilot.press("1", "y")
        await _until(pilot, lambda: "done in" in _words(pilot, "#progress-words"))
        await _save(pilot, "window")


async def _save(pilot: Pilot[None], name: str) -> None:
    # the charts are drawn beside the loop
    await pilot.pause(2.0)
    pilot.app.save_screenshot(f"{name}.svg", str(FOLDER))


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


def main() -> None:
    """All pictures."""
    FOLDER.mkdir(exist_ok=True)
    workers = Workers(Path(FOLDER.parent / ".venv" / "cache"), 2)
    workers.start()
    options = HostOptions(seed=7, days=DAYS, tx_per_block=400, speed=0, price="61000:66000")
    try:
        with start_host(options, wait_until_ready=True) as host:
            folder = Path(host.env["BITCOIN_DATADIR"])
            settings = load(Flags(values={"store.data_dir": folder / "console"}), host.env, folder).settings
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
                windows, newest, watch, live, lists, history, jobs, node.access.host, heading, folder, close
            )
            asyncio.run(pictures(NodeConsole(parts)))
    finally:
        workers.stop()


if __name__ == "__main__":
    main()
