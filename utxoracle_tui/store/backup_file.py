"""The file of a backup: a gzipped tar archive that any program can open. Its first member lists all the others."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from utxoracle_tui import durable
from utxoracle_tui.errors import Exit
from utxoracle_tui.store.envelope import DamagedFile, NewerFile, unpack
from utxoracle_tui.store.part_file import SUFFIX
from utxoracle_tui.store.schema import SCHEMA_VERSION
from utxoracle_tui.store.store_folder import MANIFEST, STORE
from utxoracle_tui.store.troubles import StoreTrouble, told

LIST = "backup.json"
BACKUP_VERSION = 1
DESCRIPTION = f"{STORE}/{MANIFEST}{SUFFIX}"
_LARGEST_BYTES = 1 << 26
"""More than the list of any store, and a hundred times what a part has: no archive gets more memory than this."""
_COMPRESSION = 6
_NAME = re.compile(r"utxoracle-tui-(?P<network>[a-z0-9]+)-(?P<made>\d{8}T\d{6}Z)(?:-(?P<number>\d+))?\.tar\.gz")

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many files are, and how many there are."""


class DamagedBackup(StoreTrouble):
    """The archive is not what was written, or none of ours."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__("backup_damaged", f"{path} can't be used: {why}. Nothing was changed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupEntry:
    """One file of a backup, by its path in the archive."""

    name: str
    size_bytes: int
    sha256: str
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupList:
    """What a backup says of itself."""

    backup: int = BACKUP_VERSION
    """The version of this list."""
    schema: int = SCHEMA_VERSION
    program: str
    network: str
    genesis_hash: str | None
    store_created_s: float
    """With network and genesis block, what tells one store from another."""
    made_s: float
    documents: dict[str, int]
    """How many by kind."""
    files: list[BackupEntry]

    @property
    def total_documents(self) -> int:
        """How many there are in all."""
        return sum(self.documents.values())

    def is_of_the_store_of(self, other: BackupList) -> bool:
        """Whether both are backups of one store."""
        ours, theirs = ((backup.network, backup.genesis_hash, backup.store_created_s) for backup in (self, other))
        return ours == theirs


@dataclass(frozen=True, slots=True, order=True)
class BackupName:
    """What the name of a backup says; names sort by age."""

    made: str
    """As in 20250301T120000Z."""
    number: int
    """From 1, among those of one second."""
    network: str

    @property
    def text(self) -> str:
        """The name."""
        number = f"-{self.number}" if self.number > 1 else ""
        return f"utxoracle-tui-{self.network}-{self.made}{number}.tar.gz"

    @classmethod
    def read(cls, text: str) -> BackupName | None:
        """Read a name back; None for any other."""
        match = _NAME.fullmatch(text)
        return cls(match["made"], int(match["number"] or 1), match["network"]) if match else None


def backups_in(folder: Path, network: str) -> list[Path]:
    """The files of a folder that are named like backups of a network, the newest first. Raises `StoreTrouble`."""
    with told("look for backups", folder):
        try:
            entries = list(os.scandir(folder))
        except FileNotFoundError:
            return []
        found = [
            (name, Path(entry.path))
            for entry in entries
            if (name := BackupName.read(entry.name)) and name.network == network and entry.is_file()
        ]
    return [path for _, path in sorted(found, reverse=True)]


def write_backup(path: Path, contents: BackupList, sources: Mapping[str, Path], on_progress: Progress) -> None:
    """Write an archive to a path that nothing has yet; on the disk when this returns.

    `sources` are the files by their path in the archive. Raises `OSError`.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, durable.PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as raw:
        made_s = int(contents.made_s)
        with (
            gzip.GzipFile("", "wb", _COMPRESSION, raw, made_s) as plain,
            tarfile.open(fileobj=plain, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            _add(archive, LIST, msgspec.json.format(msgspec.json.encode(contents), indent=1), made_s)
            for number, (name, source) in enumerate(sources.items()):
                on_progress("Packing", number, len(sources))
                _add(archive, name, source.read_bytes(), made_s)
        raw.flush()
        os.fsync(raw.fileno())


def read_list(path: Path) -> BackupList:
    """What a backup says of itself, taken on trust. Raises `StoreTrouble`."""
    with _opened(path) as (archive, _):
        return _list(path, archive)


def read_backup(path: Path, take: Callable[[str, bytes], None], on_progress: Progress) -> BackupList:
    """Verify a whole backup; each file is handed to `take` as soon as it is known to be good.

    Names are relative to the store's folder, and lead nowhere else. Raises `StoreTrouble`: `DamagedBackup`, or for
    one that is newer than this program.
    """
    with _opened(path) as (archive, plain):
        contents = _list(path, archive)
        missing = {entry.name: entry for entry in contents.files}
        while (member := archive.next()) is not None:
            entry = missing.pop(member.name, None)
            if entry is None:
                raise DamagedBackup(path, f"it holds {_shown(member.name)}, which is not in its list")
            take(member.name.removeprefix(f"{STORE}/"), _verified(path, archive, member, entry))
            on_progress("Verifying", len(contents.files) - len(missing), len(contents.files))
        if missing:
            raise DamagedBackup(path, f"{len(missing)} of its {len(contents.files)} files are missing")
        # the checksum of the whole stands at the very end
        while plain.read(1 << 20):
            pass
    return contents


def _add(archive: tarfile.TarFile, name: str, data: bytes, made_s: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = len(data), made_s, durable.PRIVATE_FILE
    archive.addfile(member, io.BytesIO(data))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[tarfile.TarFile, gzip.GzipFile]]:
    with told("read the backup", path):
        try:
            with (
                path.open("rb") as raw,
                gzip.GzipFile(fileobj=raw, mode="rb") as plain,
                tarfile.open(fileobj=plain, mode="r|") as archive,
            ):
                yield archive, plain
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise DamagedBackup(path, f"it is damaged or cut off ({error})") from None


def _list(path: Path, archive: tarfile.TarFile) -> BackupList:
    first = archive.next()
    if first is None or first.name != LIST or not first.isreg() or first.size > _LARGEST_BYTES:
        raise DamagedBackup(path, "it is not a backup of this program")
    data = _content(archive, first)
    try:
        versions = msgspec.json.decode(data, type=_Versions)
        if versions.backup > BACKUP_VERSION or versions.schema > SCHEMA_VERSION:
            raise _newer(path)
        contents = msgspec.json.decode(data, type=BackupList)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedBackup(path, f"its list is not readable ({error})") from None
    names = {entry.name for entry in contents.files}
    if len(names) != len(contents.files) or DESCRIPTION not in names:
        raise DamagedBackup(path, "its list is not that of a store")
    for name in names:
        if not _leads_into_the_store(name):
            raise DamagedBackup(path, f"it names {_shown(name)}, which is no file of a store")
    return contents


def _leads_into_the_store(name: str) -> bool:
    """Whether a path is that of the store's description, or as those of parts are: collection, folder, file."""
    root, *parts = name.split("/")
    return name == DESCRIPTION or (
        root == STORE
        and len(parts) == 3
        and all(part.isprintable() and "\\" not in part and not part.startswith(".") for part in parts)
        and all(parts)
        and name.endswith(SUFFIX)
    )


def _verified(path: Path, archive: tarfile.TarFile, member: tarfile.TarInfo, entry: BackupEntry) -> bytes:
    if not member.isreg() or member.size != entry.size_bytes or member.size > _LARGEST_BYTES:
        raise DamagedBackup(path, f"{_shown(member.name)} in it is not the file that its list says")
    data = _content(archive, member)
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise DamagedBackup(path, f"{_shown(member.name)} in it doesn't fit its checksum")
    try:
        sealed = unpack(data)
    except DamagedFile as damage:
        raise DamagedBackup(path, f"{_shown(member.name)} in it is damaged: {damage}") from None
    except NewerFile:
        raise _newer(path) from None
    if sealed.header.documents != entry.documents:
        raise DamagedBackup(path, f"{_shown(member.name)} in it has not as many documents as its list says")
    return data


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return b"" if file is None else file.read()


def _newer(path: Path) -> StoreTrouble:
    return StoreTrouble(
        "newer_backup",
        f"{path} was made by a newer version of the program. Install that version here as well. Nothing was changed.",
        Exit.USAGE,
    )


def _shown(name: str) -> str:
    return name if name.isprintable() else repr(name)


@dataclass(frozen=True, slots=True)
class _Versions:
    backup: int
    schema: int
