"""`utxoracle-tui analyze` and `price --save` against a simulated host, some as separate programs."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.in_process import find_host, ran
from tests.support.job_place import act
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.store.store import Store

PLANTED_USD = 52_000


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    options = HostOptions(days=1, tx_per_block=80, speed=0, price=str(PLANTED_USD))
    with start_host(options, wait_until_ready=True) as running:
        yield running


def run(host: HostProcess, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "utxoracle_tui", *arguments, "--data-dir", str(folder)],
        env=os.environ | host.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@dataclass(frozen=True)
class FirstRound:
    """The first round of a store, by a program of its own."""

    folder: Path
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def first(host: HostProcess, tmp_path_factory: pytest.TempPathFactory) -> FirstRound:
    folder = tmp_path_factory.mktemp("first")
    return FirstRound(folder, run(host, folder, "analyze"))


@pytest.fixture
def after_it(host: HostProcess, first: FirstRound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the first round, and commands of this process find the host."""
    find_host(monkeypatch, host.env)
    shutil.copytree(first.folder, tmp_path / "after")
    return tmp_path / "after"


def test_a_round_by_hand_and_by_cron(first: FirstRound, after_it: Path) -> None:
    assert (first.done.returncode, first.done.stderr) == (0, "")
    assert "divergence, spot" in first.done.stdout
    assert "stored                   yes" in first.done.stdout
    done = ran("analyze", "--json", "--data-dir", after_it)
    assert done.code == 0
    seen = json.loads(done.out)
    assert seen["kept"]
    assert seen["onchain_usd"] == pytest.approx(PLANTED_USD, rel=0.01)
    assert seen["exchange_usd"] == pytest.approx(PLANTED_USD, rel=0.01)
    counts = Store(after_it, "regtest").counts()
    assert (counts.observations, counts.windows) == (2, 1)
    assert counts.exchange_readings >= 1


def test_a_dry_run_leaves_nothing(host: HostProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_host(monkeypatch, host.env)
    done = ran("analyze", "--dry-run", "--verbose", "--data-dir", tmp_path)
    assert done.code == 0
    assert "no, this was a dry run" in done.out
    assert '"price_usd"' in done.out
    assert not (tmp_path / "regtest").exists()


def test_no_exchange_price(after_it: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMPOOL_API_URL", "http://127.0.0.1:1")
    done = ran("analyze", "--data-dir", after_it)
    assert done.code == 0
    assert "127.0.0.1:1" in done.err
    assert "exchange                 not known" in done.out


def test_a_saved_day(host: HostProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(host, tmp_path, "price", "--save")
    assert done.returncode == 0, done.stderr
    assert f"stored in     {tmp_path / 'regtest' / 'store'}" in done.stdout
    find_host(monkeypatch, host.env)
    again = ran("price", "--save", "--data-dir", tmp_path)
    assert again.code == 0
    assert f"stored in     {tmp_path / 'regtest' / 'store'}" in again.out
    store = Store(tmp_path, "regtest")
    (window,) = store.windows.newest("day", 5)
    assert window.price_usd == pytest.approx(PLANTED_USD, rel=0.01)
    points = store.points.get(window)
    assert points is not None
    assert len(points.usd) == window.points
    # without --save nothing is kept
    assert ran("price", "--last", "40", "--data-dir", tmp_path / "other").err == ""
    assert not (tmp_path / "other" / "regtest").exists()


def test_a_folder_that_cannot_be_written(host: HostProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "regtest").write_text("in the way")
    find_host(monkeypatch, host.env)
    monkeypatch.setenv("UTXORACLE_TUI_ROUNDS_RETRIES", "0")
    done = ran("analyze", "--json", "--data-dir", tmp_path)
    assert done.code == 1
    error = json.loads(done.out)["error"]
    assert str(tmp_path / "regtest") in error["message"]
    assert "Traceback" not in done.err


@pytest.mark.soak
def test_a_node_that_is_back_within_the_minute(
    host: HostProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_host(monkeypatch, host.env)
    waits: list[float] = []

    async def wait(seconds: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        await sleep(0)
        if seconds in {5, 15, 45}:
            waits.append(seconds)
            if len(waits) == 2:
                await asyncio.to_thread(act, host, "start", warm_up_s=0.0)

    act(host, "stop")
    monkeypatch.setattr("utxoracle_tui.commands.analyze.asyncio.sleep", wait)
    done = ran("analyze", "--data-dir", tmp_path)
    assert done.code == 0, done.err
    assert waits == [5, 15]
    assert "Tried again in 5 s (1 of 3)." in done.err
    assert "Tried again in 15 s (2 of 3)." in done.err
    assert "stored                   yes" in done.out


def test_a_node_that_stays_away(host: HostProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_host(monkeypatch, {**host.env, "BITCOIN_RPC_URL": "http://127.0.0.1:1"})
    monkeypatch.setattr("utxoracle_tui.commands.analyze._WAITS_S", (0, 0, 0))
    done = ran("analyze", "--data-dir", tmp_path)
    assert done.code == 3
    assert done.err.count("Tried again in 0 s") == 3
    assert done.err.count("127.0.0.1:1") == 4
