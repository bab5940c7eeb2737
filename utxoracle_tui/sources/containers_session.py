"""Questions to Docker over its unix socket, all of them GET, and what an HTTP status means there.

Paths carry no version, which Docker answers in its own: a version that is too old or too new can't be asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from utxoracle_tui import clock
from utxoracle_tui.sources.containers_errors import (
    DockerError,
    DockerFailed,
    DockerHanging,
    DockerNonsense,
    LogsUnavailable,
    NoSuchContainer,
    no_exchange,
)
from utxoracle_tui.sources.http import ExchangeFailed, HttpSession, OpenReply
from utxoracle_tui.sources.http_json import Fields, GarbledBody, parse_json

MOST_BYTES = 8_388_608
"""No reply that is read whole is bigger: a listing of a thousand containers, or the end of a log."""
_MOST_ERROR_BYTES = 65_536
_BASE_URL = "http://docker"
"""The name of the host plays no part on a unix socket."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DockerAccess:
    """Where Docker is."""

    socket_path: Path = Path("/var/run/docker.sock")
    connect_timeout_s: float = 2.0
    timeout_s: float = 10.0
    """How long a whole reply may take; a log that is followed has no such limit once it has begun."""


@dataclass(frozen=True, slots=True)
class Got:
    """A reply with its time."""

    body: bytes
    content_type: str
    at_s: float
    latency_s: float


class DockerSession:
    """GET requests to one Docker."""

    def __init__(self, access: DockerAccess) -> None:
        self.socket = str(access.socket_path)
        self._access = access
        self._http = HttpSession(
            _BASE_URL,
            connect_timeout_s=access.connect_timeout_s,
            read_timeout_s=access.timeout_s,
            keep_alive=True,
            socket_path=access.socket_path,
        )

    async def get(self, path: str, what: str, *, name: str = "") -> Got:
        """Get a path; `name` is the container that it is about. Raises `DockerError`."""
        started_s = clock.elapsed_s()
        failed: DockerError | None = None
        try:
            async with asyncio.timeout(self._access.timeout_s):
                reply = await self._http.exchange("GET", path, most_bytes=MOST_BYTES)
        except ExchangeFailed as error:
            failed = self._no_exchange(what, error)
        except TimeoutError:
            failed = DockerHanging(self.socket, what, self._access.timeout_s)
        if failed is not None:
            raise failed
        if reply.status != httpx.codes.OK:
            raise self._status_error(reply.status, reply.body, what, name)
        return Got(reply.body, reply.content_type, clock.now_s(), clock.elapsed_s() - started_s)

    @asynccontextmanager
    async def open(self, path: str, what: str, *, name: str = "") -> AsyncIterator[OpenReply]:
        """Get a path whose body comes as it comes.

        Raises `DockerError`, also while the chunks are read.
        """
        async with AsyncExitStack() as stack:
            failed: DockerError | None = None
            try:
                reply = await stack.enter_async_context(self._http.open("GET", path))
                if reply.status != httpx.codes.OK:
                    async with asyncio.timeout(self._access.timeout_s):
                        failed = self._status_error(reply.status, await _beginning(reply.chunks), what, name)
            except ExchangeFailed as error:
                failed = self._no_exchange(what, error)
            except TimeoutError:
                failed = DockerHanging(self.socket, what, self._access.timeout_s)
            if failed is not None:
                raise failed
            yield OpenReply(reply.status, reply.content_type, self._unbroken(reply.chunks, what))

    async def _unbroken(self, chunks: AsyncIterator[bytes], what: str) -> AsyncIterator[bytes]:
        failed: DockerError | None = None
        try:
            async for chunk in chunks:
                yield chunk
        except ExchangeFailed as error:
            failed = self._no_exchange(what, error)
        if failed is not None:
            raise failed

    def read(self, got: Got, what: str, reader: Callable[[object], T]) -> T:
        """Read a reply's body as JSON; raises `DockerNonsense` where it is garbled."""
        try:
            return reader(parse_json(got.body))
        except GarbledBody as garbled:
            fault = str(garbled)
        raise DockerNonsense(self.socket, what, fault)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    def _no_exchange(self, what: str, error: ExchangeFailed) -> DockerError:
        return no_exchange(self.socket, what, error, self._access.timeout_s)

    def _status_error(self, status: int, body: bytes, what: str, name: str) -> DockerError:
        said = _said_in(body)
        if said is None:
            return DockerNonsense(self.socket, what, f"is HTTP {status} without Docker's words")
        if status == httpx.codes.NOT_FOUND and name:
            return NoSuchContainer(self.socket, name)
        if status == httpx.codes.NOT_IMPLEMENTED and name:
            return LogsUnavailable(self.socket, name, said)
        return DockerFailed(self.socket, what, status, said)


def _said_in(body: bytes) -> str | None:
    """The `message` that Docker gives with every error; None where it isn't Docker's."""
    try:
        return Fields(parse_json(body)).text("message")
    except GarbledBody:
        return None


async def _beginning(chunks: AsyncIterator[bytes]) -> bytes:
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) > _MOST_ERROR_BYTES:
            break
    return body[:_MOST_ERROR_BYTES]
