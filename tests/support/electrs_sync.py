"""A first sync of electrs as its traces would show it: made up from the order, the shapes and the sizes of real ones.

Nothing of the machine is used but the types of its evidence and the two parsers of lines: lines are written out as
electrs and RocksDB write them. Which traces are given is up to the test.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from utxoracle_tui.engine.electrs.evidence import (
    BlockFiles,
    DbSize,
    Disk,
    Evidence,
    LogNews,
    Metrics,
    Node,
    Process,
    Rest,
    RocksLogs,
    Rpc,
    Sizes,
    Status,
)
from utxoracle_tui.engine.electrs.log_lines import parse_line
from utxoracle_tui.engine.electrs.phases import Db, Phase
from utxoracle_tui.engine.electrs.rocksdb_log import RocksLog, read_lines

GIB = 1 << 30
MEMTABLE_BYTES = 267_000_000
TABLE_BYTES = 1_078_336_307
HEADERS = 921_456
START_S = 1_761_800_000.0
CHAIN_GB = (
    (0, 0.0),
    (119_965, 0.134),
    (210_000, 4.2),
    (300_000, 17.5),
    (420_000, 72.0),
    (500_000, 150.0),
    (600_000, 245.0),
    (709_632, 370.0),
    (800_000, 500.0),
    (HEADERS + 1, 692.0),
)
"""Heights and the size of the chain below them, by public charts: the first block file alone holds 119,965 blocks."""
ALL = frozenset({"process", "metrics", "log", "rocksdb", "sizes", "blocks", "node", "disk", "rest"})


def blocks_in(share: float) -> int:
    """How many blocks lie in the first part of the chain's bytes."""
    size = share * CHAIN_GB[-1][1]
    for (low_height, low), (high_height, high) in pairwise(CHAIN_GB):
        if size <= high:
            return round(low_height + (high_height - low_height) * (size - low) / (high - low))
    return HEADERS + 1


def noisy(rng: random.Random, dt_s: float, *, scatter: float = 0.5, drift: float = 0.15) -> Callable[[], float]:
    """Speeds around 1: scatter from step to step, and a drift that lasts about five minutes."""
    state = 0.0
    keep = math.exp(-dt_s / 300)

    def speed() -> float:
        nonlocal state
        state = keep * state + drift * math.sqrt(1 - keep * keep) * rng.gauss(0, 1)
        return math.exp(state + scatter * rng.gauss(0, 1) - scatter * scatter / 2)

    return speed


@dataclass
class Sync:
    """The course of one first sync, told step by step."""

    files: int = 1_200
    txstore_bytes: int = 406_000_000_000
    history_bytes: int = 300_000_000_000
    free_bytes: int = 2_000_000_000_000
    step_s: float = 30.0
    noise: float = 1.0
    seed: int = 1
    sources: frozenset[str] = ALL
    lasts_s: dict[Phase, float] = field(
        default_factory=lambda: {
            Phase.WAITING: 120.0,
            Phase.OPENING: 30.0,
            Phase.HEADERS: 120.0,
            Phase.PASS_1: 6 * 3600.0,
            Phase.COMPACTING_TXSTORE: 5400.0,
            Phase.PASS_2: 15 * 3600.0,
            Phase.COMPACTING_HISTORY: 4200.0,
            Phase.LOADING_MEMPOOL: 240.0,
            Phase.READY: 300.0,
        }
    )
    slow_down: float = 0.0
    """How much slower a pass is at its end."""

    def __post_init__(self) -> None:
        self.now_s = START_S
        self.phase = Phase.STARTING
        self.added = self.indexed = 0
        self.sizes = {Db.TXSTORE: (0, 0), Db.HISTORY: (0, 0), Db.CACHE: (0, 0)}
        self.logs = {db: RocksLog() for db in Db}
        self.written_s = dict.fromkeys(Db, START_S)
        self.cpu_s = 0.0
        self.rpc: dict[str, Rpc] = {}
        self.tip: int | None = None
        self.rest_height: int | None = None
        self.lines: list[str] = []
        self._table = 100
        self._dumped_s = START_S

    def say(self, line: str) -> None:
        """A line of electrs's log."""
        self.lines.append(line)

    def rocksdb(self, db: Db, *lines: str) -> None:
        """Lines of a RocksDB LOG."""
        self.logs[db] = read_lines(lines, self.logs[db])
        self.written_s[db] = self.now_s

    def event(self, db: Db, text: str) -> None:
        """An event in a RocksDB LOG."""
        micros = int(self.now_s * 1e6)
        self.rocksdb(db, f'2025/10/30-05:00:00.000000 1397 EVENT_LOG_v1 {{"time_micros": {micros}, {text}}}')

    def course(self) -> Iterator[tuple[Evidence, Phase, float]]:
        """The evidence every `step_s`, the phase in truth, and how many seconds of it are left in truth."""
        steps: list[tuple[Evidence, Phase]] = []
        for phase, lasts_s in self.lasts_s.items():
            self.phase = phase
            for _ in self._stage(phase, lasts_s):
                self._tick()
                steps.append((self.evidence(), phase))
        ends = {phase: evidence.at_s for evidence, phase in steps}
        for evidence, phase in steps:
            yield evidence, phase, ends[phase] - evidence.at_s

    def _tick(self) -> None:
        self.now_s += self.step_s
        self.cpu_s += 0.6 * self.step_s
        if self.now_s - self._dumped_s >= 600 and self.phase not in (Phase.WAITING,):
            self._dumped_s = self.now_s
            for db in (Db.TXSTORE, Db.HISTORY):
                self.rocksdb(db, "2025/10/30-05:00:00.000000 1397 [db/db_impl/db_impl.cc:1085] ------- DUMPING STATS")

    def _stage(self, phase: Phase, lasts_s: float) -> Iterator[None]:
        rng = random.Random(f"{self.seed} {phase}")
        speed = noisy(rng, self.step_s, scatter=0.5 * self.noise, drift=0.15 * self.noise)
        match phase:
            case Phase.PASS_1 | Phase.PASS_2:
                yield from self._pass(phase, lasts_s, speed)
            case Phase.COMPACTING_TXSTORE:
                yield from self._compact(Db.TXSTORE, lasts_s, speed)
            case Phase.COMPACTING_HISTORY:
                yield from self._compact(Db.HISTORY, lasts_s, speed)
            case _:
                self._begin(phase)
                for _ in range(max(1, round(lasts_s / self.step_s))):
                    self._continue(phase)
                    yield

    def _begin(self, phase: Phase) -> None:
        match phase:
            case Phase.WAITING:
                self.say("Config { log: StdErrLog { .. }, network_type: Bitcoin }")
            case Phase.OPENING:
                for db in Db:
                    self.say(f'DEBUG - opening DB at "/data/mainnet/newindex/{db}"')
                    self.rocksdb(db, "2025/10/30-05:00:00.000000 1397 RocksDB version: 8.1.1")
                self.say("DEBUG - 0 blocks were added")
                self.say("DEBUG - 0 blocks were indexed")
                self.tip = 0
            case Phase.HEADERS:
                self.say("DEBUG - downloading all block headers up to 00000000000000000001b3")
            case Phase.LOADING_MEMPOOL:
                self.say("DEBUG - flushing to disk")
                self.say("DEBUG - updating synced tip to 00000000000000000001b3")
                self.tip = HEADERS
            case Phase.READY:
                self.say("INFO - REST server running on 0.0.0.0:3001")
                self.rest_height = HEADERS

    def _continue(self, phase: Phase) -> None:
        if phase is Phase.WAITING:
            self.say(
                "WARN - waiting for bitcoind sync and mempool load to finish: 920000/921456 blocks, verification "
                "progress: 99.812%, mempool loaded: true"
            )
            self._call("getmempoolinfo", round(self.step_s / 5))
        elif phase is Phase.HEADERS:
            self._call("getblockheader", 200_000)

    def _call(self, method: str, calls: int) -> None:
        before = self.rpc.get(method, Rpc(0, 0.0))
        self.rpc[method] = Rpc(before.calls + calls, before.spent_s + 0.002 * calls)

    def _pass(self, phase: Phase, lasts_s: float, speed: Callable[[], float]) -> Iterator[None]:
        first = phase is Phase.PASS_1
        db, size = (Db.TXSTORE, self.txstore_bytes) if first else (Db.HISTORY, self.history_bytes)
        word = "adding transactions" if first else "indexing history"
        self.say(f"DEBUG - {word} from {HEADERS + 1} blocks using BlkFiles")
        done, named = 0.0, 0
        blocks = 0
        while done < self.files:
            pace = 1 - self.slow_down * done / self.files
            done = min(self.files, done + speed() * pace * self.files * self.step_s / lasts_s)
            while named < int(done):
                named += 1
                upto = blocks_in(named / self.files)
                self.say(
                    f"DEBUG - {'Adding' if first else 'Indexing'} {upto - blocks} blocks "
                    f"{'to' if first else 'with'} Indexer"
                )
                if upto // 10_000 > blocks // 10_000:
                    height = upto // 10_000 * 10_000
                    self.say(f"INFO - {'Tx' if first else 'History'} indexing is up to height={height}")
                blocks = upto
            if first:
                self.added = named
            else:
                self.indexed = named
            grown = int(size * done / self.files) // MEMTABLE_BYTES * MEMTABLE_BYTES
            if done >= self.files:
                grown = size
            if grown > self.sizes[db][0]:
                self.event(db, '"job": 2, "event": "flush_started", "flush_reason": "Write Buffer Full"')
            self.sizes[db] = (grown, 0)
            yield

    def _compact(self, db: Db, lasts_s: float, speed: Callable[[], float]) -> Iterator[None]:
        size = self.sizes[db][0]
        path = f'RocksDB {{ path: "/data/mainnet/newindex/{db}" }}'
        self.say(f"DEBUG - starting full compaction on {path}")
        self.event(
            db,
            '"job": 13, "event": "compaction_started", "compaction_reason": "ManualCompaction", '
            f'"files_L0": [3, 2, 1], "score": -1, "input_data_size": {size}',
        )
        done = told = 0.0
        while done < size:
            done = min(size, done + speed() * size * self.step_s / lasts_s)
            while told + TABLE_BYTES <= done:
                told += TABLE_BYTES
                self._table += 1
                self.rocksdb(
                    db,
                    f"2025/10/30-05:00:00.000000 1397 [db/compaction/compaction_job.cc:1592] [default] [JOB 13] "
                    f"Generated table #{self._table}: 2422659 keys, {TABLE_BYTES} bytes, temperature: kUnknown",
                )
                self.event(
                    db,
                    f'"cf_name": "default", "job": 13, "event": "table_file_creation", '
                    f'"file_number": {self._table}, "file_size": {TABLE_BYTES}',
                )
            self.sizes[db] = (size + int(done), int(told))
            yield
        self.event(db, f'"job": 13, "event": "compaction_finished", "total_output_size": {size}')
        self.sizes[db] = (size, size)
        self.say(f"DEBUG - finished full compaction on {path}")

    def evidence(self) -> Evidence:
        """What the chosen sources show now."""
        now_s, chosen = self.now_s, self.sources
        events = tuple(event for line in self.lines if (event := parse_line(line, now_s)) is not None)
        self.lines.clear()
        used = sum(size for size, _ in self.sizes.values())
        metrics = Metrics(
            now_s,
            cpu_s=self.cpu_s,
            tip_height=self.tip,
            add_batches=self.added or None,
            index_batches=self.indexed or None,
            lookups=self.indexed or None,
            rpc=dict(self.rpc),
            serving=self.rest_height is not None,
        )
        return Evidence(
            now_s,
            process=Process(now_s, Status.RUNNING, START_S, cpu_s=self.cpu_s) if "process" in chosen else None,
            metrics=metrics if "metrics" in chosen else None,
            rest=Rest(now_s, self.rest_height) if "rest" in chosen and self.rest_height is not None else None,
            log=LogNews(now_s, events) if "log" in chosen else None,
            rocksdb=RocksLogs(now_s, dict(self.logs), dict(self.written_s)) if "rocksdb" in chosen else None,
            sizes=Sizes(now_s, {db: DbSize(size, size, large_bytes=large) for db, (size, large) in self.sizes.items()})
            if "sizes" in chosen
            else None,
            block_files=BlockFiles(now_s, self.files) if "blocks" in chosen else None,
            node=Node(now_s, HEADERS, HEADERS) if "node" in chosen else None,
            disk=Disk(now_s, self.free_bytes - used) if "disk" in chosen else None,
        )
