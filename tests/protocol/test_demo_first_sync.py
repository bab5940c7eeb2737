"""The first sync of the simulated electrs, phase by phase: what it counts, prints and writes, and how it goes wrong."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from tests.support.demo_node import SMALL, DemoNode, demo_node
from tests.support.metrics_page import Samples, families, samples
from tests.support.scripted_http import Json
from utxoracle_tui.demo.host.electrs.settings import SyncSize

FIXTURES = Path(__file__).parents[1] / "fixtures" / "recorded"
ADDED = 'index_duration_count{step="add_process"}'
INDEXED = 'index_duration_count{step="index_process"}'
POLLS = 'daemon_rpc_count{method="getmempoolinfo"}'
HEADERS = 'daemon_rpc_count{method="getblockheader"}'
BLK_FILES = 40
SIZE = SyncSize(
    blocks=40_000,
    first_file_blocks=20_000,
    blk_files=BLK_FILES,
    txstore_bytes=6_000_000_000,
    history_bytes=4_000_000_000,
)
FIRST_SYNC = replace(SMALL, tx_per_block=1, scenario="first-sync")


pytestmark = pytest.mark.asyncio(loop_scope="module")


class Sync:
    """A host whose electrs is in its first sync."""

    def __init__(self, node: DemoNode, addresses: Json) -> None:
        self.node = node
        self.addresses = addresses
        self.folder = Path(addresses["UTXORACLE_TUI_ELECTRS_INDEX_DIR"]) / "regtest" / "newindex"

    @classmethod
    async def of(cls, node: DemoNode) -> Sync:
        return cls(node, await node.read("addresses"))

    async def to(self, phase: str) -> None:
        assert (await self.node.act("electrs/advance", to=phase))["phase"] == phase

    async def page(self) -> str:
        reply = await self.node.client.get(self.addresses["UTXORACLE_TUI_ELECTRS_METRICS_URL"])
        assert reply.status_code == 200
        return reply.text

    async def metrics(self) -> Samples:
        return samples(await self.page())

    def log(self) -> list[str]:
        return Path(self.addresses["UTXORACLE_TUI_ELECTRS_LOG_FILE"]).read_text().splitlines()

    def sst_bytes(self, database: str) -> int:
        return sum(path.stat().st_size for path in (self.folder / database).glob("*.sst"))

    def rocksdb_log(self, database: str) -> str:
        return (self.folder / database / "LOG").read_text()

    def events(self, database: str) -> list[Json]:
        return events(self.rocksdb_log(database))

    async def rest_refuses(self) -> bool:
        try:
            await self.node.client.get(self.addresses["ELECTRS_HTTP_URL"] + "/blocks/tip/height")
        except httpx.ConnectError:
            return True
        return False


def events(text: str) -> list[Json]:
    return [json.loads(found) for found in re.findall(r"EVENT_LOG_v1 (\{.*\})", text)]


async def until(condition: Callable[[], object], within_s: float = 8) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come true"
        await asyncio.sleep(0.01)


@dataclass
class Journey:
    """What was seen of a whole first sync."""

    pages: dict[str, str] = field(default_factory=dict)
    """Metrics at the beginning of each phase, and in the middle of the passes."""
    refused: dict[str, bool] = field(default_factory=dict)
    """Whether the REST port was closed then."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Of the txstore then."""
    largest: dict[str, int] = field(default_factory=dict)
    """The largest of its tables then."""
    grown: list[float] = field(default_factory=list)
    """The size of the txstore at fifths of its compaction, in sizes of before."""
    half: str = ""
    """The log of its RocksDB in the middle of that."""
    rocksdb: str = ""
    """The same at the end."""
    log: list[str] = field(default_factory=list)
    tip: str = ""
    height: int = 0

    async def look(self, sync: Sync, name: str) -> None:
        self.pages[name] = await sync.page()
        self.refused[name] = await sync.rest_refuses()
        sizes = [path.stat().st_size for path in (sync.folder / "txstore").glob("*.sst")]
        self.sizes[name], self.largest[name] = sum(sizes), max(sizes, default=0)

    def metrics(self, name: str) -> Samples:
        return samples(self.pages[name])


@pytest.fixture(scope="module")
async def journey() -> Journey:
    seen = Journey()
    async with demo_node(FIRST_SYNC, size=SIZE) as node:
        sync = await Sync.of(node)
        for phase in (
            *("opening", "headers", "pass-1", "compacting-txstore", "pass-2", "compacting-history", "mempool", "ready"),
        ):
            await sync.to(phase)
            await seen.look(sync, phase)
            if phase.startswith("pass"):
                await node.act("electrs/advance", hours=4.5 if phase == "pass-1" else 8)
                await seen.look(sync, f"half of {phase}")
            elif phase == "compacting-txstore":
                for _ in range(4):
                    await node.act("electrs/advance", hours=SIZE.compact_txstore_s / 3600 / 5)
                    seen.grown.append(sync.sst_bytes("txstore") / SIZE.txstore_bytes)
                seen.half = sync.rocksdb_log("txstore")
        seen.tip, seen.height = await node.call("getbestblockhash"), await node.call("getblockcount")
        seen.log, seen.rocksdb = sync.log(), sync.rocksdb_log("txstore")
    return seen


async def test_metrics_alone_tell_the_phase(journey: Journey) -> None:
    """By the rules that hold for the real one, from `daemon_rpc` and `index_duration`."""
    assert families(journey.pages["opening"]) == {
        *("process_memory_rss", "process_cpu_usage", "process_fs_fds", "daemon_rpc", "daemon_bytes"),
    }
    assert journey.metrics("opening")[POLLS] >= 1
    assert journey.metrics("headers")["tip_height"] == 0
    found = journey.metrics("pass-1")
    assert (found[HEADERS], ADDED in found) == (SIZE.blocks, False)
    found = journey.metrics("half of pass-1")
    assert BLK_FILES * 0.4 < found[ADDED] < BLK_FILES * 0.6
    assert (found["tip_height"], INDEXED in found) == (0, False)
    found = journey.metrics("compacting-txstore")
    assert (found[ADDED], INDEXED in found) == (BLK_FILES, False)
    found = journey.metrics("half of pass-2")
    assert BLK_FILES * 0.4 < found[INDEXED] < BLK_FILES * 0.6
    found = journey.metrics("compacting-history")
    assert (found[INDEXED], found["tip_height"]) == (BLK_FILES, 0)
    found = journey.metrics("mempool")
    assert (found["tip_height"], "electrum_clients" in found) == (journey.height, False)
    assert "electrum_clients" in journey.metrics("ready")


async def test_rest_is_closed_until_everything_is_done(journey: Journey) -> None:
    assert [name for name, refused in journey.refused.items() if not refused] == ["ready"]


async def test_log_has_the_lines_of_a_real_one_in_their_order(journey: Journey) -> None:
    lines = journey.log
    marks = [
        'DEBUG - opening DB at "/data/regtest/newindex/txstore"',
        "DEBUG - 0 blocks were added",
        'DEBUG - opening DB at "/data/regtest/newindex/history"',
        "DEBUG - 0 blocks were indexed",
        'DEBUG - opening DB at "/data/regtest/newindex/cache"',
        f"DEBUG - downloading all block headers up to {journey.tip}",
        "DEBUG - adding transactions from 40000 blocks using BlkFiles",
        'DEBUG - listing block files at "/bitcoin/regtest/blocks/blk*.dat"',
        "DEBUG - Adding 20000 blocks to Indexer",
        "INFO - Tx indexing is up to height=0",
        'DEBUG - starting full compaction on RocksDB { path: "/data/regtest/newindex/txstore" }',
        'DEBUG - finished full compaction on RocksDB { path: "/data/regtest/newindex/txstore" }',
        "DEBUG - indexing history from 40000 blocks using BlkFiles",
        "DEBUG - Indexing 20000 blocks with Indexer",
        "INFO - History indexing is up to height=0",
        'DEBUG - starting full compaction on RocksDB { path: "/data/regtest/newindex/history" }',
        'DEBUG - finished full compaction on RocksDB { path: "/data/regtest/newindex/history" }',
        "DEBUG - flushing to disk",
        f"DEBUG - updating synced tip to {journey.tip}",
        "DEBUG - applying 40000 new headers from height 0",
        "DEBUG - Adding 0 transactions to Mempool",
    ]
    places = [lines.index(mark) for mark in marks]
    assert places == sorted(places)
    left = re.compile(rf"INFO - hash={journey.tip} height=39999 @ \S+Z \(40000 left to index\)")
    assert any(left.fullmatch(line) for line in lines)
    for batch in (r"DEBUG - Adding (\d+) blocks to Indexer", r"DEBUG - Indexing (\d+) blocks with Indexer"):
        blocks = [int(match[1]) for line in lines if (match := re.fullmatch(batch, line))]
        assert (len(blocks), sum(blocks)) == (BLK_FILES, SIZE.blocks)


async def test_size_doubles_during_a_compaction_and_then_falls_back(journey: Journey) -> None:
    assert journey.sizes["compacting-txstore"] == pytest.approx(SIZE.txstore_bytes, rel=0.03)
    assert journey.largest["half of pass-1"] < 2**28
    assert journey.grown == pytest.approx([1.2, 1.4, 1.6, 1.8], abs=0.06)
    assert journey.sizes["pass-2"] == pytest.approx(SIZE.txstore_bytes, rel=0.001)
    assert journey.largest["pass-2"] == 1_078_336_307


async def test_progress_of_a_compaction_stands_in_the_log_of_rocksdb(journey: Journey) -> None:
    (started,) = [event for event in events(journey.half) if event["event"] == "compaction_started"]
    assert started["input_data_size"] == pytest.approx(SIZE.txstore_bytes, rel=0.01)
    done = re.findall(rf"\[JOB {started['job']}\] Generated table #\d+: \d+ keys, (\d+) bytes", journey.half)
    assert 0.6 < sum(map(int, done)) / started["input_data_size"] <= 0.82
    finished = [event for event in events(journey.rocksdb) if event["event"] == "compaction_finished"]
    assert [event["job"] for event in finished] == [started["job"]]
    assert finished[0]["total_output_size"] == started["input_data_size"]
    deleted = {event["file_number"] for event in events(journey.rocksdb) if event["event"] == "table_file_deletion"}
    assert deleted == set(started["files_L0"])


async def test_log_of_rocksdb_is_like_the_recorded_one(journey: Journey) -> None:
    """Each event has no keys but those of the real one; a line is told by the same words."""
    real_text, text = (FIXTURES / "rocksdb-log-excerpt.txt").read_text(), journey.rocksdb
    real = {event["event"]: event for event in events(real_text)}
    made = {event["event"]: event for event in events(text)}
    assert set(made) == set(real)
    for name, event in made.items():
        theirs = real[name]
        assert [key for key in theirs if key in event] == list(event), name
        assert {key: type(event[key]) for key in event} == {key: type(theirs[key]) for key in event}, name
    properties = (found["table_file_creation"]["table_properties"].keys() for found in (made, real))
    assert next(properties) <= next(properties)
    head = re.compile(r"\d{4}/\d\d/\d\d-\d\d:\d\d:\d\d\.\d{6} \d{15} ")
    assert all(head.match(line) for line in real_text.splitlines())
    assert sum(bool(head.match(line)) for line in text.splitlines()) > len(text.splitlines()) * 0.9
    for words in (
        r"Manual compaction from level-0 to level-1 from \(begin\) \.\. \(end\); will stop at \(end\)",
        r"\[JOB \d+\] Compacting \d+@0 files to L1, score -1\.00",
        r"\[JOB \d+\] Generated table #\d+: \d+ keys, \d+ bytes, temperature: kUnknown",
        r"\[JOB \d+\] Compacted \d+@0 files to L1 => \d+ bytes",
        r"\[JOB \d+\] Level-0 flush table #\d+: \d+ bytes OK",
        r"SetOptions\(\) on column family \[default\], inputs:",
    ):
        assert (re.search(words, real_text) is None, re.search(words, text) is None) == (False, False), words


async def test_killed_in_a_compaction_it_starts_that_from_nothing() -> None:
    """As a real RocksDB did: partial outputs go when it is opened again."""
    async with demo_node(FIRST_SYNC, size=SIZE) as node:
        sync = await Sync.of(node)
        await sync.to("compacting-txstore")
        before = sync.sst_bytes("txstore")
        await node.act("electrs/advance", hours=SIZE.compact_txstore_s / 3600 / 2)
        half = sync.sst_bytes("txstore")
        await node.act("electrs/stop")
        assert (await node.read("electrs/state"))["exit_code"] == 137
        assert sync.sst_bytes("txstore") == half > before * 1.4
        await node.act("electrs/start")
        await sync.to("headers")
        assert sync.sst_bytes("txstore") == before
        assert len(list((sync.folder / "txstore").glob("LOG.old.*"))) == 1
        await sync.to("compacting-txstore")
        assert sync.log().count("DEBUG - Adding 0 blocks to Indexer") == BLK_FILES
        await sync.to("pass-2")
        assert sync.sst_bytes("txstore") == pytest.approx(SIZE.txstore_bytes, rel=0.001)


async def test_killed_in_a_pass_it_goes_on_where_rows_were_on_disk() -> None:
    async with demo_node(FIRST_SYNC, size=SIZE) as node:
        sync = await Sync.of(node)
        await sync.to("pass-1")
        await node.act("electrs/advance", hours=4)
        added = (await node.read("electrs/state"))["added_files"]
        assert 0 < added <= (await sync.metrics())[ADDED] < BLK_FILES
        await node.act("electrs/kill")
        await until(lambda: node.host.electrs.life.is_running)
        before = len(sync.log())
        await sync.to("compacting-txstore")
        lines = sync.log()[before:]
        assert lines.count("DEBUG - Adding 0 blocks to Indexer") == added
        assert (await sync.metrics())[ADDED] == BLK_FILES
        assert sync.sst_bytes("txstore") == pytest.approx(SIZE.txstore_bytes, rel=0.05)


async def test_resume_looks_stuck_and_is_not() -> None:
    """At full size, with the numbers of an index that was once deleted for them."""
    async with demo_node(replace(FIRST_SYNC, scenario="resume")) as node:
        sync = await Sync.of(node)
        await sync.to("pass-1")
        await node.act("electrs/advance", hours=0.1)
        await node.act("electrs/stall")
        added = (await sync.metrics())[ADDED]
        assert added == (await sync.metrics())[ADDED]
        assert 400 < added < 4900
        await until(lambda: sync.log().count("DEBUG - Adding 0 blocks to Indexer") >= added)
        lines = sync.log()
        for line in (
            "DEBUG - 921457 blocks were added",
            "DEBUG - 916307 blocks were indexed",
            "DEBUG - adding transactions from 0 blocks using BlkFiles",
        ):
            assert line in lines
        assert any(line.endswith("(921457 left to index)") for line in lines)
        assert lines.count("DEBUG - Adding 0 blocks to Indexer") == added
        assert sync.sst_bytes("txstore") == 406_000_000_000
        block_files = node.folder / "blocks"
        assert len(list(block_files.glob("blk*.dat"))) == (await node.read("electrs/state"))["blk_files"] == 4900
        assert (block_files / "blk04899.dat").stat().st_size == 134_217_728


async def test_stuck_electrs_moves_nothing() -> None:
    async with demo_node(replace(FIRST_SYNC, scenario="electrs-stuck", speed=600), size=SIZE) as node:
        sync = await Sync.of(node)
        assert 0.5 * BLK_FILES < (await sync.metrics())[INDEXED] < 0.6 * BLK_FILES
        assert (await sync.metrics())[ADDED] == BLK_FILES
        await until(lambda: node.host.electrs.stalled)
        before = (await sync.page(), sync.sst_bytes("history"), (sync.folder / "history" / "LOG").stat().st_mtime_ns)
        await asyncio.sleep(0.4)
        after = (await sync.page(), sync.sst_bytes("history"), (sync.folder / "history" / "LOG").stat().st_mtime_ns)
        assert before == after


async def test_crash_loop_is_one_of_docker() -> None:
    async with demo_node(replace(FIRST_SYNC, scenario="electrs-crashloop", speed=600), size=SIZE) as node:
        sync = await Sync.of(node)
        states = []
        for _ in range(2):
            await node.act("electrs/advance", to="compacting-txstore")
            states.append(await node.read("electrs/state"))
            await until(lambda: node.host.electrs.life.is_running)
        assert [(state["container"], state["exit_code"]) for state in states] == [("restarting", 134)] * 2
        assert [state["restarts"] for state in states] == [0, 1]
        panic = sync.log().index("thread 'main' panicked at src/new_index/fetch.rs:118:13:")
        assert sync.log()[panic + 1] == "failed to index 40000 blocks from blk*.dat files"


async def test_full_disk_ends_the_compaction_again_and_again() -> None:
    async with demo_node(FIRST_SYNC, size=SIZE) as node:
        sync = await Sync.of(node)
        await node.act("electrs/capacity", n_bytes=9_000_000_000)
        await sync.to("compacting-txstore")
        free = (await node.read("electrs/state"))["free_bytes"]
        assert free == pytest.approx(3_000_000_000, rel=0.1)
        for _ in range(2):
            await node.act("electrs/advance", to="pass-2")
            state = await node.read("electrs/state")
            assert (state["container"], state["exit_code"]) == ("restarting", 134)
            assert "No space left on device" in sync.log()[-2]
            assert sync.sst_bytes("txstore") > 8_000_000_000
            await until(lambda: node.host.electrs.life.is_running)
            await sync.to("compacting-txstore")
            assert sync.sst_bytes("txstore") < 6_500_000_000
        await node.act("electrs/capacity", n_bytes=None)
        await sync.to("ready")


async def test_scenario_of_a_full_disk_fails_in_its_first_compaction() -> None:
    async with demo_node(replace(FIRST_SYNC, scenario="disk-filling"), size=SIZE) as node:
        sync = await Sync.of(node)
        await node.act("electrs/advance", to="pass-2")
        state = await node.read("electrs/state")
        assert (state["container"], state["exit_code"]) == ("restarting", 134)
        assert state["capacity_bytes"] < 2 * SIZE.txstore_bytes
        assert "No space left on device" in sync.log()[-2]


async def test_speed_shortens_the_hours() -> None:
    """31 hours at 600 times their speed: a second is ten minutes."""
    async with demo_node(replace(FIRST_SYNC, speed=600), size=SIZE) as node:
        sync = await Sync.of(node)
        await sync.to("pass-1")
        begun = time.monotonic()
        await asyncio.sleep(0.9)
        files = (await sync.metrics()).get(ADDED, 0)
        file_s = SIZE.pass_1_s / BLK_FILES / 600
        assert abs(files - (time.monotonic() - begun) / file_s) <= 1.5


async def test_electrs_waits_for_a_node_that_downloads() -> None:
    async with demo_node(replace(FIRST_SYNC, scenario="node-ibd", speed=0)) as node:
        node.host.electrs.settings.wait_s = 0.05
        info = await node.call("getblockchaininfo")
        assert info["initialblockdownload"]
        assert info["blocks"] / info["headers"] == pytest.approx(0.6, abs=0.05) == info["verificationprogress"]
        refused = await node.client.post(node.env["UTXORACLE_DEMO_CONTROL_URL"] + "/mine", json={})
        assert (refused.status_code, "catching up" in refused.text) == (400, True)
        before = info["blocks"]
        await node.act("catch-up", count=10)
        info = await node.call("getblockchaininfo")
        assert info["blocks"] >= before + 10
        sync = await Sync.of(node)
        waiting = re.compile(
            r"WARN - waiting for bitcoind sync and mempool load to finish: \d+/\d+ blocks, "
            r"verification progress: [0-9.]+%, mempool loaded: true"
        )
        await until(lambda: any(waiting.fullmatch(line) for line in sync.log()))
        assert "tip_height" not in await sync.metrics()
        await node.act("catch-up", count=10_000)
        info = await node.call("getblockchaininfo")
        assert (info["blocks"], info["initialblockdownload"]) == (info["headers"], False)
        await until(lambda: "DEBUG - 0 blocks were added" in sync.log())
        times = list((await node.header_times()).values())
        assert len(times) == info["blocks"] + 1
        await node.act("mine")


async def test_backend_is_out_of_sync_until_electrs_serves() -> None:
    async with demo_node(FIRST_SYNC, size=SIZE) as node:
        node.host.backend.settings.poll_s = node.host.backend.settings.retry_s = 0.01
        url = node.env["MEMPOOL_API_URL"] + "/api/v1/"
        sync = await Sync.of(node)
        await sync.to("pass-1")
        assert (await node.client.get(url + "blocks/tip/height")).status_code == 503
        assert (await node.client.get(url + "prices")).json()["USD"] > 0
        await sync.to("ready")
        await until(lambda: node.host.backend.in_sync)
        assert (await node.client.get(url + "blocks/tip/height")).text == str(await node.call("getblockcount"))
