"""Notes: the newest of a key is all that is kept."""

from __future__ import annotations

from pathlib import Path

from utxoracle_tui.store.check import check_store
from utxoracle_tui.store.records import Note
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.store_folder import StoreFolder

VALUES = {"marks": {"pass_1": {"share": 0.25, "finished_at_s": None}}, "samples": [[1.5, 0.1]], "corrupt": False}


def test_a_note_is_found_again_and_replaced(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    assert store.note("electrs") is None
    store.notes.put([Note(key="electrs", time_s=1.0, values=VALUES)], replace=True)
    store.notes.put([Note(key="other", time_s=2.0, values={})], replace=True)
    newest = Note(key="electrs", time_s=3.0, values={**VALUES, "corrupt": True})
    store.notes.put([newest], replace=True)
    # as another process sees it
    again = Store(tmp_path, "main")
    assert again.note("electrs") == newest
    assert again.notes.count() == 2


def test_notes_are_checked_and_not_counted(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    store.notes.put([Note(key="electrs", time_s=1.0, values=VALUES)], replace=True)
    report = check_store(StoreFolder(tmp_path / "main", "main"), lambda *_: None)
    assert report.ok
    assert report.counts.observations == 0
    files = sorted((tmp_path / "main" / "store" / "notes").rglob("*"))
    damaged = next(path for path in files if path.is_file() and path.name.startswith("electrs"))
    damaged.write_bytes(damaged.read_bytes()[:-20])
    assert not check_store(StoreFolder(tmp_path / "main", "main"), lambda *_: None).ok
