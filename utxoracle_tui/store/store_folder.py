"""The folder of one network's store: its lock, what it says of itself, and how it is exchanged for another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from utxoracle_tui import clock, durable
from utxoracle_tui.errors import Exit
from utxoracle_tui.store.envelope import Header, Sealed, Tables, tables_of
from utxoracle_tui.store.locking import WriteLock
from utxoracle_tui.store.notices import Notices
from utxoracle_tui.store.part_file import PartFile
from utxoracle_tui.store.troubles import StoreTrouble, told

STORE, LOCK, EXCHANGE, MANIFEST = "store", "store.lock", "restore.pending", "manifest"

_LOST_STEPS = (
    "Restoring the store was interrupted, and {} no longer says how it goes on. The folders beside it are whole: name "
    "the one to use {}, and remove that file."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a store says of itself."""

    network: str
    genesis_hash: str | None
    created_s: float


@dataclass(frozen=True, slots=True)
class _Exchange:
    """An exchange of the store for another that has begun: the folders' names."""

    new: str
    aside: str


class StoreFolder:
    """One network's store on disk. `home` holds the store and all that belongs to it."""

    def __init__(self, home: Path, network: str, genesis_hash: str | None = None) -> None:
        """`genesis_hash` is what the node says, where one was asked."""
        self.home = home
        self.network = network
        self.root = home / STORE
        self.damaged = home / "damaged"
        self.notices = Notices()
        self.lock = WriteLock(home / LOCK)
        self._marker = home / EXCHANGE
        self._genesis_hash = genesis_hash
        self._manifest = PartFile(self.root / f"{MANIFEST}.json", "the store's description", self)
        self._checked: str | None = None

    def manifest(self) -> Manifest | None:
        """What the store says of itself; None before anything was kept. Raises `StoreTrouble`."""
        self.settle()
        sealed = self._manifest.read()
        return None if sealed is None else _manifest(sealed)

    def description_in(self, root: Path) -> Manifest | None:
        """What the store in a folder says of itself, as far as that is readable; changes nothing.

        Raises `StoreTrouble` for one of a newer program.
        """
        sealed = PartFile(root / self._manifest.path.name, self._manifest.title, self).best().sealed
        return None if sealed is None else _manifest(sealed)

    def check(self) -> None:
        """Make sure that this program may use the store. Raises `StoreTrouble`."""
        identity = self._manifest.identity()
        if identity is not None and identity[0] == self._checked:
            return
        manifest = self.manifest()
        if manifest is None:
            return
        self.refuse_other(manifest)
        self._checked = identity[0] if identity is not None else None

    def refuse_other(self, manifest: Manifest) -> None:
        """Raise `StoreTrouble` for the store of another chain."""
        ours = self._genesis_hash
        if manifest.network != self.network or (ours and manifest.genesis_hash and manifest.genesis_hash != ours):
            raise StoreTrouble(
                "other_network",
                f"{self.root} holds prices of another chain ({manifest.network}, genesis block "
                f"{manifest.genesis_hash or 'not recorded'}) than the node's ({self.network}, {ours or 'not asked'}). "
                "They are never mixed: name another folder with --data-dir.",
                Exit.USAGE,
            )

    @contextmanager
    def writing(self, doing: str) -> Iterator[None]:
        """Hold the lock on a store that is there and may be written. Raises `StoreTrouble`."""
        self.settle()
        with self.standing_still(doing):
            self.check()
            self._describe()
            yield

    @contextmanager
    def standing_still(self, doing: str) -> Iterator[None]:
        """Hold the lock on the store as it is, or isn't; nobody else writes meanwhile. Raises `StoreTrouble`."""
        with self.lock.held(doing):
            self._finish_exchange()
            yield

    def settle(self) -> None:
        """Wait out the moment in which a restored store takes the place of another, or end it if nobody does.

        Raises `StoreTrouble` when the store was there before and isn't any more: no rows must not pass for all of them.
        """
        with told("read the store", self.root):
            if self.root.exists():
                return
            if not self.is_being_exchanged():
                # it may have come back since
                if not self.root.exists():
                    self._miss()
                return
            for _ in range(100):
                time.sleep(0.01)
                if self.root.exists():
                    return
        with self.standing_still("finish restoring the store"):
            pass

    def _miss(self) -> None:
        if self._checked is None:
            return
        raise StoreTrouble(
            "store_gone",
            f"The store at {self.root} was there and is gone. If it lies on a disk of its own, see that this is "
            "mounted; then all goes on by itself. Nothing is written until then.",
        )

    def is_being_exchanged(self) -> bool:
        """Whether another store is to take the place of this one, and hasn't yet. Raises `OSError`."""
        return self._marker.exists()

    def exchange(self, new: Path, aside: str) -> Path | None:
        """Put the folder `new`, which lies beside the store, in its place.

        Where the old one lies now, under the name `aside` or one like it; None where there was none. A crash in the
        middle is made good by whoever opens the store next. Raises `StoreTrouble`.
        """
        with self.standing_still("restore the store"), told("restore the store", self.root):
            old = durable.free_name(self.home, aside) if self.root.exists() else None
            steps = _Exchange(new.name, old.name if old is not None else aside)
            durable.replace_file(self._marker, msgspec.json.encode(steps))
            self._finish_exchange()
            return old

    def _finish_exchange(self) -> None:
        """Take each step that an exchange still lacks; the lock is held."""
        with told("finish restoring the store", self.root):
            try:
                steps = msgspec.json.decode(self._marker.read_bytes(), type=_Exchange)
            except FileNotFoundError:
                return
            except (msgspec.MsgspecError, UnicodeDecodeError):
                if not self.root.exists():
                    raise StoreTrouble("store_damaged", _LOST_STEPS.format(self._marker, self.root)) from None
            else:
                new = self.home / steps.new
                if new.exists():
                    if self.root.exists():
                        self.root.rename(durable.free_name(self.home, steps.aside))
                    new.rename(self.root)
                durable.sync_folder(self.home)
            self._marker.unlink()
            durable.sync_folder(self.home)
            self.lock.count_write()

    def _describe(self) -> None:
        """Write the description of a store that has none, or an older one."""
        identity = self._manifest.identity()
        if identity is not None and identity[1].schema == Header(collection="", part="").schema:
            return
        known = self.manifest()
        manifest = known or Manifest(network=self.network, genesis_hash=self._genesis_hash, created_s=clock.now_s())
        tables: Tables = {MANIFEST: {"1": msgspec.to_builtins(manifest)}}
        self._checked = self._manifest.write(
            Header(collection=MANIFEST, part=MANIFEST, written_s=clock.now_s()), tables
        )


def _manifest(sealed: Sealed) -> Manifest:
    return msgspec.convert(tables_of(sealed)[MANIFEST]["1"], Manifest)
