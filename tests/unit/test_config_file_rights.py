"""Secrets that other users of the machine could read, or have replaced: where that is told, and what mends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.config_place import Place, make_place
from tests.support.in_process import ran
from tests.ui.logs import WrittenLogs, console_of
from utxoracle_tui.engine.stack.findings.finding import Finding

SECRET = '[alerts]\nsecret = "hunter22"\n'
NOWHERE = {"BITCOIN_RPC_URL": "http://127.0.0.1:1", "MEMPOOL_API_URL": "http://127.0.0.1:1"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return make_place(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (0o600, None),
        (0o400, None),
        (0o640, "readable by"),
        (0o604, "readable by"),
        (0o620, "open to"),
        (0o601, "open to"),
    ],
)
def test_modes_of_the_file(place: Place, mode: int, told: str | None) -> None:
    file = place.write_file(SECRET)
    file.chmod(mode)
    found = place.load().exposed
    assert [each.mend for each in found] == ([] if told is None else [f"chmod 600 {file}"])
    assert all(f"{told} other users (mode {mode:04o})" in each.sentence for each in found)
    assert all(each.sentence in place.load().notes for each in found)


@pytest.mark.parametrize(("mode", "is_told"), [(0o755, False), (0o777, True), (0o1777, False), (0o775, True)])
def test_a_folder_that_others_can_write_to(
    place: Place, mode: int, is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # root has no group of its own alone on every machine
    monkeypatch.setattr("utxoracle_tui.config.file_rights._is_own_group", lambda folder: False)
    file = place.write_file(SECRET)
    file.parent.chmod(mode)
    assert [each.mend for each in place.load().exposed] == ([f"chmod go-w {file.parent}"] if is_told else [])


def test_the_mending_line_mends_it(place: Place) -> None:
    folder = place.home / "with blanks"
    folder.mkdir()
    file = folder / "own.toml"
    file.write_text(SECRET)
    file.chmod(0o644)
    folder.chmod(0o777)
    found = place.load(config=file).exposed
    assert len(found) == 2
    for each in found:
        subprocess.run(each.mend, shell=True, check=True)
    assert place.load(config=file).exposed == ()


def test_a_file_without_a_secret_may_be_read(place: Place) -> None:
    place.write_file("[api]\nport = 8001\n").chmod(0o644)
    assert place.load().exposed == ()


def test_config_and_doctor_tell_of_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    # nothing else is there that would have to be waited for
    monkeypatch.setattr("utxoracle_tui.engine.stack.look.LOOK_WITHIN_S", 0.5)
    dotenv = place.write_dotenv("BITCOIN_RPC_PASSWORD=hunter33\n")
    dotenv.chmod(0o644)
    told = f"note: {dotenv} holds a secret and is readable by other users (mode 0644). To mend it: chmod 600 {dotenv}\n"
    assert told in ran("config", "show").err
    assert told in ran("config", "validate").out
    findings = [Finding(**each) for each in json.loads(ran("doctor", "--json").out)["findings"]]
    (exposed,) = (each for each in findings if each.kind == "secret_exposed")
    assert (exposed.gravity, exposed.mend) == ("warning", f"chmod 600 {dotenv}")
    assert not any("chmod" in each.evidence for each in findings)
    assert "hunter33" not in repr(findings)


def test_watch_logs_it_once(place: Place) -> None:
    file = place.write_file(SECRET)
    file.chmod(0o640)
    command = [sys.executable, "-m", "utxoracle_tui", "watch", "--data-dir", str(place.home / "data")]
    with subprocess.Popen(command, env=os.environ | NOWHERE, stderr=subprocess.PIPE, text=True) as watch:
        assert watch.stderr is not None
        said = []
        for line in watch.stderr:
            said.append(line)
            if "watching:" in line:
                watch.send_signal(signal.SIGTERM)
        assert watch.wait() == 0
    assert [line for line in said if f"chmod 600 {file}" in line] == [line for line in said if "holds a secret" in line]
    assert len([line for line in said if "holds a secret" in line]) == 1


async def test_the_console_shows_it_when_it_opens() -> None:
    console = console_of(WrittenLogs())
    console.parts = replace(console.parts, warnings=("/x/[y].toml holds a secret.",))
    async with console.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert [each.message for each in console._notifications] == ["/x/[y].toml holds a secret."]


def test_what_config_init_writes_is_not_exposed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (NOWHERE | {"BITCOIN_RPC_PASSWORD": "hunter44"}).items():
        monkeypatch.setenv(name, value)
    umask = os.umask(0)
    try:
        assert ran("config", "init").code == 0
    finally:
        os.umask(umask)
    assert tomllib.loads(place.file.read_text())["node"]["password"] == "hunter44"
    assert place.load().exposed == ()
