"""How fast windows come from a node: `python -m tests.bench.node_speed`.

A simulated node serves a day of 144 blocks of 2,000 transactions (about 125 MB) from a process of its own. The
program's own client downloads the blocks and throws them away; then `price` works out the day from them, and after a
new block the block window. All in one run, so that the figures can be compared. The exit code is 1 when one misses.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

from tests.bench.core_speed import Figure
from tests.support.terminal import seconds_until
from utxoracle_tui.commands.node import open_node, pricing
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.engine.node_pricing import NodePricing
from utxoracle_tui.engine.pricing import WantedBlock
from utxoracle_tui.engine.request import Day, Last
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore

OPTIONS = HostOptions(days=1, tx_per_block=2000, speed=0)
NEW_BLOCKS = 5
KIB = 1024


def main() -> int:
    """Start the node, measure, print."""
    with tempfile.TemporaryDirectory() as cache, start_host(OPTIONS, wait_until_ready=True) as host:
        settings = load(Flags(), host.env, Path(host.env["BITCOIN_DATADIR"])).settings
        # it is the way over the port that is measured
        settings = replace(settings, node=replace(settings.node, read_block_files=False))
        workers = Workers(Path(cache))
        workers.start()
        try:
            figures = asyncio.run(measure(settings, workers, host))
        finally:
            workers.stop()
    for figure in figures:
        print(figure)
    return 0 if all(figure.met for figure in figures) else 1


async def measure(settings: Settings, workers: Workers, host: HostProcess) -> list[Figure]:
    """All figures, in the order in which they build on each other."""
    async with open_node(settings) as node:
        engine = pricing(settings, node, workers, keep=False)
        plan = await engine.plan(Day())
        # a console that has been up for a minute has the compiled scanner; the workers look for it every two seconds
        await workers.run(_compile)
        await asyncio.sleep(6)
        blocks = list(plan.blocks)
        baseline_s = await download(node, blocks, settings.node.max_in_flight)
        curl_s = download_by_curl(settings, blocks)
        control(host, "clear-statistics", {})
        memory = MemoryWatch(leave_out=host.pid)
        memory.start()
        started_s = time.perf_counter()
        result = await engine.price(Day(), lambda _: None)
        price_s = time.perf_counter() - started_s
        served = control(host, "statistics")["blocks_served"]
        follow_s = await follow(engine, node, host)
        memory_mb = memory.stop()
        paint_s = await asyncio.to_thread(first_paint_s, host)
    print(f"{len(blocks)} blocks, {_megabytes(host):.1f} MB in the node; price {result.price.price_usd:,.2f}")
    print(f"baseline {baseline_s:.2f} s, curl {curl_s:.2f} s, the day priced in {price_s:.2f} s")
    return [
        Figure("the day priced, in downloads by the same client", price_s / baseline_s, "times", 3, False),
        Figure("blocks asked for twice", sum(n - 1 for n in served.values()), "", 0, False),
        Figure("block window after a new block", follow_s * 1e3, "ms", 400, False),
        Figure("memory of the whole program at its peak", memory_mb, "MB", 400, False),
        Figure("first paint of the console", paint_s, "s", 1, False),
    ]


def _compile() -> None:
    """Runs in a worker: compile the scanner into the cache, where the others find it."""
    from utxoracle_core import scan_compiled

    scan_compiled.compile_now()


async def download(node: BitcoinCore, blocks: list[WantedBlock], at_once: int) -> float:
    """Seconds to download blocks and throw them away."""
    waiting = iter(blocks)

    async def one_after_the_other() -> None:
        for block in waiting:
            await node.raw_block(block.hash_text, block.height)

    started_s = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    return time.perf_counter() - started_s


def download_by_curl(settings: Settings, blocks: list[WantedBlock]) -> float:
    """Seconds that curl takes for the same blocks, four at once; not a number where there is no curl."""
    if shutil.which("curl") is None:
        return float("nan")
    urls = "".join(
        f'url = "{settings.node.url}/rest/block/{block.hash_text}.bin"\noutput = "/dev/null"\n' for block in blocks
    )
    started_s = time.perf_counter()
    command = [
        "curl",
        "--silent",
        "--no-progress-meter",
        "--parallel",
        "--parallel-max",
        str(settings.node.max_in_flight),
        "--config",
        "-",
    ]
    subprocess.run(command, input=urls, text=True, check=True)
    return time.perf_counter() - started_s


async def follow(engine: NodePricing, node: BitcoinCore, host: HostProcess) -> float:
    """The median time from the node's reply that names a new tip to the new price, in seconds."""
    await engine.price(Last(), lambda _: None)
    times = []
    for _ in range(NEW_BLOCKS):
        await asyncio.to_thread(control, host, "mine", {"count": 1})
        await node.best_block_hash()
        started_s = time.perf_counter()
        await engine.price(Last(), lambda _: None)
        times.append(time.perf_counter() - started_s)
    return sorted(times)[len(times) // 2]


class MemoryWatch(threading.Thread):
    """Samples what a process and all its children hold, shared pages counted once (Linux: proportional set size)."""

    def __init__(self, leave_out: int) -> None:
        super().__init__(daemon=True)
        self._leave_out = leave_out
        self._stopped = threading.Event()
        self.peak_mb = 0.0

    def run(self) -> None:
        while not self._stopped.wait(0.05):
            self.peak_mb = max(self.peak_mb, self._held_mb(os.getpid()))

    def stop(self) -> float:
        """End the sampling; the peak in MB of 1e6 bytes."""
        self._stopped.set()
        self.join()
        return self.peak_mb

    def _held_mb(self, pid: int) -> float:
        process = Path(f"/proc/{pid}")
        try:
            rollup = (process / "smaps_rollup").read_text()
            children = {int(child) for task in process.glob("task/*/children") for child in task.read_text().split()}
        except (OSError, ValueError):
            return 0.0  # it has ended meanwhile
        held_kib = next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
        return held_kib * KIB / 1e6 + sum(self._held_mb(child) for child in children - {self._leave_out})


def first_paint_s(host: HostProcess, runs: int = 5) -> float:
    """The median time from starting the console to its heading on a terminal of 120x40, in seconds."""
    times = [seconds_until("utxoracle-tui ·", host.env) for _ in range(runs)]
    return sorted(times)[len(times) // 2]


def control(host: HostProcess, action: str, body: dict[str, int] | None = None) -> dict[str, dict[str, int]]:
    """Ask the simulated host for something, or tell it to do something."""
    data = None if body is None else json.dumps(body).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{host.env['UTXORACLE_DEMO_CONTROL_URL']}/{action}", data) as reply:
        answer: dict[str, dict[str, int]] = json.loads(reply.read())
        return answer


def _megabytes(host: HostProcess) -> float:
    folder = Path(host.env["BITCOIN_DATADIR"])
    return sum(path.stat().st_size for path in folder.rglob("blk*.dat")) / 1e6


if __name__ == "__main__":
    sys.exit(main())
