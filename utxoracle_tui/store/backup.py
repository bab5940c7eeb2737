"""Backups of a store that others go on writing to."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from utxoracle_tui import __version__, clock, durable
from utxoracle_tui.store.backup_file import (
    DESCRIPTION,
    BackupEntry,
    BackupList,
    BackupName,
    DamagedBackup,
    Progress,
    backups_in,
    read_backup,
    read_list,
    write_backup,
)
from utxoracle_tui.store.part_file import MISSING, PREVIOUS, SUFFIX, PartFile, UnreadablePart
from utxoracle_tui.store.store_folder import STORE, Manifest, StoreFolder
from utxoracle_tui.store.troubles import StoreTrouble, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was made, and read back."""

    path: Path
    documents: int
    """How many records are in it."""
    files: int
    size_bytes: int
    elapsed_s: float
    removed: tuple[Path, ...]
    """Older backups that had to go."""
    notes: tuple[str, ...]
    """What the operator should know besides."""


@dataclass(slots=True)
class _Contents:
    """What goes into a backup, as far as it is known."""

    entries: list[BackupEntry] = field(default_factory=list)
    sources: dict[str, Path] = field(default_factory=dict)
    documents: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def backup_folder(folder: StoreFolder) -> Path:
    """Where a store's backups lie, unless another place is named."""
    return folder.home / "backups"


def stamp(time_s: float) -> str:
    """A moment as it stands in names, in UTC."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y%m%dT%H%M%SZ")


def make_backup(folder: StoreFolder, to: Path | None, keep: int, on_progress: Progress) -> Backup:
    """Back up a store as it is at one moment, and keep the newest `keep` backups of it in that place.

    Raises `StoreTrouble`; there is no new backup then, and none was removed.
    """
    started_s = clock.elapsed_s()
    target = backup_folder(folder) if to is None else to
    folder.check()
    description = folder.manifest()
    if description is None:
        raise StoreTrouble("no_store", f"There is no store at {folder.root} yet, and so nothing to back up.")
    with _at_one_moment(folder) as source:
        made_s = clock.now_s()
        contents = _survey(source, folder, on_progress)
        listed = _listed(contents, description, made_s)
        with told("write the backup", target):
            durable.private_folder(target)
            path = _write(target, listed, contents, on_progress)
    removed = _remove_old(target, path, listed, keep, contents.notes)
    with told("look at the backup", path):
        size_bytes = path.stat().st_size
    return Backup(
        path=path,
        documents=listed.total_documents,
        files=len(listed.files),
        size_bytes=size_bytes,
        elapsed_s=clock.elapsed_s() - started_s,
        removed=removed,
        notes=tuple(contents.notes),
    )


@contextmanager
def _at_one_moment(folder: StoreFolder) -> Iterator[Path]:
    """The store's files as they are now, whatever is written meanwhile."""
    staging = durable.temporary_beside(folder.home / "backup")
    try:
        try:
            with folder.standing_still("back up the store"), told("back up the store", folder.root):
                _link_all(folder.root, staging)
        except StoreTrouble as trouble:
            if trouble.kind != "read_only":
                raise
            # nobody can write there, and a disk that has become so is one to have a backup of
            yield folder.root
        else:
            yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _link_all(root: Path, staging: Path) -> None:
    """Give all files of a store a second name: they are never changed, only replaced."""
    staging.mkdir(mode=durable.PRIVATE_FOLDER)
    for here, folders, names in os.walk(root):
        there = staging / Path(here).relative_to(root)
        for name in folders:
            (there / name).mkdir(mode=durable.PRIVATE_FOLDER)
        for name in names:
            if name.endswith((SUFFIX, PREVIOUS)):
                durable.second_name(Path(here, name), there / name)


def _survey(source: Path, folder: StoreFolder, on_progress: Progress) -> _Contents:
    """Find the good generation of each file."""
    contents = _Contents()
    paths = sorted({path.with_suffix(SUFFIX) for suffix in (SUFFIX, PREVIOUS) for path in source.rglob(f"*{suffix}")})
    for number, path in enumerate(paths):
        on_progress("Reading", number, len(paths))
        name = path.relative_to(source)
        real = folder.root / name
        good = PartFile(path, str(name), folder).best()
        if good.sealed is None:
            raise UnreadablePart(
                f"{real} is damaged ({good.why or MISSING}), and so is the copy of the state before: the backup would "
                "lack its rows, and was not made. The earlier ones are untouched; `utxoracle-tui store check` says "
                "what can be done."
            )
        if good.path != path:
            contents.notes.append(
                f"{real} is damaged or missing; the backup has the state before it. `utxoracle-tui store check --mend` "
                "puts that in its place."
            )
        with told("read the store", real):
            data = good.path.read_bytes()
        entry = BackupEntry(
            name=f"{STORE}/{name.as_posix()}",
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            documents=good.sealed.header.documents,
        )
        contents.entries.append(entry)
        contents.sources[entry.name] = good.path
        if entry.name != DESCRIPTION:
            contents.documents[good.sealed.header.collection] += entry.documents
    return contents


def _listed(contents: _Contents, description: Manifest, made_s: float) -> BackupList:
    return BackupList(
        program=f"utxoracle-tui {__version__}",
        network=description.network,
        genesis_hash=description.genesis_hash,
        store_created_s=description.created_s,
        made_s=made_s,
        documents=dict(sorted(contents.documents.items())),
        files=contents.entries,
    )


def _write(target: Path, listed: BackupList, contents: _Contents, on_progress: Progress) -> Path:
    """Write the archive, read it back, and give it its name."""
    name = BackupName(stamp(listed.made_s), 1, listed.network)
    temporary = durable.temporary_beside(target / name.text)
    try:
        write_backup(temporary, listed, contents.sources, on_progress)
        if read_backup(temporary, _ignore, on_progress) != listed:
            raise DamagedBackup(temporary, "its list is not what was written")
        return _give_name(temporary, target, name)
    except DamagedBackup as damage:
        raise StoreTrouble(
            "backup_failed",
            f"The backup was written to {target} and could not be read back: that disk is not to be trusted. Name "
            f"another place with --to. ({damage.message})",
        ) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _give_name(temporary: Path, target: Path, name: BackupName) -> Path:
    """Take the first name that is free: others may make backups in the same second."""
    number = 1
    while True:
        path = target / BackupName(name.made, number, name.network).text
        try:
            _give_if_free(temporary, path)
        except FileExistsError:
            number += 1
        else:
            durable.sync_folder(target)
            return path


def _give_if_free(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        # no hard links there: an empty file holds the name
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, durable.PRIVATE_FILE))
        temporary.replace(path)


def _remove_old(target: Path, made: Path, listed: BackupList, keep: int, notes: list[str]) -> tuple[Path, ...]:
    """Remove the oldest backups of this store; those of others may lie in the same place."""
    removed = []
    others = [path for path in backups_in(target, listed.network) if path != made and _is_ours(path, listed)]
    for path in others[max(keep - 1, 0) :]:
        try:
            path.unlink()
        except OSError as error:
            notes.append(f"The old backup {path} could not be removed: {error.strerror}.")
        else:
            removed.append(path)
    return tuple(removed)


def _is_ours(path: Path, listed: BackupList) -> bool:
    try:
        return read_list(path).is_of_the_store_of(listed)
    except StoreTrouble:
        return False


def _ignore(name: str, data: bytes) -> None:
    pass
