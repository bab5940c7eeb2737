"""Writes the pictures in `screenshots/` from the demo: `python -m tests.screenshots`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.pilot import Pilot

from utxoracle_tui.commands.job_engine import JobWorkshop
from utxoracle_tui.commands.node import exchange_of, live_rounds, open_node, pricing
from utxoracle_tui.commands.stack import stack_watch
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import start_host
from utxoracle_tui.engine.chart.history import PriceHistory
from utxoracle_tui.engine.live_jobs import JobPlanner, JobRunner, LiveJobs
from utxoracle_tui.engine.live_window import LiveWindow
from utxoracle_tui.engine.window_list import WindowLists
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.app import Console
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.widgets.progress_line import ProgressLine

FOLDER = Path(__file__).parent.parent / "screenshots"
SIZE = (120, 40)


async def picture(console: Console, name: str) -> None:
    """Wait for the first window and save what is on the screen."""
    async with console.run_test(size=SIZE) as pilot:
        await _until_done(pilot)
        console.save_screenshot(f"{name}.svg", str(FOLDER))


async def _until_done(pilot: Pilot[None]) -> None:
    words = pilot.app.screen.query_one(ProgressLine).query_one("#progress-words")
    while "done in" not in str(words.render()):
        await pilot.pause(0.1)
    # the charts are drawn beside the loop
    await pilot.pause(1.5)


def main() -> None:
    """All pictures."""
    FOLDER.mkdir(exist_ok=True)
    workers = Workers(Path(FOLDER.parent / ".venv" / "cache"), 2)
    workers.start()
    options = HostOptions(seed=7, days=1, tx_per_block=200, speed=0, price="60000:66000")
    try:
        with start_host(options, wait_until_ready=True) as host:
            folder = Path(host.env["BITCOIN_DATADIR"])
            settings = load(Flags(values={"store.data_dir": folder / "console"}), host.env, folder).settings
            node = open_node(settings)
            heading = f" utxoracle-tui · DEMO · {node.access.host}"
            windows = pricing(settings, node, workers, keep=False)
            exchange = exchange_of(settings)
            live = live_rounds(settings, windows, node, exchange)

            async def close() -> None:
                await exchange.aclose()
                await node.aclose()

            watch = stack_watch(settings, node, exchange, lambda: live.store)
            lists, history = WindowLists(lambda: live.store), PriceHistory(lambda: live.store)

            def job_tools(store: Store) -> tuple[JobPlanner, JobRunner]:
                workshop = JobWorkshop(settings, store, node, workers)
                return workshop.planner, workshop.engine()

            jobs = LiveJobs(lambda: live.store, job_tools)
            newest = LiveWindow(windows, 600)
            parts = EngineParts(
                windows, newest, watch, live, lists, history, jobs, node.access.host, heading, folder, close
            )
            asyncio.run(picture(NodeConsole(parts), "dashboard"))
    finally:
        workers.stop()


if __name__ == "__main__":
    main()
