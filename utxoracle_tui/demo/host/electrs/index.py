"""The index of the simulated electrs: what outlives its processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from utxoracle_tui.demo.host.electrs.rocksdb import Database
from utxoracle_tui.demo.host.electrs.rocksdb_log import Stamp
from utxoracle_tui.demo.host.electrs.settings import SyncSize

_CACHE_BYTES = 40_000_000


@dataclass(frozen=True, slots=True)
class Presets:
    """What a host finds in the data folder when it starts; shares of the block files."""

    added: float = 0.0
    indexed: float = 0.0
    txstore_compacted: bool = False
    synced: bool = False


SYNCED = Presets(1.0, 1.0, txstore_compacted=True, synced=True)


class Index:
    """Three databases in `newindex`, and how far their rows go."""

    def __init__(self, folder: Path, network: str, size: SyncSize, stamp: Stamp) -> None:
        """`folder` is electrs' `--db-dir`, which the container sees as `/data`."""
        self.size = size
        self.synced = False
        self.capacity_bytes: int | None = None
        """Of the disk that it is on; None for one that is large enough."""
        seen_as = f"/data/{network}/newindex"
        home = folder / network / "newindex"
        self.txstore = Database(home / "txstore", f"{seen_as}/txstore", stamp, self.has_room)
        self.history = Database(home / "history", f"{seen_as}/history", stamp, self.has_room)
        self.cache = Database(home / "cache", f"{seen_as}/cache", stamp, self.has_room)

    @property
    def databases(self) -> tuple[Database, Database, Database]:
        """In the order in which they are opened."""
        return self.txstore, self.history, self.cache

    @property
    def size_bytes(self) -> int:
        """Of all tables."""
        return sum(database.size_bytes for database in self.databases)

    @property
    def free_bytes(self) -> int | None:
        """What is left on its disk; None when that is large enough."""
        return None if self.capacity_bytes is None else max(0, self.capacity_bytes - self.size_bytes)

    def has_room(self, n_bytes: int) -> bool:
        """Whether so many more bytes fit on the disk."""
        return self.free_bytes is None or n_bytes <= self.free_bytes

    def preset(self, presets: Presets) -> None:
        """Be as earlier processes have left it. Raises OSError."""
        self.synced = presets.synced
        self.txstore.block_files = round(presets.added * self.size.blk_files)
        self.history.block_files = round(presets.indexed * self.size.blk_files)
        txstore_bytes = int(presets.added * self.size.txstore_bytes)
        history_bytes = int(presets.indexed * self.size.history_bytes)
        if presets.txstore_compacted:
            self.txstore.preset(compacted_bytes=txstore_bytes)
        else:
            self.txstore.preset(flushed_bytes=txstore_bytes)
        if presets.synced:
            self.history.preset(compacted_bytes=history_bytes)
            self.cache.preset(flushed_bytes=_CACHE_BYTES)
        else:
            self.history.preset(flushed_bytes=history_bytes)
