"""HTTP/1.1 on a loopback port: framing by h11, connections that stay open, and nothing about Bitcoin."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

import h11

from utxoracle_tui import clock

LOOPBACK = "127.0.0.1"
HTML = "text/html; charset=ISO-8859-1"
"""What libevent says of a reply whose type nobody set."""

_MAX_HEAD_BYTES = 8192  # Bitcoin Core, MAX_HEADERS_SIZE
_READ_BYTES = 65536
_SMALL_BYTES = 65536
"""Bodies up to here go out in one piece with the head."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request."""

    method: str
    path: str
    query: str
    authorization: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """A whole reply; one without a body says so by a length of 0."""

    status: int
    body: bytes = b""
    content_type: str | None = HTML
    """None: none is sent."""
    headers: tuple[tuple[str, str], ...] = ()
    stream: AsyncIterator[bytes] | None = None
    """What is sent in chunks in the place of a body. An empty piece sends nothing: it lets the server see whether the
    client is still there, so a stream that waits yields one now and then."""


Handler = Callable[[Request], Awaitable[Response]]


class Port(Protocol):
    """A place to listen at."""

    def listening_socket(self) -> socket.socket:
        """A socket to listen on."""

    def close(self) -> None:
        """Give the place back."""


class LoopbackPort:
    """A port on 127.0.0.1 that stays ours while nothing listens on it: clients are then refused."""

    def __init__(self, number: int = 0) -> None:
        """Raises OSError when the port is taken; 0 takes a free one."""
        self._keeper = self._bound(number)
        self.number: int = self._keeper.getsockname()[1]

    def listening_socket(self) -> socket.socket:
        """Another socket on the port, to listen on."""
        return self._bound(self.number)

    def close(self) -> None:
        """Give the port back."""
        self._keeper.close()

    @staticmethod
    def _bound(number: int) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((LOOPBACK, number))
        return bound


class SocketFile:
    """A file to connect to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def listening_socket(self) -> socket.socket:
        """A new file, in the place of one that is there. Raises OSError."""
        self.path.unlink(missing_ok=True)
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        bound.bind(str(self.path))
        return bound

    def close(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)


async def stop_accepting(server: asyncio.Server) -> None:
    """Close a server, but not between the moment in which a connection is accepted and that in which it is made.

    asyncio loses such a connection without closing it (CPython issue 109564, mended in 3.12).
    """
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    server.close()


class HttpServer:
    """Answers requests by a handler, those of one connection one after the other."""

    def __init__(self, handler: Handler, *, idle_timeout_s: float, on_connection: Callable[[], None]) -> None:
        self._handler = handler
        self._idle_timeout_s = idle_timeout_s
        self._on_connection = on_connection
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], _Connection] = {}

    @property
    def open_connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def listen(self, port: Port) -> None:
        """Accept connections from now on."""
        # in two steps: who is cancelled in the second still has a server to close
        self._server = await asyncio.start_server(self._accepted, sock=port.listening_socket(), start_serving=False)
        await self._server.start_serving()

    async def close(self, grace_s: float) -> None:
        """Accept no more, let requests that are being answered end within `grace_s`, and close all connections."""
        if self._server is None:
            return
        server, self._server = self._server, None
        await stop_accepting(server)
        for task, connection in self._connections.items():
            connection.last = True
            if not connection.busy:
                task.cancel()
        if self._connections:
            await asyncio.wait(list(self._connections), timeout=grace_s)
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(list(self._connections))

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:
            writer.transport.abort()
            return
        connection = _Connection(reader, writer, self._handler, self._idle_timeout_s)
        task = asyncio.create_task(self._serve(connection))
        # noted here and now: a server that closes before the task has begun still knows of it
        self._connections[task] = connection
        task.add_done_callback(lambda done: self._over(done, writer))
        self._on_connection()

    def _over(self, task: asyncio.Task[None], writer: asyncio.StreamWriter) -> None:
        del self._connections[task]
        writer.close()

    async def _serve(self, connection: _Connection) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            await connection.run()


class _Connection:
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler, idle_timeout_s: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handler = handler
        self._idle_timeout_s = idle_timeout_s
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD_BYTES)
        self.busy = False
        self.last = False
        """Whether to close after the reply that is being made."""

    async def run(self) -> None:
        """Answer requests until the client or the server has had enough."""
        while True:
            try:
                request = await self._request()
            except h11.RemoteProtocolError as error:
                self.last = True
                await self._reply(Response(error.error_status_hint))
                return
            if request is None:
                return
            self.busy = True
            await self._reply(await self._answer(request), is_head=request.method == "HEAD")
            self.busy = False
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._handler(request)
        except Exception:  # noqa: BLE001  (one request must not take the server down)
            _log.exception("%s %s", request.method, request.path)
            return Response(HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _request(self) -> Request | None:
        """The next request, or None when the client has gone."""
        head: h11.Request | None = None
        body: list[bytes] = []
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                await self._receive()
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _whole(head, b"".join(body))
            else:
                return None

    async def _receive(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            self._writer.write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        async with asyncio.timeout(self._idle_timeout_s):
            self._http.receive_data(await self._reader.read(_READ_BYTES))

    async def _reply(self, response: Response, *, is_head: bool = False) -> None:
        headers = [("Date", formatdate(clock.now_s(), usegmt=True)), *response.headers]
        if response.status != HTTPStatus.NO_CONTENT:
            headers += [("Content-Type", response.content_type)] if response.content_type else []
            if response.stream is None:
                headers.append(("Content-Length", str(len(response.body))))
            else:
                headers.append(("Transfer-Encoding", "chunked"))
        if self.last:
            headers.append(("Connection", "close"))
        reason = HTTPStatus(response.status).phrase
        head = self._http.send(h11.Response(status_code=response.status, headers=headers, reason=reason)) or b""
        body = b"" if is_head else response.body
        if response.stream is not None:
            self._writer.write(head)
            await self._send_stream(response.stream)
            return
        if body:
            self._http.send_with_data_passthrough(h11.Data(data=body))
        self._http.send(h11.EndOfMessage())
        if len(body) <= _SMALL_BYTES:
            self._writer.write(head + body)
        else:
            self._writer.write(head)
            self._writer.write(body)
        await self._writer.drain()

    async def _send_stream(self, stream: AsyncIterator[bytes]) -> None:
        async for piece in stream:
            if self._reader.at_eof():
                raise ConnectionResetError("the client has gone")
            if piece:
                self._writer.write(self._http.send(h11.Data(data=piece)) or b"")
                await self._writer.drain()
        self._writer.write(self._http.send(h11.EndOfMessage()) or b"")
        await self._writer.drain()


def _whole(head: h11.Request, body: bytes) -> Request:
    path, _, query = head.target.decode("ascii", "replace").partition("?")
    authorization = next((value for name, value in head.headers if name == b"authorization"), None)
    return Request(
        method=head.method.decode("ascii", "replace"),
        path=path,
        query=query,
        authorization=authorization.decode("latin-1") if authorization is not None else None,
        body=body,
    )
