"""Every recorded reply of a real node, over a real socket, to a typed result or a typed error."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.support.node_client import BLOCK_113, UNKNOWN_HASH, node_at, result
from tests.support.scripted_http import Answer, Recording, Request, ScriptedServer, recorded, recorded_names
from utxoracle_tui.errors import Exit
from utxoracle_tui.sources import node_errors
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.node_calls import NodeCalls
from utxoracle_tui.sources.node_rpc import READING_METHODS, NotAllowedError, RpcError, RpcResult
from utxoracle_tui.sources.node_session import NodeSession, Patience

BEST_HASH = "13cb7b462fd356127c5498db3baf5dc6dcf3034c2d20e0d76fb9022e5d5f61ba"
RECORDINGS = [recorded(name) for name in recorded_names()]
CALLED_PATHS = ("/", "/wallet/w", "/wallet/nosuch")
SINGLE_CALLS = [r for r in RECORDINGS if r.method == "POST" and r.path in CALLED_PATHS and isinstance(r.asked, dict)]
REST_GETS = [r for r in RECORDINGS if r.path.startswith("/rest/")]
HTTP_ERRORS: dict[str, type[node_errors.NodeError]] = {
    "http_401_no_auth": node_errors.WrongPassword,
    "http_401_stale_cookie": node_errors.WrongPassword,
    "http_401_wrong_password": node_errors.WrongPassword,
    "http_401_wrong_user": node_errors.WrongPassword,
    "http_403_whitelist": node_errors.Forbidden,
    "v1_no_id": node_errors.NodeNonsense,
    "v2_notification": node_errors.NodeNonsense,
}


def plays(server: ScriptedServer, name: str) -> None:
    server.script = lambda request: recorded(name).answer(request)


def calls_of(node: BitcoinCore) -> NodeCalls:
    return NodeCalls(NodeSession(node.access), Patience(busy_s=0))


def identity(value: object) -> object:
    return value


def test_recordings_are_all_of_a_kind_that_is_replayed() -> None:
    others = [r.name for r in RECORDINGS if r not in SINGLE_CALLS and r not in REST_GETS]
    assert sorted(others) == [
        "batch_empty",
        "batch_only_notifications",
        "batch_v1",
        "batch_v2",
        "http_404_path",
        "http_405_get",
        "http_500_bad_json",
        "http_500_top_level",
    ]
    assert len(SINGLE_CALLS) > 70
    assert len(REST_GETS) > 25


@pytest.mark.parametrize("recording", SINGLE_CALLS, ids=lambda r: r.name)
async def test_a_single_reply_is_its_result_or_a_typed_error(server: ScriptedServer, recording: Recording) -> None:
    plays(server, recording.name)
    async with node_at(server) as node:
        calls = calls_of(node)
        try:
            work = calls.call("uptime", read=identity)
            if recording.name in HTTP_ERRORS:
                with pytest.raises(HTTP_ERRORS[recording.name]) as caught:
                    await work
                assert caught.value.host == server.host
                return
            expected = json.loads(recording.body, parse_float=Decimal)
            if expected.get("error") is None:
                assert await work == expected["result"]
                return
            with pytest.raises(node_errors.RpcFailed) as failed:
                await work
            assert failed.value.code == expected["error"]["code"]
            assert failed.value.exit_code is Exit.FAILED
            assert server.host in str(failed.value)
            assert "\n" not in str(failed.value)
        finally:
            await calls.session.aclose()


@pytest.mark.parametrize(
    ("name", "faults"),
    [
        ("http_404_path", "is empty (HTTP 404)"),
        ("http_405_get", "is not JSON (HTTP 405)"),
        ("batch_only_notifications", "is empty (HTTP 204)"),
        ("batch_empty", "is not a JSON-RPC reply"),
    ],
)
async def test_replies_that_no_call_should_get_are_nonsense(server: ScriptedServer, name: str, faults: str) -> None:
    server.script = [recorded(name).answer()]
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeNonsense) as caught:
            await node.uptime_s()
    assert caught.value.message == (
        f"What answers at {server.host} talks nonsense: its reply to uptime {faults}. The reply is not used. "
        "Check that this is the RPC port of Bitcoin Core (8332 on the main network) and nothing in between."
    )
    assert (caught.value.kind, caught.value.exit_code) == ("node_nonsense", Exit.UNREACHABLE)


@pytest.mark.parametrize(("name", "code"), [("http_500_bad_json", -32700), ("http_500_top_level", -32700)])
async def test_an_error_without_a_number_is_the_requests(server: ScriptedServer, name: str, code: int) -> None:
    server.script = [recorded(name).answer()]
    async with node_at(server) as node:
        with pytest.raises(node_errors.RpcFailed) as caught:
            await node.uptime_s()
    assert caught.value.code == code


async def test_an_error_of_the_nodes_own_is_a_sentence(server: ScriptedServer) -> None:
    plays(server, "err_unknown_method")
    async with node_at(server) as node:
        with pytest.raises(node_errors.RpcFailed) as caught:
            await node.index_info()
    assert str(caught.value) == f"Bitcoin Core at {server.host} failed at getindexinfo: Method not found (code -32601)."


@pytest.mark.parametrize("name", ["batch_v1", "batch_v2"])
async def test_a_batch_keeps_its_order_and_its_errors(server: ScriptedServer, name: str) -> None:
    plays(server, name)
    expected = json.loads(recorded(name).body)
    async with node_at(server) as node:
        calls = calls_of(node)
        answers = await calls.batch("getblockhash", [(height,) for height in range(len(expected))])
        await calls.session.aclose()
    assert answers == [
        RpcError(entry["error"]["code"], entry["error"]["message"])
        if entry.get("error")
        else RpcResult(entry["result"])
        for entry in expected
    ]
    assert answers[:2] == [RpcResult(116), RpcError(-8, "Block height out of range")]


async def test_chain_info(server: ScriptedServer) -> None:
    plays(server, "getblockchaininfo")
    async with node_at(server, network="regtest") as node:
        info = await node.chain_info()
    assert (info.network, info.blocks, info.headers, info.best_hash) == ("regtest", 116, 116, BEST_HASH)
    assert (info.time_s, info.median_time_s, info.progress) == (1795341649, 1795341648, 1.0)
    assert (info.initial_download, info.size_on_disk_bytes) == (False, 38291)
    assert (info.pruned, info.prune_height, info.automatic_pruning, info.warnings) == (False, None, None, ())
    assert info.difficulty == 4.656542373906925e-10


async def test_chain_info_of_a_pruned_and_of_a_fresh_node(server: ScriptedServer) -> None:
    async with node_at(server) as node:
        plays(server, "prune_blockchaininfo_before")
        before = await node.chain_info()
        plays(server, "prune_blockchaininfo_after")
        after = await node.chain_info()
        plays(server, "cookie_genesis_only")
        fresh = await node.chain_info()
    assert (before.pruned, before.prune_height, before.automatic_pruning) == (True, 0, False)
    assert (after.pruned, after.prune_height) == (True, 762)
    assert (fresh.blocks, fresh.initial_download, fresh.pruned) == (0, True, False)


@pytest.mark.parametrize(
    ("warnings", "expected"),
    [
        ("", ()),
        ("Unknown new rules activated", ("Unknown new rules activated",)),
        ([], ()),
        (["one", "two\x1b[2J"], ("one", "two [2J")),
        (None, ()),
        ({"odd": 1}, ()),
    ],
)
async def test_warnings_are_one_string_or_a_list(server: ScriptedServer, warnings: object, expected: object) -> None:
    server.script = lambda request: result(
        request, {"chain": "main", "blocks": 5, "headers": -1, "warnings": warnings, "bits": "1d00ffff", "new_key": []}
    )
    async with node_at(server) as node:
        info = await node.chain_info()
    assert (info.warnings, info.headers, info.best_hash, info.progress) == (expected, -1, None, None)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "main",
        {},
        {"chain": "main", "blocks": 1},
        {"chain": "main", "blocks": "1", "headers": 1},
        {"chain": "main", "blocks": True, "headers": 1},
        {"chain": 1, "blocks": 1, "headers": 1},
        {"chain": "main", "blocks": 1, "headers": 1, "bestblockhash": "ab"},
    ],
)
async def test_chain_info_without_what_it_needs_is_nonsense(server: ScriptedServer, value: object) -> None:
    server.script = lambda request: result(request, value)
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeNonsense):
            await node.chain_info()


async def test_a_node_on_another_network_is_refused(server: ScriptedServer) -> None:
    plays(server, "getblockchaininfo")
    async with node_at(server, network="main") as node:
        with pytest.raises(node_errors.WrongNetwork) as caught:
            await node.chain_info()
    assert caught.value.message == (
        f"Bitcoin Core at {server.host} is on the network regtest, and main is configured. Nothing of it is used. "
        "Set the network to that of the node, or give the port and datadir of a node on the right one."
    )
    assert (caught.value.kind, caught.value.exit_code) == ("wrong_network", Exit.USAGE)


async def test_what_a_node_says_of_itself(server: ScriptedServer) -> None:
    async with node_at(server) as node:
        plays(server, "getnetworkinfo")
        network = await node.network_info()
        plays(server, "getmempoolinfo")
        mempool = await node.mempool_info()
        plays(server, "getindexinfo")
        indexes = await node.index_info()
        plays(server, "prune_indexinfo_empty")
        no_indexes = await node.index_info()
        plays(server, "uptime")
        uptime_s = await node.uptime_s()
        plays(server, "getbestblockhash")
        best_hash = await node.best_block_hash()
        plays(server, "getblockhash_113")
        block_hash = await node.block_hash(113)
    assert (network.version, network.subversion) == (280100, "/Satoshi:28.1.0(inquisition)/")
    assert (network.connections, network.active, network.warnings) == (0, True, ())
    assert network.relay_fee_btc_per_kvb == Decimal("0.00001000")
    assert (mempool.loaded, mempool.transactions, mempool.size_vbytes, mempool.usage_bytes) == (True, 2, 578, 4000)
    assert str(mempool.total_fee_btc) == "0.00005800"
    assert (indexes["txindex"].synced, indexes["txindex"].best_height) == (True, 116)
    assert no_indexes == {}
    assert (uptime_s, best_hash, block_hash) == (84, BEST_HASH, BLOCK_113)


async def test_a_height_above_the_tip_is_named(server: ScriptedServer) -> None:
    for name in ("err_height_out_of_range", "err_height_negative", "v2_err_height"):
        plays(server, name)
        async with node_at(server) as node:
            with pytest.raises(node_errors.BlockNotFound) as caught:
                await node.block_hash(99_999)
        assert caught.value.message == (
            f"Bitcoin Core at {server.host} has no block 99999. If the node is still catching up, wait until it has "
            "got there; a height above the tip has no block yet."
        )
        assert (caught.value.height, caught.value.exit_code) == (99_999, Exit.FAILED)


async def test_a_header_by_its_hash(server: ScriptedServer) -> None:
    plays(server, "getblockheader_hex")
    async with node_at(server) as node:
        header = await node.header(BLOCK_113)
        assert header.hash_text == BLOCK_113
        with pytest.raises(node_errors.NodeNonsense, match="is about block 3b96a5a4"):
            await node.header(BEST_HASH)
        plays(server, "err_unknown_header")
        with pytest.raises(node_errors.BlockNotFound, match=UNKNOWN_HASH):
            await node.header(UNKNOWN_HASH)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>nginx</body></html>",
        b'{"jsonrpc":"2.0","result":',
        b'{"result":1,"error":null,"id":"\xff\xfe"}',
        b"[" * 100_000,
        b'{"result":NaN,"error":null,"id":1}',
        b'{"result":1e99999999999999999999,"error":null,"id":1}',
        b'{"result":' + b"9" * 5000 + b',"error":null,"id":1}',
        b'{"result":84,"error":null,"id":2}',
        b'{"result":84,"error":null,"id":"1"}',
        b'{"result":84,"error":null,"id":true}',
        b'{"result":84,"error":null}',
        b'{"result":null,"error":{"code":-1,"message":"x"},"id":2}',
        b'{"result":null,"error":{"code":"-1","message":"x"},"id":1}',
        b'{"result":null,"error":"no","id":1}',
        b'{"id":1}',
        b'{"result":"84","error":null,"id":1}',
        b'{"result":84.0,"error":null,"id":1}',
        b"84",
        '{"result":84,"error":null,"id":1}'.encode("utf-16"),
    ],
    ids=range(20),
)
async def test_nonsense_is_a_typed_error(server: ScriptedServer, body: bytes) -> None:
    server.script = [Answer(200, body)]
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeNonsense, match="talks nonsense: its reply to uptime "):
            await node.uptime_s()
    assert len(server.requests) == 1


async def test_a_batch_out_of_order_is_put_in_order(server: ScriptedServer) -> None:
    hashes = [f"{height:064x}" for height in range(250)]

    def backwards(request: Request) -> Answer:
        replies = [{"result": hashes[c["params"][0]], "error": None, "id": c["id"]} for c in request.json]
        return Answer(body=json.dumps(replies[::-1]).encode())

    server.script = backwards
    async with node_at(server) as node:
        assert await node.block_hashes(range(3, 250)) == hashes[3:]
        assert await node.block_hashes([7, 5, 6]) == [hashes[7], hashes[5], hashes[6]]
        assert await node.block_hashes([]) == []
    assert [len(request.json) for request in server.requests] == [100, 100, 47, 3]


@pytest.mark.parametrize("spoil", ["short", "twice", "stranger", "one error", "one result"])
async def test_a_batch_that_is_not_whole(server: ScriptedServer, spoil: str) -> None:
    def reply(request: Request) -> Answer:
        replies: Any = [{"result": BLOCK_113, "error": None, "id": c["id"]} for c in request.json]
        match spoil:
            case "short":
                replies.pop()
            case "twice":
                replies[0]["id"] = replies[1]["id"]
            case "stranger":
                replies[0]["id"] = 10_000
            case "one error":
                replies = {"result": None, "error": {"code": -32600, "message": "no batches"}, "id": None}
            case "one result":
                replies = replies[0]
        return Answer(body=json.dumps(replies).encode())

    server.script = reply
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeError) as caught:
            await node.block_hashes([1, 2, 3])
    assert caught.value.kind == ("rpc_failed" if spoil == "one error" else "node_nonsense")


async def test_only_reading_methods_are_called(server: ScriptedServer) -> None:
    async with node_at(server) as node:
        calls = calls_of(node)
        for method in ("stop", "sendrawtransaction", "invalidateblock", "waitfornewblock", "GETBLOCKHASH"):
            with pytest.raises(NotAllowedError, match=method):
                await calls.call(method, read=identity)
            with pytest.raises(NotAllowedError, match=method):
                await calls.batch(method, [(1,)])
        for verbosity in ((), (1,), (2,), (3,), (True,)):
            with pytest.raises(NotAllowedError, match="verbosity"):
                await calls.call("getblock", BLOCK_113, *verbosity, read=identity)
        await calls.session.aclose()
    assert server.requests == []
    assert all(method.startswith("get") or method == "uptime" for method in READING_METHODS)


@pytest.mark.parametrize("recording", REST_GETS, ids=lambda r: r.name)
async def test_any_rest_reply_is_a_block_or_a_typed_error(server: ScriptedServer, recording: Recording) -> None:
    server.script = lambda request: recording.answer() if not request.body else recorded("getblock_v0").answer(request)
    asked = recording.path.split("/")[3].split(".")[0] if recording.path.startswith("/rest/block/") else BLOCK_113
    async with node_at(server) as node:
        try:
            raw = await node.raw_block(asked if len(asked) == 64 else BLOCK_113)
        except node_errors.NodeError as error:
            assert error.host == server.host
            expected = {"prune_rest_block": "pruned_block", "rest_block_unknown_404": "block_not_found"}
            assert error.kind == expected.get(recording.name, "node_nonsense")
        else:
            assert raw == recorded("rest_block_bin").body
            assert recording.name == "rest_block_bin" or recording.status == 404
