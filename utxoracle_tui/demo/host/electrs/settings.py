"""How the simulated electrs is set up, and how large a first sync it does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

VERSION = "3.1.0-dev"
BLK_FILE_BYTES = 134_217_728
_LEAST_BLOCKS = 90
"""Of 1.5 MB in a block file."""
GB = 1_000_000_000


class Level(IntEnum):
    """Of a line of the log, by the number of `-v` that it takes."""

    ERROR = 0
    WARN = 1
    INFO = 2
    DEBUG = 3
    TRACE = 4


class Phase(StrEnum):
    """What a process is at, in the order of a first sync."""

    STARTING = "starting"
    CONNECTING = "connecting"
    WAITING = "waiting"
    OPENING = "opening"
    HEADERS = "headers"
    PASS_1 = "pass-1"
    COMPACTING_TXSTORE = "compacting-txstore"
    PASS_2 = "pass-2"
    COMPACTING_HISTORY = "compacting-history"
    FINISHING = "finishing"
    MEMPOOL = "mempool"
    READY = "ready"


@dataclass(slots=True)
class ElectrsSettings:
    """As on its command line, and its time-outs."""

    verbosity: Level = Level.DEBUG
    """`-v`, repeated; -vvv."""
    timestamp: bool = False
    """`--timestamp`."""
    precache_scripts: int = 0
    """Number of lines in the file of `--precache-scripts`."""
    main_loop_delay_s: float = 0.5
    """`--main-loop-delay`."""
    retry_s: float = 3.0
    """Wait after a failed connection (electrs, src/daemon.rs)."""
    wait_s: float = 5.0
    """Wait between looks at a node that isn't in sync (electrs, src/daemon.rs)."""


@dataclass(frozen=True, slots=True)
class SyncSize:
    """What a first sync has to do. The simulated one is of mainnet's size, however short the chain of the node."""

    blocks: int = 921_457
    blk_files: int = 4_900
    txstore_bytes: int = 406 * GB
    history_bytes: int = 310 * GB
    lightmode: bool = True
    """Without it the index is nearly twice as large (electrs, README)."""
    headers_s: float = 300.0
    pass_1_s: float = 9 * 3600.0
    compact_txstore_s: float = 4200.0
    pass_2_s: float = 16 * 3600.0
    compact_history_s: float = 3300.0
    rescan_file_s: float = 0.5
    """For a block file in which nothing is new."""
    first_file_blocks: int = 119_965
    """Blocks of mainnet's first file."""


def blocks_by_file(size: SyncSize) -> list[int]:
    """How many blocks each block file has: very many in the first, then ever fewer as blocks grow."""
    rest = size.blocks - size.first_file_blocks
    files = size.blk_files - 1
    floor = min(_LEAST_BLOCKS, rest // files)
    weights = [(place + 2) ** -0.9 for place in range(files)]
    share = (rest - floor * files) / sum(weights)
    counts = [floor + int(share * weight) for weight in weights]
    return [size.first_file_blocks, counts[0] + rest - sum(counts), *counts[1:]]
