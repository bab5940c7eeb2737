"""The simulated node's REST interface against what a real node answered."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from tests.support.demo_node import UNKNOWN_HASH, DemoNode, demo_node, lasting_headers, shape
from tests.support.scripted_http import recorded
from utxoracle_tui.demo.host.node_state import NodeSettings

SAME_TO_THE_BYTE = (
    "rest_block_badhash_400",
    "rest_block_unknown_404",
    "rest_blockhashbyheight_404",
    "rest_blockhashbyheight_bad",
    "rest_blockpart_v31",
    "rest_headers_unknown",
    "rest_mempool_contents",
    "rest_mempool_contents_ids",
    "rest_mempool_info",
    "rest_spenttxouts_v30",
    "rest_unknown_endpoint_404",
)


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[DemoNode]:
    async with demo_node() as node:
        yield node


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("name", SAME_TO_THE_BYTE)
async def test_reply_is_that_of_a_real_node(shared: DemoNode, name: str) -> None:
    recording = recorded(name)
    reply = await shared.client.get(shared.url + recording.path)
    assert (reply.status_code, reply.content) == (recording.status, recording.body)
    expected = {key.lower(): value for key, value in recording.headers} | {"date": reply.headers["date"]}
    assert dict(reply.headers) == expected


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_chain_info_needs_no_credentials(shared: DemoNode, method: str) -> None:
    recording = recorded("rest_chaininfo" if method == "GET" else "rest_post")
    reply = await shared.client.request(method, shared.url + recording.path)
    assert reply.status_code == recording.status
    assert shape(reply.json()) == shape(json.loads(recording.body))
    assert reply.json() == await shared.call("getblockchaininfo")


@pytest.mark.parametrize("form", ["bin", "hex"])
async def test_block_is_the_same_over_rest_and_rpc(shared: DemoNode, form: str) -> None:
    tip = await shared.call("getbestblockhash")
    reply = await shared.get(f"block/{tip}.{form}")
    text = reply.content.hex() if form == "bin" else reply.text.rstrip("\n")
    assert text == await shared.call("getblock", tip, 0)
    assert lasting_headers(reply.headers) == lasting_headers(recorded(f"rest_block_{form}").headers)
    assert form == "bin" or reply.text.endswith("\n")


async def test_block_without_details_is_verbosity_1(shared: DemoNode) -> None:
    tip = await shared.call("getbestblockhash")
    reply = await shared.get(f"block/notxdetails/{tip}.json")
    assert reply.json() == await shared.call("getblock", tip, 1)
    assert (await shared.get(f"block/{tip}.json")).status_code == 501


async def test_block_in_no_format(shared: DemoNode) -> None:
    recording = recorded("rest_block_no_ext")
    reply = await shared.get(f"block/{await shared.call('getbestblockhash')}")
    assert (reply.status_code, reply.content) == (recording.status, recording.body)


async def test_hash_by_height(shared: DemoNode) -> None:
    expected = await shared.call("getblockhash", 113)
    as_json, as_hex, as_bin = [await shared.get(f"blockhashbyheight/113.{form}") for form in ("json", "hex", "bin")]
    assert as_json.json() == {"blockhash": expected}
    assert as_hex.text == expected + "\n"
    assert as_bin.content == bytes.fromhex(expected)[::-1]


async def test_headers(shared: DemoNode) -> None:
    first = await shared.call("getblockhash", 110)
    hashes = [await shared.call("getblockhash", height) for height in range(110, 115)]
    by_default = await shared.get(f"headers/{first}.json")
    assert [header["hash"] for header in by_default.json()] == hashes
    assert by_default.json()[0] == await shared.call("getblockheader", first)
    three = await shared.get(f"headers/{first}.bin?count=3")
    assert three.content.hex() == "".join([await shared.call("getblockheader", h, False) for h in hashes[:3]])
    assert (await shared.get(f"headers/3/{first}.hex")).text == three.content.hex() + "\n"
    assert shape(by_default.json()) == shape(json.loads(recorded("rest_headers_query").body))


async def test_headers_end_at_the_tip(shared: DemoNode) -> None:
    tip = await shared.call("getbestblockhash")
    assert len((await shared.get(f"headers/{tip}.bin?count=2000")).content) == 80


@pytest.mark.parametrize(("count", "name"), [("0", "rest_headers_count_zero"), ("2001", "rest_headers_count_2001")])
async def test_number_of_headers_is_limited(shared: DemoNode, count: str, name: str) -> None:
    reply = await shared.get(f"headers/{UNKNOWN_HASH}.json?count={count}")
    assert (reply.status_code, reply.content) == (400, recorded(name).body)


async def test_what_is_not_offered_is_answered_as_unknown(shared: DemoNode) -> None:
    assert (await shared.get("chaininfo.bin")).text == "output format not found (available: json)\r\n"
    assert (await shared.get(f"headers/{UNKNOWN_HASH}.json?count=x")).status_code == 400
    assert (await shared.get(f"headers/1/2/{UNKNOWN_HASH}.json")).status_code == 400
    assert (await shared.get("mempool/other.json")).status_code == 400


async def test_rest_that_is_off_has_an_empty_404_for_everything() -> None:
    async with demo_node(settings=NodeSettings(rest=False)) as node:
        for path in ("chaininfo.json", f"block/{UNKNOWN_HASH}.bin"):
            reply = await node.get(path)
            assert (reply.status_code, reply.content) == (404, b"")
        await node.act("settings", rest=True)
        assert (await node.get("chaininfo.json")).status_code == 200
