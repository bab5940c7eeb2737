"""Whether the console keeps its size: `python -m tests.bench.console_memory [--blocks N] [--a-second N]`.

The console runs on a terminal of its own, 120x40, while blocks arrive as quickly as told, ten minutes apart by the
clock of host and console, so that days go by. Its size, and that of its workers, is that of the processes in memory,
looked at every few seconds. The exit code is 1 when it misses.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.bench.core_speed import Figure
from tests.bench.terminal_speed import Terminal
from tests.soak.test_watch import resident_mb
from tests.support.processes import descendants
from utxoracle_tui import clock
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import start_host

SMALL = HostOptions(days=2, tx_per_block=40, speed=0, seed=7)
SETTLE_BLOCKS = 1000
"""What is kept in memory for a while has its size by then."""
LOOK_BLOCKS = 20
BLOCK_S = 600.0
MOST_GROWTH_PCT = 5.0


@contextmanager
def console(rate: float) -> Iterator[tuple[Terminal, str]]:
    """A console on a simulated host, both on a clock that is so quick; where that host is told what to do."""
    began_s, started_s = time.time(), time.monotonic()
    os.environ[clock.ENVIRONMENT_NAME] = f"{began_s}@{rate}"
    with tempfile.TemporaryDirectory() as name, start_host(SMALL, wait_until_ready=True) as host:
        environment = {**host.env, "XDG_CONFIG_HOME": name, "XDG_STATE_HOME": name, "XDG_CACHE_HOME": name}
        # its clock begins when it does, and must not be behind that of the node
        environment[clock.ENVIRONMENT_NAME] = f"{began_s + (time.monotonic() - started_s) * rate}@{rate}"
        terminal = Terminal(environment, Path(name))
        try:
            terminal.until(b"done in")
            yield terminal, host.env["UTXORACLE_DEMO_CONTROL_URL"]
        finally:
            terminal.close()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--blocks", type=int, default=5000, help="how many arrive after it has settled (5000)")
    parser.add_argument("--a-second", type=float, default=4.0, help="how many of them (4)")
    asked = parser.parse_args()
    own: list[float] = []
    workers: list[float] = []
    rate = BLOCK_S * asked.a_second
    with console(rate) as (terminal, control), httpx.Client(trust_env=False, timeout=60.0) as host:
        for number in range(SETTLE_BLOCKS + asked.blocks):
            started_s = time.monotonic()
            host.post(f"{control}/mine", json={}).raise_for_status()
            if number % LOOK_BLOCKS == 0:
                own.append(resident_mb(terminal.pid))
                workers.append(sum(resident_mb(pid) for pid in descendants(terminal.pid)))
                print(f"{number} blocks: {own[-1]:.1f} MB, workers {workers[-1]:.1f} MB", file=sys.stderr, flush=True)
            time.sleep(max(1 / asked.a_second - (time.monotonic() - started_s), 0.0))
    settled = SETTLE_BLOCKS // LOOK_BLOCKS
    figures = [
        Figure(
            f"growth of {name} over {asked.blocks} blocks", _growth_pct(sizes[settled:]), "%", MOST_GROWTH_PCT, False
        )
        for name, sizes in (("the console", own), ("its workers", workers))
    ]
    print(
        f"the console {own[settled]:.0f} → {own[-1]:.0f} MB, its workers {workers[settled]:.0f} → {workers[-1]:.0f} MB"
    )
    for figure in figures:
        print(figure)
    return 0 if all(figure.met for figure in figures) else 1


def _growth_pct(sizes: list[float]) -> float:
    """From the first tenth to the last."""
    tenth = max(len(sizes) // 10, 1)
    return (statistics.mean(sizes[-tenth:]) / statistics.mean(sizes[:tenth]) - 1) * 100


if __name__ == "__main__":
    sys.exit(main())
