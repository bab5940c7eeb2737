"""`utxoracle-tui backfill` and `rerun` against a simulated node, as separate programs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.in_process import find_host, ran
from tests.support.job_place import act, blocks_served
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.engine.jobs import control
from utxoracle_tui.store.records import Job
from utxoracle_tui.store.store import Store

PLANTED_USD = 71_000


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    options = HostOptions(days=2, tx_per_block=20, speed=0, price=str(PLANTED_USD))
    with start_host(options, wait_until_ready=True) as running:
        # what is sent is counted, slowed down and refused here, so blocks have to come over the port
        running.env["UTXORACLE_TUI_NODE_READ_BLOCK_FILES"] = "false"
        yield running


def start(host: HostProcess, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "utxoracle_tui", *arguments, "--data-dir", str(folder)],
        env=os.environ | host.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(host: HostProcess, folder: Path, *arguments: str) -> tuple[int, str, str]:
    with start(host, folder, *arguments) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def wait_for(met: Callable[[], object]) -> None:
    end_s = time.monotonic() + 30
    while not met():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def days_back(count: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=count)


def test_days_and_what_is_there_already(host: HostProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = run(host, tmp_path, "backfill", "--last-days", "2", "--json")
    document = json.loads(out)
    first, last = days_back(2), days_back(1)
    assert (code, document["state"], document["windows"], document["done"]) == (0, "done", 2, 2)
    assert document["work"] == f"backfill days {first} {last} utxoracle-9.1"
    assert document["failures"] == document["impossible"] == []
    # a run that takes longer says how far it is
    begins = f"utxoracle-tui: Backfill of {first} to {last}, 2 days begins (job {document['job']})."
    asked = "utxoracle-tui: The node is asked for all blocks, as node.read_block_files is false."
    told = err.splitlines()
    assert (told[0], told[2]) == (asked, begins)
    assert told[1].startswith("utxoracle-tui: To get: about ")
    assert "told by: 12 of these, " in told[1]
    assert document["blocks_from"] == {"REST": len(blocks_served(host))}
    windows = Store(tmp_path, "regtest").windows.between(0.0, 1e11, "day")
    assert [window.date for window in windows] == [first, last]
    assert [window.price_usd for window in windows] == pytest.approx([PLANTED_USD] * 2, rel=0.01)
    find_host(monkeypatch, host.env)
    done = ran("backfill", "--from", first, "--to", last, "--data-dir", tmp_path)
    assert (done.code, done.out) == (0, "Nothing to do.\n")
    assert "2 windows have a result already" in done.err
    done = ran("rerun", "--from", last, "--data-dir", tmp_path)
    assert done.code == 0
    assert f"Rerun of {last}, 1 day: done in" in done.out
    assert "1 of 1 window\n" in done.out
    assert "0.0 MB" in done.out


def test_blocks_from_the_node_s_own_files(host: HostProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    act(host, "clear-statistics")
    find_host(monkeypatch, host.env | {"UTXORACLE_TUI_NODE_READ_BLOCK_FILES": "true"})
    done = ran("backfill", "--last-days", "1", "--json", "--data-dir", tmp_path)
    document = json.loads(done.out)
    assert (done.code, document["done"]) == (0, 1)
    folder = f"{host.env['BITCOIN_DATADIR']}/regtest/blocks"
    assert f"Blocks are read from the node's own files in {folder}; it is asked for what is not there.\n" in done.err
    assert (tmp_path / "regtest" / "block-index" / "00000.index").is_file()
    (window,) = Store(tmp_path, "regtest").windows.newest("day")
    assert document["blocks_from"]["block files"] >= (window.blocks or 0) > 100
    other = tmp_path / "other"
    done = ran("price", "--json", "--date", days_back(1), "--data-dir", other)
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["price_usd"] == window.price_usd == pytest.approx(PLANTED_USD, rel=0.01)
    # a price that isn't kept leaves no folder that could be taken for a store
    assert [path.name for path in other.iterdir()] == ["cache"]
    assert blocks_served(host) == {}


@pytest.mark.soak
def test_a_job_that_is_paused_stopped_and_goes_on(host: HostProcess, tmp_path: Path) -> None:
    # so slow that no window is done before the job is stopped
    act(host, "latency", seconds=0.3, path="/rest/block/")
    command = ("backfill", "--blocks", "100-250", "--step", "6", "--json")
    store = Store(tmp_path, "regtest")

    def job() -> Job:
        return store.jobs.all()[0]

    with start(host, tmp_path, *command) as process:
        wait_for(lambda: store.jobs.all() and job().state == "running")
        control.pause(store, job().key)
        wait_for(lambda: store.jobs.progress(job().key).at_work == 0)
        time.sleep(0.6)
        control.resume(store, job().key)
        wait_for(lambda: store.jobs.progress(job().key).at_work)
        time.sleep(0.6)
        process.send_signal(signal.SIGTERM)
        begun_s = time.monotonic()
        out, err = process.communicate(timeout=30)
        assert time.monotonic() - begun_s < 10
    assert (process.returncode, out) == (130, "")
    assert "The job is paused: The operator has paused it. It waits until it is resumed.\n" in err
    assert "The job goes on.\n" in err
    assert "0 of 2 windows tried" in err
    assert "To go on: utxoracle-tui backfill --blocks 100-250 --step 6\n" in err
    assert (job().state, store.jobs.progress(job().key).at_work) == ("queued", 0)
    act(host, "latency", seconds=0.0)
    code, out, err = run(host, tmp_path, *command)
    assert (code, json.loads(out)["job"], json.loads(out)["done"]) == (0, job().key, 2)
    assert "goes on (job" in err
    assert [window.first_height for window in store.windows.newest("blocks", 9)] == [106, 100]


def test_a_job_that_is_cancelled_meanwhile(host: HostProcess, tmp_path: Path) -> None:
    act(host, "latency", seconds=0.1, path="/rest/block/")
    store = Store(tmp_path, "regtest")
    with start(host, tmp_path, "backfill", "--last-days", "1", "--json") as process:
        wait_for(lambda: store.jobs.all() and store.jobs.all()[0].state == "running")
        control.cancel(store, store.jobs.all()[0].key)
        out, _ = process.communicate(timeout=30)
    act(host, "latency", seconds=0.0)
    assert (process.returncode, json.loads(out)["error"]["kind"]) == (1, "job_cancelled")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["backfill"], "Say which windows"),
        (["backfill", "--last-days", "3", "--from", "2024-01-01"], "Say which windows"),
        (["backfill", "--last-days", "0"], "--last-days is 1 or more"),
        (["backfill", "--to", "2024-01-01"], "--to needs --from"),
        (["backfill", "--from", "yesterday"], "is not a date"),
        (["backfill", "--last-days", "3", "--step", "5"], "--step goes with --blocks"),
        (["backfill", "--blocks", "100-200"], "too few for one"),
        (["rerun"], "Say which windows"),
        (["rerun", "--failed", "--from", "2024-01-01"], "Say which windows"),
        (["rerun", "--failed", "--not-valid"], "not allowed with"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, tmp_path: Path) -> None:
    found = ran(*arguments, "--json", "--data-dir", tmp_path)
    assert found.code == 2
    assert said in json.loads(found.out)["error"]["message"]


def test_a_refused_day(host: HostProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_host(monkeypatch, host.env)
    done = ran("backfill", "--from", days_back(1), "--to", days_back(-1), "--json", "--data-dir", tmp_path)
    assert (done.code, json.loads(done.out)["error"]["kind"]) == (2, "date_too_new")
    done = ran("rerun", "--failed", "--json", "--data-dir", tmp_path)
    document = json.loads(done.out)
    assert (done.code, document["state"], document["windows"]) == (0, "nothing_to_do", 0)
