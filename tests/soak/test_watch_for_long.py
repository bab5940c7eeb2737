"""A watch over two thousand blocks, with the node, the backend and the disk failing in turn.

By hand, 50 minutes: `pytest -m soak -s tests/soak/test_watch_for_long.py`; `BLOCKS=600` makes it shorter. It prints its
figures. At the end every block has a price or a reason, the process has not grown, its log is bounded, and every
failure was told of once, and its end.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.test_watch import Watch
from tests.soak.test_watch import descriptors, resident_mb
from tests.support.in_process import ran
from tests.support.job_place import act, read
from tests.support.receiving_thread import Receiving
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.store.store import Store

pytestmark = pytest.mark.soak

BLOCKS = int(os.environ.get("BLOCKS", "2000"))
SPEED = 400
"""One every one and a half seconds."""
FAILS_S = 134.0
"""Longer than a source has to be down for an alert, and by far shorter than 144 blocks, which come as they happen to: a
round looks back over no more.
"""
WELL_S = 75.0
"""Longer than it has to be up for the end of one."""
SETTLED_BLOCKS = 300
MOST_GROWTH = 1.25
MOST_LOG_BYTES = 12e6


@contextmanager
def no_disk(home: Path) -> Iterator[None]:
    """A place for the store at which nothing can be written, or read."""
    away = home.with_name("away")
    home.rename(away)
    home.write_text("a disk that has gone")
    yield
    home.unlink()
    away.rename(home)


def fail(host: HostProcess, home: Path, what: str) -> None:
    """Have one of the three fail for a while."""
    if what == "disk":
        with no_disk(home):
            time.sleep(FAILS_S)
        return
    prefix = "" if what == "node" else "mempool/"
    act(host, f"{prefix}stop")
    time.sleep(FAILS_S)
    act(host, f"{prefix}start")


def test_two_thousand_blocks(tmp_path: Path) -> None:
    alerts = Receiving()
    options = HostOptions(days=1, tx_per_block=40, speed=SPEED)
    with start_host(options, wait_until_ready=True) as host, alerts.listening() as receiver:
        environment = host.env | {"ALERT_WEBHOOK_URL": receiver.url, "XDG_STATE_HOME": str(tmp_path / "state")}
        # one is made for each block as long as all is well
        environment["UTXORACLE_TUI_ALERTS_NO_ROUND_MINUTES"] = "60"
        environment["UTXORACLE_TUI_ALERTS_COOLDOWN_MINUTES"] = "0"
        watch = Watch(tmp_path / "data", environment)
        try:
            watch.wait_for("round of blocks", 5)
            pid, home = watch.process.pid, tmp_path / "data" / "regtest"
            first = read(host, "state")["blocks_made"]
            turns, settled_mb, settled_open = 0, 0.0, 0
            while (done := read(host, "state")["blocks_made"] - first) < BLOCKS:
                if not settled_mb and done >= SETTLED_BLOCKS:
                    settled_mb, settled_open = resident_mb(pid), descriptors(pid)
                receiver.answers = [500] * (3 if turns % 2 else 0)
                fail(host, home, ("node", "backend", "disk")[turns % 3])
                turns += 1
                time.sleep(WELL_S)
            last_mb, last_open = resident_mb(pid), descriptors(pid)
            assert watch.end()[0] == 0
        finally:
            watch.close()
    assert "Traceback" not in "".join(watch.lines)
    log_bytes = sum(path.stat().st_size for path in (tmp_path / "data").rglob("*.log*"))
    prices = [price for price in Store(tmp_path / "data", "regtest").block_prices.all() if not price.orphaned]
    heights = sorted({price.last_height for price in prices})
    missing = heights[-1] - heights[0] + 1 - len(heights)
    counted = Counter(alerts.events)
    print(f"\n{len(heights)} blocks, {missing} without a record, {turns} failures")
    print(f"{settled_mb:.0f} → {last_mb:.0f} MB, {settled_open} → {last_open} open files, log {log_bytes / 1e6:.1f} MB")
    for (event, subject), count in sorted(counted.items(), key=lambda item: item[0][1]):
        print(f"  {subject}: {event} {count} times")
    assert ran("store", "check", "--data-dir", tmp_path / "data").code == 0
    assert missing == 0
    assert last_mb < settled_mb * MOST_GROWTH
    assert last_open <= settled_open + 10
    assert log_bytes < MOST_LOG_BYTES
    for subject, number in (("source.node", 0), ("source.backend", 1), ("store.store", 2)):
        times = len(range(number, turns, 3))
        assert (counted["raised", subject], counted["resolved", subject]) == (times, times), subject
    assert all(counted["raised", subject] == counted["resolved", subject] for _, subject in counted)
