"""Starts and stops of the simulated node, its credentials, and the ways in which it is bad company."""

from __future__ import annotations

import asyncio
import stat
import time
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from itertools import groupby

import httpx
import pytest
import pytest_asyncio

from tests.support.demo_node import SMALL, DemoNode, demo_node, lasting_headers
from tests.support.scripted_http import recorded, recorded_document
from utxoracle_tui.demo.host.http_server import HttpServer, LoopbackPort, Request, Response
from utxoracle_tui.demo.host.node_state import NodeSettings
from utxoracle_tui.demo.host.simulated_host import SimulatedHost

COUNT = {"id": 1, "method": "getblockcount"}
TINY = replace(SMALL, tx_per_block=1)


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[DemoNode]:
    async with demo_node(TINY) as node:
        yield node


@pytest_asyncio.fixture(loop_scope="module")
async def node(shared: DemoNode) -> AsyncIterator[DemoNode]:
    """A node that nothing has been done to yet."""
    yield shared
    for field in fields(NodeSettings()):
        setattr(shared.host.node.state.settings, field.name, getattr(NodeSettings(), field.name))
    shared.host.node.reconfigure()
    for action, arguments in (
        ("busy", {}),
        ("latency", {"seconds": 0}),
        ("hang", {"on": False}),
        ("stop", {}),
        ("start", {"warm_up_s": 0}),
        ("clear-statistics", {}),
    ):
        await shared.act(action, **arguments)


async def test_cookie_is_one_that_only_the_owner_reads(node: DemoNode) -> None:
    path = node.folder / ".cookie"
    user, password = node.cookie
    assert (user, len(password), path.stat().st_size) == ("__cookie__", 64, 75)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not (node.folder / ".cookie.tmp").exists()


async def test_config_leads_to_the_port(node: DemoNode) -> None:
    lines = (node.folder.parent / "bitcoin.conf").read_text().splitlines()
    assert lines == ["regtest=1", "rest=1", "[regtest]", f"rpcport={httpx.URL(node.url).port}"]


async def watch(node: DemoNode, until: asyncio.Task[None]) -> list[tuple[str, str]]:
    """What RPC and REST answer until a task is done, by the cookie of the moment."""
    seen = []
    while not until.done():
        try:
            cookie = node.cookie
        except FileNotFoundError:
            cookie = ("none", "none")
        try:
            rpc = await node.post(COUNT, auth=cookie)
            rest = await node.get("chaininfo.json")
        except httpx.TransportError as error:
            seen.append((type(error).__name__, ""))
        else:
            seen.append((f"{rpc.status_code} {rpc.text}", f"{rest.status_code} {rest.text}"))
        await asyncio.sleep(0.005)
    return seen


async def test_restart_warms_up_as_a_real_node_and_changes_the_cookie(node: DemoNode) -> None:
    before, height = node.cookie, await node.call("getblockcount")
    restart = asyncio.create_task(node.host.node.restart(down_s=0.1, warm_up_s=2.5))
    seen = await watch(node, restart)
    assert node.cookie != before
    stale = await node.post(COUNT, auth=before)
    assert (stale.status_code, stale.content) == (401, b"")
    assert await node.call("getblockcount") == height
    assert "ConnectError" in {rpc for rpc, _ in seen}
    messages = [text for text, _ in groupby(rpc for rpc, _ in seen if rpc.startswith("500"))]
    rest = [text for text, _ in groupby(text for _, text in seen if text.startswith("503"))]
    phases = ("Loading banlist…", "Loading block index…", "Verifying blocks…", "Starting network threads…")
    as_rpc = [f'500 {{"result":null,"error":{{"code":-28,"message":"{phase}"}},"id":1}}\n' for phase in phases]
    as_rest = [f"503 Service temporarily unavailable: {phase}\r\n" for phase in phases]
    # the first and the last are over within a quarter of a second, and may pass unseen where much else is going on
    assert messages == [text for text in as_rpc if text in messages]
    assert rest == [text for text in as_rest if text in rest]
    assert set(as_rpc[1:3]) <= set(messages)
    assert set(as_rest[1:3]) <= set(rest)
    _, real_rpc, real_rest = recorded_document("warmup_and_restart")["restart_verify_all"][2]
    assert f"{real_rpc[1]} {real_rpc[2]}" in messages
    assert f"{real_rest[1]} {real_rest[2]}" in rest


async def test_dialects_and_batches_in_warm_up() -> None:
    async with SimulatedHost(TINY) as host, httpx.AsyncClient(trust_env=False) as client:
        node = DemoNode(host, client)
        one, two = COUNT, COUNT | {"jsonrpc": "2.0"}
        replies = [await node.post(body) for body in (one, two, [one, two])]
        assert [reply.status_code for reply in replies] == [500, 200, 200]
        assert {reply.json()["error"]["code"] for reply in replies[:2]} == {-28}
        assert [answer["error"]["code"] for answer in replies[2].json()] == [-28, -28]
        state = await node.read("state")
        assert not state["ready"]
        assert state["blocks_made"] <= state["blocks_planned"]
        assert state["warming_up"]


async def test_stopped_node_refuses_connections_and_has_no_cookie(node: DemoNode) -> None:
    await node.call("getblockcount")
    await node.act("stop")
    with pytest.raises(httpx.ConnectError):
        await node.get("chaininfo.json")
    assert not (node.folder / ".cookie").exists()
    assert not (await node.read("state"))["listening"]
    await node.act("start", warm_up_s=0)
    assert await node.call("getblockcount") > 0


async def test_start_leaves_a_running_node_alone(node: DemoNode) -> None:
    cookie = node.cookie
    starting = asyncio.create_task(node.act("start", warm_up_s=0.5))
    await asyncio.sleep(0.1)
    assert (await node.post(COUNT, auth=cookie)).status_code == 200
    await starting


async def test_crash_leaves_a_cookie_behind_that_is_wrong_after_the_next_start(node: DemoNode) -> None:
    stale = node.cookie
    await node.act("stop", clean=False)
    assert node.cookie == stale
    await node.act("start", warm_up_s=0)
    assert (await node.post(COUNT, auth=stale)).status_code == 401


async def test_clean_stop_answers_what_it_has_begun(node: DemoNode) -> None:
    await node.act("latency", seconds=0.3)
    begun = asyncio.create_task(node.post(COUNT))
    await asyncio.sleep(0.1)
    await node.act("stop")
    reply = await begun
    assert (reply.status_code, reply.headers["connection"]) == (200, "close")


async def test_crash_breaks_off_what_it_has_begun(node: DemoNode) -> None:
    await node.act("latency", seconds=5)
    begun = asyncio.create_task(node.post(COUNT))
    await asyncio.sleep(0.1)
    await node.act("stop", clean=False)
    with pytest.raises(httpx.RemoteProtocolError):
        await begun


async def test_lost_cookie_file_is_still_accepted(node: DemoNode) -> None:
    cookie = node.cookie
    await node.act("lose-cookie")
    assert not (node.folder / ".cookie").exists()
    assert (await node.post(COUNT, auth=cookie)).status_code == 200


async def test_credentials_can_be_refused_or_waived(node: DemoNode) -> None:
    await node.act("settings", accept="none")
    assert (await node.post(COUNT)).status_code == 401
    await node.act("settings", accept="any")
    assert (await node.client.post(node.url, json=COUNT)).status_code == 200


async def test_password_takes_the_place_of_the_cookie() -> None:
    async with demo_node(TINY, NodeSettings(rpc_user="alice", rpc_password="s3:cret")) as node:
        assert not (node.folder / ".cookie").exists()
        assert (node.env["BITCOIN_RPC_USER"], node.env["BITCOIN_RPC_PASSWORD"]) == ("alice", "s3:cret")
        assert (await node.post(COUNT, auth=("alice", "s3:cret"))).status_code == 200
        for wrong in (("alice", "other"), ("bob", "s3:cret")):
            assert (await node.post(COUNT, auth=wrong)).status_code == 401


async def test_whitelist(node: DemoNode) -> None:
    await node.act("settings", whitelist={"__cookie__": ["getblockcount"]})
    refused = await node.post({"id": 1, "method": "getnetworkinfo"})
    assert (refused.status_code, refused.content) == (403, b"")
    assert lasting_headers(refused.headers) == lasting_headers(recorded("http_403_whitelist").headers)
    assert (await node.post(COUNT)).status_code == 200
    assert (await node.post([COUNT, {"id": 2, "method": "uptime"}])).status_code == 403
    await node.act("settings", whitelist={"other": ["getblockcount"]})
    assert (await node.post(COUNT)).status_code == 403


async def test_busy_node_refuses_so_many_requests(node: DemoNode) -> None:
    as_recorded = recorded_document("http_503_workqueue")["results"][2]
    await node.act("busy", requests=2)
    replies = [await node.get("chaininfo.json"), await node.post(COUNT), await node.post(COUNT)]
    assert [reply.status_code for reply in replies] == [503, 503, 200]
    for reply in replies[:2]:
        assert reply.text == as_recorded["body_text"]
        assert len(reply.content) == 25
        assert lasting_headers(reply.headers) == lasting_headers(as_recorded["headers"])
    await node.act("busy", seconds=0.2)
    assert (await node.post(COUNT)).status_code == 503
    await asyncio.sleep(0.21)
    assert (await node.post(COUNT)).status_code == 200


@pytest.mark.parametrize(("threads", "queue_depth", "refused"), [(1, 1, 3), (4, 16, 2)])
async def test_so_many_are_worked_on_so_many_wait_and_the_others_are_refused(
    node: DemoNode, threads: int, queue_depth: int, refused: int
) -> None:
    await node.act("settings", threads=threads, queue_depth=queue_depth)
    await node.act("hang")
    asked = [asyncio.create_task(node.post(COUNT)) for _ in range(threads + queue_depth + refused)]
    while sum(task.done() for task in asked) < refused:
        await asyncio.sleep(0.01)
    assert {task.result().status_code for task in asked if task.done()} == {503}
    await node.act("hang", on=False)
    replies = await asyncio.gather(*asked)
    statuses = [200] * (threads + queue_depth) + [503] * refused
    assert sorted(reply.status_code for reply in replies) == statuses
    assert (await node.read("statistics"))["max_in_flight"] == threads + queue_depth + 1


async def test_latency_for_some_paths_only(node: DemoNode) -> None:
    await node.act("latency", seconds=0.5, path="/rest/")
    slow = asyncio.create_task(node.get("chaininfo.json"))
    await node.post(COUNT)
    assert not slow.done()
    started = time.monotonic()
    await node.get("chaininfo.json")
    assert time.monotonic() - started >= 0.5
    await slow


async def test_hanging_node_answers_when_it_comes_to(node: DemoNode) -> None:
    await node.act("hang")
    waiting = asyncio.create_task(node.post(COUNT))
    with pytest.raises(httpx.ReadTimeout):
        await node.client.get(f"{node.url}/rest/chaininfo.json", timeout=0.1)
    assert not waiting.done()
    await node.act("hang", on=False)
    assert (await waiting).status_code == 200


async def test_idle_connection_is_closed() -> None:
    async with demo_node(TINY, NodeSettings(idle_timeout_s=0.1)) as node:
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(node.url).port)
        started = time.monotonic()
        assert await reader.read() == b""
        assert 0.09 <= time.monotonic() - started < 2
        writer.close()


async def test_bad_http_is_answered_with_400(node: DemoNode) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(node.url).port)
    writer.write(b"nonsense\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    writer.close()


async def test_fault_in_one_request_does_not_take_the_server_down(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(request: Request) -> Response:
        if request.path == "/fail":
            raise ZeroDivisionError
        return Response(200, b"fine")

    port, server = LoopbackPort(), HttpServer(fail, idle_timeout_s=1, on_connection=lambda: None)
    await server.listen(port)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port.number}", trust_env=False) as client:
        assert (await client.get("/fail")).status_code == 500
        assert (await client.get("/")).text == "fine"
        head = await client.head("/")
        assert (head.headers["content-length"], head.content) == ("4", b"")
    await server.close(grace_s=0)
    port.close()
    assert "ZeroDivisionError" in caplog.text


async def test_node_of_other_versions(node: DemoNode) -> None:
    await node.act("settings", warnings=["low disk space"], warnings_as_text=True, target_keys=True)
    info = await node.call("getblockchaininfo")
    assert info["warnings"] == "low disk space"
    assert (info["bits"], info["target"]) == ("207fffff", "7fffff" + "0" * 58)
    header = await node.call("getblockheader", info["bestblockhash"])
    assert list(header).index("target") == list(header).index("bits") + 1


async def test_node_that_is_catching_up(node: DemoNode) -> None:
    await node.act("settings", headers_ahead=300, initial_block_download=True)
    info = await node.call("getblockchaininfo")
    assert info["headers"] == info["blocks"] + 300
    assert 0 < info["verificationprogress"] < 1
    assert info["initialblockdownload"]


async def test_statistics_say_what_was_asked(node: DemoNode) -> None:
    tip = await node.call("getbestblockhash")
    await node.act("clear-statistics")
    for _ in range(2):
        await node.get(f"block/{tip}.bin")
    await node.call("getblock", tip, 0)
    await node.get("nosuch")
    found = await node.read("statistics")
    assert found["calls"] == {"/rest/block.bin": 2, "getblock 0": 1, "/rest/nosuch": 1}
    assert found["statuses"] == {"200": 3, "404": 1}
    assert found["blocks_served"] == {tip: 3}
    assert (found["in_flight"], found["max_in_flight"]) == (0, 1)
    log = await node.read("requests")
    assert [(what, status) for _, what, status in log] == [
        ("/rest/block.bin", 200),
        ("/rest/block.bin", 200),
        ("getblock 0", 200),
        ("/rest/nosuch", 404),
    ]
    assert [arrived for arrived, _, _ in log] == sorted(arrived for arrived, _, _ in log)


@pytest.mark.parametrize(
    ("action", "arguments", "status"),
    [
        ("nosuch", {}, 404),
        ("mine", {"cuont": 1}, 400),
        ("settings", {"rset": False}, 400),
        ("settings", {"accept": "some"}, 400),
        ("reorg", {"depth": 3, "length": 3}, 400),
    ],
)
async def test_control_says_what_it_does_not_understand(
    node: DemoNode, action: str, arguments: dict[str, object], status: int
) -> None:
    reply = await node.client.post(f"{node.env['UTXORACLE_DEMO_CONTROL_URL']}/{action}", json=arguments)
    assert reply.status_code == status
    assert reply.json()["error"]


async def test_nothing_remains_of_a_host() -> None:
    async with demo_node(TINY) as node:
        folder = node.folder.parent
        assert folder.is_dir()
    assert not folder.exists()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", httpx.URL(node.url).port)
