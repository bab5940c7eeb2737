"""The program's own log: whole lines from several processes, bounded, without secrets, and never in the way."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.config_place import forget_secrets
from utxoracle_tui import clock
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.config.settings import Log, Settings, Store
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.fault_report import report
from utxoracle_tui.own_log import keeping
from utxoracle_tui.own_log.entry import MOST_CHARACTERS, Entry, as_json, as_text, read_entry
from utxoracle_tui.own_log.keeping import OwnLog, kept_log, log_path, logging_to
from utxoracle_tui.own_log.shared_file import Bounds, SharedLogFile

NOW_S = 1_795_399_200.125
DAY_S = 86_400.0
MOST_LINE_BYTES = 65_536
"""What the reader of log files takes as one line (`sources/log_file.py`)."""
log = logging.getLogger("utxoracle_tui.a_part")

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=200)


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


def settings_in(folder: Path, **changes: object) -> Settings:
    return replace(Settings(), store=replace(Store(), data_dir=folder), log=replace(Log(), **changes))  # type: ignore[arg-type]


def test_a_line_says_when_how_grave_who_and_what() -> None:
    entry = Entry(NOW_S, "WARNING", 4711, "engine.rounds", "one\ntwo \x1b[31mred", "Traceback:\n  File")
    line = as_text(entry)
    assert line == (
        "2026-11-23T02:00:00.125Z WARNING  4711 engine.rounds: one\\ntwo \\x1b[31mred\\nTraceback:\\n  File"
    )
    assert json.loads(as_json(entry)) == {
        "at": "2026-11-23T02:00:00.125Z",
        "level": "WARNING",
        "process": 4711,
        "module": "engine.rounds",
        "text": "one\ntwo \x1b[31mred",
        "trace": "Traceback:\n  File",
    }


@given(TEXT, TEXT)
def test_what_is_written_is_read_again(text: str, trace: str) -> None:
    entry = Entry(NOW_S, "INFO", 1, "a.part", text, trace)
    for line in (as_text(entry), as_json(entry)):
        assert len(line.splitlines()) == 1
        found = read_entry(line)
        assert found is not None
        assert f"{found.text}\n{found.trace}".rstrip("\n") == f"{text}\n{trace}".rstrip("\n")
        assert (found.at_s, found.level, found.process, found.module) == (NOW_S, "INFO", 1, "a.part")


@pytest.mark.parametrize("character", ["x", "€", "\n", "\udc80", "\u202e", "😀"])
def test_a_line_stays_one_for_who_reads_it(character: str) -> None:
    entry = Entry(NOW_S, "INFO", 1, "a", character * 3 * MOST_CHARACTERS, character * 3 * MOST_CHARACTERS)
    for line in (as_text(entry), as_json(entry)):
        assert len(line.encode()) < MOST_LINE_BYTES
        assert "characters left out" in line
        assert read_entry(line) is not None


@pytest.mark.parametrize("line", ["", "hello", "{", '{"at": 3}', "[]", '{"at": "x", "level": 1}', "2026-11-23 INFO"])
def test_what_is_no_entry(line: str) -> None:
    assert read_entry(line) is None


def test_secrets_do_not_reach_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_secrets(monkeypatch)
    password, webhook = Secret("correct-horse-battery"), Secret("https://hooks.example/services/T0/B0/s3cr3tkey")
    with kept_log(settings_in(tmp_path), "test"):
        log.warning("the password is %s", password.reveal())
        try:
            raise ValueError(f"{webhook.reveal()} and __cookie__:0123456789abcdef0123456789abcdef")
        except ValueError as error:
            log.exception("posting to %s failed", webhook.reveal())
            report(error, tmp_path)
        log.error("http://alice:hunter22@10.0.0.1:8332 says no", stack_info=True)
    text = log_path(tmp_path).read_text()
    for secret in ("correct-horse", "s3cr3tkey", "0123456789abcdef", "hunter22"):
        assert secret not in text
    assert "posting to (hidden) failed\\nTraceback (most recent call last):" in text
    assert text.count("ValueError: (hidden) and __cookie__:(hidden)") == 2
    assert "a fault of the program" in text


def test_a_command_begins_and_ends(tmp_path: Path) -> None:
    with kept_log(settings_in(tmp_path), "analyze"):
        log.debug("not of this level")
        logging.getLogger("httpx").info("HTTP Request: GET http://127.0.0.1:8332/")
        logging.getLogger("asyncio").error("Task exception was never retrieved")
    with pytest.raises(OperatorError), kept_log(settings_in(tmp_path, level="DEBUG"), "backfill"):
        log.debug("of this level")
        raise OperatorError("node_down", "The node is down.", Exit.UNREACHABLE)
    with pytest.raises(KeyboardInterrupt), kept_log(settings_in(tmp_path, json=True), "console"):
        raise KeyboardInterrupt
    log.warning("after the end")
    found = [read_entry(line) for line in lines_of(log_path(tmp_path))]
    assert all(entry is not None and entry.process == os.getpid() for entry in found)
    texts = [entry.text for entry in found if entry is not None]
    assert texts[0].startswith("analyze begins, utxoracle-tui ")
    assert texts[1:3] == ["Task exception was never retrieved", "analyze ends after < 1 s"]
    assert texts[4:6] == ["of this level", "backfill failed, node_down: The node is down."]
    assert texts[7:] == ["console was ended (KeyboardInterrupt)"]
    assert [line.startswith("{") for line in lines_of(log_path(tmp_path))] == [False] * 6 + [True] * 2
    assert log_path(tmp_path).stat().st_mode & 0o777 == 0o600


def test_it_is_bounded_by_size_and_number(tmp_path: Path) -> None:
    file = SharedLogFile(tmp_path / "a.log", Bounds(most_bytes=1_000, files=3))
    for number in range(200):
        file.write(as_text(Entry(clock.now_s(), "INFO", 1, "a", f"line {number}")))
    file.close()
    kept = sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("."))
    assert kept == ["a.log", "a.log.1", "a.log.2", "a.log.3"]
    assert all((tmp_path / name).stat().st_size <= 1_000 for name in kept)
    assert all((tmp_path / name).stat().st_mode & 0o777 == 0o600 for name in kept)
    newest = [line for name in reversed(kept) for line in lines_of(tmp_path / name)]
    numbers = [int(line.rpartition(" ")[2]) for line in newest]
    assert numbers == list(range(numbers[0], 200))


def test_it_is_bounded_in_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = NOW_S
    monkeypatch.setattr(clock, "now_s", lambda: now_s)
    path = tmp_path / "a.log"
    file = SharedLogFile(path, Bounds(days=28, file_days=7))
    for day in range(60):
        now_s = NOW_S + day * DAY_S
        file.write(as_text(Entry(now_s, "INFO", 1, "a", f"day {day}")))
        os.utime(path, (now_s, now_s))
    file.close()
    kept = [int(line.rpartition(" ")[2]) for each in tmp_path.glob("a.log*") for line in lines_of(each)]
    assert set(range(59 - 28, 60)) <= set(kept)
    assert min(kept) >= 59 - 28 - 7 - 8


WRITER = """
import sys
from pathlib import Path
from utxoracle_tui.own_log.shared_file import Bounds, SharedLogFile
file = SharedLogFile(Path(sys.argv[1]), Bounds(most_bytes=20_000, files=99))
for number in range(400):
    file.write(f"{sys.argv[2]} {number} " + "x" * (number % 300))
"""


def test_several_processes_write_whole_lines(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "a.log")]
    writers = [subprocess.Popen([*command, name]) for name in ("one", "two")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    lines = [line.split() for path in tmp_path.glob("a.log*") for line in lines_of(path)]
    assert len(lines) == 800
    for name in ("one", "two"):
        assert sorted(int(line[1]) for line in lines if line[0] == name) == list(range(400))
    assert all(len(line[2] if len(line) > 2 else "") == int(line[1]) % 300 for line in lines)
    assert len(list(tmp_path.glob("a.log.*"))) > 3


def test_a_torn_line_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("half of a li")
    path.chmod(0o644)
    SharedLogFile(path).write("whole")
    assert lines_of(path) == ["half of a li", "whole"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_written_is_told_once_and_owned_up_to(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.write_text("a file where the folder should be")
    told: list[str] = []
    with kept_log(settings_in(tmp_path), "analyze", told.append) as own:
        log.warning("lost")
        for _ in range(1000):
            if own.trouble is not None:
                break
            clock_wait()
        folder.unlink()
        log.warning("written")
    assert len(told) == 1
    assert told[0].startswith(f"The log {folder / 'utxoracle-tui.log'} can't be written: ")
    texts = [entry.text for line in lines_of(log_path(tmp_path)) if (entry := read_entry(line)) is not None]
    assert texts[0] in {f"{lost} before this could not be written" for lost in ("1 line", "2 lines")}
    assert texts[-2:] == ["written", "analyze ends after < 1 s"]


def clock_wait() -> None:
    import time

    time.sleep(0.005)


def test_a_full_disk_costs_nothing_but_lines() -> None:
    full = Path("/dev/full")
    own = OwnLog(full)
    with logging_to(own, "INFO"):
        for _ in range(50):
            log.info("no room for this")
    assert own.trouble is not None
    assert "can't be written: " in own.trouble


def test_a_disk_that_hangs_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    released = threading.Event()
    monkeypatch.setattr(SharedLogFile, "write", lambda *_: released.wait(30))
    monkeypatch.setattr(keeping, "_MOST_WAITING", 20)
    own = OwnLog(tmp_path / "a.log")
    with logging_to(own, "INFO"):
        for _ in range(100):
            log.info("x")
    # nothing was waited for: the thread still hangs
    assert not released.is_set()
    released.set()
