"""The simulated electrs that is ready: what it serves, counts and prints."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import fields, replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.support.demo_node import SMALL, UNKNOWN_HASH, DemoNode, demo_node
from tests.support.metrics_page import families, samples
from tests.support.scripted_http import Json
from utxoracle_tui.demo.host.electrs.settings import ElectrsSettings, SyncSize

TINY = SyncSize(
    blocks=4_000, first_file_blocks=1_000, blk_files=12, txstore_bytes=5_000_000_000, history_bytes=3_000_000_000
)
FINAL_AGE = "public, max-age=157784630"
SHORT_AGE = "public, max-age=10"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[DemoNode]:
    async with demo_node(SMALL, size=TINY) as node:
        node.host.electrs.settings.main_loop_delay_s = 0.05
        node.host.electrs.settings.retry_s = 0.05
        yield node


@pytest_asyncio.fixture(loop_scope="module")
async def node(shared: DemoNode) -> AsyncIterator[DemoNode]:
    """An electrs that nothing has been done to yet."""
    yield shared
    settings = shared.host.electrs.settings
    for field in fields(ElectrsSettings()):
        setattr(settings, field.name, getattr(ElectrsSettings(), field.name))
    settings.main_loop_delay_s = settings.retry_s = 0.05
    await shared.act("start", warm_up_s=0)
    for action, arguments in (
        ("trap", {"cause": None}),
        ("lag", {"blocks": 0}),
        ("stall", {"on": False}),
        ("start", {}),
    ):
        await shared.act(f"electrs/{action}", **arguments)
    await shared.act("electrs/advance", to="ready")
    await until(lambda: shared.host.electrs.is_serving)


async def until(condition: Callable[[], object], within_s: float = 5) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come true"
        await asyncio.sleep(0.01)


async def ask(node: DemoNode, path: str) -> httpx.Response:
    return await node.client.get(node.env["ELECTRS_HTTP_URL"] + path)


async def metrics(node: DemoNode) -> str:
    url = (await node.read("addresses"))["UTXORACLE_TUI_ELECTRS_METRICS_URL"]
    reply = await node.client.get(url + "/metrics")
    assert "content-type" not in reply.headers
    return reply.text


def log(node: DemoNode) -> list[str]:
    return node.host.electrs.log.path.read_text().splitlines()


async def test_tip_is_text_without_a_line_end(shared: DemoNode) -> None:
    height, tip = await shared.call("getblockcount"), await shared.call("getbestblockhash")
    for path, text in (("/blocks/tip/height", str(height)), ("/blocks/tip/hash", tip)):
        reply = await ask(shared, path)
        assert (reply.status_code, reply.text, reply.headers["content-type"]) == (200, text, "text/plain")
        assert reply.headers["x-powered-by"] == "mempool-electrs 3.1.0-dev"
        assert reply.headers["cache-control"] == SHORT_AGE


async def test_block_is_that_of_the_node(shared: DemoNode) -> None:
    block_hash = await shared.call("getblockhash", 100)
    reply = await ask(shared, f"/block/{block_hash}")
    block, real = reply.json(), await shared.call("getblock", block_hash, 1)
    assert list(block) == [
        *("id", "height", "version", "timestamp", "tx_count", "size", "weight", "merkle_root", "previousblockhash"),
        *("mediantime", "nonce", "bits", "difficulty"),
    ]
    names = {"id": "hash", "timestamp": "time", "tx_count": "nTx", "merkle_root": "merkleroot"}
    for name in set(block) - {"bits"}:
        assert block[name] == real[names.get(name, name)], name
    assert block["bits"] == int(real["bits"], 16)
    assert reply.headers["cache-control"] == FINAL_AGE
    assert (await ask(shared, f"/block/{block_hash}/raw")).content.hex() == await shared.call("getblock", block_hash, 0)
    assert (await ask(shared, f"/block/{block_hash}/header")).text == await shared.call(
        "getblockheader", block_hash, False
    )
    assert (await ask(shared, f"/block/{block_hash}/txids")).json() == real["tx"]
    assert (await ask(shared, "/block-height/100")).text == block_hash
    status = (await ask(shared, f"/block/{block_hash}/status")).json()
    assert status == {"in_best_chain": True, "height": 100, "next_best": real["nextblockhash"]}


async def test_genesis_has_no_block_before(shared: DemoNode) -> None:
    genesis = (await ask(shared, f"/block/{await shared.call('getblockhash', 0)}")).json()
    assert genesis["previousblockhash"] is None


async def test_blocks_are_ten_downwards(shared: DemoNode) -> None:
    tip = await shared.call("getblockcount")
    for path, first in (("/blocks", tip), ("/blocks/50", 50)):
        assert [block["height"] for block in (await ask(shared, path)).json()] == list(range(first, first - 10, -1))


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/block-height/999999", 404, "Block not found"),
        ("/block-height/abc", 400, "Invalid number"),
        ("/block/xyz", 400, "Invalid hash string"),
        (f"/block/{UNKNOWN_HASH}", 404, "Block not found"),
        (f"/tx/{UNKNOWN_HASH}", 404, "Transaction not found"),
        ("/", 404, 'endpoint does not exist "/"'),
        ("/x", 404, 'endpoint does not exist "/x"'),
    ],
)
async def test_refusals_are_text(shared: DemoNode, path: str, status: int, text: str) -> None:
    reply = await ask(shared, path)
    assert (reply.status_code, reply.text, reply.headers["content-type"]) == (status, text, "text/plain")


async def test_status_of_an_unknown_block_is_no_error(shared: DemoNode) -> None:
    status = (await ask(shared, f"/block/{UNKNOWN_HASH}/status")).json()
    assert status == {"in_best_chain": False, "height": None, "next_best": None}


async def test_mempool_and_fees_are_empty(shared: DemoNode) -> None:
    assert (await ask(shared, "/mempool")).json() == {"count": 0, "vsize": 0, "total_fee": 0, "fee_histogram": []}
    assert (await ask(shared, "/mempool/txids")).json() == []
    assert (await ask(shared, "/fee-estimates")).json() == {}


async def test_electrum_port(shared: DemoNode) -> None:
    port = (await shared.read("electrs/state"))["electrum_port"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers: dict[int, Json] = {}
    for number, method in enumerate(("server.version", "blockchain.headers.subscribe", "server.ping", "x.y")):
        writer.write(json.dumps({"id": number, "method": method, "params": []}).encode() + b"\n")
        answers[number] = json.loads(await reader.readline())
    assert answers[0]["result"] == ["electrs-esplora 3.1.0-dev", "1.4"]
    tip = await shared.call("getbestblockhash")
    assert answers[1]["result"] == {
        "height": await shared.call("getblockcount"),
        "hex": await shared.call("getblockheader", tip, False),
    }
    assert (answers[2]["result"], "error" in answers[3]) == (None, True)
    assert samples(await metrics(shared))["electrum_clients"] == 1
    writer.close()


async def test_metrics_of_a_process_that_serves(shared: DemoNode) -> None:
    await ask(shared, "/blocks/tip/height")
    text = await metrics(shared)
    assert families(text) >= {
        *("process_memory_rss", "process_cpu_usage", "process_fs_fds", "daemon_rpc", "daemon_bytes", "tip_height"),
        *("mempool_count", "electrs_rest_api", "electrum_clients", "electrum_subscriptions"),
    }
    found = samples(text)
    assert found["tip_height"] == await shared.call("getblockcount")
    requests = 'electrs_rest_api_count{method="all_methods"}'
    assert found[requests] == found['electrs_rest_api_bucket{method="all_methods",le="+Inf"}'] >= 1
    edges = re.findall(r'electrs_rest_api_bucket\{method="all_methods",le="([^"]+)"\}', text)
    assert edges == ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"]


async def test_log_of_a_start_with_a_finished_index(node: DemoNode) -> None:
    height, tip = await node.call("getblockcount"), await node.call("getbestblockhash")
    await node.act("electrs/stop")
    before = len(log(node))
    await node.act("electrs/start")
    await node.act("electrs/advance", to="ready")
    lines = log(node)[before:]
    assert re.match(r"Config \{ log: StdErrLog \{ .*light_mode: true, \.\. \}$", lines[0])
    assert [re.sub(r"0\.0\.0\.0:\d+", "PORT", line) for line in lines[1:]] == [
        "DEBUG - Server listening on PORT",
        "DEBUG - Running accept thread",
        'INFO - NetworkInfo { version: 280100, subversion: "/Satoshi:28.1.0/", relayfee: 1e-5 }',
        f'INFO - BlockchainInfo {{ chain: "regtest", blocks: {height}, headers: {height}, bestblockhash: "{tip}", '
        "pruned: false, verificationprogress: 1, initialblockdownload: Some(false) }",
        'DEBUG - opening DB at "/data/regtest/newindex/txstore"',
        f"DEBUG - {height + 1} blocks were added",
        'DEBUG - opening DB at "/data/regtest/newindex/history"',
        f"DEBUG - {height + 1} blocks were indexed",
        'DEBUG - opening DB at "/data/regtest/newindex/cache"',
        f"DEBUG - {height} headers were loaded, tip at {tip}",
        "DEBUG - Adding 0 transactions to Mempool",
        "INFO - REST server running on PORT",
        "INFO - Electrum RPC server running on PORT",
    ]


async def test_new_block_is_indexed(node: DemoNode) -> None:
    before, height = len(log(node)), await node.call("getblockcount")
    (tip,) = (await node.act("mine"))["hashes"]
    await until(lambda: node.host.electrs.tip.height == height + 1)
    lines = log(node)[before:]
    assert lines[0] == f"DEBUG - downloading new block headers ({height + 1} already indexed) from {tip}"
    assert re.fullmatch(rf"INFO - hash={tip} height={height + 1} @ \S+Z \(1 left to index\)", lines[1])
    assert lines[2:] == [
        "DEBUG - adding transactions from 1 blocks using Bitcoind",
        f"DEBUG - hash={tip} (1 left to index)",
        "DEBUG - Adding 1 blocks to Indexer",
        "DEBUG - indexing history from 1 blocks using Bitcoind",
        "DEBUG - Indexing 1 blocks with Indexer",
        f"DEBUG - updating synced tip to {tip}",
    ]
    assert (await ask(node, "/blocks/tip/hash")).text == tip
    await until(lambda: log(node)[-1] == "INFO - handle GET /blocks/tip/hash")


async def test_lag_and_a_hung_main_loop(node: DemoNode) -> None:
    await node.act("electrs/lag", blocks=5)
    assert int((await ask(node, "/blocks/tip/height")).text) == await node.call("getblockcount") - 5
    assert (await ask(node, f"/block-height/{await node.call('getblockcount')}")).status_code == 404
    await node.act("electrs/lag", blocks=0)
    await node.act("electrs/stall")
    height = int((await ask(node, "/blocks/tip/height")).text)
    await node.act("mine", count=2)
    await asyncio.sleep(0.3)
    assert int((await ask(node, "/blocks/tip/height")).text) == height
    await node.act("electrs/stall", on=False)
    await until(lambda: node.host.electrs.tip.height == height + 2)


async def test_rest_answers_while_the_node_is_away(node: DemoNode) -> None:
    before = len(log(node))
    await node.act("stop")
    port = httpx.URL(node.url).port
    refused = f"WARN - failed to connect daemon at 127.0.0.1:{port}: Connection refused (os error 111)"
    await until(lambda: refused in log(node)[before:])
    assert (await ask(node, "/blocks/tip/height")).status_code == 200
    starting = asyncio.create_task(node.act("start", warm_up_s=1))
    warming_up = 'WARN - reconnecting to bitcoind: {"code":-28,"message":"Loading block index…"}'
    await until(lambda: warming_up in log(node)[before:])
    assert "WARN - HTTP status: HTTP/1.1 500 Internal Server Error" in log(node)[before:]
    await starting
    for change, warning in (
        ({"accept": "none"}, "reconnecting to bitcoind: no reply from daemon"),
        ({"accept": "right"}, None),
    ):
        await node.act("settings", **change)
        if warning:
            await until(lambda: f"WARN - {warning}" in log(node)[before:])  # noqa: B023  (awaited before the next round)
    await node.act("busy", seconds=5)
    await until(lambda: "WARN - reconnecting to bitcoind: expected 24 bytes, got 25" in log(node)[before:])
    await node.act("busy")
    await node.act("lose-cookie")
    lost = 'WARN - reconnecting to bitcoind: failed to read cookie from "/bitcoin/.cookie"'
    await until(lambda: lost in log(node)[before:])
    await node.act("restart", down_s=0, warm_up_s=0)


@pytest.mark.parametrize(
    ("verbosity", "levels"),
    [(0, set()), (1, set()), (2, {"INFO"}), (3, {"INFO", "DEBUG"}), (4, {"INFO", "DEBUG"})],
)
async def test_verbosity(node: DemoNode, verbosity: int, levels: set[str]) -> None:
    await node.act("electrs/stop")
    await node.act("electrs/settings", verbosity=verbosity)
    before = len(log(node))
    await node.act("electrs/start")
    await node.act("electrs/advance", to="ready")
    first, *lines = log(node)[before:]
    assert first.startswith("Config {")
    assert {line.partition(" - ")[0] for line in lines} == levels


async def test_timestamps(node: DemoNode) -> None:
    await node.act("electrs/settings", timestamp=True)
    await ask(node, "/blocks/tip/height")
    await until(lambda: re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]{12}\+00:00 - INFO - handle GET /\S+", log(node)[-1]))


async def test_precaching_goes_on_while_it_serves(node: DemoNode) -> None:
    await node.act("electrs/stop")
    await node.act("electrs/settings", precache_scripts=10_000)
    await node.act("electrs/start")
    await node.act("electrs/advance", hours=1)
    lines = log(node)
    assert "INFO - Pre-caching stats and utxo set on 8 threads for 10000 scripthashes" in lines
    assert "INFO - 500/10000 Processed in 1234 ms running pre-cache for scripthash" in lines
    assert "INFO - Done Flushing cache_db!!! 10000" in lines
    assert (await ask(node, "/blocks/tip/height")).status_code == 200


async def test_pruned_node_is_refused(node: DemoNode) -> None:
    await node.act("electrs/stop")
    await node.act("prune", below=5)
    await node.act("electrs/start")
    await node.act("electrs/advance", to="opening")
    state = await node.read("electrs/state")
    assert (state["container"], state["exit_code"]) == ("restarting", 1)
    reason = "pruned node is not supported (use '-prune=0' bitcoind flag)"
    assert log(node)[-1] == f"ERROR - server failed: Error: {reason}"
    await node.act("prune", below=None)


async def test_stopped_electrs_closes_all_ports(node: DemoNode) -> None:
    addresses = await node.read("addresses")
    await node.act("electrs/stop")
    for name in ("ELECTRS_HTTP_URL", "UTXORACLE_TUI_ELECTRS_METRICS_URL"):
        with pytest.raises(httpx.ConnectError):
            await node.client.get(addresses[name])
    state = await node.read("electrs/state")
    assert (state["container"], state["exit_code"], state["phase"]) == ("exited", 0, None)


async def test_killed_electrs_comes_back(node: DemoNode) -> None:
    before = (await node.read("electrs/state"))["restarts"]
    await node.act("electrs/kill", out_of_memory=True)
    state = await node.read("electrs/state")
    assert (state["container"], state["exit_code"], state["restarts"]) == ("restarting", 137, before)
    await until(lambda: node.host.electrs.life.is_running)
    assert (await node.read("electrs/state"))["restarts"] == before + 1


@pytest.mark.parametrize(
    ("cause", "exit_code", "line"),
    [
        ("locked", 134, r"failed to open RocksDB: .*/LOCK: Resource temporarily unavailable"),
        ("too-many-files", 134, r"failed to open RocksDB: .*Too many open files"),
        ("denied", 134, r"failed to open RocksDB: .*Permission denied"),
        ("corruption", 134, r"failed to open RocksDB: .*Corruption: "),
        ("lightmode", 134, r"Incompatible database found\. Please reindex\."),
        ("port-taken", 134, r"failed to start monitoring HTTP server at .*"),
        ("rpc-error", 1, r"ERROR - server failed: Error: .*"),
    ],
)
async def test_failure_in_its_own_words(node: DemoNode, cause: str, exit_code: int, line: str) -> None:
    await node.act("electrs/stop")
    before = len(log(node))
    await node.act("electrs/trap", cause=cause)
    await node.act("electrs/start")
    await node.act("electrs/advance", hours=1)
    await until(lambda: any(re.search(line, text) for text in log(node)[before:]))
    await until(lambda: node.host.electrs.life.exit_code == exit_code)
    panics = [text for text in log(node)[before:] if re.fullmatch(r"thread '\w+' panicked at src/\S+:", text)]
    assert bool(panics) == (exit_code == 134)


async def test_requests_are_counted(node: DemoNode) -> None:
    await node.act("electrs/clear-statistics")
    await ask(node, "/blocks/tip/height")
    await ask(node, "/block-height/5")
    assert (await node.read("electrs/statistics"))["calls"] == {"/blocks/tip/height": 1, "/block-height": 1}
    await node.act("electrs/metrics/busy", requests=1)
    addresses = await node.read("addresses")
    assert (await node.client.get(addresses["UTXORACLE_TUI_ELECTRS_METRICS_URL"])).status_code == 503


async def test_files_take_no_space(shared: DemoNode) -> None:
    folder = Path((await shared.read("addresses"))["UTXORACLE_TUI_ELECTRS_INDEX_DIR"]) / "regtest" / "newindex"
    sizes = {
        database: sum(path.stat().st_size for path in (folder / database).glob("*.sst"))
        for database in ("txstore", "history")
    }
    assert sizes == {"txstore": TINY.txstore_bytes, "history": TINY.history_bytes}
    assert sum(path.stat().st_blocks for path in folder.rglob("*.sst")) * 512 < 1_000_000
    assert {"CURRENT", "IDENTITY", "LOCK", "LOG"} <= {path.name for path in (folder / "txstore").iterdir()}


async def test_unknown_causes_and_phases_are_refused(shared: DemoNode) -> None:
    url = shared.env["UTXORACLE_DEMO_CONTROL_URL"]
    for action, arguments in (("trap", {"cause": "bad luck"}), ("advance", {"to": "heaven"})):
        assert (await shared.client.post(f"{url}/electrs/{action}", json=arguments)).status_code == 400


async def test_size_of_a_first_sync_can_be_any() -> None:
    for size in (TINY, replace(TINY, blk_files=3, first_file_blocks=10), SyncSize()):
        from utxoracle_tui.demo.host.electrs.settings import blocks_by_file

        counts = blocks_by_file(size)
        assert (len(counts), sum(counts), counts[0]) == (size.blk_files, size.blocks, size.first_file_blocks)
        assert min(counts) > 0
