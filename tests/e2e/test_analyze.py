"""`utxoracle-tui analyze` and `price --save` against a simulated host, as separate programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.store.store import Store

PLANTED_USD = 52_000


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    options = HostOptions(days=1, tx_per_block=80, speed=0, price=str(PLANTED_USD))
    with start_host(options, wait_until_ready=True) as running:
        yield running


def run(host: HostProcess, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "utxoracle_tui", *arguments, "--data-dir", str(folder)],
        env=os.environ | host.env | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_round_by_hand_and_by_cron(host: HostProcess, tmp_path: Path) -> None:
    done = run(host, tmp_path, "analyze")
    assert (done.returncode, done.stderr) == (0, "")
    assert "divergence, spot" in done.stdout
    assert "stored                   yes" in done.stdout
    done = run(host, tmp_path, "analyze", "--json")
    seen = json.loads(done.stdout)
    assert seen["kept"]
    assert seen["onchain_usd"] == pytest.approx(PLANTED_USD, rel=0.01)
    assert seen["exchange_usd"] == pytest.approx(PLANTED_USD, rel=0.01)
    counts = Store(tmp_path, "regtest").counts()
    assert (counts.observations, counts.windows) == (2, 1)
    assert counts.exchange_readings >= 1


def test_a_dry_run_leaves_nothing(host: HostProcess, tmp_path: Path) -> None:
    done = run(host, tmp_path, "analyze", "--dry-run", "--verbose")
    assert done.returncode == 0
    assert "no, this was a dry run" in done.stdout
    assert '"price_usd"' in done.stdout
    assert not (tmp_path / "regtest").exists()


def test_no_exchange_price(host: HostProcess, tmp_path: Path) -> None:
    done = run(host, tmp_path, "analyze", MEMPOOL_API_URL="http://127.0.0.1:1")
    assert done.returncode == 0
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
    assert "exchange                 not known" in done.stdout


def test_a_saved_day(host: HostProcess, tmp_path: Path) -> None:
    for _ in range(2):
        done = run(host, tmp_path, "price", "--save")
        assert done.returncode == 0, done.stderr
        assert f"stored in     {tmp_path / 'regtest' / 'store'}" in done.stdout
    store = Store(tmp_path, "regtest")
    (window,) = store.windows.newest("day", 5)
    assert window.price_usd == pytest.approx(PLANTED_USD, rel=0.01)
    points = store.points.get(window)
    assert points is not None
    assert len(points.usd) == window.points
    # without --save nothing is kept
    run(host, tmp_path / "other", "price")
    assert not (tmp_path / "other" / "regtest").exists()


def test_a_folder_that_cannot_be_written(host: HostProcess, tmp_path: Path) -> None:
    (tmp_path / "regtest").write_text("in the way")
    done = run(host, tmp_path, "analyze", "--json")
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert str(tmp_path / "regtest") in error["message"]
    assert "Traceback" not in done.stderr
