"""A watch through an hour of a host in two minutes: blocks by the second, a node that goes and comes, kills, reloads.

By hand: `pytest -m soak -s tests/soak/test_watch.py`; it prints its figures. At the end every block window that was
there for long enough has a round, the store is whole, and the process has not grown.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.test_watch import Watch, ask_for_a_day, processes_with
from tests.support.in_process import find_host, ran
from tests.support.job_place import act
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import start_host
from utxoracle_tui.store.store import Store

pytestmark = pytest.mark.soak

SPAN_S = 120.0
KILL_EVERY_S = 25.0
MOST_GROWTH = 1.35
SLOWEST_END_S = 10.0


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_an_hour_with_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended in every way at any moment, with a console's process making rounds in between."""
    draw, ends, taken_s = random.Random("watch"), dict.fromkeys(("kill", "end", "twice"), 0), []
    with start_host(HostOptions(days=1, tx_per_block=40, speed=600), wait_until_ready=True) as host:
        find_host(monkeypatch, host.env)
        began_s = time.monotonic()
        asyncio.run(ask_for_a_day(host, tmp_path))
        while time.monotonic() - began_s < SPAN_S:
            watch = Watch(tmp_path, host.env)
            watch.wait_for("watching")
            end_s = time.monotonic() + draw.uniform(0, KILL_EVERY_S)
            other = subprocess.Popen(
                [sys.executable, "-m", "utxoracle_tui", "analyze", "--data-dir", str(tmp_path)],
                env=os.environ | host.env,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while time.monotonic() < end_s:
                time.sleep(draw.uniform(0, 5))
                if draw.random() < 0.5:
                    watch.process.send_signal(signal.SIGHUP)
                else:
                    act(host, "restart", down_s=0.3, warm_up_s=0.3)
            how = min(ends, key=ends.__getitem__)
            ends[how] += 1
            if how == "end":
                code, took_s = watch.end()
                taken_s.append(took_s)
                assert (code, took_s < SLOWEST_END_S) == (0, True), watch.lines
            elif how == "twice":
                watch.process.terminate()
                watch.process.terminate()
                assert watch.process.wait(10) in (0, -signal.SIGTERM)
            watch.close()
            assert other.wait(60) in (0, 3, 4)
            assert "Traceback" not in "".join(watch.lines)
            assert ran("store", "check", "--data-dir", tmp_path).code == 0
        watch = Watch(tmp_path, host.env)
        watch.wait_for("round of blocks", 3)
        assert watch.end()[0] == 0
        watch.close()
    store = Store(tmp_path, "regtest")
    assert [job.state for job in store.jobs.all()] == ["done"]
    assert processes_with(str(tmp_path)) == []
    rounds = store.observations.count()
    print(f"\n{rounds} rounds, ends: {ends}, in order within {max(taken_s, default=0):.1f} s")
    assert rounds > 20


def test_it_does_not_grow(tmp_path: Path) -> None:
    """A block a second: each has a round, or is one of the few that came while a round was made."""
    with start_host(HostOptions(days=1, tx_per_block=40, speed=600), wait_until_ready=True) as host:
        watch = Watch(tmp_path, host.env)
        watch.wait_for("round of blocks", 20)
        pid, first_mb, first_open = watch.process.pid, 0.0, descriptors(watch.process.pid)
        first_mb = resident_mb(pid)
        time.sleep(SPAN_S)
        last_mb, last_open = resident_mb(pid), descriptors(pid)
        assert watch.end()[0] == 0
        watch.close()
    heights = sorted({seen.last_height or 0 for seen in Store(tmp_path, "regtest").observations.all()})
    share = len(heights) / (heights[-1] - heights[0] + 1)
    print(f"\n{first_mb:.0f} → {last_mb:.0f} MB, {first_open} → {last_open} open files, {share:.0%} of blocks")
    assert last_mb < first_mb * MOST_GROWTH
    assert last_open <= first_open + 10
    assert share > 0.5
