"""The simulated mempool backend against the recorded replies of a real one."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise

import httpx
import pytest
import pytest_asyncio

from tests.support.demo_node import SMALL, DemoNode, demo_node
from tests.support.scripted_http import Json
from tests.support.shapes import loose_shape, recorded_shapes
from utxoracle_tui import clock
from utxoracle_tui.demo.host.mempool.settings import BackendSettings
from utxoracle_tui.demo.host.options import HostOptions

QUICK = BackendSettings(poll_s=0.02, retry_s=0.01)
REPLIES = recorded_shapes("mempool-backend")
WITHOUT_DATABASE = ("db_down_blocks", "db_down_hist")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[DemoNode]:
    async with demo_node(replace(SMALL, price="60000:66000")) as node:
        node.host.backend.settings = replace(QUICK)
        yield node


@pytest_asyncio.fixture(loop_scope="module")
async def node(shared: DemoNode) -> AsyncIterator[DemoNode]:
    """A host whose backend nothing has been done to yet."""
    yield shared
    host = shared.host
    host.mempool.api.odd.clear()
    host.mempool.backend.settings = replace(QUICK)
    host.mempool.backend.exchange.restart(database=False)
    host.mempool.backend.exchange.feeds_up = True
    await shared.act("exchange/offset", percent=0)
    await shared.act("mempool/hang", on=False)
    await shared.act("mempool/latency", seconds=0)
    if not host.node.is_listening:
        await shared.act("start", warm_up_s=0)
    await shared.act("mempool/start")
    await comes_true(lambda: host.mempool.backend.in_sync)


async def comes_true(condition: object, within_s: float = 5) -> None:
    assert callable(condition)
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come true"
        await asyncio.sleep(0.01)


async def ask(node: DemoNode, path: str) -> httpx.Response:
    return await node.client.get(node.env["MEMPOOL_API_URL"] + path)


def common(response: httpx.Response) -> dict[str, str]:
    names = REPLIES["common headers"]
    return {name: response.headers[name] for name in names}


async def compare(node: DemoNode, name: str, path: str) -> None:
    """Status, headers, and what the body is made of; scalars as text are compared by their type alone."""
    real = REPLIES[name]
    response = await ask(node, path)
    assert response.status_code == real["status"], path
    assert common(response) == REPLIES["common headers"]
    for header, value in real["headers"].items():
        assert header == "Expires" or response.headers[header] == value, (path, header)
    assert ("expires" in response.headers) == ("Expires" in real["headers"])
    assert ("content-type" in response.headers) == ("Content-Type" in real["headers"])
    if real["headers"].get("Content-Type", "").startswith("application/json"):
        assert loose_shape(response.json()) == loose_shape(json.loads(real["body"])), path
    elif "html" in real["headers"].get("Content-Type", "") and real["status"] == 404:
        assert response.text == real["body"].replace(real["path"], path)
    elif real["body"].isdigit():
        assert response.text.isdigit()
    else:
        assert len(response.text) == len(real["body"])


AS_IN_ESPLORA_MODE = [
    ("mainnet-prices", None),
    ("mainnet-historical_price_ts_usd", None),
    ("mainnet-historical_price_ts", None),
    ("mainnet-historical_price_ts_eur", None),
    ("mainnet-historical_price_2012", None),
    ("mainnet-historical_price_before_2010", None),
    ("mainnet-historical_price_before_2010_nocur", None),
    ("mainnet-historical_price_badcur", None),
    ("mainnet-historical_price_all_usd", None),
    ("mainnet-tip_height", None),
    ("mainnet-backend_info", None),
    ("mainnet-fees_recommended", None),
    ("mainnet-fees_precise", None),
    ("mainnet-difficulty_adjustment", None),
    ("mainnet-blocks", None),
    ("mainnet-blocks_999999", None),
    ("mainnet-block_bad", None),
    ("mainnet-block_unknown", None),
    ("mainnet-unknown_endpoint", None),
    ("mainnet-tip_height_no_v1", None),
    ("mainnet-mining_ts", f"/api/v1/mining/blocks/timestamp/{int(clock.now_s())}"),
    ("esplora-electrs_down_tip_hash", None),
    ("esplora-electrs_down_block_height", None),
]


@pytest.mark.parametrize(("name", "path"), AS_IN_ESPLORA_MODE, ids=[name for name, _ in AS_IN_ESPLORA_MODE])
async def test_reply_is_like_the_recorded_one(shared: DemoNode, name: str, path: str | None) -> None:
    await compare(shared, name, path or REPLIES[name]["path"])


@pytest.mark.parametrize("name", ["mainnet-tip_hash", "mainnet-block_height_113", "mainnet-block_height_bad"])
async def test_without_electrs_the_backend_passes_questions_on(node: DemoNode, name: str) -> None:
    await node.act("mempool/settings", kind="none")
    await compare(node, name, REPLIES[name]["path"])


async def test_init_data_has_what_a_real_one_has(shared: DemoNode) -> None:
    document = (await ask(shared, "/api/v1/init-data")).json()
    real = json.loads(REPLIES["mainnet-init_data"]["body"])
    assert loose_shape(document) == loose_shape(real) | {"mempool-blocks": [], "transactions": []}
    assert len(document["blocks"]) == 8


async def test_block_is_that_of_the_node(shared: DemoNode) -> None:
    tip = await shared.call("getbestblockhash")
    block = (await ask(shared, f"/api/v1/block/{tip}")).json()
    assert loose_shape(block) == loose_shape(json.loads(REPLIES["mainnet-block"]["body"]))
    real = await shared.call("getblock", tip, 1)
    for name, theirs in (
        ("height", "height"),
        ("size", "size"),
        ("weight", "weight"),
        ("tx_count", "nTx"),
        ("merkle_root", "merkleroot"),
        ("previousblockhash", "previousblockhash"),
        ("mediantime", "mediantime"),
    ):
        assert block[name] == real[theirs], name
    extras = block["extras"]
    assert extras["virtualSize"] == real["weight"] / 4
    assert extras["totalFees"] == extras["reward"] - 5_000_000_000
    assert extras["coinbaseAddress"].startswith("bcrt1q")
    assert len(extras["coinbaseAddress"]) == 44
    assert extras["header"] == await shared.call("getblockheader", tip, False)


async def test_address_is_that_of_bip_173() -> None:
    from utxoracle_tui.demo.host.address import key_hash_address

    script = bytes.fromhex("0014751e76e8199196d454941c45d1b3a323f1433bd6")
    assert key_hash_address(script, "bc") == "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
    assert key_hash_address(script, "tb") == "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
    assert key_hash_address(b"\x51\x20" + bytes(32)) is None


async def test_backend_waits_for_an_electrs(node: DemoNode) -> None:
    """What a real one with `BACKEND=esplora` said while its electrs was not there."""
    backend = node.host.mempool.backend
    await node.act("mempool/stop")
    await node.act("stop")
    await node.act("mempool/start")
    for name in ("tip_height", "fees", "da", "blocks", "backend_info"):
        await compare(node, f"esplora-electrs_down_{name}", REPLIES[f"esplora-electrs_down_{name}"]["path"])
    document = (await ask(node, "/api/v1/init-data")).json()
    real = json.loads(REPLIES["esplora-electrs_down_init_data"]["body"])
    del document["conversions"]
    assert loose_shape(document) == loose_shape(real)
    assert (document["loadingIndicators"], document["mempoolInfo"]["loaded"]) == ({"mempool": 99}, False)
    assert (await ask(node, "/api/v1/prices")).json()["USD"] > 0
    await comes_true(lambda: any("runMainUpdateLoop() (count: 5)" in line.text for line in backend.log.after(0)))


async def test_tip_stays_when_the_node_is_gone_and_fees_do_not(node: DemoNode) -> None:
    height = await node.call("getblockcount")
    await node.act("stop")
    await comes_true(lambda: not node.host.mempool.backend.in_sync)
    tip = await ask(node, "/api/v1/blocks/tip/height")
    assert (tip.status_code, tip.text) == (200, str(height))
    await compare(node, "mainnet-core_down_15s_fees", "/api/v1/fees/recommended")
    assert (await ask(node, "/api/v1/blocks")).json()[0]["height"] == height
    assert (await ask(node, "/api/v1/prices")).status_code == 200
    await node.act("start", warm_up_s=0)
    await comes_true(lambda: node.host.mempool.backend.in_sync)
    assert (await ask(node, "/api/v1/fees/recommended")).status_code == 200


async def test_new_block_is_seen(node: DemoNode) -> None:
    height = await node.call("getblockcount")
    await node.act("mine", count=2)
    await comes_true(lambda: (tip := node.host.mempool.backend.tip) and tip.height == height + 2)
    blocks = (await ask(node, "/api/v1/blocks")).json()
    assert [block["height"] for block in blocks] == list(range(height + 2, height - 13, -1))
    page = (await ask(node, f"/api/v1/blocks/{height - 40}")).json()
    assert [block["height"] for block in page] == list(range(height - 40, height - 55, -1))


async def test_database_down(node: DemoNode) -> None:
    await node.act("mempool/settings", database_up=False)
    for name in WITHOUT_DATABASE:
        await compare(node, f"mainnet-{name}", REPLIES[f"mainnet-{name}"]["path"])
    assert (await ask(node, "/api/v1/prices")).status_code == 200
    assert (await ask(node, "/api/v1/blocks/tip/height")).status_code == 200


async def test_backend_of_a_test_network_has_no_prices(node: DemoNode) -> None:
    await node.act("mempool/settings", testnet=True)
    await compare(node, "regtest-prices", "/api/v1/prices")
    assert set((await ask(node, "/api/v1/prices")).json().values()) == {0, -1}
    refused = await ask(node, "/api/v1/historical-price?timestamp=1795341648")
    assert (refused.status_code, refused.text) == (400, REPLIES["regtest-historical_price_ts"]["body"])


async def test_eight_currencies_after_a_restart_without_exchanges(node: DemoNode) -> None:
    await node.act("exchange/feeds", up=False)
    before = (await ask(node, "/api/v1/prices")).json()["time"]
    await node.act("mempool/restart")
    await compare(node, "mainnet-prices_exchanges_down_after_restart", "/api/v1/prices")
    after = (await ask(node, "/api/v1/prices")).json()["time"]
    assert after <= before
    assert after % 3600 == 0


async def test_never_a_price(node: DemoNode) -> None:
    await node.act("exchange/forget")
    document = (await ask(node, "/api/v1/prices")).json()
    assert document == json.loads(REPLIES["regtest-prices"]["body"])
    assert "conversions" not in (await ask(node, "/api/v1/init-data")).json()


ODD: dict[str, tuple[int, str | None, bool]] = {
    "empty": (200, None, True),
    "unavailable": (503, "application/json; charset=utf-8", False),
    "unavailable-text": (503, "text/html; charset=utf-8", False),
    "html": (404, "text/html; charset=utf-8", False),
    "testnet": (400, "application/json; charset=utf-8", False),
    "too-many": (429, "text/html; charset=utf-8", False),
    "half": (200, "application/json; charset=utf-8", False),
}


@pytest.mark.parametrize("name", ODD)
async def test_odd_reply_at_one_path_until_it_is_ended(node: DemoNode, name: str) -> None:
    await node.act("mempool/odd", reply=name, path="prices")
    reply = await ask(node, "/api/v1/prices")
    assert (reply.status_code, reply.headers.get("content-type"), reply.content == b"") == ODD[name]
    assert (await ask(node, "/api/v1/backend-info")).status_code == 200
    await node.act("mempool/odd", reply=None, path="prices")
    assert (await ask(node, "/api/v1/prices")).json()["USD"] > 0


async def test_unknown_odd_reply_and_setting_are_refused(node: DemoNode) -> None:
    url = node.env["UTXORACLE_DEMO_CONTROL_URL"]
    for action, arguments in (("odd", {"reply": "strange"}), ("settings", {"colour": "orange"})):
        reply = await node.client.post(f"{url}/mempool/{action}", json=arguments)
        assert reply.status_code == 400


async def test_exchange_is_near_the_planted_price_and_follows_an_offset(node: DemoNode) -> None:
    state = await node.read("exchange/state")
    assert state["planted_usd"] == 66_000
    assert abs(state["usd"] / 66_000 - 1) < 0.004
    await node.act("exchange/offset", percent=-6)
    document = (await ask(node, "/api/v1/prices")).json()
    assert abs(document["USD"] / (66_000 * 0.94) - 1) < 0.004
    assert abs(document["time"] - clock.now_s()) < 5


async def test_exchanges_out_of_reach_let_time_stand_still(node: DemoNode) -> None:
    await node.act("mempool/settings", price_updates_per_hour=6000)
    first = (await ask(node, "/api/v1/prices")).json()["time"]
    await comes_true_of(node, lambda document: document["time"] > first)
    await node.act("exchange/feeds", up=False)
    stopped = (await ask(node, "/api/v1/prices")).json()
    await asyncio.sleep(1.1)
    assert (await ask(node, "/api/v1/prices")).json() == stopped


async def comes_true_of(node: DemoNode, condition: object) -> None:
    assert callable(condition)
    for _ in range(300):
        if condition((await ask(node, "/api/v1/prices")).json()):
            return
        await asyncio.sleep(0.01)
    pytest.fail("the prices did not change")


async def history(node: DemoNode, **query: Json) -> list[Json]:
    reply = await node.client.get(node.env["MEMPOOL_API_URL"] + "/api/v1/historical-price", params=query)
    rows: list[Json] = reply.json()["prices"]
    return rows


async def test_table_is_weekly_then_daily_then_hourly(shared: DemoNode) -> None:
    times = [row["time"] for row in await history(shared, currency="USD")]
    assert times == sorted(times, reverse=True)
    gaps = {newer - older for newer, older in pairwise(times) if newer % 3600 == 0}
    assert gaps >= {3600, 86_400, 604_800}
    assert times[-1] == 1_279_497_600
    now = int(clock.now_s())
    for age_s, gap_s in ((5 * 3600, 3600), (100 * 86_400, 86_400), (2000 * 86_400, 604_800)):
        (row,) = await history(shared, currency="USD", timestamp=now - age_s)
        assert 0 <= now - age_s - row["time"] < gap_s


async def test_hourly_rows_are_near_the_price_of_their_hour(shared: DemoNode) -> None:
    """The price rises by 6,000 over the day that ends at the last midnight."""
    midnight = shared.host.history.last_midnight_s
    for hour in (0, 6, 12, 18, 24):
        (row,) = await history(shared, currency="USD", timestamp=midnight - 86_400 + hour * 3600)
        assert row["time"] == midnight - 86_400 + hour * 3600
        assert abs(row["USD"] / (60_000 + 250 * hour) - 1) < 0.004


async def test_saved_price_is_found_in_the_table(node: DemoNode) -> None:
    now = int(clock.now_s())
    await node.act("exchange/update")
    await node.act("exchange/save")
    (row,) = await history(node, currency="USD", timestamp=now + 10)
    assert row["time"] >= now


async def test_stopped_backend_refuses_connections(node: DemoNode) -> None:
    await node.act("mempool/stop")
    with pytest.raises(httpx.ConnectError):
        await ask(node, "/api/v1/prices")
    assert not (await node.read("mempool/state"))["listening"]


async def test_slow_silent_and_busy(node: DemoNode) -> None:
    await node.act("mempool/latency", seconds=0.2, path="/api/v1/prices")
    begun = time.monotonic()
    await ask(node, "/api/v1/prices")
    assert time.monotonic() - begun >= 0.2
    await node.act("mempool/hang", path="/api/v1/fees")
    with pytest.raises(httpx.ReadTimeout):
        await node.client.get(node.env["MEMPOOL_API_URL"] + "/api/v1/fees/recommended", timeout=0.2)
    await node.act("mempool/busy", requests=1)
    assert (await ask(node, "/api/v1/backend-info")).status_code == 503
    assert (await ask(node, "/api/v1/backend-info")).status_code == 200


async def test_requests_are_counted_by_route(node: DemoNode) -> None:
    await node.act("mempool/clear-statistics")
    await ask(node, "/api/v1/historical-price?timestamp=1")
    await ask(node, f"/api/v1/block/{'0' * 64}")
    await ask(node, "/api/v1/block/1")
    calls = (await node.read("mempool/statistics"))["calls"]
    assert calls == {"/api/v1/historical-price": 1, "/api/v1/block": 2}


async def test_price_updates_are_an_option() -> None:
    assert HostOptions(price_updates_per_hour=12).as_arguments()[-1] == "--price-updates=12"


async def test_period_of_looks_shrinks_with_the_speed() -> None:
    options = replace(SMALL, tx_per_block=1, price_updates_per_hour=2)
    async with demo_node(options) as node:
        assert (await node.read("exchange/state"))["period_s"] == 30
    async with demo_node(replace(options, speed=600)) as node:
        assert (await node.read("exchange/state"))["period_s"] == 3
