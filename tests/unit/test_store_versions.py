"""Stores of earlier and later versions of the schema, made of bytes alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.records import START_S, observation, reading
from tests.support.store_files import (
    no_progress,
    opened,
    sealed,
    tree,
)
from utxoracle_tui.errors import Exit
from utxoracle_tui.store.backup import make_backup
from utxoracle_tui.store.check import check_store
from utxoracle_tui.store.envelope import Header, pack
from utxoracle_tui.store.restore import restore_backup
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data", "main")


def by_another_version(data_dir: Path, schema: int) -> tuple[Path, Path]:
    """A store as a program of another version left it, made of bytes alone: one observation and two readings."""
    root = data_dir / "main" / "store"
    manifest = {"network": "main", "genesis_hash": None, "created_s": START_S}
    row = {
        "key": "round-1",
        "time_s": START_S + 60,
        "window_kind": "blocks",
        "first_height": 877_000,
        "last_height": 877_143,
        "onchain_usd": 94_000.5,
        "exchange_usd": 94_100.25,
        "divergence_pct": -0.106,
        "valid": True,
    }
    price = {"key": "reading-1", "time_s": START_S + 30, "price_usd": 94_100.25}
    if schema > 1:
        price["source"] = "own"
    files = {
        "manifest": ("manifest", "manifest", {"manifest": {"1": manifest}}, {}),
        "observations/2025/2025-01-01": (
            "observations",
            "2025-01-01",
            {"records": {"1": row}},
            {"first_height": 877_000, "last_height": 877_143},
        ),
        "exchange-readings/2025/2025-01-01": ("exchange-readings", "2025-01-01", {"records": {"1": price}}, {}),
    }
    for name, (collection, part, tables, heights) in files.items():
        times = [rows["time_s"] for rows in tables.get("records", {}).values()]
        header = {"collection": collection, "part": part, "documents": len(times), "schema": schema, **heights}
        if times:
            header |= {"first_time_s": min(times), "last_time_s": max(times)}
        for suffix in (".json", ".previous"):
            path = root / (name + suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sealed(header | {"written_s": START_S}, tables))
    return root / "observations" / "2025" / "2025-01-01.json", root / "manifest.json"


def test_a_store_of_version_one(tmp_path: Path) -> None:
    path, manifest = by_another_version(tmp_path, 1)
    before = tree(tmp_path)
    store = Store(tmp_path, "main")
    (old,) = store.observations.all()
    assert (old.divergence_spot_pct, old.exchange_source) == (-0.106, "own")
    assert (old.onchain_usd, old.exchange_usd, old.last_height, old.valid) == (94_000.5, 94_100.25, 877_143, True)
    assert store.observations.between_heights(877_143, 877_143) == [old]
    assert [record.source for record in store.exchange_readings.all()] == ["own"]
    assert check_store(store.folder, no_progress).ok
    assert tree(tmp_path) == before
    new = observation(5, START_S + 100)
    store.observations.insert(new)
    header, rows = opened(path.read_bytes())
    assert header["schema"] == 2
    assert [row["key"] for row in rows] == ["round-1", new.key]
    assert rows[0]["divergence_spot_pct"] == -0.106
    assert "divergence_pct" not in rows[0]
    assert opened(manifest.read_bytes())[0]["schema"] == 2
    # what nobody has written to is as it was
    readings = path.parents[2] / "exchange-readings" / "2025" / "2025-01-01.json"
    assert opened(readings.read_bytes())[0]["schema"] == 1
    assert Store(tmp_path, "main").observations.all() == [old, new]
    assert check_store(store.folder, no_progress).ok
    store.exchange_readings.insert(reading(START_S + 90, 94_000.0))
    assert [row["source"] for row in opened(readings.read_bytes())[1]] == ["own", "own"]


def test_a_backup_of_version_one(tmp_path: Path) -> None:
    by_another_version(tmp_path / "old", 1)
    store = Store(tmp_path / "old", "main")
    backup = make_backup(store.folder, tmp_path, 30, no_progress)
    new = Store(tmp_path / "new", "main")
    restore_backup(new.folder, backup.path, no_progress)
    assert new.observations.all() == store.observations.all()


def test_a_store_of_a_newer_version(tmp_path: Path) -> None:
    path, _ = by_another_version(tmp_path, 3)
    before = tree(tmp_path)
    with pytest.raises(StoreTrouble, match="was written by a newer version of the program") as caught:
        Store(tmp_path, "main")
    assert (caught.value.kind, caught.value.exit_code) == ("newer_store", Exit.USAGE)
    assert tree(tmp_path) == before
    # one file of it in an older store
    by_another_version(tmp_path / "mixed", 2)
    mixed = Store(tmp_path / "mixed", "main")
    for suffix in (".json", ".previous"):
        shutil.copy(path.with_suffix(suffix), mixed.folder.root / "observations" / "2025" / f"2025-01-01{suffix}")
    before = tree(mixed.folder.root)
    for attempt in (mixed.observations.all, lambda: mixed.observations.insert(observation(9, START_S + 9))):
        with pytest.raises(StoreTrouble, match="newer version"):
            attempt()
    assert tree(mixed.folder.root) == before
    assert len(mixed.exchange_readings.all()) == 1


def test_the_program_writes_the_format_that_is_described(store: Store) -> None:
    """What this suite makes by itself from the description is what the program makes."""
    store.observations.insert(observation(1))
    data = (store.folder.root / "observations" / "2025" / "2025-01-01.json").read_bytes()
    header, rows = opened(data)
    tables = {"records": {"1": rows[0]}}
    assert pack(Header(**header), tables) == data
    first, line, _ = sealed(header, tables).split(b"\n", 2)
    assert len(first) == len(data.split(b"\n")[0])
    assert json.loads(line) == header
