"""How containers are, with replies that a real Docker (20.10, API 1.41) once gave."""

from __future__ import annotations

import ast
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

import utxoracle_tui.sources.containers as containers_module
from tests.support.docker import DOCKER_ID, docker, engine_at, replay
from tests.support.recordings import by_path
from tests.support.scripted_http import Answer, Json
from tests.support.unix_server import UnixServer
from utxoracle_tui.sources.containers import DockerEngine
from utxoracle_tui.sources.containers_errors import DockerFailed, DockerNonsense, NoSuchContainer
from utxoracle_tui.sources.containers_replies import RestartPolicy, busy_cores, read_container, read_stats

__all__ = ["docker"]

HEALTHY, CRASHED = "inspect_running_healthy", "inspect_exited"


@pytest.fixture
async def engine(docker: UnixServer) -> AsyncIterator[DockerEngine]:
    async with engine_at(docker) as engine:
        yield engine


async def test_ping_and_version(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = by_path(replay("ping"), replay("version"))
    assert (await engine.ping()).latency_s > 0
    version = await engine.version()
    assert (version.version, version.api_version, version.min_api_version) == ("20.10.24+dfsg1", "1.41", "1.12")
    assert version.at_s > 1_700_000_000
    assert [request.path for request in docker.requests] == ["/_ping", "/version"]
    assert docker.connections == 1


async def test_all_containers(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = by_path(replay("containers_all"))
    found = (await engine.listing()).containers
    assert [(container.names, container.state) for container in found] == [
        (("mempool-api",), "running"),
        (("electrs-crash",), "exited"),
        (("electrs-tty",), "running"),
        (("mempool-electrs",), "running"),
    ]
    assert (found[1].status, found[1].image) == ("Exited (101) 39 seconds ago", "local/electrs-standin")
    assert (found[0].project, found[0].service) == (None, None)


async def test_a_container_by_its_exact_name(docker: UnixServer, engine: DockerEngine) -> None:
    """Docker's filter finds all names that hold the one asked for."""
    one = '{{"Id":"{0}","Names":["/{1}"],"State":"running","Labels":{{"com.docker.compose.service":"electrs",'
    one += '"com.docker.compose.project":"mempool"}}}}'
    body = "[" + ",".join(one.format(f"{n}" * 64, name) for n, name in enumerate(["my-electrs-2", "electrs"])) + "]"
    docker.script = [replay("containers_filtered").answer, Answer(body=body.encode()), Answer(body=body.encode())]
    found = await engine.by_name("mempool-electrs")
    assert found is not None
    assert found.container_id == DOCKER_ID
    assert docker.requests[0].path == (
        "/containers/json?all=1&filters=%7B%22name%22%3A%20%5B%22mempool-electrs%22%5D%7D"
    )
    exact = await engine.by_name("electrs")
    assert exact is not None
    assert (exact.names, exact.project, exact.service) == (("electrs",), "mempool", "electrs")
    assert await engine.by_name("elec") is None


async def test_a_healthy_container(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = [replay(HEALTHY).answer]
    found = await engine.inspect("mempool-electrs")
    assert docker.requests[0].path == "/containers/mempool-electrs/json"
    assert (found.name, found.container_id, found.image) == ("mempool-electrs", DOCKER_ID, "local/electrs-standin")
    assert (found.state, found.running, found.restarting, found.oom_killed) == ("running", True, False, False)
    assert (found.pid, found.exit_code, found.error) == (32540, 0, "")
    assert (found.health, found.failing_streak) == ("healthy", 0)
    assert found.started_s == pytest.approx(1795342830.824999, abs=1e-5)
    assert found.finished_s is None
    assert (found.restarts, found.restart_policy) == (0, RestartPolicy("unless-stopped", 0))
    assert (found.tty, found.log_driver) == (False, "json-file")


async def test_a_crashed_container(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = [replay(CRASHED).answer]
    found = await engine.inspect("electrs-crash")
    assert (found.state, found.running, found.pid, found.exit_code) == ("exited", False, None, 101)
    assert (found.restarts, found.restart_policy) == (2, RestartPolicy("on-failure", 2))
    assert found.health is None
    assert found.started_s is not None
    assert found.finished_s == pytest.approx(found.started_s + 1.020886, abs=1e-5)


def inspected(name: str, **state: Json) -> Json:
    found: Json = json.loads(replay(name).body)
    found["State"] |= state
    return found


def test_states_that_matter() -> None:
    killed = read_container(inspected(CRASHED, OOMKilled=True, ExitCode=137), 1.0, 0.1)
    assert (killed.oom_killed, killed.exit_code) == (True, 137)
    looping = read_container(inspected(CRASHED, Status="restarting", Restarting=True, Running=True), 1.0, 0.1)
    assert (looping.state, looping.restarting, looping.running) == ("restarting", True, True)
    sick = read_container(inspected(HEALTHY, Health={"Status": "unhealthy", "FailingStreak": 7}), 1.0, 0.1)
    assert (sick.health, sick.failing_streak) == ("unhealthy", 7)
    unchecked = read_container(inspected(HEALTHY, Health={"Status": "none"}), 1.0, 0.1)
    assert unchecked.health is None
    labels = {"com.docker.compose.project": "mempool", "com.docker.compose.service": "electrs"}
    composed = inspected(HEALTHY) | {"Config": {"Labels": labels, "Tty": True}}
    read = read_container(composed, 1.0, 0.1)
    assert (read.project, read.service, read.tty) == ("mempool", "electrs", True)


def test_a_reply_with_only_what_is_needed() -> None:
    read = read_container({"Id": "ab", "State": {"Status": "created", "StartedAt": "soon"}}, 1.0, 0.1)
    assert (read.state, read.running, read.started_s, read.restart_policy) == (
        "created",
        False,
        None,
        RestartPolicy("no", 0),
    )


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"[]", "is not an object"),
        (b"{}", "has no State"),
        (b'{"State":{"Status":"running"}}', "has no Id"),
        (b'{"Id":"ab","State":{}}', "has no Status"),
        (b"OK", "is not JSON"),
        (b"<html>", "is a web page, not JSON"),
        (b'{"Id":"\xff"}', "is not UTF-8"),
        (b"", "is empty"),
    ],
)
async def test_containers_that_are_nonsense(docker: UnixServer, engine: DockerEngine, body: bytes, fault: str) -> None:
    docker.script = [Answer(body=body)]
    with pytest.raises(DockerNonsense, match=f"its reply to container x1 {fault}. The reply is not used."):
        await engine.inspect("x1")


async def test_listings_and_versions_that_are_nonsense(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = [Answer(body=body) for body in (b"{}", b"[1]", b'[{"Id":"a"}]', b"{}", b"NOT OK")]
    for ask in (engine.listing, engine.listing, engine.listing, engine.version, engine.ping):
        with pytest.raises(DockerNonsense):
            await ask()


async def test_a_container_that_is_not_there(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = by_path(replay("inspect_404"))
    with pytest.raises(NoSuchContainer) as caught:
        await engine.inspect("nosuch")
    assert (caught.value.kind, caught.value.name, caught.value.host) == (
        "no_such_container",
        "nosuch",
        f"{docker.path}",
    )
    assert caught.value.message == (
        f"Docker at {docker.path} has no container nosuch. See `docker ps -a` for the names there are; it may have "
        "been removed, or be named differently."
    )


@pytest.mark.parametrize("name", ["", "x", "../info", "a/b", "a?all=1", "-x", "a b", "ä1", "ab\x1b[2J"])
async def test_what_cannot_be_a_name_is_not_asked_for(docker: UnixServer, engine: DockerEngine, name: str) -> None:
    for ask in (engine.inspect(name), engine.stats(name), engine.log(name, tty=False)):
        with pytest.raises(NoSuchContainer) as caught:
            await ask
        assert "\x1b" not in caught.value.message
    assert not docker.requests


async def test_what_a_container_uses(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = by_path(replay("stats_once"))
    stats = await engine.stats("mempool-electrs")
    assert (stats.memory_bytes, stats.memory_limit_bytes) == (421888, 25276502016)
    assert (stats.cpu_s, stats.host_cpu_s, stats.cores) == (0.359513565, 4141.46, 2)
    assert (stats.read_bytes, stats.written_bytes) == (None, None)


def test_memory_and_disk_as_docker_counts_them() -> None:
    devices = [
        {"major": 254, "minor": 0, "op": operation, "value": value}
        for operation, value in [("Read", 1000), ("read", 24), ("Write", 500), ("Sync", 7), ("Total", 1531)]
    ]
    blocks = {"io_service_bytes_recursive": devices}
    v1 = {"usage": 5000, "stats": {"total_inactive_file": 1200, "inactive_file": 1}}
    v2 = {"usage": 5000, "stats": {"inactive_file": 800}}
    first = read_stats({"memory_stats": v1, "blkio_stats": blocks}, 1.0, 0.1)
    assert (first.memory_bytes, first.read_bytes, first.written_bytes) == (3800, 1024, 500)
    assert read_stats({"memory_stats": v2}, 1.0, 0.1).memory_bytes == 4200
    stopped = read_stats({"memory_stats": {}, "blkio_stats": {"io_service_bytes_recursive": None}}, 1.0, 0.1)
    assert (stopped.memory_bytes, stopped.cpu_s, stopped.read_bytes) == (None, None, None)


def test_cores_kept_busy() -> None:
    usage = {"cpu_usage": {"total_usage": 10**9}, "system_cpu_usage": 40 * 10**9, "online_cpus": 4}
    earlier = read_stats({"cpu_stats": usage}, 1.0, 0.1)
    later = replace(earlier, cpu_s=4.0, host_cpu_s=48.0)
    assert busy_cores(earlier, later) == 1.5
    assert busy_cores(later, earlier) is None
    assert busy_cores(earlier, earlier) is None
    assert busy_cores(earlier, replace(later, host_cpu_s=None)) is None


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            Answer(400, b'{"message":"client version 1.99 is too new. Maximum supported API version is 1.41"}'),
            "failed at version: client version 1.99 is too new. Maximum supported API version is 1.41 (HTTP 400).",
        ),
        (Answer(500, b'{"message":"driver failed\\u001b[2J"}'), "failed at version: driver failed [2J (HTTP 500)."),
        (Answer(404, b'{"message":"page not found"}'), "failed at version: page not found (HTTP 404)."),
    ],
)
async def test_refusals(docker: UnixServer, engine: DockerEngine, step: Answer, words: str) -> None:
    docker.script = [step]
    with pytest.raises(DockerFailed) as caught:
        await engine.version()
    assert caught.value.message == f"Docker at {docker.path} {words} Its log says more (`journalctl -u docker`)."


async def test_whatever_is_asked_only_get_is_sent(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = lambda request: (
        Answer(body=b"OK") if request.path == "/_ping" else Answer(404, b'{"message":"No such container: x1"}')
    )
    asked = {"ping", "version", "listing", "by_name", "inspect", "stats", "log", "follow"}
    public = {name for name in vars(DockerEngine) if not name.startswith("_")}
    assert public == asked | {"aclose"}
    await engine.ping()
    for ask in (
        engine.version(),
        engine.listing(),
        engine.by_name("x1"),
        engine.inspect("x1"),
        engine.stats("x1"),
        engine.log("x1", tty=False),
    ):
        with pytest.raises((DockerFailed, NoSuchContainer)):
            await ask
    with pytest.raises(NoSuchContainer):
        async with engine.follow("x1", tty=False):
            pass
    assert len(docker.requests) == len(asked)
    assert {request.method for request in docker.requests} == {"GET"}
    assert not any(request.body for request in docker.requests)


def test_no_module_of_the_client_can_send_anything_but_get() -> None:
    """Two calls reach HTTP, both with the method written out; nothing else there knows an HTTP client."""
    methods = []
    for path in sorted(Path(containers_module.__file__).parent.glob("containers*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "httpx":
                assert node.attr == "codes", f"{path.name} uses httpx.{node.attr}"
            if isinstance(node, ast.ImportFrom):
                assert node.module != "httpx"
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("self._http."):
                methods.append((ast.unparse(node.func), ast.unparse(node.args[0]) if node.args else ""))
            if isinstance(node, ast.Attribute) and node.attr == "_http":
                assert path.name == "containers_session.py"
    assert sorted(methods) == [
        ("self._http.aclose", ""),
        ("self._http.exchange", "'GET'"),
        ("self._http.open", "'GET'"),
    ]
