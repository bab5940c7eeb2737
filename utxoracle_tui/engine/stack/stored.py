"""How old what is stored is: the newest round, and the newest backup."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from utxoracle_tui.store.backup import backup_folder
from utxoracle_tui.store.backup_file import BackupName, backups_in
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble


@dataclass(frozen=True, slots=True)
class StoredStatus:
    """What there is of one network. Times are unix seconds."""

    network: str
    folder: Path
    observation_at_s: float | None = None
    backup_at_s: float | None = None
    """Of the newest backup where backups lie unless another place is named."""
    trouble: str | None = None
    """Why something can't be told, as a sentence."""


def read_stored(store: Store) -> StoredStatus:
    """Look at the store; blocks."""
    folder = store.folder
    observation_at_s = backup_at_s = trouble = None
    try:
        newest = store.observations.newest()
        observation_at_s = newest[0].time_s if newest else None
        backups = backups_in(backup_folder(folder), folder.network)
        backup_at_s = _made_at_s(backups[0]) if backups else None
    except StoreTrouble as error:
        trouble = error.message
    return StoredStatus(folder.network, folder.root, observation_at_s, backup_at_s, trouble)


def _made_at_s(path: Path) -> float | None:
    name = BackupName.read(path.name)
    if name is None:
        return None
    try:
        return datetime.fromisoformat(name.made).timestamp()
    except ValueError:
        return None
