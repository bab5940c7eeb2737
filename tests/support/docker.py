"""A scripted Docker on a unix socket, and a client of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.recordings import RecordedReply, recorded_reply
from tests.support.unix_server import UnixServer
from utxoracle_tui.sources.containers import DockerEngine
from utxoracle_tui.sources.containers_session import DockerAccess

DOCKER_ID = "0b3812fda52f8fece001cb002b05958315ae8a4dcdddb2fc68e5ab75a88dc242"
"""The container mempool-electrs of the recordings."""


def replay(name: str) -> RecordedReply:
    """A recorded reply of Docker."""
    return recorded_reply("docker", name)


def engine_at(server: UnixServer, timeout_s: float = 10.0) -> DockerEngine:
    """A client of the server."""
    return DockerEngine(DockerAccess(server.path, timeout_s=timeout_s))


@pytest.fixture
async def docker() -> AsyncIterator[UnixServer]:
    """A server whose folder every user may enter; its path is short, as paths of sockets have to be."""
    folder = Path(tempfile.mkdtemp(prefix="docker-"))
    folder.chmod(0o755)
    server = UnixServer(path=folder / "docker.sock")
    await server.start()
    yield server
    await server.stop()
    shutil.rmtree(folder)
