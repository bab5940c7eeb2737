"""`backup`, `restore` and `store check` as programs of their own."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.records import observation
from tests.support.store_files import archive_members, damage, everything, filled_store, tree
from utxoracle_tui.cli import main
from utxoracle_tui.store.store import Store

COMMAND = [sys.executable, "-m", "utxoracle_tui"]
MOMENT = "1740830400@0"
"""2025-03-01 12:00 UTC, standing still."""


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of whoever runs the tests gets in."""
    for name in [name for name in os.environ if name.startswith(("UTXORACLE", "BITCOIN"))]:
        monkeypatch.delenv(name)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return filled_store(tmp_path / "data")


def program(data_dir: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command without a terminal."""
    return subprocess.run(
        [*COMMAND, *arguments, "--data-dir", str(data_dir)],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.soak
def test_the_store_goes_and_comes_back(store: Store, tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = program(data, "backup", UTXORACLE_TUI_CLOCK=MOMENT)
    path = data / "main" / "backups" / "utxoracle-tui-main-20250301T120000Z.tar.gz"
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines()[0] == str(path)
    assert "1,129 records" in first.stdout
    # two at once in one second
    both = [
        subprocess.Popen(
            [*COMMAND, "backup", "--json", "--data-dir", str(data)],
            env=os.environ | {"UTXORACLE_TUI_CLOCK": MOMENT},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    documents = [json.loads(process.communicate(timeout=60)[0]) for process in both]
    assert {document["path"] for document in documents} == {
        str(path.with_name(f"utxoracle-tui-main-20250301T120000Z-{number}.tar.gz")) for number in (2, 3)
    }
    assert [document["records"] for document in documents] == [1129, 1129]
    expected = everything(store)
    # to an empty place, without a question
    new = program(tmp_path / "new", "restore", str(path), "--json")
    assert (new.returncode, new.stderr) == (0, "")
    assert json.loads(new.stdout)["kept"] is None
    assert everything(Store(tmp_path / "new", "main")) == expected
    # over a store that a running program has open
    store.observations.put([observation(number) for number in range(700, 800)])
    refused = program(data, "restore", "latest")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--yes" in refused.stderr
    assert store.observations.count() == 800
    done = program(data, "restore", "latest", "--yes", UTXORACLE_TUI_CLOCK=MOMENT)
    assert (done.returncode, done.stderr) == (0, "")
    aside = data / "main" / "store-before-20250301T120000Z"
    assert f"is kept at {aside}" in done.stdout
    assert aside.is_dir()
    assert everything(store) == expected


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process: exit code, stdout, stderr."""
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@contextlib.contextmanager
def terminal(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put a terminal in the place of stdin, on which somebody has typed an answer."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer)
        with os.fdopen(theirs) as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            yield
    finally:
        os.close(ours)


def test_the_operator_is_asked(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    path = json.loads(run(capsys, "backup", "--json", "--data-dir", str(data))[1])["path"]
    store.observations.insert(observation(700))
    before = tree(data)
    for answer in (b"\n", b"no\n", b"\x04"):
        with terminal(answer, monkeypatch):
            code, out, words = run(capsys, "restore", "--data-dir", str(data))
        assert (code, out) == (1, "")
        assert words.endswith("Go on? [y/N] Nothing was changed.\n")
        assert path in words
        assert "1,129 records" in words
        assert "1,129 records" in words
    assert tree(data) == before
    with terminal(b"y\n", monkeypatch):
        code, _, words = run(capsys, "restore", "--data-dir", str(data))
    assert code == 0
    assert words.endswith("[y/N] ")
    assert store.observations.count() == 700


def test_check(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    before = tree(data)
    code, out, words = run(capsys, "store", "check", "--json", "--data-dir", str(data))
    assert (code, words) == (0, "")
    assert json.loads(out) == {
        "ok": True,
        "counts": {"observations": 700, "windows": 24, "jobs": 1, "alerts": 1, "exchange_readings": 101},
        "damaged": [],
        "gaps": ["2025-01-03", "2025-01-04", "2025-01-06", "2025-01-07", "2025-01-08"],
        "orphans": [],
        "set_aside": [],
        "leftovers": [],
        "mended": [],
    }
    part = store.folder.root / "observations" / "2025" / "2025-01-02.json"
    damage(part)
    done = program(data, "store", "check", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert not report["ok"]
    assert report["damaged"] == [
        {"file": str(part), "why": "its checksum does not fit its content", "used": str(part.with_suffix(".previous"))}
    ]
    damage(part)
    assert tree(data) == before


def test_check_in_words(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check = ["store", "check", "--data-dir", str(tmp_path / "data")]
    code, out, _ = run(capsys, *check)
    assert (code, out.splitlines()[0]) == (0, "Store of main: all right")
    assert "observations               700" in out
    assert "5 days without a window between the first and the last: 2025-01-03 to 2025-01-04, 2025-01-06 to" in out
    part = store.folder.root / "observations" / "2025" / "2025-01-02.json"
    damage(part)
    code, out, _ = run(capsys, *check)
    assert (code, out.splitlines()[0]) == (1, "Store of main: DAMAGED, 1 file; what is stored can be read")
    assert f"damaged: {part}: its checksum does not fit its content. The state before it is used." in out
    assert "`utxoracle-tui store check --mend` puts this right." in out
    damage(part.with_suffix(".previous"))
    code, out, _ = run(capsys, *check)
    assert (code, out.splitlines()[0]) == (1, "Store of main: DAMAGED, 2 files; ROWS CAN'T BE READ")
    assert "There is no good copy." in out
    assert "`utxoracle-tui restore` brings back the newest backup" in out
    code, out, _ = run(capsys, *check, "--mend")
    assert (code, out.splitlines()[0]) == (0, "Store of main: all right")
    assert "mended: " in out
    assert f"2 files found damaged earlier, kept in {store.folder.damaged}" in out
    assert run(capsys, *check)[0] == 0


def test_an_empty_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--data-dir", str(tmp_path / "none")]
    code, out, _ = run(capsys, "store", "check", "--json", *place)
    assert (code, json.loads(out)["ok"]) == (0, True)
    code, out, _ = run(capsys, "backup", "--json", *place)
    assert (code, json.loads(out)["error"]["kind"]) == (1, "no_store")
    code, _, words = run(capsys, "restore", "--yes", *place)
    assert code == 1
    assert "There is no backup of main in" in words
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["backup", "--keep", "0"], "--keep"),
        (["backup", "--keep", "many"], "--keep"),
        (["backup", "--network", "moon"], "moon"),
        (["store"], "check"),
        (["store", "mend"], "mend"),
        (["store", "check", "--network", "regtest"], ""),
    ],
)
def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    code, out, err = run(capsys, *arguments, "--data-dir", str(tmp_path / "data"))
    assert code == (2 if words else 0)
    assert words in err
    assert (out == "") == bool(words)


def test_refused_backups(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(tmp_path / "data")
    _, out, _ = run(capsys, "backup", "--json", "--to", str(tmp_path / "b"), "--data-dir", data)
    path = Path(json.loads(out)["path"])
    code, out, _ = run(capsys, "restore", str(path), "--network", "test", "--json", "--data-dir", str(tmp_path / "new"))
    assert (code, json.loads(out)["error"]["kind"]) == (2, "other_network")
    damage(path, 2000)
    code, out, err = run(capsys, "restore", str(path), "--yes", "--data-dir", data)
    assert (code, out) == (1, "")
    assert err.startswith(f"utxoracle-tui: {path} can't be used: ")
    assert err.endswith("Nothing was changed.\n")
    assert not (tmp_path / "new").exists()


def test_backups_beyond_those_of_the_settings_go(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UTXORACLE_TUI_STORE_BACKUPS", "2")
    for _ in range(4):
        code, out, _ = run(capsys, "backup", "--data-dir", str(tmp_path / "data"))
        assert code == 0
    assert len(list((store.folder.home / "backups").iterdir())) == 2
    assert "removed " in out


def test_a_backup_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    """SIGTERM in the middle, as from a service manager."""
    store = Store(tmp_path / "data", "main")
    store.observations.put(observation(number * 7, 1.7e9 + number * 300) for number in range(8_000))
    before = tree(store.folder.root)
    backups = tmp_path / "data" / "main" / "backups"
    for _ in range(10):
        process = subprocess.Popen([*COMMAND, "backup", "--data-dir", str(tmp_path / "data")])
        with process:
            while process.poll() is None and not list(backups.glob("*.tar.gz.*.tmp")):
                pass
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        if process.returncode != 0:
            break
        # it was done before the signal came
        for path in backups.iterdir():
            path.unlink()
    assert process.returncode == 130
    assert tree(store.folder.root) == before
    assert not list((tmp_path / "data").rglob("*.tmp"))
    assert list(backups.iterdir()) == []


def test_anybody_can_open_a_backup(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With nothing but tar."""
    place = ["--to", str(tmp_path / "b"), "--data-dir", str(tmp_path / "data")]
    path = json.loads(run(capsys, "backup", "--json", *place)[1])["path"]
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["tar", "-xzf", path, "-C", str(out)], check=True)
    found = {str(file.relative_to(out)): file.read_bytes() for file in out.rglob("*.json")}
    assert found == archive_members(Path(path))
