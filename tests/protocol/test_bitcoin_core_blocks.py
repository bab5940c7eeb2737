"""Blocks over REST and RPC, and runs of headers."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from tests.support.header_chain import HeaderNode, hash_of, mine, mine_chain
from tests.support.node_client import BLOCK_113, UNKNOWN_HASH, asked_for, node_at, result
from tests.support.scripted_http import Answer, Cut, Request, ScriptedServer, recorded
from utxoracle_core.header import BlockHeader
from utxoracle_tui.errors import Exit
from utxoracle_tui.sources import node_errors
from utxoracle_tui.sources.node_session import MOST_BLOCK_BYTES

PRUNED = "6048dac636a3abd163907713ed922a59526023517eeb650e009b56f253c3df14"
REST_PATH = f"/rest/block/{BLOCK_113}.bin"
RAW_BLOCK = recorded("rest_block_bin").body


def rest_off(request: Request) -> Answer:
    """A node with REST off, which knows the recorded block."""
    if not request.body:
        return recorded("rest_unknown_endpoint_404").answer()
    return recorded("getblock_v0").answer(request)


async def test_a_block_over_rest(server: ScriptedServer) -> None:
    server.script = lambda request: recorded("rest_block_bin").answer()
    async with node_at(server) as node:
        assert await node.raw_block(BLOCK_113) == RAW_BLOCK
    assert asked_for(server.requests) == [REST_PATH]
    assert server.requests[0].credentials is None


async def test_where_rest_is_off_blocks_come_over_rpc(server: ScriptedServer) -> None:
    server.script = rest_off
    async with node_at(server) as node:
        assert await node.raw_block(BLOCK_113) == RAW_BLOCK
        assert await node.raw_block(BLOCK_113) == RAW_BLOCK
    assert asked_for(server.requests) == [REST_PATH, "getblock", "getblock"]
    assert [request.json["params"] for request in server.requests[1:]] == [[BLOCK_113, 0]] * 2


async def test_rest_is_tried_anew_after_the_connection_was_lost(server: ScriptedServer) -> None:
    server.script = rest_off
    async with node_at(server) as node:
        await node.raw_block(BLOCK_113)
        await server.stop()
        with pytest.raises(node_errors.NodeUnreachable):
            await node.raw_block(BLOCK_113)
        server.script = lambda request: recorded("rest_block_bin").answer()
        await server.start()
        assert await node.raw_block(BLOCK_113) == RAW_BLOCK
    assert asked_for(server.requests)[-1] == REST_PATH


async def test_rest_is_tried_anew_over_a_new_connection(server: ScriptedServer) -> None:
    def dropping(request: Request) -> Answer:
        answer = rest_off(request) if request.rpc_method != "uptime" else result(request, 84)
        return replace(answer, then_close=True)

    server.script = dropping
    async with node_at(server) as node:
        for _ in range(2):
            await node.uptime_s()
            await node.raw_block(BLOCK_113)
            await node.raw_block(BLOCK_113)
            await server.until(lambda: server.open_connections == 0)
            await asyncio.sleep(0)
    assert asked_for(server.requests) == ["uptime", REST_PATH, "getblock", "getblock"] * 2


async def test_a_404_that_is_not_the_nodes_means_no_rest_as_well(server: ScriptedServer) -> None:
    def behind_a_proxy(request: Request) -> Answer:
        return Answer(404, b"<html>not here</html>") if not request.body else rest_off(request)

    server.script = behind_a_proxy
    async with node_at(server) as node:
        assert await node.raw_block(BLOCK_113) == RAW_BLOCK


@pytest.mark.parametrize("rest", [True, False])
async def test_a_pruned_block(server: ScriptedServer, rest: bool) -> None:
    def pruned(request: Request) -> Answer:
        if request.rpc_method == "getblockchaininfo":
            return recorded("prune_blockchaininfo_after").answer(request)
        if request.body:
            return recorded("prune_err_getblock").answer(request)
        return recorded("prune_rest_block").answer() if rest else Answer(404)

    server.script = pruned
    async with node_at(server) as node:
        with pytest.raises(node_errors.PrunedBlock) as unknown:
            await node.raw_block(PRUNED)
        await node.chain_info()
        with pytest.raises(node_errors.PrunedBlock) as known:
            await node.raw_block(PRUNED, height=50)
    assert unknown.value.message == (
        f"Bitcoin Core at {server.host} is pruned and has block {PRUNED} no more. "
        "Choose a newer window, or use a node that keeps all blocks."
    )
    assert known.value.message == (
        f"Bitcoin Core at {server.host} is pruned and has block 50 ({PRUNED}) no more. It has the blocks from height "
        "762 on: choose a newer window, or use a node that keeps all blocks."
    )
    assert (known.value.kind, known.value.height, known.value.block_hash) == ("pruned_block", 50, PRUNED)
    assert known.value.exit_code is Exit.FAILED


@pytest.mark.parametrize("rest", [True, False])
async def test_an_unknown_block(server: ScriptedServer, rest: bool) -> None:
    def unknown(request: Request) -> Answer:
        if request.body:
            return recorded("err_unknown_block").answer(request)
        return recorded("rest_block_unknown_404").answer() if rest else Answer(404)

    server.script = unknown
    async with node_at(server) as node:
        with pytest.raises(node_errors.BlockNotFound) as caught:
            await node.raw_block(UNKNOWN_HASH)
    assert caught.value.message.startswith(f"Bitcoin Core at {server.host} has no block {UNKNOWN_HASH}. ")
    assert caught.value.exit_code is Exit.FAILED


@pytest.mark.parametrize("rest", [True, False])
async def test_a_block_that_is_not_downloaded_yet(server: ScriptedServer, rest: bool) -> None:
    def not_yet(request: Request) -> Answer:
        if request.body:
            error = {"code": -1, "message": "Block not available (not fully downloaded)"}
            return Answer(500, json.dumps({"result": None, "error": error, "id": request.json["id"]}).encode())
        return Answer(404, f"{BLOCK_113} not available (not fully downloaded)\r\n".encode()) if rest else Answer(404)

    server.script = not_yet
    async with node_at(server) as node:
        with pytest.raises(node_errors.BlockNotFound, match=r"not available \(not fully downloaded\)"):
            await node.raw_block(BLOCK_113, height=113)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", "holds no sound header"),
        (RAW_BLOCK[:79], "holds no sound header"),
        (b"\x01" + RAW_BLOCK[1:], "is about block|holds no sound header"),
        (b"<html>hello</html>" * 10, "holds no sound header"),
        (bytes(MOST_BLOCK_BYTES + 1), "is too big"),
    ],
    ids=["empty", "short", "another", "page", "huge"],
)
async def test_what_is_no_block_is_nonsense(server: ScriptedServer, body: bytes, fault: str) -> None:
    server.script = [Answer(200, body)]
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeNonsense, match=fault):
            await node.raw_block(BLOCK_113)
    assert len(server.requests) == 1


async def test_a_body_without_a_length_is_bounded(server: ScriptedServer) -> None:
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.script = [Cut(head + chunk * (MOST_BLOCK_BYTES // 0x10000 + 2))]
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeNonsense, match="is too big"):
            await node.raw_block(BLOCK_113)


@pytest.mark.parametrize("value", ["zz", "abc", 7, None, RAW_BLOCK.hex()[:100], "00 " + RAW_BLOCK.hex()])
async def test_rpc_that_gives_no_block_is_nonsense(server: ScriptedServer, value: object) -> None:
    server.script = lambda request: result(request, value) if request.body else Answer(404)
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeNonsense, match="its reply to getblock "):
            await node.raw_block(BLOCK_113)


@pytest.mark.parametrize("text", ["", "xyz", BLOCK_113[:-1], BLOCK_113 + "0", "../" + BLOCK_113, BLOCK_113.upper()])
async def test_a_text_that_is_no_hash_is_the_programs_mistake(server: ScriptedServer, text: str) -> None:
    async with node_at(server) as node:
        with pytest.raises(ValueError, match="no block hash"):
            await node.raw_block(text)
        with pytest.raises(ValueError, match="no block hash"):
            await node.header(text)
    assert server.requests == []


async def test_each_body_has_its_own_connection_unless_they_are_reused(server: ScriptedServer) -> None:
    server.script = lambda request: recorded("rest_block_bin" if not request.body else "uptime").answer(request)
    async with node_at(server) as node:
        for _ in range(3):
            await node.uptime_s()
            await node.raw_block(BLOCK_113)
    assert [request.connection for request in server.requests] == [1, 2, 1, 3, 1, 4]
    async with node_at(server, reuse_connections=True) as node:
        for _ in range(3):
            await node.uptime_s()
            await node.raw_block(BLOCK_113)
    assert {request.connection for request in server.requests[6:]} == {5}


CHAIN = mine_chain(4100)


def heights_and_bytes(found: list[tuple[int, BlockHeader]], chain: list[bytes]) -> bool:
    """Whether these are the headers of the chain at their heights."""
    return all(header.block_hash == hash_of(chain[height]) for height, header in found)


async def test_headers_over_rest_take_few_requests(server: ScriptedServer) -> None:
    server.script = HeaderNode(CHAIN)
    async with node_at(server) as node:
        found = await node.headers(10, 4050)
    assert [height for height, _ in found] == list(range(10, 4060))
    assert heights_and_bytes(found, CHAIN)
    assert len(server.requests) == 4
    assert [request.path.partition("count=")[2] for request in server.requests[1:]] == ["2000", "2000", "52"]


@pytest.mark.parametrize("status", [404, 400])
async def test_headers_over_rpc_where_rest_has_none(server: ScriptedServer, status: int) -> None:
    server.script = HeaderNode(CHAIN, rest=False, rest_status=status)
    async with node_at(server) as node:
        found = await node.headers(20, 250)
        again = await node.headers(20, 3)
    assert [height for height, _ in found] == list(range(20, 270))
    assert heights_and_bytes([*found, *again], CHAIN)
    batches = [len(request.json) for request in server.requests if request.body.startswith(b"[")]
    assert batches == [100, 100, 100, 100, 50, 50, 3, 3]
    assert sum(not request.body for request in server.requests) == 1


@pytest.mark.parametrize("rest", [True, False])
async def test_headers_end_at_the_tip(server: ScriptedServer, rest: bool) -> None:
    server.script = HeaderNode(CHAIN[:300], rest=rest)
    async with node_at(server) as node:
        assert [height for height, _ in await node.headers(290, 2016)] == list(range(290, 300))
        assert [height for height, _ in await node.headers(200, 101)] == list(range(200, 300))
        assert len(await node.headers(100, 200)) == 200
        assert await node.headers(5, 0) == []
        with pytest.raises(node_errors.BlockNotFound) as caught:
            await node.headers(300, 1)
    assert caught.value.height == 300


async def test_headers_from_the_recording(server: ScriptedServer) -> None:
    first = "2288d0ece93a456625dd969c4395412ef0418347ae8eefcdfa51828c28fea8e2"

    def node_of_the_recording(request: Request) -> Answer:
        return result(request, first) if request.body else recorded("rest_headers_bin").answer()

    server.script = node_of_the_recording
    async with node_at(server) as node:
        found = await node.headers(110, 3)
    assert [height for height, _ in found] == [110, 111, 112]
    assert found[0][1].hash_text == first
    assert found[1][1].hash_text == "03ada3606dd0041c43c0819a7060c5c9a7ce7060cdc7a7d70f35f5dd49025eed"
    assert [header.time for _, header in found] == [1795341648] * 3


@pytest.mark.parametrize("spoil", ["swapped", "without work", "another first", "torn", "too many"])
@pytest.mark.parametrize("rest", [True, False])
async def test_headers_that_are_not_a_chain_are_nonsense(server: ScriptedServer, spoil: str, rest: bool) -> None:
    chain = CHAIN[:8]
    match spoil:
        case "swapped":
            chain[3], chain[4] = chain[4], chain[3]
        case "without work":
            chain[3] = chain[3][:72] + b"\xff\xff\x00\x1d" + chain[3][76:]
        case "another first":
            chain[0] = mine(bytes(32), 5)
    honest = HeaderNode(CHAIN[:8] if spoil == "another first" else chain)

    def spoilt(request: Request) -> Answer:
        if request.body and (rest or request.rpc_method == "getblockhash"):
            return honest(request)
        if not request.body and not rest:
            return Answer(404)
        sent = {"torn": [*chain[:-1], chain[-1][:-1]], "too many": [*chain, chain[-1]]}.get(spoil, chain)
        if not request.body:
            return Answer(body=b"".join(sent))
        values = [header.hex() for header in sent] if spoil != "too many" else [chain[0].hex() * 2] * 8
        replies = [{"result": v, "error": None, "id": c["id"]} for c, v in zip(request.json, values, strict=True)]
        return Answer(body=json.dumps(replies).encode())

    server.script = spoilt
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeNonsense):
            await node.headers(0, 8)


@pytest.mark.parametrize("rest", [True, False])
async def test_a_reorganisation_under_a_run_of_headers(server: ScriptedServer, rest: bool) -> None:
    fork = [*CHAIN[:50], *mine_chain(2200, 1_800_000_000, hash_of(CHAIN[49]))]
    node_before, node_after = HeaderNode(CHAIN, rest=rest), HeaderNode(fork, rest=rest)
    switch_at = 3 if rest else 5

    def reorganised(request: Request) -> Answer:
        return (node_before if len(server.requests) < switch_at else node_after)(request)

    server.script = reorganised
    async with node_at(server) as node:
        found = await node.headers(40, 2100)
    assert len(found) == 2100
    assert heights_and_bytes(found, fork)


async def test_a_chain_that_never_settles_is_given_up(server: ScriptedServer) -> None:
    other = mine_chain(3000, 1_800_000_000)
    nodes = [HeaderNode(CHAIN), HeaderNode(other)]

    def restless(request: Request) -> Answer:
        return nodes[len(server.requests) // 2 % 2](request)

    server.script = restless
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeNonsense, match="changed 3 times while they were read"):
            await node.headers(0, 2500)
    assert len(server.requests) < 12
