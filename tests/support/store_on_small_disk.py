"""What a store does on a disk that fills up and then becomes read-only.

`python -m tests.support.store_on_small_disk DISK BESIDE`, where DISK is a file system of a few hundred kilobytes and
BESIDE lies on another. Prints what was seen as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.records import START_S, observation
from tests.support.store_files import damage, no_progress, tree
from utxoracle_tui.store.backup import make_backup
from utxoracle_tui.store.check import check_store
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble


def main(disk: Path, beside: Path) -> dict[str, Any]:
    """Fill it, use it, forbid writing, use it."""
    store = Store(disk / "data", "main")
    stored = []
    full = ""
    for number in range(10_000):
        try:
            store.observations.insert(observation(number, START_S + number * 600))
        except StoreTrouble as trouble:
            assert trouble.kind == "disk_full", trouble.message
            full = trouble.message
            break
        stored.append(observation(number, START_S + number * 600))

    def reads_all() -> None:
        assert store.observations.all() == Store(disk / "data", "main").observations.all() == stored
        assert check_store(store.folder, no_progress).ok

    reads_all()
    filler = disk / "filler"
    fill(filler)
    as_it_is = tree(disk)
    assert told(lambda: store.observations.insert(observation(20_000, START_S)), "disk_full") != ""
    told(lambda: make_backup(store.folder, None, 30, no_progress), "disk_full")
    (store.folder.home / "backups").rmdir()
    assert tree(disk) == as_it_is
    reads_all()
    # one that is too full to mend is still one to read from
    path = store.folder.root / "observations" / "2025" / "2025-01-01.json"
    whole = path.read_bytes()
    damage(path)
    again = Store(disk / "data", "main")
    assert set(again.observations.all()) >= set(stored) - {stored[143]}
    (notice,) = again.notices.all()
    assert "The state before it is used." in notice.sentence, notice
    path.write_bytes(whole)
    backups = [make_backup(store.folder, beside, 30, no_progress)]
    filler.unlink()
    # there is room again
    (store.folder.root / "observations" / "2025" / "2025-01-02.columns").unlink(missing_ok=True)
    subprocess.run(["mount", "-o", "remount,size=2m", str(disk)], check=True)
    store.observations.insert(observation(20_000, START_S + 1))
    stored.insert(1, observation(20_000, START_S + 1))
    reads_all()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    read_only = told(lambda: store.observations.insert(observation(30_000, START_S)), "read_only")
    reads_all()
    told(lambda: make_backup(store.folder, None, 30, no_progress), "read_only")
    backups.append(make_backup(store.folder, beside, 30, no_progress))
    assert [backup.documents for backup in backups] == [len(stored) - 1, len(stored)]
    return {"stored": len(stored), "full": full, "read_only": read_only, "backups": len(list(beside.iterdir()))}


def fill(path: Path) -> None:
    """Take what room there is."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 512)
        except OSError:
            pass


def told(attempt: Callable[[], object], kind: str) -> str:
    """The sentence of what has to fail."""
    try:
        attempt()
    except StoreTrouble as trouble:
        assert trouble.kind == kind, (trouble.kind, trouble.message)
        assert "\n" not in trouble.message
        return trouble.message
    raise AssertionError("it did not fail")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
