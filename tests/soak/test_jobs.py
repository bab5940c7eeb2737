"""Thirty days of jobs through all that can happen: kills, a node in trouble, several processes at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from tests.support.block_file_folder import hash_text, read_records
from tests.support.job_place import act, blocks_served
from tests.support.open_console import open_console
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.store.records import JobItem
from utxoracle_tui.store.store import Store

pytestmark = pytest.mark.soak

DAYS, KILLS = 30, 10
OPTIONS = HostOptions(days=DAYS, tx_per_block=40, speed=0, price="52000:68000")
AT_ONCE = 3
"""Windows that a process works on side by side, at most."""
IN_FLIGHT = 3
COMMAND = ("backfill", "--last-days", str(DAYS), "--json")

Prices = dict[date | None, float | None]


@pytest.fixture(scope="module")
def running() -> Iterator[HostProcess]:
    with start_host(OPTIONS, wait_until_ready=True) as host:
        yield host


@pytest.fixture
def host(running: HostProcess) -> Iterator[HostProcess]:
    act(running, "clear-statistics")
    yield running
    act(running, "start", warm_up_s=0.0)
    act(running, "busy")
    act(running, "latency", seconds=0.0)
    act(running, "prune", below=None)


@dataclass
class Place:
    """A store, and the commands that work on it."""

    host: HostProcess
    folder: Path
    from_files: bool = False

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.host.env, "UTXORACLE_TUI_NODE_READ_BLOCK_FILES": str(self.from_files).lower()}

    @property
    def store(self) -> Store:
        return Store(self.folder, "regtest")

    @property
    def items(self) -> list[JobItem]:
        return [item for job in self.store.jobs.all() for item in self.store.jobs.items(job.key)]

    @property
    def done(self) -> int:
        return sum(item.state == "done" for item in self.items)

    @property
    def prices(self) -> Prices:
        return {window.date: window.price_usd for window in self.store.windows.between(0.0, 1e11, "day")}

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "utxoracle_tui", *command, "--data-dir", str(self.folder)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, met: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 300.0) -> None:
        """Wait while a process works on it."""
        end_s = time.monotonic() + seconds
        while not met():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end_s
            time.sleep(0.1)


@pytest.fixture(scope="module")
def undisturbed(running: HostProcess, tmp_path_factory: pytest.TempPathFactory) -> Prices:
    place = Place(running, tmp_path_factory.mktemp("undisturbed"))
    begun_s = time.monotonic()
    with place.start(*COMMAND) as process:
        out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    assert json.loads(out)["done"] == DAYS
    print(f"\n{DAYS} days undisturbed in {time.monotonic() - begun_s:.1f} s, {len(blocks_served(running))} blocks")
    prices = place.prices
    for number, price in enumerate(prices.values()):
        # the price that the payments were made at, half-way through the day
        planted = 52_000 + 16_000 * (number + 0.5) / DAYS
        assert price == pytest.approx(planted, rel=0.02)
    return prices


def heights_of(host: HostProcess) -> dict[str, int]:
    """The heights of all blocks by their hashes; the simulated node files them in that order."""
    stored = (Path(host.env["BITCOIN_DATADIR"]) / "regtest" / "blocks" / "blk00000.dat").read_bytes()
    return {hash_text(raw): height for height, (_, raw) in enumerate(read_records(stored, bytes(8)))}


def extra_blocks(host: HostProcess) -> int:
    return sum(count - 1 for count in blocks_served(host).values())


@pytest.mark.parametrize("from_files", [False, True], ids=["from the node", "from its files"])
def test_killed_ten_times(host: HostProcess, tmp_path: Path, undisturbed: Prices, from_files: bool) -> None:
    act(host, "clear-statistics")
    chance, place = random.Random(3), Place(host, tmp_path, from_files)
    begun_s = time.monotonic()
    for kills in range(KILLS):
        with place.start(*COMMAND) as process:
            # anywhere from the start of the process to well into its work, but leaving work for the kills to come
            end_s = time.monotonic() + chance.random() * 8.0
            while time.monotonic() < end_s and place.done < DAYS * (kills + 1) / (KILLS + 2):
                time.sleep(chance.random() * 0.3)
            assert process.poll() is None, process.communicate()
            process.send_signal(signal.SIGKILL)
            process.communicate()
    done_before = place.done
    with place.start(*COMMAND) as process:
        _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    items = place.items
    extra_tries = sum(item.tries - 1 for item in items)
    print(
        f"\n{KILLS} kills in {time.monotonic() - begun_s:.1f} s, {done_before} windows done by then; "
        f"{extra_tries} windows begun again, {extra_blocks(host)} blocks got again"
    )
    assert place.prices == undisturbed
    assert len(place.store.jobs.all()) == 1
    assert len(items) == DAYS
    assert {item.state for item in items} <= {"done", "skipped"}
    assert extra_tries <= KILLS * AT_ONCE
    assert extra_blocks(host) <= KILLS * (IN_FLIGHT + 2)
    assert not (from_files and blocks_served(host))
    assert not place.store.notices.all()


def test_a_node_in_all_kinds_of_trouble(host: HostProcess, tmp_path: Path, undisturbed: Prices) -> None:
    act(host, "clear-statistics")
    place = Place(host, tmp_path)
    begun_s = time.monotonic()
    with place.start(*COMMAND) as process:
        place.wait_for(lambda: place.done >= 3, process)
        act(host, "restart", down_s=3.0, warm_up_s=2.0, clean=False)
        place.wait_for(lambda: place.done >= 6, process)
        act(host, "busy", seconds=60.0)
        place.wait_for(lambda: place.done >= 10, process)
        act(host, "lose-cookie")
        place.wait_for(lambda: place.done >= 12, process)
        act(host, "restart", down_s=1.0, warm_up_s=1.0, clean=True)
        place.wait_for(lambda: place.done >= 15, process)
        first = place.store.windows.between(0.0, 1e11, "day")[12]
        act(host, "prune", below=first.last_height)
        place.wait_for(lambda: place.done >= 20, process)
        act(host, "reorg", depth=6, length=7)
        out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    document = json.loads(out)
    print(f"\nthrough all troubles in {time.monotonic() - begun_s:.1f} s, {extra_blocks(host)} blocks got again")
    print("".join(line for line in err.splitlines(keepends=True) if "paused" in line or "goes on" in line))
    assert (document["done"], document["failed"]) == (DAYS, 0)
    assert place.prices == undisturbed
    assert "The job is paused" in err
    assert "The job goes on." in err
    assert extra_blocks(host) <= 4 * (IN_FLIGHT + 2)


def test_a_node_that_prunes_faster_than_the_job_goes(host: HostProcess, tmp_path: Path, undisturbed: Prices) -> None:
    act(host, "clear-statistics")
    act(host, "latency", seconds=0.02, path="/rest/block/")
    place = Place(host, tmp_path)
    with place.start(*COMMAND) as process:
        place.wait_for(lambda: place.done >= 5, process)
        newest = max(window.last_height or 0 for window in place.store.windows.between(0.0, 1e11, "day"))
        # eight days ahead of the job
        act(host, "prune", below=newest + 8 * 144)
        act(host, "latency", seconds=0.0)
        out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    document = json.loads(out)
    print(f"\n{document['done']} done, {document['failed']} not to be had")
    assert document["done"] + document["failed"] == DAYS
    assert {failure["kind"] for failure in document["failures"]} == {"pruned_block"}
    assert 5 <= document["failed"] <= 9
    before = place.prices
    assert {day: undisturbed[day] for day in before} == before
    # what can't be had is said before it is begun
    with place.start("rerun", "--failed", "--json") as process:
        out, err = process.communicate(timeout=600)
    assert process.returncode == 1
    assert json.loads(out)["error"]["kind"] == "pruned_block"
    act(host, "prune", below=None)
    with place.start("rerun", "--failed", "--json") as process:
        out, err = process.communicate(timeout=600)
    assert (process.returncode, json.loads(out)["done"]) == (0, document["failed"]), err
    assert place.prices == undisturbed
    assert extra_blocks(host) <= IN_FLIGHT + 2


def test_several_processes_at_once(host: HostProcess, tmp_path: Path, undisturbed: Prices) -> None:
    act(host, "clear-statistics")
    # slow enough that both tell of their progress
    act(host, "latency", seconds=0.02, path="/rest/block/")
    place = Place(host, tmp_path)
    begun_s = time.monotonic()
    first, second = place.start(*COMMAND), place.start(*COMMAND)
    with first, second:
        place.wait_for(lambda: place.done >= 2, first)
        for _ in range(3):
            with place.start("analyze") as made:
                _, err = made.communicate(timeout=120)
            assert made.returncode == 0, err
        found = [process.communicate(timeout=600) for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), found
    items = place.items
    print(f"\ntwo at work and three rounds in {time.monotonic() - begun_s:.1f} s")
    assert len(place.store.jobs.all()) == 1
    assert [(item.state, item.tries) for item in items] == [("done", 1)] * DAYS
    assert place.prices == undisturbed
    assert place.store.observations.count() == 3
    for out, err in found:
        assert json.loads(out)["done"] == DAYS
        assert f" of {DAYS} windows · " in err
        assert "another process" in err


def test_a_command_a_console_and_rounds_at_once(host: HostProcess, tmp_path: Path, undisturbed: Prices) -> None:
    act(host, "clear-statistics")
    act(host, "latency", seconds=0.02, path="/rest/block/")
    place = Place(host, tmp_path)
    begun_s = time.monotonic()
    with (
        open_console(place.environment, ["--data-dir", str(tmp_path)]) as console,
        place.start(*COMMAND) as process,
    ):
        place.wait_for(lambda: len(place.items) == DAYS, process)
        console.type("4")
        # what the command does is seen in the console
        console.wait_for("at hand by another process")
        for _ in range(3):
            with place.start("analyze") as made:
                _, err = made.communicate(timeout=120)
            assert made.returncode == 0, err
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
        console.wait_for("✓ done")
        console.type("3")
        console.wait_for(f"days: 1 of {DAYS}")
        seen = console.seen
    items = place.items
    print(
        f"\ncommand, console and three rounds in {time.monotonic() - begun_s:.1f} s, {extra_blocks(host)} blocks twice"
    )
    assert len(place.store.jobs.all()) == 1
    assert [(item.state, item.tries) for item in items] == [("done", 1)] * DAYS
    assert place.prices == undisturbed
    # the console makes rounds of its own
    assert place.store.observations.count() >= 3
    assert json.loads(out)["done"] == DAYS
    # and what the console does is seen by the command
    assert "another process" in err
    twice = sorted(heights_of(host)[block] for block, count in blocks_served(host).items() if count > 1)
    days = [(w.first_height or 0, w.last_height or 0) for w in place.store.windows.between(0.0, 1e11, "day")]
    # of the newest blocks rounds are made as well, by the console and by each `analyze`
    of_job = [height for height in twice if height < days[-1][0]]
    by_day = [sum(first <= height <= last for height in of_job) for first, last in days]
    print(f"got twice: {len(twice)} blocks, of the job {len(of_job)}; by day {by_day}")
    # each block of the job was got once, but for those that both were at: of neighbouring days, one's are the lead of
    # the other's
    assert len(of_job) <= 0.05 * sum(last - first + 1 for first, last in days)
    assert "Traceback" not in seen
