"""How fast jobs are: `python -m tests.bench.jobs_speed`.

A simulated node serves ten days of 144 blocks of 2,000 transactions (about 1.3 GB) from a process of its own. The
program's own client downloads these and the 143 before them, which the first block prices need, and throws them away;
then a backfill with two worker processes works out the days, getting the same blocks, and a rerun works them out again
from the kept digests; then they are downloaded once more, and what counts is the mean of both. All in one run, so that
the figures can be compared. The exit code is 1 when one misses.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.bench.core_speed import Figure
from tests.bench.node_speed import KIB, control, download
from utxoracle_tui.commands.job_engine import JobWorkshop
from utxoracle_tui.commands.node import open_node, open_store, pricing
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.engine.block_line import LEAD_BLOCKS
from utxoracle_tui.engine.jobs.plan import newest_day
from utxoracle_tui.engine.jobs.wanted import Days
from utxoracle_tui.engine.pricing import WantedBlock
from utxoracle_tui.engine.request import Day, Heights
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.store.records import Job

DAYS = 10
OPTIONS = HostOptions(days=DAYS, tx_per_block=2000, speed=0)
WORKERS = 2
START_S = 6.0
"""A worker looks for the compiled scanner every two seconds."""


def main() -> int:
    """Start the node, measure, print."""
    with tempfile.TemporaryDirectory() as folder, start_host(OPTIONS, wait_until_ready=True) as host:
        settings = load(Flags(), host.env, Path(host.env["BITCOIN_DATADIR"])).settings
        settings = replace(
            settings,
            node=replace(settings.node, read_block_files=False),
            store=replace(settings.store, data_dir=Path(folder)),
        )
        workers = Workers(Path(folder), WORKERS)
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
        blocks = await all_blocks(settings, node, workers)
        # a backfill that lasts longer than a minute has the compiled scanner
        await workers.run(compile_scanner_now)
        await asyncio.sleep(START_S)
        baseline_s = await download(node, blocks, settings.node.max_in_flight)
        control(host, "clear-statistics", {})
        store = await open_store(settings, node)
        workshop = JobWorkshop(settings, store, node, workers)
        newest = await newest_day(node)
        days = Days(newest - timedelta(days=DAYS - 1), newest)
        backfill_s, job = await timed_job(workshop, (await workshop.planner.backfill(days)).job)
        progress = store.jobs.progress(job.key)
        served = control(host, "statistics")["blocks_served"]
        rerun_s, rerun = await timed_job(workshop, (await workshop.planner.rerun(days)).job)
        # the machine may have changed its speed meanwhile
        baseline_s = (baseline_s + await download(node, blocks, settings.node.max_in_flight)) / 2
        again = store.jobs.progress(rerun.key)
        memory_mb = held_at_most_mb(os.getpid(), leave_out=host.pid)
    size_mb = progress.bytes_read / 1e6
    assert len(served) == len(blocks), f"{len(served)} blocks for the backfill, {len(blocks)} for the baseline"
    print(f"{DAYS} days, {len(served)} blocks, {size_mb:,.0f} MB; {progress.done} + {again.done} windows done")
    print(f"baseline {baseline_s:.2f} s, backfill {backfill_s:.2f} s, rerun from digests {rerun_s:.2f} s")
    return [
        Figure("rate of the backfill, in that of the plain download", baseline_s / backfill_s, "times", 0.5, True),
        Figure("blocks asked for twice", sum(n - 1 for n in served.values()), "", 0, False),
        Figure("bytes read for the rerun", again.bytes_read, "", 0, False),
        Figure("rerun from digests, a day and worker", rerun_s * WORKERS / DAYS, "s", 0.35, False),
        Figure("memory of all processes at their peaks", memory_mb, "MB", 1000, False),
        Figure("windows missing", 2 * DAYS - progress.done - again.done, "", 0, False),
    ]


def compile_scanner_now() -> None:
    """Runs in a worker: compile the scanner into the cache, where the others find it."""
    from utxoracle_core import scan_compiled

    scan_compiled.compile_now()


def held_at_most_mb(pid: int, leave_out: int) -> float:
    """What a process and all its children held at their peaks, in MB of 1e6 bytes; shared pages count for each.

    It is read once: to sample the shares of all pages, many times a second, would slow down what is measured.
    """
    process = Path(f"/proc/{pid}")
    status = (process / "status").read_text()
    peak_kib = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)
    children = {int(child) for task in process.glob("task/*/children") for child in task.read_text().split()}
    return peak_kib * KIB / 1e6 + sum(held_at_most_mb(child, leave_out) for child in children - {leave_out})


async def all_blocks(settings: Settings, node: BitcoinCore, workers: Workers) -> list[WantedBlock]:
    """The blocks that a backfill of all days gets: their own, and those before them for the first block prices."""
    plans = pricing(settings, node, workers, keep=False)
    newest = await newest_day(node)
    own = [block.height for n in range(DAYS) for block in (await plans.plan(Day(newest - timedelta(days=n)))).blocks]
    return list((await plans.plan(Heights(max(min(own) - LEAD_BLOCKS, 0), max(own)))).blocks)


async def timed_job(workshop: JobWorkshop, job: Job | None) -> tuple[float, Job]:
    """Seconds that a job takes from its start to its end, and the job as it is then."""
    assert job is not None
    started_s = time.perf_counter()
    done = await workshop.engine(job.key).run_until_over(lambda reading: None)
    return time.perf_counter() - started_s, done


if __name__ == "__main__":
    sys.exit(main())
