"""The simulated Docker Engine against the recorded replies of a real one."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.support.demo_node import SMALL, DemoNode, demo_node
from tests.support.scripted_http import Json
from tests.support.shapes import loose_shape
from utxoracle_tui.demo.host.electrs.settings import SyncSize

RECORDED = Path(__file__).parents[1] / "fixtures" / "recorded" / "docker"
TINY = SyncSize(
    blocks=4_000, first_file_blocks=1_000, blk_files=12, txstore_bytes=5_000_000_000, history_bytes=3_000_000_000
)
LASTING = (
    "api-version",
    "docker-experimental",
    "ostype",
    "server",
    "content-type",
    "transfer-encoding",
    "cache-control",
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


def recorded(name: str) -> Json:
    return json.loads((RECORDED / f"{name}.json").read_text())


class Docker:
    """A client of the socket."""

    def __init__(self, node: DemoNode, socket: str) -> None:
        self.node = node
        self.client = httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=socket), base_url="http://docker")

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def inspect(self, name: str = "mempool-electrs") -> Json:
        return (await self.get(f"/containers/{name}/json")).json()


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[Docker]:
    async with demo_node(replace(SMALL, tx_per_block=1), size=TINY) as node:
        docker = Docker(node, (await node.read("addresses"))["UTXORACLE_TUI_CONTAINERS_SOCKET"])
        yield docker
        await docker.client.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def docker(shared: Docker) -> AsyncIterator[Docker]:
    """A stack that nothing has been done to yet."""
    yield shared
    await shared.node.act("docker/start")
    await shared.node.act("electrs/trap", cause=None)
    await shared.node.act("electrs/start")
    await shared.node.act("electrs/advance", to="ready")
    for service in ("db", "web"):
        await shared.node.act("docker/container", service=service, up=True)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("ping", "/_ping"),
        ("inspect_404", "/containers/nosuch/json"),
        ("logs_404", "/containers/nosuch/logs?stdout=1"),
        ("logs_tail4", "/containers/mempool-electrs/logs?stdout=1&stderr=1&tail=4"),
    ],
)
async def test_reply_is_like_the_recorded_one(shared: Docker, name: str, path: str) -> None:
    real, reply = recorded(name), await shared.get(path)
    assert reply.status_code == real["status"]
    for header in LASTING:
        assert reply.headers.get(header) == real["headers"].get(header), header
    if "body_json" in real:
        assert reply.json() == real["body_json"]


async def test_version(shared: Docker) -> None:
    real, version = recorded("version")["body_json"], (await shared.get("/version")).json()
    assert list(version) == list(real)
    for key in ("Version", "ApiVersion", "MinAPIVersion", "Os", "Arch"):
        assert version[key] == real[key]


async def test_versions_in_paths(shared: Docker) -> None:
    assert (await shared.get("/v1.41/_ping")).text == "OK"
    new = await shared.get("/v1.99/_ping")
    message = "client version 1.99 is too new. Maximum supported API version is 1.41"
    assert (new.status_code, new.json()) == (400, {"message": message})
    assert (await shared.get("/v1.5/_ping")).status_code == 400


async def test_list_is_shaped_like_a_real_one(shared: Docker) -> None:
    filters = json.dumps({"name": ["mempool-electrs"]})
    (container,) = (await shared.client.get("/containers/json", params={"all": "1", "filters": filters})).json()
    (real,) = recorded("containers_filtered")["body_json"]
    assert list(container) == list(real)
    for key in set(real) - {"Labels", "Mounts", "NetworkSettings"}:
        assert loose_shape(container[key]) == loose_shape(real[key]), key
    theirs = real["NetworkSettings"]["Networks"]["host"]
    assert loose_shape(container["NetworkSettings"]["Networks"]["host"]) == loose_shape(theirs)
    assert (container["Names"], container["State"]) == (["/mempool-electrs"], "running")
    assert container["Labels"]["com.docker.compose.service"] == "electrs"
    assert container["Status"] == "Up 3 days (healthy)"


async def test_containers_of_the_stack(docker: Docker) -> None:
    names = [container["Names"][0] for container in (await docker.get("/containers/json")).json()]
    assert names == ["/mempool-electrs", "/mempool-db", "/mempool-api", "/mempool-web"]
    await docker.node.act("docker/container", service="db", up=False, exit_code=137)
    running = (await docker.get("/containers/json")).json()
    assert len(running) == 3
    filters = json.dumps({"name": ["mempool-d"]})
    (gone,) = (await docker.client.get("/containers/json", params={"all": "1", "filters": filters})).json()
    assert (gone["State"], gone["Status"][:12]) == ("exited", "Exited (137)")
    assert (await docker.inspect("mempool-db"))["State"]["ExitCode"] == 137


async def test_inspection_of_a_running_container(shared: Docker) -> None:
    container, real = await shared.inspect(), recorded("inspect_running_healthy")["body_json"]
    assert list(container) == list(real)
    for key in set(real) - {"HostConfig", "GraphDriver", "Mounts", "Config", "NetworkSettings", "Args"}:
        assert loose_shape(container[key]) == loose_shape(real[key]), key
    for part in ("HostConfig", "Config"):
        assert container[part].keys() <= real[part].keys(), part
    assert container["HostConfig"]["RestartPolicy"] == {"Name": "unless-stopped", "MaximumRetryCount": 0}
    assert container["HostConfig"]["LogConfig"] == real["HostConfig"]["LogConfig"]
    assert container["Config"]["Tty"] is False
    state = container["State"]
    assert (state["Status"], state["Running"], state["Health"]["Status"]) == ("running", True, "healthy")
    assert not Path(f"/proc/{state['Pid']}").exists()
    addresses = await shared.node.read("addresses")
    (mount,) = container["Mounts"]
    assert (mount["Source"], mount["Destination"]) == (addresses["UTXORACLE_TUI_ELECTRS_INDEX_DIR"], "/data")


async def test_inspection_of_an_exited_container(docker: Docker) -> None:
    await docker.node.act("electrs/stop")
    state = (await docker.inspect())["State"]
    assert loose_shape(state) == loose_shape(recorded("inspect_exited")["body_json"]["State"])
    assert (state["Status"], state["Running"], state["ExitCode"], state["Pid"]) == ("exited", False, 0, 0)
    assert state["FinishedAt"] > state["StartedAt"] > "2020"


async def test_container_that_crashes_is_restarted(docker: Docker) -> None:
    before = (await docker.inspect())["RestartCount"]
    await docker.node.act("electrs/kill", out_of_memory=True)
    state = (await docker.inspect())["State"]
    assert (state["Status"], state["Restarting"], state["OOMKilled"], state["ExitCode"]) == (
        "restarting",
        True,
        True,
        137,
    )
    for _ in range(300):
        container = await docker.inspect()
        if container["State"]["Status"] == "running":
            break
        await asyncio.sleep(0.01)
    assert container["RestartCount"] == before + 1


async def test_inspection_by_id(shared: Docker) -> None:
    container = await shared.inspect()
    assert len(container["Id"]) == 64
    assert (await shared.inspect(container["Id"][:12]))["Name"] == "/mempool-electrs"


async def test_statistics_of_a_container(docker: Docker) -> None:
    path = "/containers/mempool-electrs/stats?stream=false&one-shot=true"
    sample, real = (await docker.get(path)).json(), recorded("stats_once")["body_json"]
    assert loose_shape(sample | {"blkio_stats": 0}) == loose_shape(real | {"blkio_stats": 0})
    assert sample["blkio_stats"].keys() == real["blkio_stats"].keys()
    await docker.node.act("electrs/stop")
    stopped = (await docker.get(path)).json()
    assert (stopped["memory_stats"], stopped["pids_stats"]) == ({}, {})


def frames(body: bytes) -> list[tuple[int, bytes]]:
    """Stream and payload of each frame: 8 bytes before each payload, the last four its length."""
    found, at = [], 0
    while at < len(body):
        stream, length = struct.unpack_from(">BxxxI", body, at)
        found.append((stream, body[at + 8 : at + 8 + length]))
        at += 8 + length
    assert at == len(body)
    return found


async def test_logs_are_framed_as_recorded(shared: Docker) -> None:
    assert [stream for stream, _ in frames(base64.b64decode(recorded("logs_tail4")["body_base64"]))] == [2] * 4
    body = (await shared.get("/containers/mempool-electrs/logs?stdout=1&stderr=1&tail=4")).content
    lines = shared.node.host.electrs.log.book.after(0)
    assert frames(body) == [(2, line.text.encode() + b"\n") for line in lines[-4:]]
    assert (await shared.get("/containers/mempool-electrs/logs?stdout=1")).content == b""
    every = (await shared.get("/containers/mempool-electrs/logs?stderr=1")).content
    assert len(frames(every)) == len(lines)
    backend = frames((await shared.get("/containers/mempool-api/logs?stdout=1&stderr=1")).content)
    assert (backend[0][0], b"NOTICE: Starting Mempool Server..." in backend[0][1]) == (1, True)


async def test_logs_with_times_and_since(shared: Docker) -> None:
    path = "/containers/mempool-electrs/logs?stderr=1&timestamps=1"
    real = frames(base64.b64decode(recorded("logs_timestamps")["body_base64"]))
    stamp_length = len(real[0][1].partition(b" ")[0])
    stamps = [payload.partition(b" ")[0] for _, payload in frames((await shared.get(path)).content)]
    assert {len(stamp) for stamp in stamps} == {stamp_length}
    assert stamps == sorted(stamps)
    now = time.time()
    await shared.node.client.get(shared.node.env["ELECTRS_HTTP_URL"] + "/blocks/tip/height")
    for _ in range(100):
        newer = frames((await shared.get(f"{path}&since={now:.6f}")).content)
        if newer:
            break
        await asyncio.sleep(0.02)
    assert [payload.partition(b" ")[2] for _, payload in newer] == [b"INFO - handle GET /blocks/tip/height\n"]


async def test_logs_of_no_stream_are_refused(shared: Docker) -> None:
    refused = await shared.get("/containers/mempool-electrs/logs?tail=2")
    message = "Bad parameters: you must choose at least one stream"
    assert (refused.status_code, refused.json()) == (400, {"message": message})


async def test_followed_log_ends_with_the_container(docker: Docker) -> None:
    pieces: list[bytes] = []
    path = "/containers/mempool-electrs/logs?stderr=1&tail=0&follow=1"
    async with docker.client.stream("GET", path) as stream:

        async def read() -> None:
            async for piece in stream.aiter_raw():
                pieces.append(piece)  # noqa: PERF401  (what has come is looked at while more comes)

        reading = asyncio.create_task(read())
        (tip,) = (await docker.node.act("mine"))["hashes"]
        for _ in range(300):
            if b"updating synced tip" in b"".join(pieces):
                break
            await asyncio.sleep(0.01)
        await docker.node.act("electrs/stop")
        await asyncio.wait_for(reading, 5)
    payloads = [payload for _, payload in frames(b"".join(pieces))]
    assert f"DEBUG - updating synced tip to {tip}\n".encode() in payloads


async def test_follower_that_leaves_is_noticed(docker: Docker) -> None:
    path = "/containers/mempool-api/logs?stdout=1&follow=1"
    connections = docker.node.host.docker.service.open_connections
    async with docker.client.stream("GET", path) as stream:
        await anext(stream.aiter_raw())
        assert docker.node.host.docker.service.open_connections > connections - 1
    for _ in range(300):
        if docker.node.host.docker.service.open_connections <= connections:
            return
        await asyncio.sleep(0.01)
    pytest.fail("the connection stayed")


async def test_all_methods_are_told_and_none_but_get_does_anything(docker: Docker) -> None:
    await docker.node.act("docker/clear-statistics")
    await docker.inspect()
    for method, path in (("POST", "/containers/mempool-electrs/restart"), ("DELETE", "/containers/mempool-electrs")):
        refused = await docker.client.request(method, path)
        assert refused.status_code == 403
    assert (await docker.node.read("docker/state"))["methods"] == {"GET": 1, "POST": 1, "DELETE": 1}
    calls = (await docker.node.read("docker/statistics"))["calls"]
    assert calls["GET /containers/{name}/json"] == 1
    assert (await docker.inspect())["State"]["Running"]


async def test_daemon_that_is_gone(docker: Docker) -> None:
    await docker.node.act("docker/stop")
    with pytest.raises(httpx.ConnectError):
        await docker.get("/_ping")
    assert not (await docker.node.read("docker/state"))["listening"]
    await docker.node.act("docker/start")
    assert (await docker.get("/_ping")).text == "OK"


async def test_socket_is_of_its_owner(docker: Docker) -> None:
    socket = Path((await docker.node.read("docker/state"))["socket"])
    assert socket.stat().st_mode & 0o777 == 0o600
    await docker.node.act("docker/access", mode=0)
    assert socket.stat().st_mode & 0o777 == 0
    await docker.node.act("docker/access", mode=0o600)


async def test_backend_is_a_container_too(docker: Docker) -> None:
    await docker.node.act("mempool/stop")
    assert (await docker.inspect("mempool-api"))["State"]["Status"] == "exited"
    await docker.node.act("mempool/start")
    assert (await docker.inspect("mempool-api"))["State"]["Status"] == "running"
