"""Docker that isn't there, is forbidden, dead, frozen, slow, or something else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.docker import docker, engine_at, replay
from tests.support.dripping import dripping
from tests.support.scripted_http import Answer, Cut, Reset, ScriptedServer, Silence, Step
from tests.support.unix_server import UnixServer
from utxoracle_tui.errors import Exit
from utxoracle_tui.sources import containers_errors
from utxoracle_tui.sources.containers import DockerEngine
from utxoracle_tui.sources.containers_session import DockerAccess

__all__ = ["docker"]

NOBODY = 65_534


@contextmanager
def forbidden(path: Path) -> Iterator[None]:
    """The socket is closed to this process, also when root runs the tests."""
    path.chmod(0o600)
    if os.geteuid() != 0:
        path.chmod(0)
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


async def fails(server: UnixServer, timeout_s: float = 10.0) -> containers_errors.DockerError:
    async with engine_at(server, timeout_s) as engine:
        with pytest.raises(containers_errors.DockerError) as caught:
            await engine.version()
    return caught.value


async def test_no_socket(docker: UnixServer) -> None:
    await docker.stop()
    error = await fails(docker)
    assert error.message == (
        f"There is no Docker socket {docker.path}: Docker is not installed, has never been started, or has its socket "
        "elsewhere. Nothing is said about containers. If the stack runs without Docker, all is well; else start it "
        "(`sudo systemctl start docker`), or give the path of its socket."
    )
    assert (error.kind, error.exit_code, error.host) == ("docker_absent", Exit.UNREACHABLE, str(docker.path))


async def test_a_socket_that_is_not_for_this_user(docker: UnixServer) -> None:
    with forbidden(docker.path):
        error = await fails(docker)
    assert error.message == (
        f"This user may not use the Docker socket {docker.path} (permission denied); Docker itself may be well. "
        "Nothing is said about containers. To allow it: `sudo usermod -aG docker $USER`, then log in again; who may "
        "use Docker has the power of root on this machine."
    )
    assert error.kind == "docker_denied"
    assert not docker.requests


async def test_a_socket_on_which_nothing_listens(docker: UnixServer) -> None:
    await docker.die()
    error = await fails(docker)
    assert error.message == (
        f"The Docker socket {docker.path} is there, and nothing listens on it: Docker is not running. The next "
        "question connects anew. Start it: `sudo systemctl start docker`."
    )
    assert error.kind == "docker_down"


async def test_a_path_that_is_no_socket(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path, kind in ((file, "docker_down"), (tmp_path / ("x" * 200), "docker_down"), (file / "x", "docker_down")):
        async with DockerEngine(DockerAccess(path)) as engine:
            with pytest.raises(containers_errors.DockerError) as caught:
                await engine.ping()
        assert caught.value.kind == kind


async def test_docker_comes_back(docker: UnixServer) -> None:
    docker.script = lambda _: replay("ping").answer
    async with engine_at(docker) as engine:
        await engine.ping()
        await docker.stop()
        with pytest.raises(containers_errors.DockerAbsent):
            await engine.ping()
        await docker.start()
        await engine.ping()


@pytest.mark.parametrize("step", [Cut(), Reset(), Cut(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")])
async def test_killed_in_the_middle(docker: UnixServer, step: Step) -> None:
    docker.script = [step]
    error = await fails(docker)
    assert error.kind == "docker_down"
    assert "closed the connection in the middle of version" in error.message


async def test_a_connection_gone_stale_is_replaced_unnoticed(docker: UnixServer) -> None:
    docker.script = [replay("ping").answer, Cut(), replay("ping").answer]
    async with engine_at(docker) as engine:
        await engine.ping()
        await engine.ping()
    assert [request.connection for request in docker.requests] == [1, 1, 2]


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n{"])
async def test_frozen(docker: UnixServer, sent: bytes) -> None:
    docker.script = [Silence(sent)]
    error = await fails(docker, timeout_s=0.2)
    assert error.kind == "docker_hanging"
    assert error.message.startswith(f"Docker at {docker.path} has not answered version within 0.2 s.")


async def test_too_slow_although_it_goes_on(docker: UnixServer) -> None:
    """Each piece comes in time, the whole does not."""
    await docker.stop()
    async with dripping(lambda serve: asyncio.start_unix_server(serve, docker.path)):
        error = await fails(docker, timeout_s=0.3)
    assert error.kind == "docker_hanging"


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (Cut(b"\x00\x01 nonsense\r\n\r\n"), "is not HTTP"),
        (Answer(body=b"<!doctype html>"), "is a web page, not JSON"),
        (Answer(body=b"\xff\xfe"), "is not UTF-8"),
        (Answer(body=b'{"ApiVersion":1.41}'), "has no ApiVersion"),
        (Answer(301, headers=(("Location", "/v1.41/version"),)), "is HTTP 301 without Docker's words"),
        (Answer(404, b"404 page not found"), "is HTTP 404 without Docker's words"),
        (Cut(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"), "is too big (more than 8,388,608 bytes)"),
    ],
)
async def test_nonsense(docker: UnixServer, step: Step, fault: str) -> None:
    docker.script = [step]
    error = await fails(docker)
    assert (error.kind, error.message) == (
        "docker_nonsense",
        f"What answers at {docker.path} talks nonsense: its reply to version {fault}. The reply is not used. "
        "Check that this is the socket of Docker's Engine API.",
    )


async def test_proxies_in_the_environment_are_ignored(docker: UnixServer, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = ScriptedServer(lambda _: Answer(body=b"OK"))
    await proxy.start()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    docker.script = [replay("ping").answer]
    async with engine_at(docker) as engine:
        await engine.ping()
    await proxy.stop()
    assert (len(docker.requests), len(proxy.requests)) == (1, 0)
