"""`utxoracle-tui watch` as a program of its own, against a simulated host, and told by signals what to do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.in_process import find_host, ran
from tests.support.job_place import act, job_place
from tests.support.records import observation
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.engine.watch.presence import Presence
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.own_log.entry import read_entry
from utxoracle_tui.store.records import Job
from utxoracle_tui.store.store import Store

PLANTED_USD = 61_000
OPTIONS = HostOptions(days=1, tx_per_block=40, speed=0, price=str(PLANTED_USD))
PASSWORD = "correct-horse-battery"
WITHIN_S = 30.0
"""Generous: the machine may be busy. What has a limit of its own is measured by itself."""


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    with start_host(OPTIONS, wait_until_ready=True) as running:
        yield running


class Watch:
    """A watch, and what it says on standard error."""

    def __init__(self, folder: Path, environment: dict[str, str], *arguments: str) -> None:
        self.folder = folder
        self.lines: list[str] = []
        command = [sys.executable, "-m", "utxoracle_tui", "watch", "--data-dir", str(folder), *arguments]
        self.process = subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(self.process.stderr)

    def said(self, pattern: str) -> list[str]:
        """The lines so far in which there is something."""
        return [line for line in self.lines.copy() if re.search(pattern, line)]

    def wait_for(self, pattern: str, times: int = 1) -> None:
        until(lambda: len(self.said(pattern)) >= times, lambda: f"{pattern} in {''.join(self.lines)}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Its exit code, and how long it took."""
        began_s = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(30)
        took_s = time.monotonic() - began_s
        self._reader.join(10)
        return code, took_s

    def close(self) -> None:
        """End it the hard way, if it hasn't ended."""
        self.process.kill()
        self.process.wait()
        self._reader.join(10)
        assert self.process.stderr is not None
        self.process.stderr.close()


def until(met: Callable[[], bool], what: Callable[[], str]) -> None:
    end_s = time.monotonic() + WITHIN_S
    while not met():
        assert time.monotonic() < end_s, what()
        time.sleep(0.05)


@contextlib.contextmanager
def watching(host: HostProcess, folder: Path, *arguments: str, **environment: str) -> Iterator[Watch]:
    """A watch that is ended if it hasn't been."""
    watch = Watch(folder, host.env | environment, *arguments)
    try:
        yield watch
    finally:
        watch.close()


def processes_with(word: str) -> list[str]:
    """The command lines of processes that have a word in their command line or environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if word.encode() in (path / "environ").read_bytes():
                found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


async def ask_for_a_day(host: HostProcess, folder: Path) -> Job:
    """Write a job to the store, as a console does, and work on nothing."""
    async with job_place(host, Workers(folder / "unused", 1), folder) as place:
        plan = await place.shop.planner.backfill(await place.days(1))
        assert plan.job is not None
        return plan.job


class Manager:
    """In place of systemd: takes down what it is told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while message := self._socket.recv(4096):
                self.told.append(message.decode())

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    running = Manager(tmp_path / "notify")
    yield running
    running.close()


def assert_all_see(watch: Watch) -> None:
    """What other commands say of it."""
    done = ran("status", "--data-dir", watch.folder, "--json")
    stored = json.loads(done.out)["store"]
    assert stored["watch"]["runs"]
    assert stored["watch"]["pid"] == watch.process.pid
    assert stored["newest_backup"] == pytest.approx(time.time(), abs=WITHIN_S)
    words = " ".join(ran("status", "--data-dir", watch.folder).out.split())
    assert f"UTC (pid {watch.process.pid})" in words
    assert re.search(r"watch ● runs Runs since \d{4}-\d\d-\d\d \d\d:\d\d UTC", words)
    assert re.search(r" backup .*\(\d{4}-\d\d-\d\d \d\d:\d\d", words)

    second = ran("watch", "--data-dir", watch.folder)
    assert second.code == 1
    assert f"runs on the store in {watch.folder / 'regtest'} already (process {watch.process.pid})" in second.err


def test_a_day_of_a_watch(host: HostProcess, tmp_path: Path, manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds, a job, a backup, a node that goes and comes, and an end in order."""
    folder, config = tmp_path / "data", tmp_path / "config.toml"
    config.write_text(f'[log]\njson = true\n[alerts]\nwebhook_url = "https://hooks.example/{PASSWORD}"\n')
    config.chmod(0o600)
    store = Store(folder, "regtest")
    store.observations.put([observation(1)])
    systemd = {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "1000000"}
    find_host(monkeypatch, host.env)
    with watching(host, folder, "--config", str(config), **systemd) as watch:
        watch.wait_for(r"round of blocks .*: \$6[01],\d+\.\d\d, exchange \$6[01],\d+\.\d\d, divergence by block")
        watch.wait_for("backup made: ")
        job = asyncio.run(ask_for_a_day(host, folder))
        watch.wait_for(f"job {job.key} .* is done")
        act(host, "mine")
        watch.wait_for("round of blocks", 2)

        assert_all_see(watch)

        act(host, "stop")
        watch.wait_for("Bitcoin Core: down, was synced")
        time.sleep(1)
        act(host, "start", warm_up_s=0.0)
        watch.wait_for("Bitcoin Core: synced, was ")
        assert len(watch.said("Bitcoin Core: down")) == 1

        assert "READY=1" in manager.told
        assert any(re.fullmatch(r"STATUS=node synced; newest round .* UTC: \$6[01],.*", told) for told in manager.told)
        assert manager.told.count("WATCHDOG=1") >= 5
        code, took_s = watch.end()
        assert code == 0
        assert took_s < 10
        assert manager.told[-1] == "STOPPING=1"
    assert PASSWORD not in "".join(watch.lines)
    assert "Traceback" not in "".join(watch.lines)

    rounds = [seen for seen in store.observations.newest(10) if seen.key != observation(1).key]
    assert len(rounds) == 2
    assert [seen.onchain_usd for seen in rounds] == pytest.approx([PLANTED_USD] * 2, rel=0.01)
    (day,) = store.windows.newest("day", 5)
    assert day.price_usd == pytest.approx(PLANTED_USD, rel=0.01)
    entries = (folder / "state" / "utxoracle-tui.log").read_text().splitlines()
    # the second one was not told to write JSON
    assert {json.loads(line)["process"] for line in entries if line.startswith("{")} == {watch.process.pid}
    assert {entry and entry.process for entry in map(read_entry, entries)} == {watch.process.pid, os.getpid()}
    assert any("ends after" in line for line in entries)
    assert PASSWORD not in "".join(entries)
    assert "watch – none It does not run." in " ".join(ran("status", "--data-dir", folder).out.split())
    assert processes_with(str(manager.path)) == []


@pytest.mark.soak
def test_told_by_signals(host: HostProcess, tmp_path: Path, manager: Manager) -> None:
    folder, config = tmp_path / "data", tmp_path / "config.toml"
    config.write_text("[rounds]\ninterval_minutes = 20\n")
    with watching(host, folder, "--config", str(config), NOTIFY_SOCKET=str(manager.path)) as watch:
        watch.wait_for("watching: a round with every block and every 20 min")
        watch.wait_for("round of blocks")
        before = len(manager.told)

        config.write_text("[rounds]\ninterval_minutes = 0\n")
        watch.process.send_signal(signal.SIGHUP)
        watch.wait_for(r"can't be used; the one before stays\. rounds\.interval_minutes \(.*line 2\) is 0")

        config.write_text("[rounds]\ninterval_minutes = 30\n")
        watch.process.send_signal(signal.SIGHUP)
        watch.wait_for(r"engine begins anew; changed: rounds\.interval_minutes")
        watch.wait_for("watching: a round with every block and every 30 min")
        watch.wait_for("round of blocks", 2)
        watch.process.send_signal(signal.SIGHUP)
        watch.wait_for("nothing has changed")
        assert watch.process.poll() is None
        until(lambda: manager.told[-1] == "READY=1" or "STATUS" in manager.told[-1], lambda: str(manager.told))
        states = [told.split("\n")[0] for told in manager.told[before:] if not told.startswith("STATUS")]
        assert states == ["RELOADING=1", "READY=1"] * 3

        # another process hangs in the middle of writing, and the next round waits for it
        with Store(folder, "regtest").folder.lock.held("hang"):
            act(host, "mine")
            time.sleep(1)
            watch.process.send_signal(signal.SIGTERM)
            watch.wait_for("told to end")
            time.sleep(0.3)
            assert watch.process.poll() is None
            code, took_s = watch.end()
        assert code == -signal.SIGTERM
        assert took_s < 1
    until(lambda: processes_with(str(manager.path)) == [], lambda: str(processes_with(str(manager.path))))


def test_one_that_was_killed(host: HostProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it leaves is as `test_watch_parts` finds it."""
    find_host(monkeypatch, host.env)
    (tmp_path / "regtest").mkdir()
    (tmp_path / "regtest" / "watch.json").write_text('{"pid": 4711, "since_s": 1795399200.0, "beat_s": 1795399999.0}')
    words = " ".join(ran("status", "--data-dir", tmp_path).out.split())
    assert "watch ▲ ended It does not run: process 4711 was ended the hard way." in words
    done = ran("status", "--data-dir", tmp_path, "--json")
    seen = {"runs": False, "pid": 4711, "since": 1795399200.0, "last_heard": 1795399999.0}
    assert json.loads(done.out)["store"]["watch"] == seen


@pytest.mark.soak
def test_killed_it_leaves_a_whole_store(host: HostProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_host(monkeypatch, host.env)
    with watching(host, tmp_path, MARK_OF_TEST=str(tmp_path)) as watch:
        watch.wait_for("round of blocks")
        watch.process.kill()
        watch.process.wait()
    words = " ".join(ran("status", "--data-dir", tmp_path).out.split())
    assert "watch ▲ ended" in words
    assert f"It does not run: process {watch.process.pid} was ended the hard way." in words
    until(lambda: processes_with(str(tmp_path)) == [], lambda: str(processes_with(str(tmp_path))))
    assert ran("store", "check", "--data-dir", tmp_path).code == 0
    presence = Presence()
    presence.take(tmp_path / "regtest")
    presence.leave()


def test_a_configuration_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UTXORACLE_TUI_ROUNDS_INTERVAL_MINUTES", "0")
    done = ran("watch", "--data-dir", tmp_path)
    assert (done.code, "rounds.interval_minutes" in done.err) == (2, True)


@pytest.mark.soak
def test_whatever_hangs_it_ends_within_ten_seconds(host: HostProcess, tmp_path: Path) -> None:
    with watching(host, tmp_path) as watch:
        watch.wait_for("round of blocks")
        with Store(tmp_path, "regtest").folder.lock.held("hang"):
            act(host, "mine")
            time.sleep(2)
            code, took_s = watch.end()
        assert (code, took_s < 10) == (0, True)


@pytest.mark.soak
def test_a_node_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    watch = Watch(
        tmp_path,
        {"BITCOIN_RPC_URL": url, "BITCOIN_RPC_USER": "u", "BITCOIN_RPC_PASSWORD": PASSWORD},
        "--network",
        "main",
    )
    try:
        watch.wait_for("Bitcoin Core: down")
        # what the operator has named is marked before the node says anything
        done = ran("watch", "--data-dir", tmp_path, "--network", "main")
        assert (done.code, f"(process {watch.process.pid})" in done.err) == (1, True)
        assert watch.process.poll() is None
        assert watch.end(signal.SIGINT)[0] == 0
    finally:
        watch.close()
    assert len(watch.said("Bitcoin Core: down")) == 1
    assert PASSWORD not in "".join(watch.lines)
