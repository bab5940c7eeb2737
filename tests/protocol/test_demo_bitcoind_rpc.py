"""The simulated node's RPC against what a real node answered."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

import pytest

from tests.support.demo_node import DemoNode, demo_node, lasting_headers, shape
from tests.support.scripted_http import Recording, recorded
from utxoracle_tui.demo.host.json_text import Json

SAME_TO_THE_BYTE = (
    "batch_empty",
    "batch_only_notifications",
    "err_bad_hash_nonhex",
    "err_bad_hash_short",
    "err_height_negative",
    "err_height_out_of_range",
    "err_height_type",
    "err_named_param_unknown",
    "err_txstats_window",
    "err_unknown_block",
    "err_unknown_header",
    "err_unknown_method",
    "err_verbosity_type",
    "http_400_no_method",
    "http_404_path",
    "prune_indexinfo_empty",
    "v11_explicit",
    "v2_err_height",
    "v2_err_method",
    "v2_notification",
    "v3_bad_version",
)
SAME_SHAPE = (
    "batch_v1",
    "batch_v2",
    "getbestblockhash",
    "getblockchaininfo",
    "getblockcount",
    "getblockhash_113",
    "getchaintips",
    "getchaintxstats",
    "getchaintxstats_5",
    "getchaintxstats_0_at_genesis",
    "getmempoolinfo",
    "getnetworkinfo",
    "getrpcinfo",
    "named_params_ok",
    "uptime",
    "v1_no_id",
    "v2_ok",
)


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[DemoNode]:
    async with demo_node() as node:
        yield node


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def replay(node: DemoNode, recording: Recording) -> tuple[int, dict[str, str], bytes]:
    content = recording.asked if isinstance(recording.asked, str) else json.dumps(recording.asked)
    reply = await node.client.request(
        recording.method,
        node.url + recording.path,
        content=content if recording.asked is not None else None,
        auth=node.cookie,
    )
    return reply.status_code, dict(reply.headers), reply.content


@pytest.mark.parametrize("name", [*SAME_TO_THE_BYTE, "http_405_get"])
async def test_reply_is_that_of_a_real_node(shared: DemoNode, name: str) -> None:
    recording = recorded(name)
    status, headers, body = await replay(shared, recording)
    assert (status, body) == (recording.status, recording.body)
    expected = {key.lower(): value for key, value in recording.headers} | {"date": headers["date"]}
    assert headers == expected


@pytest.mark.parametrize("name", SAME_SHAPE)
async def test_reply_has_the_shape_of_a_real_node(shared: DemoNode, name: str) -> None:
    recording = recorded(name)
    status, headers, body = await replay(shared, recording)
    assert status == recording.status
    assert lasting_headers(headers) == lasting_headers(recording.headers)
    assert shape(json.loads(body)) == shape(json.loads(recording.body))


@pytest.mark.parametrize("body", ['{"id":1,', '"hello"'])
async def test_body_that_is_no_request(shared: DemoNode, body: str) -> None:
    name = "http_500_bad_json" if body.startswith("{") else "http_500_top_level"
    reply = await shared.client.post(shared.url, content=body, auth=shared.cookie)
    assert (reply.status_code, reply.content) == (500, recorded(name).body)


@pytest.mark.parametrize("name", ["err_missing_param", "err_too_many_params"])
async def test_wrong_number_of_parameters_is_answered_with_the_usage(shared: DemoNode, name: str) -> None:
    recording = recorded(name)
    status, _, body = await replay(shared, recording)
    error, expected = json.loads(body)["error"], json.loads(recording.body)["error"]
    assert (status, error["code"]) == (recording.status, expected["code"])
    assert error["message"].splitlines()[0] == expected["message"].splitlines()[0]


@pytest.mark.parametrize(
    ("name", "method", "rest"),
    [
        ("getblockheader_verbose", "getblockheader", ()),
        ("getblockheader_hex", "getblockheader", (False,)),
        ("getblock_v0", "getblock", (0,)),
        ("getblock_v1", "getblock", (1,)),
    ],
)
async def test_block_has_the_shape_of_a_real_one(
    shared: DemoNode, name: str, method: str, rest: tuple[object, ...]
) -> None:
    block_hash = await shared.call("getblockhash", 113)
    result = await shared.call(method, block_hash, *rest)
    assert shape(result) == shape(json.loads(recorded(name).body)["result"])


async def test_tip_has_nothing_after_it_and_the_genesis_block_nothing_before(shared: DemoNode) -> None:
    tip = await shared.call("getblockheader", await shared.call("getbestblockhash"))
    genesis = await shared.call("getblockheader", await shared.call("getblockhash", 0))
    assert list(tip) == list(json.loads(recorded("getblockheader_tip").body)["result"])
    assert tip["confirmations"] == 1
    assert "previousblockhash" not in genesis
    assert genesis["hash"] == json.loads(recorded("cookie_genesis_only").body)["result"]["bestblockhash"]
    assert genesis["time"] == 1296688602


async def test_numbers_of_headers_agree_with_the_chain(shared: DemoNode) -> None:
    info = await shared.call("getblockchaininfo")
    height = info["blocks"]
    header = await shared.call("getblockheader", await shared.call("getblockhash", height - 20))
    times = await shared.header_times()
    assert header["mediantime"] == sorted(times[height - 20 - n] for n in range(11))[5]
    assert header["confirmations"] == 21
    assert int(header["chainwork"], 16) == 2 * (height - 19)
    assert header["difficulty"] == json.loads(recorded("getblockheader_verbose").body)["result"]["difficulty"]
    assert info["headers"] == height
    assert info["time"] == times[height]


async def test_raw_text_of_numbers_is_that_of_a_real_node(shared: DemoNode) -> None:
    mempool = (await shared.post({"id": 1, "method": "getmempoolinfo"})).text
    chain = (await shared.post({"id": 1, "method": "getblockchaininfo"})).text
    assert '"total_fee":0.00000000,' in mempool
    assert '"minrelaytxfee":0.00001000,' in mempool
    assert '"difficulty":4.656542373906925e-10,' in chain
    assert '"verificationprogress":1,' in chain


@pytest.mark.parametrize("call_id", [0, -7, 1.0, "ü…", None, {"a": [1]}])
async def test_id_comes_back_as_it_was(shared: DemoNode, call_id: object) -> None:
    reply = await shared.post({"id": call_id, "method": "getblockcount"})
    assert reply.text.endswith(f'"id":{json.dumps(call_id, ensure_ascii=False, separators=(",", ":"))}}}\n')


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"id": 1, "method": 5}, 400, -32600),
        ({"id": 1, "method": "getblockcount", "params": "x"}, 400, -32600),
        ({"id": 1, "method": "getblockcount", "jsonrpc": 2}, 400, -32600),
        ({"id": 1, "method": "getblockhash", "params": [1.5]}, 500, -1),
        ({"id": 1, "method": "stop"}, 404, -32601),
        ([3], 200, -32600),
    ],
)
async def test_odd_calls(shared: DemoNode, body: Json, status: int, code: int) -> None:
    reply = await shared.post(body)
    found = reply.json()
    error = (found[0] if isinstance(body, list) else found)["error"]
    assert (reply.status_code, error["code"]) == (status, code)


@pytest.mark.parametrize("verbosity", [2, 3])
async def test_costly_verbosity_is_refused_and_counted(shared: DemoNode, verbosity: int) -> None:
    tip = await shared.call("getbestblockhash")
    reply = await shared.post({"id": 1, "method": "getblock", "params": [tip, verbosity]})
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, -1)
    assert (await shared.read("statistics"))["calls"][f"getblock {verbosity}"] == 1


@pytest.mark.parametrize(("flag", "verbosity"), [(False, 0), (True, 1)])
async def test_verbosity_may_be_true_or_false_and_named(shared: DemoNode, flag: bool, verbosity: int) -> None:
    tip = await shared.call("getbestblockhash")
    named = await shared.post({"id": 1, "method": "getblock", "params": {"blockhash": tip, "verbose": flag}})
    assert named.json()["result"] == await shared.call("getblock", tip, verbosity)


async def test_wrong_credentials_cost_a_quarter_of_a_second(shared: DemoNode) -> None:
    missing = await shared.client.post(shared.url, json={"id": 1, "method": "getblockcount"})
    started = time.monotonic()
    wrong = await shared.post({"id": 1, "method": "getblockcount"}, auth=("__cookie__", "0" * 64))
    assert time.monotonic() - started >= 0.25
    for reply, name in ((missing, "http_401_no_auth"), (wrong, "http_401_wrong_password")):
        assert (reply.status_code, reply.content) == (401, b"")
        assert lasting_headers(reply.headers) == lasting_headers(recorded(name).headers)


async def test_requests_of_one_connection_are_answered_one_by_one(shared: DemoNode) -> None:
    await shared.act("clear_statistics")
    for _ in range(20):
        await shared.call("getblockcount")
    assert (await shared.read("statistics"))["connections"] <= 1


async def test_request_in_pieces_and_one_that_asks_first(shared: DemoNode) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"id":1,', b'"method":', b'"getblockcount"}'):
            yield piece

    chunked = await shared.client.post(shared.url, content=pieces(), auth=shared.cookie)
    assert chunked.json()["error"] is None
    body = b'{"id":1,"method":"getblockcount"}'
    waiting = await shared.client.post(shared.url, content=body, auth=shared.cookie, headers={"Expect": "100-continue"})
    assert waiting.json() == chunked.json()
