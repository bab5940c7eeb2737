"""Bringing a store back: whole or not at all, the old one kept, and nothing written anywhere else."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.records import observation
from tests.support.store_files import (
    GENESIS,
    archive_members,
    damage,
    everything,
    filled_store,
    no_progress,
    open_to_others,
    sealed,
    tree,
)
from utxoracle_tui import clock
from utxoracle_tui.errors import Exit
from utxoracle_tui.store import store_folder
from utxoracle_tui.store.backup import make_backup
from utxoracle_tui.store.restore import Restored, newest_backup, restore_backup, verify_backup
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.store_folder import StoreFolder
from utxoracle_tui.store.troubles import StoreTrouble

Members = list[tuple[tarfile.TarInfo, bytes]]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store in `data`, and a backup of it in `backups`."""
    folder = tmp_path_factory.mktemp("template")
    make_backup(filled_store(folder / "data").folder, folder / "backups", 30, no_progress)
    return folder


@pytest.fixture
def place(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def store(place: Path) -> Store:
    return Store(place / "data", "main", genesis_hash=GENESIS)


@pytest.fixture
def backup(place: Path) -> Path:
    (path,) = (place / "backups").iterdir()
    return path


def folder_in(data_dir: Path, network: str = "main") -> StoreFolder:
    return StoreFolder(data_dir / network, network)


def restore(folder: StoreFolder, path: Path) -> Restored:
    return restore_backup(folder, path, no_progress)


def test_into_an_empty_place(store: Store, backup: Path, tmp_path: Path) -> None:
    restored = restore(folder_in(tmp_path / "new"), backup)
    assert (restored.aside, restored.backup.total_documents) == (None, 1129)
    again = Store(tmp_path / "new", "main")
    assert everything(again) == everything(store)
    assert again.counts() == store.counts()
    assert not again.notices.all()
    assert open_to_others(tmp_path / "new") == []
    current = {path.with_suffix("") for path in again.folder.root.rglob("*.json")}
    assert {path.with_suffix("") for path in again.folder.root.rglob("*.previous")} == current
    # what was brought back bears a loss as any other store does
    for path in again.folder.root.rglob("*.json"):
        damage(path)
    assert everything(Store(tmp_path / "new", "main")) == everything(store)


def test_over_a_store_that_is_open(store: Store, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_s", lambda: 1_740_830_400.0)
    expected = everything(store)
    store.observations.put([observation(number) for number in range(700, 900)])
    store.observations.columns(0, 2e9)
    later, writes = everything(store), store.writes()
    restored = restore(folder_in(store.folder.home.parent), backup)
    assert restored.aside == store.folder.home / "store-before-20250301T120000Z"
    assert store.writes() != writes
    assert everything(store) == expected
    assert len(store.observations.columns(0, 2e9)["time_s"]) == store.observations.count() == 700
    assert store.observations.insert(observation(700)).value == "taken"
    again = restore(folder_in(store.folder.home.parent), backup)
    assert again.aside == store.folder.home / "store-before-20250301T120000Z-2"
    # the first one that was kept is a whole store
    restored.aside.rename(store.folder.home / "old")
    (store.folder.home / "other" / "main").mkdir(parents=True)
    (store.folder.home / "old").rename(store.folder.home / "other" / "main" / "store")
    assert everything(Store(store.folder.home / "other", "main")) == later


def test_another_process_sees_it_within_a_second(store: Store, backup: Path) -> None:
    store.observations.put([observation(number) for number in range(700, 900)])
    code = (
        "import sys, time; from pathlib import Path; from utxoracle_tui.store.store import Store\n"
        "store = Store(Path(sys.argv[1]), 'main'); print(len(store.observations.all()), flush=True)\n"
        "sys.stdin.readline(); end = time.monotonic() + 1\n"
        "while len(store.observations.all()) != 700: assert time.monotonic() < end\n"
        "assert not store.notices.all(); print(store.observations.insert(store.observations.newest()[0]).value)"
    )
    command = [sys.executable, "-c", code, str(store.folder.home.parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "900\n"
        restore(folder_in(store.folder.home.parent), backup)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.read() == "same\n"
    assert process.returncode == 0


def test_while_another_process_writes(store: Store, backup: Path) -> None:
    """What the writer was told is stored is in the store that was kept, or in the one that took its place."""
    command = [sys.executable, "-m", "tests.support.store_writer", str(store.folder.home.parent), "1000", "120"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(20)]
        aside = restore(folder_in(store.folder.home.parent), backup).aside
        acknowledged += [int(line) for line in writer.stdout]
    assert writer.returncode == 0
    assert acknowledged == list(range(1000, 1120))
    assert aside is not None
    kept = store.folder.home.parent / "kept" / "main"
    kept.mkdir(parents=True)
    aside.rename(kept / "store")
    found = {record.key for which in (store, Store(kept.parent, "main")) for record in which.observations.all()}
    assert {int(key.rpartition("-")[2], 16) for key in found} >= set(acknowledged)


def test_the_newest_backup(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = store.folder
    with pytest.raises(StoreTrouble, match="There is no backup of main in") as caught:
        newest_backup(folder)
    assert caught.value.kind == "no_backup"
    paths = []
    for moment_s in (3e9, 1e9, 2e9, 3e9):
        monkeypatch.setattr(clock, "now_s", lambda moment_s=moment_s: moment_s)
        paths.append(make_backup(folder, None, 30, no_progress).path)
    (folder.home / "backups" / "utxoracle-tui-regtest-20990101T000000Z.tar.gz").touch()
    (folder.home / "backups" / f"{paths[0].name}.1.tmp").touch()
    assert newest_backup(folder) == paths[3]


def refused(folder: StoreFolder, path: Path, kind: str) -> StoreTrouble:
    """Restoring is refused in one sentence, and neither the store nor what is beside it changes."""
    before = tree(folder.home.parent.parent)
    for attempt in (verify_backup, restore_backup):
        with pytest.raises(StoreTrouble) as caught:
            attempt(folder, path, no_progress)
        assert caught.value.kind == kind
        assert "\n" not in caught.value.message
        assert tree(folder.home.parent.parent) == before
    return caught.value


def test_each_cut_and_each_change_is_found(store: Store, backup: Path) -> None:
    whole = backup.read_bytes()
    draw = random.Random("backups")
    spoilt = [whole[:length] for length in (0, 1, 9, 10, 11, 500, len(whole) // 2, len(whole) - 9, len(whole) - 1)]
    for _ in range(40):
        # the ten bytes before it say nothing of the content
        position = draw.randrange(10, len(whole))
        data = bytearray(whole)
        data[position] ^= 1 << draw.randrange(8)
        spoilt.append(bytes(data))
    for data in spoilt:
        backup.write_bytes(data)
        with pytest.raises(StoreTrouble) as caught:
            verify_backup(store.folder, backup, no_progress)
        assert caught.value.kind == "backup_damaged", caught.value.message
    refused(store.folder, backup, "backup_damaged")


@contextmanager
def rewritten(backup: Path, *, relist: bool = False) -> Iterator[Members]:
    """The members of a backup, to be changed; with `relist` its list is made to fit them."""
    members: Members = []
    with tarfile.open(backup, "r:gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            members.append((member, file.read() if file else b""))
    yield members
    if relist:
        listed = json.loads(members[0][1])
        known = {entry["name"]: entry for entry in listed["files"]}
        listed["files"] = [
            known.get(member.name, {"documents": 0})
            | {"name": member.name, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for member, data in members[1:]
        ]
        members[0] = (members[0][0], json.dumps(listed).encode())
    with gzip.open(backup, "wb") as plain, tarfile.open(fileobj=plain, mode="w|") as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def relisted(backup: Path, changes: dict[str, Any]) -> None:
    with rewritten(backup) as members:
        listed = json.loads(members[0][1]) | changes
        members[0] = (members[0][0], json.dumps(listed).encode())


EVIL = [
    "../evil.json",
    "store/../../evil.json",
    "store/../evil/evil/evil.json",
    "store/observations/../../evil.json",
    "store/observations/../evil.json",
    "/tmp/evil.json",
    "//store/a/b/evil.json",
    "store//b/evil.json",
    "store/./b/evil.json",
    "store/a/b/.evil.json",
    "store/a/b/..\\evil.json",
    "store/a/b/evil.sh",
    "store/a/b/c/evil.json",
    "store/a\n/b/evil.json",
    "store/evil.json",
    "evil.json",
]


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("listed", [True, False])
def test_no_name_leads_out_of_the_store(store: Store, backup: Path, name: str, listed: bool) -> None:
    with rewritten(backup, relist=listed) as members:
        members.append((tarfile.TarInfo(name), sealed({"collection": "x", "part": "y", "documents": 0}, {})))
    trouble = refused(store.folder, backup, "backup_damaged")
    assert "evil" in trouble.message


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_nothing_but_files(store: Store, backup: Path, kind: bytes) -> None:
    with rewritten(backup, relist=True) as members:
        link = tarfile.TarInfo("store/observations/2025/evil.json")
        link.type, link.linkname = kind, "/etc/passwd"
        members.append((link, b""))
    refused(store.folder, backup, "backup_damaged")


def test_a_link_in_the_place_of_the_list(store: Store, backup: Path) -> None:
    with rewritten(backup) as members:
        members[0][0].type, members[0][0].linkname = tarfile.SYMTYPE, "/etc/passwd"
        members[0] = (members[0][0], b"")
    refused(store.folder, backup, "backup_damaged")


@pytest.mark.parametrize("relist", [True, False])
def test_each_file_once(store: Store, backup: Path, relist: bool) -> None:
    with rewritten(backup, relist=relist) as members:
        members.append(members[2])
    refused(store.folder, backup, "backup_damaged")


def test_no_file_less(store: Store, backup: Path) -> None:
    with rewritten(backup) as members:
        del members[3]
    assert "1 of its" in refused(store.folder, backup, "backup_damaged").message


def test_no_store_without_its_description(store: Store, backup: Path) -> None:
    with rewritten(backup, relist=True) as members:
        del members[next(n for n, (member, _) in enumerate(members) if member.name == "store/manifest.json")]
    refused(store.folder, backup, "backup_damaged")


def test_damage_below_the_archives_own_checksums(store: Store, backup: Path) -> None:
    """A file that was damaged before it went into the archive, or by somebody who made the list fit."""
    with rewritten(backup, relist=True) as members:
        member, data = members[1]
        members[1] = (member, data[:-1] + b" ")
    assert "checksum" in refused(store.folder, backup, "backup_damaged").message


def test_a_list_with_other_counts(store: Store, backup: Path) -> None:
    with rewritten(backup) as members:
        listed = json.loads(members[0][1])
        listed["files"][0]["documents"] += 1
        members[0] = (members[0][0], json.dumps(listed).encode())
    assert "documents" in refused(store.folder, backup, "backup_damaged").message


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"backup":1,"schema":2}', b"\xff"])
def test_a_list_that_is_none(store: Store, backup: Path, content: bytes) -> None:
    with rewritten(backup) as members:
        members[0] = (members[0][0], content)
    refused(store.folder, backup, "backup_damaged")


def test_other_files(store: Store, tmp_path: Path) -> None:
    other = tmp_path / "other.tar.gz"
    with tarfile.open(other, "w:gz") as archive:
        archive.add(__file__, "backup.json")
        archive.add(__file__, "store/manifest.json")
    refused(store.folder, other, "backup_damaged")
    with gzip.open(other, "wb") as file:
        file.write(b"x" * 100_000)
    refused(store.folder, other, "backup_damaged")
    other.write_bytes(b"PK\x03\x04 and so on")
    refused(store.folder, other, "backup_damaged")
    assert "there is no" in refused(store.folder, tmp_path / "none.tar.gz", "missing").message
    refused(store.folder, tmp_path, "store_unusable")


def test_another_network_is_refused(store: Store, backup: Path, tmp_path: Path) -> None:
    trouble = refused(folder_in(tmp_path / "data", "regtest"), backup, "other_network")
    assert trouble.exit_code is Exit.USAGE
    assert "another chain (main" in trouble.message
    assert "--network" in trouble.message


def test_another_chain_of_that_name_is_refused(store: Store, backup: Path) -> None:
    relisted(backup, {"genesis_hash": "11" * 32})
    refused(store.folder, backup, "other_network")


@pytest.mark.parametrize("newer", [{"schema": 3}, {"backup": 2, "files": "in another way"}])
def test_a_newer_list_is_refused(store: Store, backup: Path, newer: dict[str, Any]) -> None:
    relisted(backup, newer)
    trouble = refused(store.folder, backup, "newer_backup")
    assert trouble.exit_code is Exit.USAGE
    assert "newer version of the program" in trouble.message


def test_a_newer_file_is_refused(store: Store, backup: Path) -> None:
    with rewritten(backup, relist=True) as members:
        header = {"collection": "alerts", "part": "2025-01", "documents": 1, "schema": 3}
        assert members[1][0].name == "store/alerts/2025/2025-01.json"
        members[1] = (members[1][0], sealed(header, {"records": {"1": {"quite": "another"}}}))
    refused(store.folder, backup, "newer_backup")


def test_a_store_of_a_newer_program_stays(store: Store, backup: Path) -> None:
    for suffix in (".json", ".previous"):
        path = (store.folder.root / "manifest.json").with_suffix(suffix)
        path.write_bytes(sealed({"collection": "manifest", "part": "manifest", "schema": 3}, {"of": {}}))
    assert refused(store.folder, backup, "newer_store").exit_code is Exit.USAGE


def test_over_a_store_that_cannot_be_opened(store: Store, backup: Path) -> None:
    expected = everything(store)
    for suffix in (".json", ".previous"):
        damage((store.folder.root / "manifest.json").with_suffix(suffix))
    with pytest.raises(StoreTrouble):
        Store(store.folder.home.parent, "main")
    restore(folder_in(store.folder.home.parent), backup)
    assert everything(Store(store.folder.home.parent, "main")) == expected


class Crash(BaseException):
    """The process ends here, as far as the disk can tell."""


def crash_at(monkeypatch: pytest.MonkeyPatch, home: Path, fatal: int) -> None:
    """End the process before the `fatal`th call that changes a name in a folder."""
    calls = 0

    def stepping(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(self: Path, *rest: Any, **options: Any) -> Any:  # noqa: ANN401
            nonlocal calls
            calls += self.parent == home
            if calls == fatal:
                raise Crash
            return real(self, *rest, **options)

        return step

    for name in ("mkdir", "rename", "replace", "unlink"):
        monkeypatch.setattr(Path, name, stepping(getattr(Path, name)))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for others to finish an exchange of stores."""
    monkeypatch.setattr(store_folder.time, "sleep", lambda seconds: None)


# what happens: the new folder is made, the marker put in place, the old store renamed, the new one renamed, the
# marker removed
@pytest.mark.parametrize(
    ("fatal", "seen"), [(1, "old old"), (2, "old old"), (3, "old new"), (4, "new new"), (5, "new new")]
)
def test_a_crash_at_any_step_leaves_one_of_the_two(
    store: Store, backup: Path, impatient: None, fatal: int, seen: str
) -> None:
    """What is seen at first, and after the next write."""
    at_first, at_last = seen.split()
    states = {"new": everything(store)}
    store.observations.put([observation(number) for number in range(700, 900)])
    states["old"] = everything(store)
    home = store.folder.home
    with pytest.MonkeyPatch.context() as crashing, pytest.raises(Crash):
        crash_at(crashing, home, fatal)
        restore(folder_in(home.parent), backup)
    opened = Store(home.parent, "main")
    assert everything(opened) == states[at_first]
    # whoever writes first finishes what was begun
    opened.observations.insert(observation(5000))
    opened.observations.remove(opened.observations.kind.place(observation(5000)), lambda one: one == observation(5000))
    assert everything(opened) == everything(store) == states[at_last]
    assert not (home / "restore.pending").exists()
    assert len(list(home.glob("store-before-*"))) == (at_last == "new")


def test_there_are_no_more_steps(store: Store, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as crashing:
        crash_at(crashing, store.folder.home, 6)
        restore(folder_in(store.folder.home.parent), backup)


def test_what_nobody_can_finish_is_told(store: Store, impatient: None) -> None:
    (store.folder.home / "restore.pending").write_bytes(b"\0\0\0")
    # the store is there: nothing was begun
    store.observations.insert(observation(800))
    assert store.observations.count() == 701
    (store.folder.home / "restore.pending").write_bytes(b"\0\0\0")
    store.folder.root.rename(store.folder.home / "store-before-x")
    with pytest.raises(StoreTrouble, match="Restoring the store was interrupted"):
        Store(store.folder.home.parent, "main")


def test_the_members_are_those_of_the_store(store: Store, backup: Path, tmp_path: Path) -> None:
    restore(folder_in(tmp_path / "new"), backup)
    again = make_backup(folder_in(tmp_path / "new"), tmp_path / "backups", 30, no_progress)
    first, second = archive_members(backup), archive_members(again.path)
    first.pop("backup.json")
    second.pop("backup.json")
    assert first == second
