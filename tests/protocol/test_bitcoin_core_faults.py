"""Nodes that are down, starting, overloaded, frozen, or go away in the middle."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.node_client import BLOCK_113, Retries, node_at, result
from tests.support.scripted_http import (
    Answer,
    Cut,
    Request,
    Reset,
    ScriptedServer,
    Silence,
    Step,
    recorded,
    recorded_document,
)
from utxoracle_tui.errors import Exit
from utxoracle_tui.sources import node_errors
from utxoracle_tui.sources.node_session import Patience

BUSY = Answer(503, b"Work queue depth exceeded", (("Content-Type", "text/html; charset=ISO-8859-1"),))
HALF_A_REPLY = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"result":'


async def test_a_refused_connection(server: ScriptedServer) -> None:
    await server.stop()
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeUnreachable) as caught:
            await node.uptime_s()
    assert caught.value.message == (
        f"Nothing answers at {server.host}: the connection is refused. The next request connects anew. "
        "Start Bitcoin Core, or check the address against its rpcport and rpcbind."
    )
    assert (caught.value.kind, caught.value.exit_code) == ("node_unreachable", Exit.UNREACHABLE)
    assert caught.value.host == server.host


async def test_an_unknown_name(server: ScriptedServer) -> None:
    async with node_at(server, url="http://no-such-node.invalid:8332") as node:
        with pytest.raises(node_errors.NodeUnreachable) as caught:
            await node.uptime_s()
    assert caught.value.message.startswith("The name of no-such-node.invalid:8332 is not known")


async def test_plain_http_asked_for_tls(server: ScriptedServer) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(Answer(400).as_bytes())
        writer.close()

    await server.stop()
    plain = await asyncio.start_server(refuse, "127.0.0.1", server.port)
    async with plain, node_at(server, url=server.url.replace("http:", "https:")) as node:
        with pytest.raises(node_errors.NodeUnreachable, match=r"No encrypted connection to .* plain http://"):
            await node.uptime_s()


@pytest.mark.parametrize("step", [Reset(), Cut(), Reset(HALF_A_REPLY), Cut(HALF_A_REPLY), Cut(b"HTTP/1.1 200 OK\r\n")])
async def test_a_connection_that_breaks(server: ScriptedServer, step: Step) -> None:
    server.script = [step]
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeUnreachable) as caught:
            await node.uptime_s()
    assert caught.value.message.startswith(f"{server.host} closed the connection in the middle of a request")
    assert "P2P port" in caught.value.message
    assert len(server.requests) == 1


async def test_a_block_that_breaks_off(server: ScriptedServer) -> None:
    whole = recorded("rest_block_bin").answer().as_bytes()
    server.script = [Cut(whole[:-1]), recorded("rest_block_bin").answer()]
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeUnreachable):
            await node.raw_block(BLOCK_113)
        assert len(await node.raw_block(BLOCK_113)) == 2618


@pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"\xf9\xbe\xb4\xd9version\r\n\r\n"])
async def test_what_is_not_http_is_nonsense(server: ScriptedServer, garbage: bytes) -> None:
    server.script = [Cut(garbage)]
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeNonsense, match="its reply to uptime is not HTTP"):
            await node.uptime_s()


@pytest.mark.parametrize("step", [Silence(), Silence(HALF_A_REPLY)])
async def test_a_node_that_hangs(server: ScriptedServer, step: Step) -> None:
    server.script = [step]
    async with node_at(server, read_timeout_s=0.05) as node:
        with pytest.raises(node_errors.NodeHanging) as caught:
            await node.uptime_s()
        assert node.load.limit == 2
    assert caught.value.message == (
        f"Bitcoin Core at {server.host} has not answered uptime within 0.05 s. Fewer requests are sent at once until "
        "it answers again. See whether its disk or processor is overloaded, or whether it is frozen."
    )
    assert (caught.value.kind, caught.value.exit_code) == ("node_hanging", Exit.UNREACHABLE)


def warm_up_stages() -> list[tuple[bytes, bytes]]:
    """RPC and REST bodies of a node as it starts, one after the other."""
    return [
        (rpc[2].encode(), rest[2].encode())
        for _, rpc, rest in recorded_document("warmup_and_restart")["restart_verify_all"]
        if rpc[1] == 500
    ]


@pytest.mark.parametrize("number", range(3))
async def test_a_node_that_is_starting(server: ScriptedServer, number: int) -> None:
    rpc, rest = warm_up_stages()[number]
    stage = ("Loading banlist…", "Loading block index…", "Verifying blocks…")[number]

    def starting(request: Request) -> Answer:
        if not request.body:
            return Answer(503, rest, (("Content-Type", "text/plain"),))
        calls = request.json
        if isinstance(calls, list):
            each = [rpc.replace(b'"id":1', b'"id":%d' % call["id"]) for call in calls]
            return Answer(200, b"[" + b",".join(each) + b"]")
        return Answer(500, rpc.replace(b'"id":1', b'"id":%d' % calls["id"]))

    server.script = starting
    async with node_at(server) as node:
        for work in (node.chain_info(), node.raw_block(BLOCK_113), node.block_hashes([1, 2]), node.header(BLOCK_113)):
            with pytest.raises(node_errors.NodeWarmingUp) as caught:
                await work
            assert caught.value.stage == stage
            assert caught.value.message == (
                f"Bitcoin Core at {server.host} is starting: {stage} "
                "It answers when that is done, which can take minutes; nothing needs to be done."
            )
            assert (caught.value.kind, caught.value.exit_code) == ("node_warming_up", Exit.UNREACHABLE)
        assert node.load.limit == 4


async def test_warm_up_in_the_newer_dialect(server: ScriptedServer) -> None:
    body = '{"jsonrpc":"2.0","error":{"code":-28,"message":"Loading block index…"},"id":1}\n'.encode()
    server.script = [Answer(200, body)]
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeWarmingUp, match="Loading block index…"):
            await node.chain_info()


async def test_a_full_queue(server: ScriptedServer) -> None:
    replies = recorded_document("http_503_workqueue")["results"]
    answers = [Answer(r["status"], r["body_text"].encode(), tuple(r["headers"].items())) for r in replies]
    server.script = [answers[2], answers[3], answers[4]]
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeBusy) as caught:
            await node.uptime_s()
        with pytest.raises(node_errors.NodeBusy):
            await node.raw_block(BLOCK_113)
        with pytest.raises(node_errors.NodeBusy):
            await node.block_hashes([1])
    assert caught.value.message == (
        f"Bitcoin Core at {server.host} has more requests than it can take (work queue depth exceeded). Fewer requests "
        "are sent at once until it keeps up. If this goes on, raise its rpcworkqueue and rpcthreads, or find who else "
        "asks it so much."
    )
    assert (caught.value.kind, caught.value.exit_code) == ("node_busy", Exit.UNREACHABLE)


async def test_a_node_that_shuts_down(server: ScriptedServer) -> None:
    server.script = [Answer(503, b"<HTML><HEAD><TITLE>503 Service Unavailable</TITLE>")]
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeUnreachable, match=r"as it does while shutting down \(HTTP 503\)"):
            await node.uptime_s()


async def test_a_connection_gone_stale_is_replaced_unnoticed(server: ScriptedServer) -> None:
    def stale(request: Request) -> Step:
        seen = sum(earlier.connection == request.connection for earlier in server.requests)
        return Cut() if request.connection == 1 and seen == 2 else result(request, 84)

    server.script = stale
    async with node_at(server) as node:
        assert await node.uptime_s() == 84
        assert await node.uptime_s() == 84
        assert await node.uptime_s() == 84
    assert [request.connection for request in server.requests] == [1, 1, 2, 2]


async def test_a_stale_connection_is_replaced_once(server: ScriptedServer) -> None:
    server.script = lambda request: result(request, 84) if len(server.requests) == 1 else Cut()
    async with node_at(server) as node:
        assert await node.uptime_s() == 84
        with pytest.raises(node_errors.NodeUnreachable):
            await node.uptime_s()
    assert [request.connection for request in server.requests] == [1, 1, 2]


async def test_a_connection_closed_while_idle_costs_no_request(server: ScriptedServer) -> None:
    server.script = lambda request: Answer(body=result(request, 84).body, then_close=True)
    async with node_at(server) as node:
        for _ in range(3):
            assert await node.uptime_s() == 84
            await server.until(lambda: server.open_connections == 0)
            await asyncio.sleep(0)
    assert [request.connection for request in server.requests] == [1, 2, 3]


async def test_a_restart_in_the_middle(server: ScriptedServer, tmp_path: Path) -> None:
    """The order that was recorded of a real node: reset, refused, starting, a new cookie, ready."""
    cookie = tmp_path / ".cookie"
    cookie.write_text("__cookie__:before", encoding="utf-8")
    server.script = lambda request: result(request, 84)
    async with node_at(server, cookie_path=cookie) as node:
        assert await node.uptime_s() == 84
        server.script = [Reset(), Reset()]
        with pytest.raises(node_errors.NodeUnreachable, match="closed the connection"):
            await node.uptime_s()
        await server.stop()
        with pytest.raises(node_errors.NodeUnreachable, match="refused"):
            await node.uptime_s()
        cookie.unlink()
        with pytest.raises(node_errors.CookieMissing):
            await node.uptime_s()
        cookie.write_text("__cookie__:after", encoding="utf-8")
        await server.start()
        rpc = warm_up_stages()[0][0]
        server.script = lambda request: Answer(500, rpc.replace(b'"id":1', b'"id":%d' % request.json["id"]))
        with pytest.raises(node_errors.NodeWarmingUp):
            await node.uptime_s()
        server.script = lambda request: result(request, 1)
        assert await node.uptime_s() == 1
    assert server.requests[0].credentials == "__cookie__:before"
    assert server.requests[-1].credentials == "__cookie__:after"


async def test_without_patience_only_a_full_queue_is_tried_again(server: ScriptedServer) -> None:
    retries = Retries()
    server.script = lambda request: BUSY if len(server.requests) < 4 else result(request, 84)
    async with node_at(server, retries=retries, patience=Patience()) as node:
        assert await node.uptime_s() == 84
    assert retries.kinds == ["node_busy"] * 3
    assert retries.slept_s == retries.announced_s == [0.2, 0.4, 0.8]

    await server.stop()
    async with node_at(server, retries=retries, patience=Patience()) as node:
        with pytest.raises(node_errors.NodeUnreachable):
            await node.uptime_s()
    assert len(retries.slept_s) == 3


async def test_patience_ends_and_says_so(server: ScriptedServer) -> None:
    retries = Retries()
    server.script = lambda request: BUSY
    async with node_at(server, retries=retries, patience=Patience(busy_s=30)) as node:
        with pytest.raises(node_errors.NodeBusy) as caught:
            await node.uptime_s()
    assert retries.slept_s == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0]
    assert re.fullmatch(
        rf"Bitcoin Core at {server.host} has more requests than it can take \(work queue depth exceeded\)\. "
        r"Given up after 10 tries in 2\d s\. "
        r"If this goes on, raise its rpcworkqueue and rpcthreads, or find who else asks it so much\.",
        caught.value.message,
    )
    assert str(caught.value) == caught.value.message


async def test_patience_with_a_node_that_comes_up(server: ScriptedServer, tmp_path: Path) -> None:
    rpc = warm_up_stages()[1][0]
    cookie = tmp_path / ".cookie"
    steps: Iterator[Step] = iter([Answer(500, rpc), Silence(), Reset(), BUSY])

    def coming_up(request: Request) -> Step:
        step = next(steps, None)
        if isinstance(step, Answer) and step.status == 500:
            return Answer(500, rpc.replace(b'"id":1', b'"id":%d' % request.json["id"]))
        return step or result(request, 84)

    class Starting(Retries):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            cookie.write_text("__cookie__:new", encoding="utf-8")

    retries = Starting()
    server.script = coming_up
    patience = Patience(busy_s=60, warming_up_s=60, unreachable_s=60)
    async with node_at(server, cookie_path=cookie, retries=retries, read_timeout_s=0.4) as node:
        assert await node.with_patience(patience).uptime_s() == 84
        assert retries.kinds == [
            "node_unreachable",
            "node_warming_up",
            "node_hanging",
            "node_unreachable",
            "node_busy",
        ]
        with pytest.raises(node_errors.NodeHanging):
            server.script = [Silence()]
            await node.uptime_s()
