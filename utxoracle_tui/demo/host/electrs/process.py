"""One process of the simulated electrs, from its first line to its last.

It is written as the program runs: a generator that does things and says how long the next one takes. What a phase
prints, counts and writes is that of mempool/electrs 3.1.0-dev.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from utxoracle_tui.demo.host.electrs.faults import Failure, Trap
from utxoracle_tui.demo.host.electrs.index import Index
from utxoracle_tui.demo.host.electrs.metrics import Metrics
from utxoracle_tui.demo.host.electrs.node_view import NodeView, rfc3339
from utxoracle_tui.demo.host.electrs.rocksdb import Database, NoSpace
from utxoracle_tui.demo.host.electrs.settings import (
    ElectrsSettings,
    Level,
    Phase,
    SyncSize,
    blocks_by_file,
)

_HEADERS_A_CHUNK = 100_000
_RPC_S = 0.002
_OPEN_S = 4.0
_OPEN_FILE_S = 0.02
_STEADY_BLOCK_S = 2.0
_STEADY_STEPS_S = (("add_process", 0.08), ("add_write", 0.02), ("index_lookup", 0.3), ("index_process", 0.1))
_PRECACHE_LINE = 500
_PRECACHE_FLUSH = 10_000
_MEMORY_BYTES = {Phase.PASS_1: 3_221_225_472, Phase.PASS_2: 4_563_402_752, Phase.READY: 2_147_483_648}
_MEMORY_ELSE_BYTES = 1_181_116_006
_CORES = {Phase.PASS_1: 1.6, Phase.PASS_2: 2.4, Phase.COMPACTING_TXSTORE: 0.8, Phase.COMPACTING_HISTORY: 0.8}
"""Processor cores that a phase keeps busy; next to none in the others."""

_ORDER = list(Phase)

Say = Callable[[Level | None, str], None]


@dataclass(frozen=True, slots=True)
class Span:
    """How long the next thing takes."""

    seconds: float
    real: bool = False
    """On the wall clock, as time-outs are; else it is work, which the speed of the host makes shorter."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a first sync."""

    phase: Phase
    """A pass, or a compaction, at whose beginning it is."""
    share: float = 0.0
    """Of the block files of the pass."""


@dataclass(slots=True)
class Process:
    """What a process knows of itself; `run` is its life."""

    settings: ElectrsSettings
    index: Index
    node: NodeView
    say: Say
    ports: tuple[int, int, int]
    """Of metrics, REST and Electrum."""
    sync: Callable[[Process], Iterator[Span]]
    """What it does with an index that isn't finished."""
    trap: Trap | None = None
    """Why it will fail, if it will."""
    starts_in: Position | None = None
    """Where it is already, all before being done by this process."""
    phase: Phase = Phase.STARTING
    metrics: Metrics = field(default_factory=Metrics)
    cpu_s: float = 0.0
    tip_height: int | None = None
    """Of the last update that was finished, on the chain of the node."""
    mempool_loaded: bool = False

    @property
    def cores(self) -> float:
        """Processor cores that it keeps busy."""
        return _CORES.get(self.phase, 0.02)

    @property
    def size(self) -> SyncSize:
        """Of a first sync."""
        return self.index.size

    @property
    def memory_bytes(self) -> int:
        """Resident memory."""
        return _MEMORY_BYTES.get(self.phase, _MEMORY_ELSE_BYTES)

    def refresh_gauges(self) -> None:
        """What the process tells of itself in its metrics."""
        self.metrics.set("process_memory_rss", self.memory_bytes)
        self.metrics.set("process_cpu_usage", self.cpu_s, type="utime")
        self.metrics.set("process_fs_fds", 60 + sum(database.n_files for database in self.index.databases))

    def spring_trap(self) -> None:
        """Raises `Failure` when it was to fail in the phase that it is in."""
        if self.trap is not None and self.trap.at is self.phase:
            raise self.trap.failure(self.index)

    def files_before(self, phase: Phase) -> int:
        """Block files that this process is taken to have read in a pass before it is first seen."""
        start = self.starts_in
        if start is None or _ORDER.index(start.phase) < _ORDER.index(phase):
            return 0
        return round(start.share * self.size.blk_files) if start.phase is phase else self.size.blk_files

    def run(self) -> Iterator[Span]:
        """All that it does until it is killed. Raises `Failure` when it ends by itself."""
        try:
            if self.starts_in is None:
                yield from self._start()
            else:
                self._was_started()
            if not self.index.synced:
                yield from self.sync(self)
            yield from self._load_mempool()
            yield from self._serve()
        except NoSpace as full:
            message = f'called `Result::unwrap()` on an `Err` value: Error {{ message: "{full}" }}'
            raise Failure.panic("main", "src/new_index/db.rs:240:36", message) from full

    def _start(self) -> Iterator[Span]:
        self.say(None, self._config())
        self.say(Level.DEBUG, f"Server listening on 0.0.0.0:{self.ports[0]}")
        self.say(Level.DEBUG, "Running accept thread")
        self.spring_trap()
        yield Span(1.0)
        self.phase = Phase.CONNECTING
        yield from self._connect()
        self.phase = Phase.WAITING
        yield from self._wait_for_sync()
        self.phase = Phase.OPENING
        yield from self._open()
        if not self.index.synced:
            self.phase = Phase.HEADERS
            yield from self._headers()

    def _was_started(self) -> None:
        """As if this process had done everything up to the pass that it is in."""
        self.say(None, self._config())
        for database in self.index.databases:
            database.open()
        self.metrics.set("tip_height", 0)
        self._rpc("getblockchaininfo")
        for method in ("getblockhash", "getblockheader"):
            self._rpc(method, self.size.blocks)

    def _config(self) -> str:
        return (
            f"Config {{ log: StdErrLog {{ verbosity: {Level(self.settings.verbosity).name.capitalize()}, quiet: false, "
            'show_level: true, timestamp: Off, modules: [], writer: "stderr", color_choice: Auto }, '
            'network_type: Regtest, magic: None, db_path: "/data/regtest", daemon_dir: "/bitcoin/regtest", '
            f"daemon_rpc_addr: 127.0.0.1:{self.node.port}, http_addr: 0.0.0.0:{self.ports[1]}, "
            f"electrum_rpc_addr: 0.0.0.0:{self.ports[2]}, monitoring_addr: 0.0.0.0:{self.ports[0]}, "
            f"jsonrpc_import: false, light_mode: {str(self.size.lightmode).lower()}, .. }}"
        )

    def _connect(self) -> Iterator[Span]:
        yield from self._until_reachable()
        self._rpc("getnetworkinfo")
        self._rpc("getblockchaininfo")
        self.say(Level.INFO, 'NetworkInfo { version: 280100, subversion: "/Satoshi:28.1.0/", relayfee: 1e-5 }')
        self.say(Level.INFO, self.node.describe())
        if self.node.is_pruned:
            raise Failure.error("pruned node is not supported (use '-prune=0' bitcoind flag)")

    def _until_reachable(self) -> Iterator[Span]:
        while faults := self.node.faults():
            for fault in faults:
                self.say(Level.WARN, fault)
            yield Span(self.settings.retry_s, real=True)

    def _wait_for_sync(self) -> Iterator[Span]:
        while True:
            yield from self._until_reachable()
            self._rpc("getblockchaininfo")
            self._rpc("getmempoolinfo")
            if self.node.is_synced:
                return
            self.say(
                Level.WARN,
                "waiting for bitcoind sync and mempool load to finish: "
                f"{self.node.tip.height}/{self.node.headers} blocks, "
                f"verification progress: {self.node.progress * 100:.3f}%, mempool loaded: true",
            )
            yield Span(self.settings.wait_s, real=True)

    def _open(self) -> Iterator[Span]:
        index = self.index
        if self.trap and self.trap.at is Phase.OPENING:
            self.say(Level.DEBUG, f'opening DB at "{index.txstore.seen_as}"')
        self.spring_trap()
        counts = blocks_by_file(self.size)
        for database, word in ((index.txstore, "added"), (index.history, "indexed")):
            yield from self._open_one(database)
            n_blocks = self.node.tip.height + 1 if index.synced else sum(counts[: database.block_files])
            self.say(Level.DEBUG, f"{n_blocks} blocks were {word}")
        yield from self._open_one(index.cache)
        self.metrics.set("tip_height", 0)
        if index.synced:
            tip = self.node.tip
            self.say(Level.DEBUG, f"{tip.height} headers were loaded, tip at {tip.hash}")

    def _open_one(self, database: Database) -> Iterator[Span]:
        self.say(Level.DEBUG, f'opening DB at "{database.seen_as}"')
        yield Span(_OPEN_S + _OPEN_FILE_S * database.n_files)
        database.open()

    def _headers(self) -> Iterator[Span]:
        blocks = self.size.blocks
        self.say(Level.DEBUG, f"downloading all block headers up to {self.node.tip.hash}")
        done = 0
        while done < blocks:
            chunk = min(_HEADERS_A_CHUNK, blocks - done)
            self.say(Level.TRACE, f"downloading {chunk} block headers")
            yield Span(self.size.headers_s * chunk / blocks)
            for method in ("getblockhash", "getblockheader"):
                self._rpc(method, chunk)
            done += chunk
        tip = self.node.tip
        self.say(Level.INFO, f"hash={tip.hash} height={blocks - 1} @ {rfc3339(tip.time_s)} ({blocks} left to index)")

    def _load_mempool(self) -> Iterator[Span]:
        self.phase = Phase.MEMPOOL
        self._finish_update()
        if not self.mempool_loaded:
            yield Span(90.0)
            yield from self._until_reachable()
            self.say(Level.DEBUG, "Adding 0 transactions to Mempool")
            self.metrics.observe("mempool_latency", 0.02, part="add")
            self.metrics.set("mempool_count", 0, type="txs")
            self.mempool_loaded = True

    def _serve(self) -> Iterator[Span]:
        self.say(Level.INFO, f"REST server running on 0.0.0.0:{self.ports[1]}")
        self.say(Level.INFO, f"Electrum RPC server running on 0.0.0.0:{self.ports[2]}")
        self.metrics.set("electrum_clients", 0)
        self.metrics.set("electrum_subscriptions", 0)
        self.phase = Phase.READY
        precaching = self._precache()
        while True:
            yield next(precaching, Span(self.settings.main_loop_delay_s, real=True))
            self.spring_trap()
            yield from self._until_reachable()
            tip = self.node.tip
            if self.tip_height != tip.height and self.node.is_synced:
                yield from self._follow(tip.height)

    def _follow(self, height: int) -> Iterator[Span]:
        """One update of the main loop: blocks that came since the last one, through RPC."""
        tip = self.node.tip
        known = (self.tip_height or 0) + 1
        behind = max(height + 1 - known, 1)
        left = f"({behind} left to index)"
        self.say(Level.DEBUG, f"downloading new block headers ({known} already indexed) from {tip.hash}")
        self.say(Level.INFO, f"hash={tip.hash} height={tip.height} @ {rfc3339(tip.time_s)} {left}")
        self.say(Level.DEBUG, f"adding transactions from {behind} blocks using Bitcoind")
        self.say(Level.DEBUG, f"hash={tip.hash} {left}")
        self._rpc("getblockheader", behind)
        self._rpc("getblock", behind)
        yield Span(_STEADY_BLOCK_S)
        self.say(Level.DEBUG, f"Adding {behind} blocks to Indexer")
        self.say(Level.DEBUG, f"indexing history from {behind} blocks using Bitcoind")
        self.say(Level.DEBUG, f"Indexing {behind} blocks with Indexer")
        for step, seconds in _STEADY_STEPS_S:
            self.metrics.observe("index_duration", seconds, step=step)
        for database in (self.index.txstore, self.index.history):
            database.follow_block()
        self.say(Level.DEBUG, f"updating synced tip to {tip.hash}")
        self._finish_update()

    def _finish_update(self) -> None:
        self.tip_height = self.node.tip.height
        self.metrics.set("tip_height", self.tip_height)

    def _precache(self) -> Iterator[Span]:
        """Goes on in the background while REST answers; says nothing when it is done."""
        total = self.settings.precache_scripts
        if total:
            self.say(Level.INFO, f"Pre-caching stats and utxo set on 8 threads for {total} scripthashes")
        for done in range(_PRECACHE_LINE, total + 1, _PRECACHE_LINE):
            yield Span(1.234)
            self.say(Level.INFO, f"{done}/{total} Processed in 1234 ms running pre-cache for scripthash")
            if done % _PRECACHE_FLUSH == 0:
                self.say(Level.INFO, f"Flushing cache_db... {done}")
                self.say(Level.INFO, f"Done Flushing cache_db!!! {done}")

    def _rpc(self, method: str, times: int = 1) -> None:
        self.metrics.observe("daemon_rpc", _RPC_S + self.node.node.faults.latency_s, times=times, method=method)
        for direction, size in (("send", 120.0), ("recv", 900.0)):
            self.metrics.observe("daemon_bytes", size, times=times, method=method, dir=direction)
