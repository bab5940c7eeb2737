"""Disks that are full, read-only, closed or gone: told in a sentence, nothing lost, reading goes on."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.records import START_S, observation
from tests.support.spoiling import Spoilt
from tests.support.store_files import (
    damage,
    filled_store,
    no_progress,
    open_to_others,
    tree,
)
from utxoracle_tui.store.backup import make_backup
from utxoracle_tui.store.check import check_store, mend_store
from utxoracle_tui.store.restore import restore_backup
from utxoracle_tui.store.store import Retention, Store, digests_of
from utxoracle_tui.store.troubles import StoreTrouble


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data", "main")


class Disk:
    """Calls to the system, of which one fails."""

    CALLS: tuple[tuple[Any, str], ...] = ((os, "open"), (os, "fsync"), (os, "link"), (Path, "replace"), (os, "pwrite"))

    def __init__(self, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
        self.code, self.fatal, self.calls = code, 0, 0
        for place, name in self.CALLS:
            monkeypatch.setattr(place, name, self._failing(getattr(place, name)))

    def _failing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
            self.calls += 1
            if self.calls == self.fatal:
                raise OSError(self.code, os.strerror(self.code))
            return real(*arguments, **options)

        return call


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EROFS, "mounted read-only"),
        (errno.EACCES, "this user may not use"),
        (errno.EIO, "reports an error"),
        (errno.EFBIG, "File too large"),
    ],
)
def test_whichever_call_fails_nothing_is_lost(store: Store, tmp_path: Path, code: int, words: str) -> None:
    """A write that is told to have failed may be there or not; one that was acknowledged is, and so is all before."""
    sure = [observation(number, START_S + number) for number in range(5)]
    store.observations.put(sure)
    failed = 0
    for fatal in range(1, 60):
        new = observation(fatal + 100, START_S + 100 + fatal + fatal % 2 * 86_400)
        with pytest.MonkeyPatch.context() as patching:
            disk = Disk(patching, code)
            disk.fatal = fatal
            try:
                store.observations.insert(new)
                sure.append(new)
            except StoreTrouble as trouble:
                failed += 1
                assert words in trouble.message
                assert "\n" not in trouble.message
            if disk.calls < fatal:
                break
        found = Store(tmp_path / "data", "main").observations.all()
        assert [record for record in found if record in sure] == sorted(sure, key=lambda record: record.time_s)
        assert {record.key for record in found} - {record.key for record in sure} <= {new.key}
        assert store.observations.all() == found
        if new in found and new not in sure:
            sure.append(new)
        assert not list((tmp_path / "data").rglob("*.tmp"))
    else:
        pytest.fail("a write took more than 60 calls")
    assert failed >= 8
    assert not store.notices.all()
    assert check_store(store.folder, no_progress).ok


@contextlib.contextmanager
def no_file_over(size_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_no_more(store: Store, tmp_path: Path) -> None:
    """The system itself refuses the bytes, in the middle of a file."""
    sure = [observation(number, START_S + number) for number in range(40)]
    store.observations.put(sure)
    before = tree(tmp_path)
    with no_file_over(15_000):
        for _ in range(2):
            with pytest.raises(StoreTrouble, match=r"Could not write to the store: .*2025-01-01\.json: File too large"):
                store.observations.insert(observation(50))
        assert store.observations.all() == Store(tmp_path / "data", "main").observations.all() == sure
        with pytest.raises(StoreTrouble, match=r"Could not write the backup: .*File too large"), no_file_over(500):
            make_backup(store.folder, tmp_path / "data" / "main", 30, no_progress)
        assert tree(tmp_path) == before
    path = make_backup(store.folder, tmp_path, 30, no_progress).path
    before = tree(tmp_path)
    with no_file_over(5_000), pytest.raises(StoreTrouble, match=r"Could not restore the store: .*File too large"):
        restore_backup(store.folder, path, no_progress)
    assert tree(tmp_path) == before
    assert store.observations.insert(observation(50)).value == "taken"


def test_reading_goes_on_where_mending_cannot(tmp_path: Path) -> None:
    spoilt = Spoilt(tmp_path, 50)
    damage(spoilt.path)
    kept = spoilt.path.read_bytes()
    with no_file_over(1000):
        store = spoilt.open()
        for _ in range(2):
            assert store.observations.all() == spoilt.records[:-1]
        (notice,) = store.notices.all()
        assert "The state before it is used." in notice.sentence
        assert "File too large" in notice.sentence
        assert spoilt.path.read_bytes() == kept
    assert spoilt.open().observations.all() == spoilt.records[:-1]
    assert spoilt.path.read_bytes() == spoilt.bytes_before
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_small_disk_and_a_read_only_one(tmp_path: Path) -> None:
    """A real one: the steps are in `tests/support/store_on_small_disk.py`."""
    mount = 'mount -t tmpfs -o size=400k,mode=700 none "$1" && exec "$2" -m tests.support.store_on_small_disk "$1" "$3"'
    spaces = [["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]]
    usable = [space for space in spaces if shutil.which("unshare") and _can_mount(space, tmp_path)]
    if not usable:
        pytest.skip("this host lets this user mount nothing, so there is no small disk to try")
    disk, beside = tmp_path / "disk", tmp_path / "beside"
    disk.mkdir()
    beside.mkdir()
    command = [*usable[0], "sh", "-c", mount, "sh", str(disk), sys.executable, str(beside)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["stored"] > 100
    assert "disk that holds" in seen["full"]
    assert "is full. Nothing that was stored is lost" in seen["full"]
    assert "mounted read-only" in seen["read_only"]
    assert seen["backups"] == 2


def _can_mount(space: list[str], folder: Path) -> bool:
    command = [*space, "mount", "-t", "tmpfs", "none", str(folder)]
    return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0


def test_folders_that_this_user_may_not_use() -> None:
    """By another user where this one may do everything; the steps are in `tests/support/store_without_rights.py`."""
    with tempfile.TemporaryDirectory(prefix="utxoracle-tui-test-") as folder:
        Path(folder).chmod(0o755)
        command = [sys.executable, "-m", "tests.support.store_without_rights", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        assert seen.keys() == {"write", "read", "list", "open", "make", "check", "backup"}
        for sentence in seen.values():
            assert "this user may not use" in sentence
            assert "\n" not in sentence


def test_a_folder_that_is_gone(store: Store, tmp_path: Path) -> None:
    """As when the disk that it lies on is no longer mounted: nothing is taken for an empty store."""
    store.observations.put([observation(1), observation(2)])
    away = tmp_path / "away"
    (tmp_path / "data").rename(away)
    for attempt in (store.observations.all, store.counts, lambda: store.observations.insert(observation(3))):
        with pytest.raises(StoreTrouble, match="was there and is gone") as caught:
            attempt()
        assert caught.value.kind == "store_gone"
    assert not (tmp_path / "data").exists()
    away.rename(tmp_path / "data")
    assert store.observations.insert(observation(3)).value == "taken"
    assert store.observations.count() == 3


def test_a_place_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"a file")
    store = Store(tmp_path / "data", "main")
    assert store.observations.all() == []
    with pytest.raises(StoreTrouble) as caught:
        store.observations.insert(observation(1))
    assert str(tmp_path / "data") in caught.value.message


def test_a_lock_that_is_not_given_up(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.observations.insert(observation(1))
    other = Store(tmp_path / "data", "main")
    monkeypatch.setattr(other.folder.lock, "_wait_s", 0.05)
    with store.folder.lock.held("hang"):
        assert other.observations.all() == [observation(1)]
        with pytest.raises(StoreTrouble, match=r"another process has held .*store\.lock for 0 s and hangs") as caught:
            other.observations.insert(observation(2))
    assert caught.value.kind == "store_locked"
    assert other.observations.insert(observation(2)).value == "taken"


def test_everything_is_private(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        store = filled_store(tmp_path / "data")
        store.observations.columns(0, 2e9)
        store.windows.columns(0, 2e9, "day")
        digests_of(tmp_path / "data", "main", Retention()).put("block", b"digest")
        store.observations.remove(store.observations.kind.place(observation(0)), lambda record: True)
        backup = make_backup(store.folder, None, 30, no_progress)
        make_backup(store.folder, tmp_path / "data" / "more" / "backups", 30, no_progress)
        one, two = sorted((store.folder.root / "observations" / "2025").glob("*.json"))[1:]
        damage(one)
        assert Store(tmp_path / "data", "main").observations.all()
        damage(two)
        mend_store(store.folder, no_progress)
        assert len(list(store.folder.damaged.iterdir())) == 2
        restore_backup(store.folder, backup.path, no_progress)
        check_store(store.folder, no_progress)
    finally:
        os.umask(mask)
    names = {path.name for path in (tmp_path / "data").rglob("*")}
    assert {"store.lock", "store.sequence", "manifest.json", "damaged", "backups", "digests"} <= names
    assert open_to_others(tmp_path / "data") == []
