"""The speed of the store at 500,000 observations, beside TinyDB with its own storage.

`python -m tests.bench.store_speed`. Both hold the same documents and are asked the same; plain TinyDB is asked a few
times only, as it takes seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tinydb import TinyDB, where

from tests.support.records import START_S, observation
from tests.support.terminal import seconds_until
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import start_host
from utxoracle_tui.store.part_reader import to_document
from utxoracle_tui.store.store import Store

EVERY_S = 300
"""A round every ten minutes and one a block come to 288 a day."""
DAY_S, YEAR_S = 86_400, 365 * 86_400
SMALL = 1_000


def timed(work: Callable[[], object], times: int) -> float:
    """The median time in milliseconds."""
    spans = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        spans.append(time.perf_counter() - started)
    return statistics.median(spans) * 1e3


def fill(folder: Path, count: int) -> Store:
    """A store with so many observations, five minutes apart."""
    store = Store(folder, "main")
    for first in range(0, count, 20_000):
        store.observations.put(observation(number) for number in range(first, min(first + 20_000, count)))
    return store


def inserts(store: Store, first: int, times: int = 100) -> float:
    """Median time of an insert, milliseconds."""
    numbers = iter(range(first, first + times))
    return timed(lambda: store.observations.insert(observation(next(numbers))), times)


def cold(folder: Path, end_s: float, what: str) -> float:
    """The time of one question in a process that has just opened the store, milliseconds; imports don't count."""
    command = [sys.executable, "-m", "tests.bench.store_speed", "--ask", what, str(folder), str(end_s)]
    spans = [float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(3)]
    return statistics.median(spans)


def ask(store: Store, what: str, end_s: float) -> object:
    """One question."""
    match what:
        case "newest":
            return store.observations.newest()
        case "week":
            return store.observations.between(end_s - 7 * DAY_S, end_s)
        case "statistics":
            return store.statistics(end_s - 7 * DAY_S, end_s)
        case _:
            return store.observations.columns(end_s - YEAR_S, end_s)


class Table:
    """Prints figures, and remembers whether all were met."""

    def __init__(self) -> None:
        self.met = True

    def row(self, name: str, milliseconds: float, budget: float | None, plain: float | None = None) -> None:
        """One figure."""
        met = budget is None or milliseconds <= budget
        self.met &= met
        wanted = f"(at most {budget:g} ms) {'ok' if met else 'MISSED'}" if budget is not None else ""
        beside = f"plain TinyDB {plain:,.0f} ms" if plain is not None else ""
        print(f"{name:<42} {milliseconds:9.2f} ms  {wanted:<26} {beside}", flush=True)


def main() -> int:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=500_000)
    parser.add_argument("--ask", nargs=3, metavar=("WHAT", "FOLDER", "END"))
    arguments = parser.parse_args()
    if arguments.ask:
        what, folder, end = arguments.ask
        started = time.perf_counter()
        ask(Store(Path(folder), "main"), what, float(end))
        print((time.perf_counter() - started) * 1e3)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        return measure(Path(scratch), arguments.count)


def measure(scratch: Path, count: int) -> int:
    """All figures; 0 when all are met."""
    table = Table()
    small = inserts(fill(scratch / "small", SMALL), SMALL)
    started = time.perf_counter()
    store = fill(scratch / "full", count)
    print(f"{count:,} observations written in {time.perf_counter() - started:.0f} s")
    end_s = START_S + count * EVERY_S
    plain = plain_tinydb(scratch, count)
    full = inserts(store, count)
    table.row(f"an insert at {SMALL:,}", small, 10, plain["insert_small"])
    table.row(f"an insert at {count:,}", full, min(10, 2 * small), plain["insert"])
    os.sync()
    budgets = {"newest": (50, 5), "week": (50, 5), "statistics": (50, 5), "year": (100, None)}
    for what, (first, again) in budgets.items():
        table.row(f"{what}, cold", cold(scratch / "full", end_s, what), first, plain.get(what))
        ask(store, what, end_s)
        table.row(f"{what}, warm", timed(lambda what=what: ask(store, what, end_s), 20), again)  # type: ignore[misc]
    table.row("the console open on it", opening(scratch, count) * 1e3, 1000)
    return 0 if table.met else 1


def opening(scratch: Path, count: int) -> float:
    """Median seconds from starting the console on a full store to the newest round on the terminal."""
    (scratch / "full" / "main").rename(scratch / "full" / "regtest")
    manifest = scratch / "full" / "regtest" / "store"
    for name in ("manifest.json", "manifest.previous"):
        (manifest / name).unlink()
    newest = Store(scratch / "full", "regtest").observations.newest()[0]
    with start_host(HostOptions(days=1, tx_per_block=20, speed=0), wait_until_ready=True) as host:
        wanted = f"${newest.exchange_usd:,.2f}"
        return statistics.median(
            seconds_until(wanted, host.env, ["--data-dir", str(scratch / "full")]) for _ in range(5)
        )


def plain_tinydb(scratch: Path, count: int) -> dict[str, float]:
    """The same with TinyDB's own storage, each once, milliseconds."""
    found = {}
    small, database = (filled_tinydb(scratch / f"{size}.json", size) for size in (SMALL, count))
    found["insert_small"] = timed(lambda: small.insert(to_document(observation(SMALL))), 5)
    found["insert"] = timed(lambda: database.insert(to_document(observation(count))), 1)
    end_s = START_S + count * EVERY_S
    found["newest"] = timed(lambda: max(database.all(), key=lambda document: document["time_s"]), 1)
    week = (where("time_s") >= end_s - 7 * DAY_S) & (where("time_s") < end_s)
    found["week"] = timed(lambda: database.search(week), 1)
    return found


def filled_tinydb(path: Path, count: int) -> TinyDB:
    """TinyDB with its own storage and so many observations."""
    database = TinyDB(path)
    database.insert_multiple(to_document(observation(number)) for number in range(count))
    return database


if __name__ == "__main__":
    sys.exit(main())
