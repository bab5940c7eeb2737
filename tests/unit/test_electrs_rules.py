"""What must hold whatever the evidence: random streams with contradictions, restarts, and clocks that step."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from utxoracle_tui.engine.electrs.evidence import (
    BlockFiles,
    DbSize,
    Disk,
    Evidence,
    LogNews,
    Metrics,
    Node,
    NodeTrouble,
    Process,
    Rest,
    RocksLogs,
    Rpc,
    Sizes,
    Source,
    Status,
    Trouble,
)
from utxoracle_tui.engine.electrs.log_lines import Kind, parse_line
from utxoracle_tui.engine.electrs.machine import step
from utxoracle_tui.engine.electrs.milestones import as_document, from_document
from utxoracle_tui.engine.electrs.phases import ORDER, STUCK_AFTER_S, ConditionKind, Db, Phase, rank
from utxoracle_tui.engine.electrs.rocksdb_log import FullCompaction, RocksLog
from utxoracle_tui.engine.electrs.state import State, restored

START_S = 1_760_000_000.0
CORRUPTION = 'missing txo 4a5e1e4baab89f3a32518a88c31bc87f:0 in RocksDB { path: "/data/txstore" }'
LINES = (
    "Config { log: StdErrLog { .. } }",
    "WARN - failed to connect daemon at 127.0.0.1:8332: Connection refused (os error 111)",
    "WARN - reconnecting to bitcoind: expected 24 bytes, got 25",
    "WARN - waiting for bitcoind sync and mempool load to finish: 920000/921456 blocks, verification progress: 99.8%",
    'DEBUG - opening DB at "/data/mainnet/newindex/txstore"',
    "DEBUG - 916307 blocks were added",
    "DEBUG - 916307 blocks were indexed",
    "DEBUG - downloading all block headers up to 00ab",
    "INFO - hash=00ab height=921456 @ 2025-10-30T11:45:12Z (921457 left to index)",
    "DEBUG - adding transactions from 921457 blocks using BlkFiles",
    "DEBUG - adding transactions from 5150 blocks using Bitcoind",
    "DEBUG - Adding 0 blocks to Indexer",
    "DEBUG - Adding 119965 blocks to Indexer",
    "INFO - Tx indexing is up to height=490000",
    "INFO - Tx indexing is up to height=120000",
    'DEBUG - starting full compaction on RocksDB { path: "/data/newindex/txstore" }',
    'DEBUG - finished full compaction on RocksDB { path: "/data/newindex/txstore" }',
    "DEBUG - indexing history from 921457 blocks using BlkFiles",
    "DEBUG - Indexing 191 blocks with Indexer",
    "INFO - History indexing is up to height=910000",
    'DEBUG - starting full compaction on RocksDB { path: "/data/newindex/history" }',
    'DEBUG - finished full compaction on RocksDB { path: "/data/newindex/history" }',
    "DEBUG - flushing to disk",
    "INFO - REST server running on 0.0.0.0:3001",
    "INFO - handle GET /blocks/tip/height",
    "thread 'main' panicked at src/new_index/db.rs:240:36:",
    "Incompatible database found. Please reindex.",
    'called `Result::unwrap()` on an `Err` value: Error { message: "IO error: No space left on device" }',
    CORRUPTION,
)


def random_stream(seed: int) -> list[Evidence]:
    """Looks one after the other, some of them out of order or far apart, at any sources with any figures."""
    rng = random.Random(seed)
    at_s, stream = START_S, []
    for _ in range(rng.randint(1, 40)):
        at_s += rng.choice((5.0, 5.0, 5.0, 60.0, -60.0, 700.0, rng.uniform(0, 4000)))
        stream.append(random_look(rng, at_s))
    return stream


def random_look(rng: random.Random, at_s: float) -> Evidence:
    """One look."""

    def maybe(make: Callable[[], object], share: float = 0.5) -> object:
        return make() if rng.random() < share else None

    values = {
        "metrics": maybe(lambda: random_metrics(rng, at_s)),
        "process": maybe(lambda: random_process(rng, at_s)),
        "log": maybe(lambda: random_news(rng, at_s)),
        "rocksdb": maybe(lambda: random_rocks_logs(rng, at_s)),
        "sizes": maybe(lambda: Sizes(at_s, {db: random_size(rng) for db in Db if rng.random() < 0.7})),
        "block_files": maybe(lambda: BlockFiles(at_s, rng.choice((0, 100, 4900, 4901)))),
        "node": maybe(lambda: random_node(rng, at_s)),
        "disk": maybe(lambda: Disk(at_s, rng.randint(0, 10**13))),
        "rest": maybe(lambda: Rest(at_s, rng.randint(0, 10**6)), 0.1),
        "troubles": (Trouble(Source.METRICS, at_s, "Nothing answers.", refused=rng.random() < 0.5),),
    }
    return Evidence(at_s, **values)  # type: ignore[arg-type]


def random_metrics(rng: random.Random, at_s: float) -> Metrics:
    return Metrics(
        at_s,
        cpu_s=rng.choice((None, rng.uniform(0, 1e6), at_s - START_S)),
        tip_height=rng.choice((None, 0, 0, 0, 921_456)),
        add_batches=rng.choice((None, rng.randint(0, 5000), int(max(0.0, at_s - START_S)))),
        index_batches=rng.choice((None, None, rng.randint(0, 5000))),
        rpc={"getmempoolinfo": Rpc(rng.randint(0, 5000), rng.uniform(0, 1e6))} if rng.random() < 0.5 else {},
        serving=rng.random() < 0.1,
    )


def random_process(rng: random.Random, at_s: float) -> Process:
    return Process(
        at_s,
        rng.choice((Status.RUNNING, Status.RUNNING, Status.RUNNING, *Status)),
        started_at_s=rng.choice((None, START_S - 100.0, START_S - 100.0, START_S + 5000.0, START_S + 20_000.0)),
        exit_code=rng.choice((None, 0, 1, 134, 137, 143)),
        oom_killed=rng.random() < 0.1,
        restarts=rng.choice((None, rng.randint(0, 9))),
        cpu_s=rng.choice((None, rng.uniform(0, 1e6))),
    )


def random_news(rng: random.Random, at_s: float) -> LogNews:
    texts = rng.choices(LINES, k=rng.randint(0, 4))
    dated = rng.random() < 0.5
    events = tuple(event for text in texts if (event := parse_line(text, at_s, dated=dated)) is not None)
    return LogNews(at_s, events, rng.random() < 0.2, rng.random() < 0.2)


def random_size(rng: random.Random) -> DbSize:
    total = rng.randint(300_000_000, 10**12)
    return DbSize(total, rng.choice((0, total, total // 2)), large_bytes=rng.choice((0, total // 2, total // 3, total)))


def random_rocks_logs(rng: random.Random, at_s: float) -> RocksLogs:
    def log() -> RocksLog:
        if rng.random() < 0.5:
            return RocksLog(openings=rng.randint(0, 3), filled_at_s=rng.choice((None, at_s)))
        size = rng.randint(0, 10**12)
        began_s = at_s - rng.uniform(0, 90_000)
        compaction = FullCompaction(13, began_s, size, rng.randint(0, 2 * size), 20, None, rng.random() < 0.3)
        return RocksLog(compaction=compaction)

    dbs = {db: log() for db in Db if rng.random() < 0.7}
    return RocksLogs(at_s, dbs, {db: at_s - rng.uniform(0, 5000) for db in dbs})


def random_node(rng: random.Random, at_s: float) -> Node:
    heights = (rng.choice((None, rng.randint(0, 10**6))) for _ in range(2))
    return Node(at_s, *heights, rng.random() < 0.5, rng.choice((None, None, *NodeTrouble)))


seeds = st.integers(0, 2**32)


def corruptions(stream: Sequence[Evidence]) -> int:
    """Lines that speak of corruption."""
    said = [event for look in stream if look.log is not None for event in look.log.events]
    return sum(event.kind is Kind.FATAL and "missing txo" in event.text for event in said)


def texts(state: State) -> str:
    said = [state.sentence, state.advice]
    for condition in state.conditions:
        said += [condition.sentence, condition.advice]
    return " ".join(said)


@settings(max_examples=examples(20, 60))
@given(seeds)
def test_progress_never_goes_back_and_never_exceeds_the_whole(seed: int) -> None:
    state = State()
    shares: dict[tuple[int, Phase], float] = {}
    whole, reached = 0.0, (0, -1)
    for look in random_stream(seed):
        before, state = state, step(state, look)
        assert state.at_s >= before.at_s
        assert state.run >= before.run
        share = state.progress.share
        if share is not None:
            assert 0.0 <= share <= 1.0
            assert share >= shares.get((state.run, state.phase), 0.0)
            shares[state.run, state.phase] = share
        for row in state.rows:
            assert row.share is None or 0.0 <= row.share <= 1.0
            assert row.elapsed_s is None or row.elapsed_s >= 0.0
        assert whole <= (state.whole_share or whole) <= 1.0
        whole = state.whole_share or whole
        eta = state.progress.eta
        assert eta is None or 0.0 <= eta.low_s <= eta.mid_s <= eta.high_s
        if state.phase in ORDER:
            # in one life of the process phases only follow one another
            assert (state.run, rank(state.phase)) >= reached
            reached = (state.run, rank(state.phase))


@settings(max_examples=examples(20, 60))
@given(seeds)
def test_a_new_index_is_advised_only_for_corruption_seen_twice(seed: int) -> None:
    state, stream = State(), random_stream(seed)
    for number, look in enumerate(stream, 1):
        state = step(state, look)
        said = texts(state)
        if state.reindex_advised:
            assert corruptions(stream[:number]) >= 2
        else:
            assert "reindex" not in said
            assert "anew (" not in said
        assert not re.search(r"\b38 GB", said)
        assert state.sentence
        assert state.advice


@settings(max_examples=examples(20, 50))
@given(seeds)
def test_a_stream_without_corruption_never_leads_to_that_advice(seed: int) -> None:
    state = State()
    for look in random_stream(seed):
        if look.log is not None:
            harmless = tuple(event for event in look.log.events if "missing txo" not in event.text)
            look = Evidence(look.at_s, **{**_fields(look), "log": LogNews(look.log.at_s, harmless)})  # noqa: PLW2901
        state = step(state, look)
        kinds = {condition.kind for condition in state.conditions}
        assert not kinds & {ConditionKind.CORRUPTED, ConditionKind.CORRUPTION_SUSPECTED}
        assert not state.reindex_advised


def _fields(look: Evidence) -> dict[str, object]:
    return {name: getattr(look, name) for name in Evidence.__slots__ if name != "at_s"}


@settings(max_examples=examples(15, 40))
@given(seeds, st.floats(0, 1))
def test_a_console_that_is_restarted_goes_on_where_it_was(seed: int, part: float) -> None:
    stream = random_stream(seed)
    place = int(part * (len(stream) - 1))
    state = State()
    for look in stream[: place + 1]:
        state = step(state, look)
    again = from_document(json.loads(json.dumps(as_document(state.milestones))))
    assert again is not None
    fresh = restored(again)
    assert as_document(fresh.milestones) == as_document(again)
    run, reached = state.milestones.run.number, state.milestones.run.reached
    after = step(fresh, Evidence(state.at_s + 5.0))
    assert after.run == run
    if reached is not None and after.phase in ORDER:
        assert after.phase is reached
        assert after.since_s == state.milestones.marks[reached].started_at_s


moving = st.sampled_from(["add", "cpu", "sizes", "written", "log"])


@settings(max_examples=examples(15, 40))
@given(st.sampled_from(sorted(STUCK_AFTER_S)), moving, st.lists(st.floats(5, 110), min_size=40, max_size=80))
def test_while_anything_moves_it_is_not_stuck(phase: Phase, sign: str, gaps: list[float]) -> None:
    """One of the signs moves every few minutes, all others stand still, and the log says nothing."""
    state, moved_s, value, at_s = State(), START_S, 1, START_S
    begun = parse_line(
        {
            Phase.PASS_1: "DEBUG - adding transactions from 921457 blocks using BlkFiles",
            Phase.COMPACTING_TXSTORE: 'DEBUG - starting full compaction on RocksDB { path: "/data/newindex/txstore" }',
            Phase.PASS_2: "DEBUG - indexing history from 921457 blocks using BlkFiles",
            Phase.COMPACTING_HISTORY: 'DEBUG - starting full compaction on RocksDB { path: "/data/newindex/history" }',
            Phase.LOADING_MEMPOOL: "DEBUG - flushing to disk",
        }[phase]
    )
    assert begun is not None
    state = step(state, _still(at_s, 1, "", LogNews(at_s, (begun,))))
    for gap_s in gaps:
        at_s += gap_s
        if at_s - moved_s >= STUCK_AFTER_S[phase] - 120:
            value, moved_s = value + 1, at_s
        state = step(state, _still(at_s, value, sign))
        assert state.phase is phase
        assert ConditionKind.STUCK not in {condition.kind for condition in state.conditions}


def _still(at_s: float, value: int, moves: str, news: LogNews | None = None) -> Evidence:
    """Everything can be seen, and only one thing has the value of now."""
    now = {name: value if name == moves else 1 for name in ("add", "cpu", "sizes", "written", "log")}
    size = DbSize(300_000_000 + now["sizes"], 0)
    return Evidence(
        at_s,
        metrics=Metrics(at_s, cpu_s=now["cpu"] / 100, add_batches=now["add"]),
        sizes=Sizes(at_s, {Db.CACHE: size, Db.TXSTORE: size}),
        rocksdb=RocksLogs(
            at_s,
            {Db.CACHE: RocksLog(compaction=FullCompaction(1, at_s, 10**9, now["written"], finished=True))},
            {Db.CACHE: START_S + now["log"]},
        ),
        log=news,
    )
