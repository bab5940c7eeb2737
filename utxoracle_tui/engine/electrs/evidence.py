"""What was read of electrs at one moment: each piece optional, each with its own time (unix seconds)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from utxoracle_tui.engine.electrs.log_lines import LogEvent
from utxoracle_tui.engine.electrs.phases import Db
from utxoracle_tui.engine.electrs.rocksdb_log import RocksLog


class Source(StrEnum):
    """Where evidence comes from, as a screen names it."""

    PROCESS = "process"
    METRICS = "metrics"
    REST = "REST"
    LOG = "log"
    ROCKSDB = "RocksDB LOG"
    SIZES = "index folder"
    BLOCK_FILES = "block files"
    NODE = "node"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class Rpc:
    """Calls of one RPC method since electrs started."""

    calls: int
    spent_s: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """A page of electrs's own metrics; a value is None while its family isn't printed."""

    at_s: float
    cpu_s: float | None = None
    tip_height: int | None = None
    add_batches: int | None = None
    """Batches of pass 1: block files, or hundreds of blocks with `--jsonrpc-import`."""
    index_batches: int | None = None
    """Batches of pass 2."""
    lookups: int | None = None
    """Batches of pass 2 whose previous outputs were looked up."""
    rpc: Mapping[str, Rpc] = field(default_factory=lambda: MappingProxyType({}))
    mempool_txs: int | None = None
    serving: bool = False
    """The Electrum server, which starts together with REST, has registered its figures."""


@dataclass(frozen=True, slots=True)
class Rest:
    """An answer of electrs's REST interface, which there is only after the first sync."""

    at_s: float
    height: int


@dataclass(frozen=True, slots=True)
class LogNews:
    """Lines of electrs's log that are new since the last evidence."""

    at_s: float
    events: tuple[LogEvent, ...] = ()
    history: bool = False
    """These are the last lines from before the console looked; they may belong to earlier processes."""
    gap: bool = False
    """Lines may be missing before these."""


@dataclass(frozen=True, slots=True)
class DbSize:
    """The `.sst` files of one database."""

    sst_bytes: int
    allocated_bytes: int
    """What they take on disk: less with a compressing file system."""
    files: int = 0
    large_bytes: int = 0
    """Those files that are as large as only a compaction writes them (1 GiB; a pass writes 256 MiB)."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes under `newindex`."""

    at_s: float
    dbs: Mapping[Db, DbSize]

    @property
    def total_bytes(self) -> int:
        """All `.sst` files together."""
        return sum(size.sst_bytes for size in self.dbs.values())


@dataclass(frozen=True, slots=True)
class RocksLogs:
    """What RocksDB's logs say by now, and when each was last written to (modification time)."""

    at_s: float
    dbs: Mapping[Db, RocksLog]
    written_at_s: Mapping[Db, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class BlockFiles:
    """How many `blk*.dat` files the node has."""

    at_s: float
    count: int


class NodeTrouble(StrEnum):
    """Why the node said nothing of its chain."""

    DOWN = "down"
    AUTH = "auth"
    WARMING = "warming"
    BUSY = "busy"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Node:
    """What the console itself knows of Bitcoin Core."""

    at_s: float
    blocks: int | None = None
    headers: int | None = None
    in_ibd: bool = False
    trouble: NodeTrouble | None = None
    words: str = ""
    """What a starting node says it is at."""


class Status(StrEnum):
    """Of the process, its container or its unit."""

    RUNNING = "running"
    RESTARTING = "restarting"
    PAUSED = "paused"
    CREATED = "created"
    EXITED = "exited"
    MISSING = "missing"
    """There is no container, unit or process of that name."""


@dataclass(frozen=True, slots=True)
class Process:
    """electrs's process, container or unit."""

    at_s: float
    status: Status
    started_at_s: float | None = None
    process_id: str | None = None
    """What tells it from the next process, where its start isn't known to the second."""
    exit_code: int | None = None
    oom_killed: bool = False
    restarts: int | None = None
    """How often it was restarted by Docker or systemd."""
    cpu_s: float | None = None
    io_bytes: int | None = None
    """Read and written."""
    in_disk_sleep: bool = False
    """In state D: it waits for the disk and can't be interrupted."""
    command: str = ""
    """How the operator would ask for a restart, such as `docker restart mempool-electrs`."""

    @property
    def identity(self) -> str | None:
        """Another one is another process."""
        return self.process_id if self.started_at_s is None else f"{self.started_at_s:.3f}"


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that the index is on."""

    at_s: float
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a source that is configured gave nothing."""

    source: Source
    at_s: float
    sentence: str
    refused: bool = False
    """Nothing listens there, as opposed to something that listens and doesn't answer."""
    of_docker: bool = False
    """It is Docker that gave nothing."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known at one moment. None: not configured, or not read this time."""

    at_s: float
    process: Process | None = None
    metrics: Metrics | None = None
    rest: Rest | None = None
    log: LogNews | None = None
    rocksdb: RocksLogs | None = None
    sizes: Sizes | None = None
    block_files: BlockFiles | None = None
    node: Node | None = None
    disk: Disk | None = None
    troubles: tuple[Trouble, ...] = ()
