"""Backups: what is in them, that they are of one moment, which ones stay."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.support.records import observation
from tests.support.store_files import archive_members, damage, filled_store, no_progress, open_to_others, opened, tree
from utxoracle_tui import clock
from utxoracle_tui.store import backup as backup_module
from utxoracle_tui.store.backup import Backup, make_backup
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble

MOMENT_S = 1_740_830_400.0
"""2025-03-01 12:00 UTC."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    filled_store(folder)
    return folder


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Store:
    shutil.copytree(template, tmp_path / "data")
    return Store(tmp_path / "data", "main")


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moments = [MOMENT_S]
    monkeypatch.setattr(clock, "now_s", lambda: moments[-1])
    return moments


def back_up(store: Store, to: Path | None = None, keep: int = 30) -> Backup:
    return make_backup(store.folder, to, keep, no_progress)


def test_anybody_can_open_it(store: Store, moment: list[float]) -> None:
    store.observations.columns(0, 2e9)
    assert list(store.folder.root.rglob("*.columns"))
    made = back_up(store)
    assert made.path == store.folder.home / "backups" / "utxoracle-tui-main-20250301T120000Z.tar.gz"
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    members = archive_members(made.path)
    listed = json.loads(members.pop("backup.json"))
    root = store.folder.root
    assert members == {f"store/{path.relative_to(root)}": path.read_bytes() for path in root.rglob("*.json")}
    assert {entry["name"]: (entry["size_bytes"], entry["sha256"]) for entry in listed["files"]} == {
        name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in members.items()
    }
    documents = {name: len(opened(data)[1]) for name, data in members.items() if name != "store/manifest.json"}
    assert {entry["name"]: entry["documents"] for entry in listed["files"]} == documents | {"store/manifest.json": 0}
    assert listed["documents"] == {
        "observations": 700,
        "day-windows": 4,
        "block-windows": 20,
        "block-prices": 1,
        "exchange-readings": 100,
        "exchange-days": 1,
        "alerts": 1,
        "notes": 1,
        "jobs": 1,
        "job-items": 300,
    }
    assert (listed["network"], listed["made_s"]) == ("main", MOMENT_S)
    assert made.documents == 1129
    assert (made.files, made.size_bytes) == (len(members), made.path.stat().st_size)
    assert made.removed == made.notes == ()
    assert open_to_others(store.folder.home) == []


def test_it_leaves_the_store_as_it_was(store: Store, tmp_path: Path) -> None:
    before = tree(tmp_path / "data")
    back_up(store, tmp_path / "elsewhere")
    assert tree(tmp_path / "data") == before
    assert open_to_others(tmp_path / "elsewhere") == []


def test_it_is_of_one_moment_while_another_process_writes(tmp_path: Path) -> None:
    """The writer fills two days by turns: each number that is in a backup says that all before it are as well."""
    store = Store(tmp_path, "main")
    command = [sys.executable, "-m", "tests.support.store_writer", str(tmp_path), "0", "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline())]
        reading = threading.Thread(target=lambda: acknowledged.extend(map(int, writer.stdout or [])))
        reading.start()
        try:
            counts = []
            for _ in range(12):
                sure = acknowledged[-1]
                members = archive_members(back_up(store).path)
                keys = [
                    document["key"]
                    for name, data in members.items()
                    if name.startswith("store/observations")
                    for document in opened(data)[1]
                ]
                numbers = sorted(int(key.rpartition("-")[2], 16) for key in keys)
                assert numbers == list(range(len(numbers)))
                assert len(numbers) > sure
                counts.append(len(numbers))
        finally:
            writer.kill()
            reading.join()
    assert counts[-1] > counts[0] + 20


def test_writers_wait_for_the_links_only(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []

    def write(doing: str, done: int, total: int) -> None:
        if not written:
            with_another = Store(store.folder.home.parent, "main")
            thread = threading.Thread(target=lambda: with_another.observations.insert(observation(5000)))
            thread.start()
            thread.join(10)
            assert not thread.is_alive()
            written.append(1)

    made = make_backup(store.folder, None, 30, write)
    assert written
    assert made.documents == 1129
    assert store.observations.count() == 701


def test_two_in_one_second(store: Store, moment: list[float]) -> None:
    names = [back_up(store).path.name for _ in range(3)]
    assert names == [f"utxoracle-tui-main-20250301T120000Z{number}.tar.gz" for number in ("", "-2", "-3")]
    assert back_up(store, keep=2).path.name == "utxoracle-tui-main-20250301T120000Z-4.tar.gz"
    assert sorted(path.name for path in (store.folder.home / "backups").iterdir()) == [
        "utxoracle-tui-main-20250301T120000Z-3.tar.gz",
        "utxoracle-tui-main-20250301T120000Z-4.tar.gz",
    ]


def test_without_hard_links(store: Store, moment: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: object, target: object) -> NoReturn:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    first, second = back_up(store), back_up(store)
    assert second.path.name == "utxoracle-tui-main-20250301T120000Z-2.tar.gz"
    assert archive_members(first.path).keys() == archive_members(second.path).keys()
    assert first.documents == second.documents == 1129
    assert open_to_others(store.folder.home) == []


def test_the_oldest_go(store: Store, moment: list[float], tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    other = filled_store(tmp_path / "other host", 1)
    theirs = back_up(other, folder).path
    foreign = ["utxoracle-tui-main-20000101T000000Z.tar.gz", "utxoracle-tui-main-x.tar.gz", "notes.tar.gz"]
    for name in foreign:
        (folder / name).write_bytes(b"not a backup")
    made = []
    for day in range(1, 6):
        moment.append(MOMENT_S + day * 86_400)
        made.append(back_up(store, folder, keep=3))
    paths = [backup.path for backup in made]
    assert [backup.removed for backup in made] == [(), (), (), (paths[0],), (paths[1],)]
    assert sorted(folder.iterdir()) == sorted([theirs, *(folder / name for name in foreign), *paths[2:]])


def test_a_clock_that_went_back_does_not_cost_the_new_one(store: Store, moment: list[float]) -> None:
    first = back_up(store)
    moment.append(MOMENT_S - 86_400)
    second = back_up(store, keep=1)
    assert second.removed == (first.path,)
    assert second.path.exists()


@pytest.mark.parametrize("position", [1, 400, -30])
def test_one_that_cannot_be_read_back_is_none(
    store: Store, monkeypatch: pytest.MonkeyPatch, moment: list[float], position: int
) -> None:
    first = back_up(store)
    before = tree(store.folder.home)
    real = backup_module.write_backup

    def write_badly(path: Path, *rest: Any) -> None:  # noqa: ANN401
        real(path, *rest)
        damage(path, position)

    monkeypatch.setattr(backup_module, "write_backup", write_badly)
    with pytest.raises(StoreTrouble, match="could not be read back") as caught:
        back_up(store, keep=1)
    assert caught.value.kind == "backup_failed"
    assert tree(store.folder.home) == before
    assert first.path.exists()


def test_what_is_not_what_was_written_is_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that is whole, but of other files."""
    other = back_up(store).path
    real = backup_module.write_backup

    def write_another(path: Path, *rest: Any) -> None:  # noqa: ANN401
        real(path, *rest)
        path.write_bytes(other.read_bytes())

    monkeypatch.setattr(backup_module, "write_backup", write_another)
    store.observations.insert(observation(5000))
    with pytest.raises(StoreTrouble, match="could not be read back"):
        back_up(store)


def test_a_damaged_file_gives_way_to_the_state_before(store: Store) -> None:
    part = store.folder.root / "observations" / "2025" / "2025-01-02.json"
    before = part.with_suffix(".previous").read_bytes()
    damage(part)
    made = back_up(store)
    assert archive_members(made.path)["store/observations/2025/2025-01-02.json"] == before
    assert len(made.notes) == 1
    assert str(part) in made.notes[0]
    assert "state before" in made.notes[0]


def test_no_backup_passes_for_a_whole_one_that_is_not(store: Store) -> None:
    part = store.folder.root / "observations" / "2025" / "2025-01-02.json"
    damage(part)
    damage(part.with_suffix(".previous"))
    before = tree(store.folder.home)
    with pytest.raises(StoreTrouble) as caught:
        back_up(store)
    assert caught.value.kind == "store_damaged"
    assert str(part) in caught.value.message
    assert tree(store.folder.home) == before


def test_nothing_to_back_up(tmp_path: Path) -> None:
    store = Store(tmp_path / "data", "main")
    with pytest.raises(StoreTrouble, match="There is no store at") as caught:
        back_up(store)
    assert caught.value.kind == "no_store"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("doing", ["Reading", "Packing", "Verifying"])
def test_an_interrupted_one_leaves_nothing(store: Store, doing: str) -> None:
    def interrupt(now_doing: str, done: int, total: int) -> None:
        if now_doing == doing and done > 3:
            raise KeyboardInterrupt

    before = tree(store.folder.home)
    with pytest.raises(KeyboardInterrupt):
        make_backup(store.folder, None, 30, interrupt)
    after = tree(store.folder.home)
    after.pop("backups", None)
    assert after == before


def test_names_do_not_lead_away(store: Store) -> None:
    """The archive does not say where the store lies."""
    with gzip.open(back_up(store).path) as file:
        plain = file.read()
    assert str(store.folder.home).encode() not in plain
