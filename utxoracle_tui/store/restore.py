"""Bringing a store back from a backup. The store that was there before is kept beside it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from utxoracle_tui import clock, durable
from utxoracle_tui.errors import Exit
from utxoracle_tui.store.backup import backup_folder, stamp
from utxoracle_tui.store.backup_file import BackupList, Progress, backups_in, read_backup, read_list
from utxoracle_tui.store.envelope import HEAD_BYTES, DamagedFile, NewerFile, peek
from utxoracle_tui.store.part_file import PREVIOUS, SUFFIX
from utxoracle_tui.store.store_folder import StoreFolder
from utxoracle_tui.store.troubles import StoreTrouble, told

_SYNCS_AT_ONCE = 8
"""File systems write several files that are waited for together about as fast as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A store that was brought back."""

    backup: BackupList
    aside: Path | None
    """Where the store that was there before lies; None where there was none."""
    elapsed_s: float


def newest_backup(folder: StoreFolder) -> Path:
    """The newest backup where they lie by default. Raises `StoreTrouble` when there is none."""
    place = backup_folder(folder)
    found = backups_in(place, folder.network)
    if not found:
        raise StoreTrouble("no_backup", f"There is no backup of {folder.network} in {place}. Name the file to restore.")
    return found[0]


def verify_backup(folder: StoreFolder, path: Path, on_progress: Progress) -> BackupList:
    """Make sure that a backup is whole, and may take the place of this store. Raises `StoreTrouble`."""
    return _belonging(folder, path, read_backup(path, _ignore, on_progress))


def restore_backup(folder: StoreFolder, path: Path, on_progress: Progress) -> Restored:
    """Put a backup in the place of the store. Raises `StoreTrouble`, with the store as it was."""
    started_s = clock.elapsed_s()
    _belonging(folder, path, read_list(path))
    new = durable.temporary_beside(folder.home / "restore")
    try:
        with told("restore the store", new):
            durable.private_folder(new)
            backup = _belonging(folder, path, read_backup(path, _writer(new), on_progress))
            on_progress("Writing to the disk", 0, len(backup.files))
            _sync_all(new)
        aside = folder.exchange(new, f"store-before-{stamp(clock.now_s())}")
    finally:
        with told("restore the store", new):
            # an exchange that has begun will be finished by whoever opens the store next
            if not folder.is_being_exchanged():
                shutil.rmtree(new, ignore_errors=True)
    return Restored(backup=backup, aside=aside, elapsed_s=clock.elapsed_s() - started_s)


def documents_in(folder: StoreFolder) -> int | None:
    """How many records the store has, as its files say; None where there is no store. Raises `StoreTrouble`."""
    with told("read the store", folder.root):
        if not folder.root.exists():
            return None
        return sum(_documents(path) for path in folder.root.rglob(f"*{SUFFIX}"))


def _belonging(folder: StoreFolder, path: Path, backup: BackupList) -> BackupList:
    there = folder.description_in(folder.root)
    genesis_hashes = {backup.genesis_hash, there.genesis_hash if there is not None else None} - {None}
    if backup.network != folder.network or len(genesis_hashes) > 1:
        raise StoreTrouble(
            "other_network",
            f"{path} is a backup of another chain ({backup.network}, genesis block "
            f"{backup.genesis_hash or 'not recorded'}) than the one at {folder.home}. They are never mixed: choose "
            "the network with --network, or another folder with --data-dir. Nothing was changed.",
            Exit.USAGE,
        )
    return backup


def _writer(new: Path) -> Callable[[str, bytes], None]:
    def write(name: str, data: bytes) -> None:
        path = new / name
        with told("restore the store", path):
            durable.private_folder(path.parent)
            # each file has a second one, as if the store itself had written it
            for target in (path, path.with_suffix(PREVIOUS)):
                descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, durable.PRIVATE_FILE)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)

    return write


def _sync_all(new: Path) -> None:
    """Make sure that all files and folders are on the disk. Raises `OSError`."""
    paths = [new, *new.rglob("*")]
    with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
        # what makes a folder's names safe makes a file's content safe
        for _ in pool.map(durable.sync_folder, paths):
            pass


def _documents(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return peek(file.read(HEAD_BYTES))[1].documents
    except (DamagedFile, NewerFile):
        return 0


def _ignore(name: str, data: bytes) -> None:
    pass
