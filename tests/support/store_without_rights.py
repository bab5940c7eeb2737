"""What a store does where this user may not write, read or look.

`python -m tests.support.store_without_rights FOLDER`; root becomes another user first, since it may do everything.
Prints the sentences as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tests.support.records import observation
from tests.support.store_files import no_progress
from tests.support.store_on_small_disk import told
from utxoracle_tui.store.backup import make_backup
from utxoracle_tui.store.check import check_store
from utxoracle_tui.store.records import Observation
from utxoracle_tui.store.store import Store

_NOBODY = 65_534


def main(folder: Path) -> dict[str, str]:
    """Take rights away, one after the other."""
    place = folder / "place"
    place.mkdir()
    if os.geteuid() == 0:
        # the interpreter's own files may be closed to others
        import uuid  # noqa: F401

        os.chown(place, _NOBODY, _NOBODY)
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    store = Store(place / "data", "main")
    kept = [observation(1), observation(2)]
    store.observations.put(kept)
    part = store.folder.root / "observations" / "2025" / "2025-01-01.json"
    seen = {}
    folders = [store.folder.home, *(path for path in store.folder.home.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o500)
    seen["write"] = told(lambda: store.observations.insert(observation(3)), "no_permission")
    seen["backup"] = told(lambda: make_backup(store.folder, None, 30, no_progress), "no_permission")
    for one in (store, Store(place / "data", "main")):
        assert one.observations.all() == kept
    assert check_store(store.folder, no_progress).ok
    for path in folders:
        path.chmod(0o700)
    part.chmod(0)
    seen["read"] = told(lambda: records_in(place), "no_permission")
    seen["check"] = told(lambda: check_store(store.folder, no_progress), "no_permission")
    part.chmod(0o600)
    part.parent.chmod(0)
    seen["list"] = told(lambda: records_in(place), "no_permission")
    part.parent.chmod(0o700)
    place.chmod(0)
    seen["open"] = told(lambda: records_in(place), "no_permission")
    told(lambda: Store(place / "none", "main").observations.insert(observation(1)), "no_permission")
    place.chmod(0o500)
    seen["make"] = told(lambda: Store(place / "none", "main").observations.insert(observation(1)), "no_permission")
    place.chmod(0o700)
    assert store.observations.insert(observation(3)).value == "taken"
    assert Store(place / "data", "main").observations.all() == [*kept, observation(3)]
    assert not store.notices.all()
    return seen


def records_in(place: Path) -> list[Observation]:
    """What a program that has just been started reads."""
    return Store(place / "data", "main").observations.all()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
