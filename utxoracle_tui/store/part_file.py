"""One file of documents and the generation before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from utxoracle_tui import clock, durable
from utxoracle_tui.errors import Exit
from utxoracle_tui.store.envelope import (
    HEAD_BYTES,
    DamagedFile,
    Header,
    NewerFile,
    Sealed,
    Tables,
    pack,
    peek,
    unpack,
)
from utxoracle_tui.store.troubles import DISK_ERROR, MissingFile, StoreTrouble, told

if TYPE_CHECKING:
    from utxoracle_tui.store.store_folder import StoreFolder

SUFFIX = ".json"
PREVIOUS = ".previous"
COLUMNS = ".columns"
MISSING = "it is missing"


class UnreadablePart(StoreTrouble):
    """No generation of a file is good."""

    def __init__(self, message: str) -> None:
        super().__init__("store_damaged", message)


@dataclass(frozen=True, slots=True)
class Generation:
    """One of a file's two generations: its content, or what is wrong with it; neither where there is no such file."""

    path: Path
    sealed: Sealed | None = None
    why: str | None = None

    @property
    def gone(self) -> bool:
        """Whether there is no such file."""
        return self.sealed is None and self.why is None


class PartFile:
    """A file that is only ever replaced as a whole."""

    def __init__(self, path: Path, title: str, folder: StoreFolder) -> None:
        """`title` names the content to the operator, as in "observations 2025-03-01"."""
        self.path = path
        self.previous = path.with_suffix(PREVIOUS)
        self.title = title
        self._folder = folder

    def exists(self) -> bool:
        """Whether there is such a file, or the generation before it. Raises `StoreTrouble`."""
        with told("read the store", self.path):
            if not self.path.exists() and not self.previous.exists():
                self._folder.settle()
            return self.path.exists() or self.previous.exists()

    def identity(self) -> tuple[str, Header] | None:
        """Checksum and header without reading the whole file; None when it isn't there or has to be read to know."""
        try:
            with told("read the store", self.path), open(self.path, "rb", buffering=0) as file:  # noqa: PTH123  (faster)
                return peek(file.read(HEAD_BYTES))
        except (DamagedFile, NewerFile, MissingFile):
            return None
        except StoreTrouble as trouble:
            if trouble.kind != DISK_ERROR:
                raise
            return None

    def read(self) -> Sealed | None:
        """The last good content, None when there is none at all.

        What is damaged is set aside and told of. Raises `StoreTrouble` when no generation is readable, since fewer
        rows than there were must not pass for all of them.
        """
        current = self._verified(self.path)
        if current.sealed is not None:
            return current.sealed
        before = self._verified(self.previous)
        if before.sealed is not None:
            return self._fall_back(current.why or MISSING) or before.sealed
        if current.gone and before.gone:
            # a store that is being restored is not there for a moment
            return self.read() if self.exists() else None
        raise UnreadablePart(
            f"{self.path} is damaged ({current.why or MISSING}), and so is the copy of the state before: {self.title} "
            "can't be read. Nothing was deleted; `utxoracle-tui restore` brings back the newest backup, and "
            "`utxoracle-tui store check --mend` sets the damaged files aside and goes on without their rows."
        )

    def write(self, header: Header, tables: Tables) -> str:
        """Replace the content; the lock must be held. The new checksum. Raises `StoreTrouble`."""
        data = pack(header, tables)
        with told("write to the store", self.path):
            durable.private_folder(self.path.parent)
            durable.replace_file(self.path, data, keep_as=self.previous)
            self._folder.lock.count_write()
        return peek(data[:HEAD_BYTES])[0]

    def generations(self) -> tuple[Generation, Generation]:
        """The file and the one before it, each verified; changes nothing. Raises `StoreTrouble`."""
        return self._verified(self.path), self._verified(self.previous)

    def best(self) -> Generation:
        """The file, or the one before it where only that is good; changes nothing. Raises `StoreTrouble`."""
        current = self._verified(self.path)
        if current.sealed is not None:
            return current
        before = self._verified(self.previous)
        return current if before.sealed is None else before

    def mend(self) -> None:
        """Set damaged files aside, even where no good generation is left; the lock must be held."""
        current, before = self.generations()
        if before.why is not None:
            kept = self._set_aside(self.previous)
            self._remove(self.previous)
            if current.sealed is not None:
                self._tell(
                    f"{self.previous} was damaged ({before.why}); it is kept as {kept}. {self.path} is whole, nothing "
                    "is lost."
                )
        if current.sealed is None and before.sealed is not None:
            self._put_back(current.why or MISSING)
        elif current.why is not None:
            kept = self._set_aside(self.path)
            self._remove(self.path)
            self._tell(
                f"{self.path} was damaged ({current.why}) and there is no good copy: its rows are gone. It is kept as "
                f"{kept}."
            )
        elif current.sealed is not None and before.sealed is None:
            with told("mend the store", self.previous):
                durable.replace_file(self.previous, self.path.read_bytes())

    def _verified(self, path: Path) -> Generation:
        try:
            with told("read the store", path):
                return Generation(path, sealed=unpack(path.read_bytes()))
        except MissingFile:
            return Generation(path)
        except DamagedFile as damage:
            return Generation(path, why=str(damage))
        except StoreTrouble as trouble:
            if trouble.kind != DISK_ERROR:
                raise
            return Generation(path, why="the disk reports an error")
        except NewerFile:
            raise StoreTrouble(
                "newer_store",
                f"{path} was written by a newer version of the program. Install that version here as well; this one "
                "leaves the store as it is.",
                Exit.USAGE,
            ) from None

    def _fall_back(self, why: str) -> Sealed | None:
        """Put the state before in the place of what is damaged; the content where somebody else did that already."""
        with self._folder.lock.held_if_free() as held:
            if not held:
                self._tell(f"{self.path} is damaged ({why}). The state before it is used.")
                return None
            mended = self._verified(self.path).sealed
            if mended is None:
                try:
                    self._put_back(why)
                except StoreTrouble as trouble:
                    # a disk that is full or failing must not keep anybody from reading
                    self._tell(f"{self.path} is damaged ({why}). The state before it is used. {trouble.message}")
            return mended

    def _put_back(self, why: str) -> None:
        kept = None
        with told("mend the store", self.path):
            temporary = durable.temporary_beside(self.path)
            durable.write_new(temporary, self.previous.read_bytes())
            try:
                if self.path.exists():
                    kept = self._set_aside(self.path)
                temporary.replace(self.path)
            except (OSError, StoreTrouble):
                temporary.unlink()
                raise
            durable.sync_folder(self.path.parent)
            self._folder.lock.count_write()
        told_where = f" The damaged file is kept as {kept}." if kept else ""
        self._tell(f"{self.path} was damaged ({why}). The state before it is used from now on.{told_where}")

    def _remove(self, path: Path) -> None:
        with told("mend the store", path):
            path.unlink()
            durable.sync_folder(path.parent)
            self._folder.lock.count_write()

    def _set_aside(self, path: Path) -> Path:
        """Give a file a second name where damaged files are kept."""
        moment = datetime.fromtimestamp(clock.now_s(), UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        folder, name = self._folder.damaged, self.title.replace(" ", "-").replace("/", "-")
        with told("set a damaged file aside", path):
            durable.private_folder(folder)
            target = durable.free_name(folder, f"{moment}-{name}", path.suffix)
            durable.second_name(path, target)
            durable.sync_folder(folder)
        return target

    def _tell(self, sentence: str) -> None:
        self._folder.notices.tell(self.path, sentence)
