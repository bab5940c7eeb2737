"""What a watch consists of beside the engine: its mark on the store, what is told of it, and backups."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.config_place import forget_secrets
from tests.support.records import observation
from utxoracle_tui import clock
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.engine.lasting_trouble import LastingTrouble
from utxoracle_tui.engine.watch import daily_backup
from utxoracle_tui.engine.watch.daily_backup import DailyBackup
from utxoracle_tui.engine.watch.presence import Presence, WatchRuns, find_watch, find_watch_among
from utxoracle_tui.engine.watch.short_lines import ShortLines, short_lines
from utxoracle_tui.serve.systemd_notify import Notifier
from utxoracle_tui.store.store import Store

_TAKE = """
import sys
from pathlib import Path
from utxoracle_tui.engine.watch.presence import Presence
presence = Presence()
presence.take(Path(sys.argv[1]))
print("taken", flush=True)
sys.stdin.read()
presence.leave()
"""


def other_watch(home: Path) -> subprocess.Popen[str]:
    """Another process that has the store."""
    process = subprocess.Popen(
        [sys.executable, "-c", _TAKE, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "taken\n"
    return process


def test_one_watch_for_a_store_seen_by_all(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "main", tmp_path / "signet"
    assert find_watch(home) is None
    with other_watch(home) as other:
        seen = find_watch(home)
        assert seen is not None
        assert (seen.runs, seen.pid) == (True, other.pid)
        assert seen.since_s == pytest.approx(time.time(), abs=10)
        assert find_watch_among((elsewhere, home)) == seen
        ours = Presence()
        ours.take(elsewhere)
        with pytest.raises(WatchRuns) as caught:
            ours.take(home)
        assert (caught.value.exit_code, f"(process {other.pid})" in caught.value.message) == (1, True)
        # what it had is still its own
        assert find_watch(elsewhere) is not None
        ours.leave()
        assert find_watch(elsewhere) is None

        other.kill()
        other.wait()
        killed = find_watch(home)
        assert killed is not None
        assert (killed.runs, killed.pid) == (False, other.pid)
    ours.take(home)
    seen = find_watch(home)
    assert seen is not None
    assert (seen.runs, seen.pid) == (True, os.getpid())
    ours.leave()
    assert find_watch(home) is None


def test_a_watch_that_can_write_nothing_is_seen_all_the_same(tmp_path: Path) -> None:
    with other_watch(tmp_path) as other:
        (tmp_path / "watch.json").write_text("{")
        seen = find_watch(tmp_path)
        assert seen is not None
        assert (seen.runs, seen.pid, seen.is_silent(time.time())) == (True, None, True)
        other.communicate("")
    assert find_watch(tmp_path) is None


def test_a_silent_watch(tmp_path: Path) -> None:
    presence = Presence()
    presence.take(tmp_path)
    seen = find_watch(tmp_path)
    assert seen is not None
    assert seen.beat_s is not None
    assert not seen.is_silent(seen.beat_s + 59)
    assert seen.is_silent(seen.beat_s + 61)
    presence.leave()


@pytest.mark.parametrize("kind", ["path", "abstract"])
async def test_what_systemd_is_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "notify"
    abstract = f"utxoracle-tui-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path) if kind == "path" else f"\0{abstract}")
        manager.settimeout(5)
        notifier = Notifier(
            {
                "NOTIFY_SOCKET": str(path) if kind == "path" else f"@{abstract}",
                "WATCHDOG_USEC": "40000",
                "WATCHDOG_PID": str(os.getpid()),
            }
        )
        before_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        notifier.reloading()
        reloading, moment = manager.recv(4096).decode().split("\n")
        assert reloading == "RELOADING=1"
        name, _, at_us = moment.partition("=")
        assert name == "MONOTONIC_USEC"
        assert before_us <= int(at_us) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        notifier.ready()
        notifier.status("all\nis  well")
        notifier.stopping()
        assert [manager.recv(4096) for _ in range(3)] == [b"READY=1", b"STATUS=all is well", b"STOPPING=1"]
        assert notifier.watchdog_every_s == 0.02
        beating = asyncio.create_task(notifier.run_watchdog())
        for _ in range(3):
            assert await asyncio.to_thread(manager.recv, 4096) == b"WATCHDOG=1"
        beating.cancel()


async def test_no_systemd_or_one_that_waits_for_another_process() -> None:
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": "/no/such/socket"}).ready()
    other = Notifier({"WATCHDOG_USEC": "40000", "WATCHDOG_PID": "1"})
    assert other.watchdog_every_s is None
    await other.run_watchdog()


def test_short_lines_have_no_secrets_and_are_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_secrets(monkeypatch)
    Secret("correct-horse-battery")
    log = logging.getLogger("utxoracle_tui.a_part")
    monkeypatch.setattr(logging.getLogger("utxoracle_tui"), "level", logging.DEBUG)
    path = tmp_path / "lines"
    with path.open("w") as stream:
        found = os.fstat(stream.fileno())
        with short_lines(stream, {}):
            log.debug("not told")
            log.info("the password is %s\n\x1b[31mred", "correct-horse-battery")
            try:
                raise ValueError("correct-horse-battery is wrong")
            except ValueError:
                log.exception("a fault")
        with short_lines(stream, {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}):
            for level in (logging.INFO, logging.WARNING, logging.ERROR):
                log.log(level, "told")
    assert path.read_text().splitlines() == [
        "utxoracle-tui: the password is (hidden)  [31mred",
        "utxoracle-tui: a fault (ValueError: (hidden) is wrong)",
        "<6>told",
        "<4>told",
        "<3>told",
    ]


def test_nobody_waits_for_a_reader_that_reads_nothing() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        handler = ShortLines(stream, with_priority=False)
        record = logging.LogRecord("utxoracle_tui", logging.INFO, "", 0, "x" * 400, (), None)
        began_s = time.monotonic()
        for _ in range(3_000):
            handler.handle(record)
        handler.finish()
        assert time.monotonic() - began_s < 3
        # lets the thread go
        drain = threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(reading, 65536), b"")], daemon=True)
        drain.start()
        handler._thread.join(0)


def test_a_trouble_is_told_once_and_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = logging.getLogger("utxoracle_tui.a_part")
    trouble = LastingTrouble(log, "the store", "can be written again")
    for sentence in (None, "The disk is full.", "The disk is full.", None, None):
        trouble.note(sentence)
    assert caplog.messages == ["the store: The disk is full.", "the store can be written again"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = Store(tmp_path, "main")
    opened.observations.put([observation(number) for number in range(5)])
    return opened


def backups(store: Store) -> list[Path]:
    return sorted((store.folder.home / "backups").glob("*"))


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not met():
            await asyncio.sleep(0.01)


async def test_a_backup_a_day(store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(daily_backup, "_LOOK_EVERY_S", 0.01)
    later_s, looks = 0.0, 0
    monkeypatch.setattr(clock, "now_s", lambda: time.time() + later_s)
    is_due = daily_backup._is_due

    def counted(asked: Store) -> bool:
        nonlocal looks
        looks += 1
        return is_due(asked)

    async def look_often() -> None:
        """A look may be under way, and so may the one that follows it."""
        seen = looks
        await until(lambda: looks > seen + 3)

    monkeypatch.setattr(daily_backup, "_is_due", counted)
    work = asyncio.create_task(DailyBackup(lambda: store, keep=2).run())
    await look_often()
    (first,) = backups(store)
    assert f"backup made: {first}, 5 records" in caplog.text
    later_s = 86_400.0 - 600
    await look_often()
    assert backups(store) == [first]
    later_s = 86_400.0 + 600
    await look_often()
    kept, second = backups(store)
    assert kept == first
    later_s = 2 * 86_400.0 + 1_200
    await look_often()
    # of three, the oldest goes
    assert backups(store)[0] == second
    assert len(backups(store)) == 2
    assert f"old backup removed: {first}" in caplog.text
    work.cancel()


async def test_no_backup_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily_backup, "_LOOK_EVERY_S", 0.01)
    empty = Store(tmp_path, "main")
    work = asyncio.create_task(DailyBackup(lambda: empty, keep=2).run())
    await asyncio.sleep(0.1)
    assert not work.done()
    assert list(tmp_path.rglob("*backup*")) == []
    work.cancel()


async def test_a_backup_that_fails_is_told_of_and_ends_nothing(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    (store.folder.home / "backups").write_text("in the way")
    work = asyncio.create_task(DailyBackup(lambda: store, keep=2).run())
    await until(lambda: "no backup could be made" in caplog.text)
    assert str(store.folder.home / "backups") in caplog.text
    assert "It is tried again in 1 h 00 min." in caplog.text
    assert not work.done()
    work.cancel()


async def test_a_backup_that_is_given_up_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    make = daily_backup.make_backup

    def slow(folder: Any, to: Any, keep: int, on_progress: Any) -> Any:  # noqa: ANN401
        def held(doing: str, done: int, total: int) -> None:
            begun.set()
            go_on.wait(10)
            on_progress(doing, done, total)

        return make(folder, to, keep, held)

    monkeypatch.setattr(daily_backup, "make_backup", slow)
    work = asyncio.create_task(DailyBackup(lambda: store, keep=2).run())
    await asyncio.to_thread(begun.wait, 10)
    work.cancel()
    await asyncio.sleep(0.05)
    go_on.set()
    await asyncio.gather(work, return_exceptions=True)
    assert backups(store) == []
    assert [path.name for path in store.folder.home.iterdir() if ".tmp" in path.name] == []


def test_the_beat_is_whole_json_for_every_reader(tmp_path: Path) -> None:
    presence, stop = Presence(), threading.Event()
    presence.take(tmp_path)

    def beat() -> None:
        while not stop.is_set():
            presence.beat()

    beating = threading.Thread(target=beat)
    beating.start()
    try:
        for _ in range(300):
            assert json.loads((tmp_path / "watch.json").read_bytes())["pid"] == os.getpid()
    finally:
        stop.set()
        beating.join()
        presence.leave()
    assert [path.name for path in tmp_path.iterdir()] == ["watch.lock"]
