"""Checking a store finds what is wrong and changes nothing; mending puts right what can be."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.records import START_S, block_window, observation
from tests.support.store_files import (
    GENESIS,
    damage,
    day_window,
    everything,
    filled_store,
    no_progress,
    open_to_others,
    opened,
    sealed,
    tree,
)
from utxoracle_tui.errors import Exit
from utxoracle_tui.store import check
from utxoracle_tui.store.check import CheckReport, check_store, mend_store
from utxoracle_tui.store.store import Counts, Store
from utxoracle_tui.store.store_folder import StoreFolder
from utxoracle_tui.store.troubles import StoreTrouble

COUNTS = Counts(observations=700, windows=24, jobs=1, alerts=1, exchange_readings=101)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    filled_store(folder)
    return folder


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Store:
    shutil.copytree(template, tmp_path / "data")
    return Store(tmp_path / "data", "main", genesis_hash=GENESIS)


def looked_at(store: Store) -> CheckReport:
    """The findings of a check that changes nothing."""
    home = store.folder.home
    before = tree(home)
    report = check_store(StoreFolder(home, "main"), no_progress)
    assert tree(home) == before
    return report


def mended(store: Store) -> list[str]:
    return mend_store(StoreFolder(store.folder.home, "main"), no_progress)


def part(store: Store, name: str = "observations/2025/2025-01-02") -> Path:
    return store.folder.root / f"{name}.json"


def before(path: Path) -> Path:
    return path.with_suffix(".previous")


def found(report: CheckReport) -> list[tuple[Path, Path | None]]:
    return [(damage.file, damage.used) for damage in report.damaged]


def test_a_store_that_is_all_right(store: Store) -> None:
    report = looked_at(store)
    assert (report.ok, report.damaged, report.counts) == (True, (), COUNTS)
    assert store.counts() == COUNTS
    assert report.gaps == tuple(dt.date(2025, 1, day) for day in (3, 4, 6, 7, 8))
    assert report.orphans == report.set_aside == report.leftovers == ()


def test_no_store(tmp_path: Path) -> None:
    folder = StoreFolder(tmp_path / "main", "main")
    report = check_store(folder, no_progress)
    assert report.ok
    assert report.counts == Counts(0, 0, 0, 0, 0)
    assert mend_store(folder, no_progress) == []
    assert not (tmp_path / "main").exists()


def test_every_kind_is_looked_at(store: Store) -> None:
    folders = {path.name for path in store.folder.root.iterdir() if path.is_dir()}
    assert {kind.name for kind in check.KINDS} == folders


@pytest.mark.parametrize(
    "name",
    [
        "observations/2025/2025-01-01",
        "day-windows/2025/2025-01",
        "block-windows/2025/2025-01-01",
        "exchange-readings/2025/2025-01-01",
        "exchange-days/2024/2024",
        "alerts/2025/2025-01",
        "jobs/2025/2025",
        "job-items/job-1/000001",
        "manifest",
    ],
)
def test_any_file_of_either_generation(store: Store, name: str) -> None:
    path = part(store, name)
    damage(before(path))
    report = looked_at(store)
    assert found(report) == [(before(path), path)]
    assert report.counts == COUNTS
    before(path).write_bytes(path.read_bytes())
    damage(path, 100)
    assert found(looked_at(store)) == [(path, before(path))]
    damage(before(path), 50)
    report = looked_at(store)
    assert found(report) == [(path, None), (before(path), None)]
    assert report.rows_missing
    assert "does not fit" in report.damaged[0].why
    before(path).write_bytes(b"")
    path.unlink()
    report = looked_at(store)
    assert found(report) == [(before(path), None), (path, None)]
    assert [damage.why for damage in report.damaged] == ["it is empty", "it is missing"]


def test_a_file_that_is_gone(store: Store) -> None:
    path = part(store)
    store.observations.insert(observation(800, START_S + 86_401))
    assert looked_at(store).counts.observations == 701
    path.unlink()
    report = looked_at(store)
    assert found(report) == [(path, before(path))]
    assert report.counts == COUNTS
    for manifest in (part(store, "manifest"), before(part(store, "manifest"))):
        manifest.unlink()
    assert (part(store, "manifest"), None) in found(looked_at(store))


def test_what_charts_are_drawn_from_is_not_looked_at(store: Store) -> None:
    store.observations.columns(0, 2e9)
    for path in store.folder.root.rglob("*.columns"):
        path.write_bytes(b"rubbish")
    assert looked_at(store).ok


Change = Callable[[dict[str, Any], list[dict[str, Any]]], object]

CONTENTS: list[tuple[str, Change]] = [
    ("part 2025-01-03 of observations", lambda header, rows: header.update(part="2025-01-03")),
    ("part 2025-01-02 of alerts", lambda header, rows: header.update(collection="alerts")),
    ("does not agree", lambda header, rows: header.update(documents=len(rows) + 1)),
    ("does not agree", lambda header, rows: header.update(last_time_s=header["last_time_s"] + 1)),
    ("does not agree", lambda header, rows: header.update(first_height=1)),
    ("none of the observations", lambda header, rows: rows[3].update(time_s="noon")),
    ("none of the observations", lambda header, rows: rows[3].pop("window_kind")),
    ("more than once", lambda header, rows: rows[3].update(rows[4])),
    ("belongs elsewhere", lambda header, rows: [
        rows[0].update(time_s=START_S), header.update(first_time_s=START_S)]),
]  # fmt: skip


@pytest.mark.parametrize(("why", "change"), CONTENTS, ids=range(len(CONTENTS)))
def test_content_that_nobody_should_have_written(store: Store, why: str, change: Change) -> None:
    path = part(store)
    header, rows = opened(path.read_bytes())
    change(header, rows)
    tables = {"records": {str(number): row for number, row in enumerate(rows, 1)}}
    path.write_bytes(sealed(header, tables))
    report = looked_at(store)
    assert any(finding.file == path and why in finding.why for finding in report.damaged), report.damaged
    assert not report.ok
    # mending can't help, and does no harm
    kept = path.read_bytes()
    mended(store)
    assert path.read_bytes() == kept
    # the rest of the program goes on
    opened_again = Store(store.folder.home.parent, "main")
    assert opened_again.windows.count() == 24
    opened_again.observations.all()
    opened_again.observations.insert(observation(400))


def test_a_key_in_two_neighbours(store: Store) -> None:
    path = part(store)
    header, rows = opened(path.read_bytes())
    other = path.with_name("2025-01-02~2.json")
    other.write_bytes(
        sealed(header | {"part": "2025-01-02~2"}, {"records": {str(n): row for n, row in enumerate(rows, 1)}})
    )
    report = looked_at(store)
    assert len(report.damaged) == len(rows)
    assert f"{rows[0]['key']} is in {path} as well" in {finding.why for finding in report.damaged}


def test_gaps_and_orphans(store: Store) -> None:
    store.windows.put([day_window(31), day_window(3, orphaned=True), day_window(4, imported=True)])
    store.windows.put([block_window(880_003, START_S + 1800, orphaned=True)])
    store.observations.put([observation(7, orphaned=True)], replace=True)
    report = looked_at(store)
    assert report.ok
    assert report.gaps == tuple(dt.date(2025, 1, day) for day in (6, 7, 8, *range(10, 31)))
    assert report.orphans == (
        observation(7).key,
        "blocks.879860-880003.utxoracle-9.1",
        "day.2025-01-03.utxoracle-9.1",
    )


def test_leftovers(store: Store) -> None:
    home = store.folder.home
    (home / "backups").mkdir(mode=0o700)
    staging = home / "backup.0123.tmp"
    staging.mkdir(mode=0o700)
    os.link(part(store), staging / "x.json")
    old = [part(store).with_name("2025-01-02.json.0123.tmp"), home / "backups" / "x.tar.gz.0123.tmp", staging]
    fresh = home / "restore.4567.tmp"
    for path in (*old[:2], fresh):
        path.write_bytes(b"half")
        path.chmod(0o600)
    for path in old:
        os.utime(path, (time.time() - 3700,) * 2)
    report = looked_at(store)
    assert (report.ok, report.leftovers) == (True, tuple(sorted(old)))
    sentences = mended(store)
    assert [str(path) in sentence for path, sentence in zip(sorted(old), sorted(sentences), strict=True)] == [True] * 3
    assert fresh.exists()
    assert not any(path.exists() for path in old)
    assert looked_at(store).leftovers == ()
    assert part(store).exists()


def test_mending(store: Store) -> None:
    one, two, three = (part(store, f"observations/2025/2025-01-0{day}") for day in (1, 2, 3))
    expected = everything(store)
    for path in (one, before(two), three, before(three)):
        damage(path)
    lost = {record.key for record in expected["observations"][576:]}
    spoilt = {path.read_bytes() for path in (one, before(two), three, before(three))}
    sentences = mended(store)
    assert len(sentences) == 3
    report = looked_at(store)
    assert (report.ok, len(report.set_aside)) == (True, 4)
    assert {path.read_bytes() for path in report.set_aside} == spoilt
    assert all(
        any(str(path) in sentence for sentence in sentences) for path in report.set_aside if "03" not in path.name
    )
    assert report.counts.observations == 576
    again = everything(Store(store.folder.home.parent, "main"))
    assert [record.key for record in again["observations"]] == [
        record.key for record in expected["observations"] if record.key not in lost
    ]
    assert {name: rows for name, rows in again.items() if name != "observations"} == {
        name: rows for name, rows in expected.items() if name != "observations"
    }
    assert mended(store) == []
    assert open_to_others(store.folder.home) == []


def test_mending_leaves_no_key_twice(store: Store) -> None:
    """What is written while a part is unreadable goes to a neighbour, and is found there when the part is gone."""
    path = part(store)
    damage(path)
    damage(before(path))
    late = observation(400)
    assert store.observations.insert(late).value == "taken"
    mended(store)
    again = Store(store.folder.home.parent, "main")
    for one in (store, again):
        assert one.observations.insert(late).value == "same"
        assert one.observations.get(late.key, one.observations.kind.place(late)) == late
    assert looked_at(store).ok
    assert store.observations.insert(observation(401)).value == "taken"
    assert again.observations.count() == 288 + 124 + 2


def test_mending_the_description(store: Store) -> None:
    manifest = part(store, "manifest")
    damage(manifest)
    damage(before(manifest))
    with pytest.raises(StoreTrouble, match=r"store check --mend"):
        Store(store.folder.home.parent, "main")
    mended(store)
    assert looked_at(store).ok
    assert everything(Store(store.folder.home.parent, "main")) == everything(store)


@pytest.mark.parametrize("name", ["manifest", "alerts/2025/2025-01"])
def test_a_newer_store_is_refused(store: Store, name: str) -> None:
    path = part(store, name)
    path.write_bytes(sealed({"collection": "alerts", "part": "2025-01", "schema": 3}, {}))
    as_it_was = tree(store.folder.root)
    for attempt in (check_store, mend_store):
        with pytest.raises(StoreTrouble, match="newer version of the program") as caught:
            attempt(StoreFolder(store.folder.home, "main"), no_progress)
        assert (caught.value.kind, caught.value.exit_code) == ("newer_store", Exit.USAGE)
    assert tree(store.folder.root) == as_it_was


def test_another_chain_is_refused(store: Store) -> None:
    moved = store.folder.home.with_name("regtest")
    store.folder.home.rename(moved)
    with pytest.raises(StoreTrouble, match="of another chain"):
        check_store(StoreFolder(moved, "regtest"), no_progress)


def test_a_restore_that_was_interrupted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check.time, "sleep", lambda seconds: None)
    expected = everything(store)
    home = store.folder.home
    store.folder.root.rename(home / "restore.1.tmp")
    (home / "restore.pending").write_bytes(b'{"new":"restore.1.tmp","aside":"store-before-1"}')
    report = looked_at(store)
    assert found(report) == [(store.folder.root, store.folder.root)]
    assert "interrupted" in report.damaged[0].why
    mended(store)
    assert looked_at(store).ok
    assert everything(store) == expected


def test_a_store_that_is_restored_meanwhile(store: Store, tmp_path: Path) -> None:
    new = store.folder.home / "new"
    shutil.copytree(store.folder.root, new)
    damage(part(store))
    looks: list[int] = []

    def exchange(doing: str, done: int, total: int) -> None:
        if done == 0:
            looks.append(done)
            if len(looks) == 1:
                store.folder.exchange(new, "aside")

    assert check_store(StoreFolder(store.folder.home, "main"), exchange).ok
    assert len(looks) == 2


def test_progress_is_told(store: Store) -> None:
    told: list[tuple[str, int, int]] = []
    check_store(StoreFolder(store.folder.home, "main"), lambda *what: told.append(what))
    files = len(list(store.folder.root.glob("*/*/*.json")))
    assert told == [("Checking", number, files) for number in range(files)]
