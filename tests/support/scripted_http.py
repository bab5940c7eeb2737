"""An HTTP server on loopback that answers by a script, faults included, and replies that a real node once gave."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from utxoracle_tui.demo.host.http_server import stop_accepting

RECORDED = Path(__file__).parents[1] / "fixtures" / "recorded" / "bitcoind"
Json: TypeAlias = Any
"""JSON of any shape."""


@dataclass(frozen=True)
class Request:
    """What a client sent, and over which connection (1, 2, …)."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Json:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def rpc_method(self) -> str:
        """The method that is called, of a batch the first; empty for anything but JSON-RPC."""
        if not self.body:
            return ""
        calls = self.json
        return str((calls[0] if isinstance(calls, list) else calls)["method"])

    @property
    def credentials(self) -> str | None:
        """`user:password` as sent."""
        sent = self.headers.get("authorization")
        return base64.b64decode(sent.removeprefix("Basic ")).decode() if sent is not None else None


@dataclass(frozen=True)
class Answer:
    """A whole reply; a length is added to the headers."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    reason: str = "Said"
    after: asyncio.Event | None = None
    """Not before this has happened."""
    then_close: bool = False
    """Close the connection afterwards, without having announced it."""

    def as_bytes(self) -> bytes:
        """The reply as it goes over the wire."""
        head = [f"HTTP/1.1 {self.status} {self.reason}"]
        head += [f"{name}: {value}" for name, value in self.headers if name.lower() != "content-length"]
        if self.status != 204:
            head.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*head, "", ""]).encode("latin-1") + self.body


@dataclass(frozen=True)
class Cut:
    """These bytes, and the connection closed."""

    sent: bytes = b""


@dataclass(frozen=True)
class Reset:
    """The connection reset after these bytes."""

    sent: bytes = b""


@dataclass(frozen=True)
class Silence:
    """These bytes and nothing more, until the client closes the connection."""

    sent: bytes = b""


Step = Answer | Cut | Reset | Silence
Script = Callable[[Request], Step | Awaitable[Step]]


@dataclass
class ScriptedServer:
    """Answers every request by its script, a function or steps to be taken in turn; counts what it sees."""

    script: Script | list[Step] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    @property
    def url(self) -> str:
        """Where it listens, or listened last."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the same port as before if it did before."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Drop all connections and listen no more."""
        if self._server is not None:
            await stop_accepting(self._server)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds that depends on what the server has seen."""
        async with asyncio.timeout(10):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        task = asyncio.create_task(self._serve(reader, writer, self.connections))
        # noted before it has begun, so that one who stops the server at once still knows of it
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._over(done, writer))

    def _over(self, task: asyncio.Task[None], writer: asyncio.StreamWriter) -> None:
        if task.cancelled():
            writer.transport.abort()
        self._tasks.discard(task)
        self.open_connections -= 1
        self._changed.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._converse(reader, writer, connection)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        while True:
            request = await _read_request(reader, connection)
            self.requests.append(request)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            self._changed.set()
            try:
                going_on = await self._take(await self._next_step(request), reader, writer)
            finally:
                self.in_flight -= 1
            self._changed.set()
            if not going_on or request.headers.get("connection", "").lower() == "close":
                return

    async def _next_step(self, request: Request) -> Step:
        if isinstance(self.script, list):
            return self.script.pop(0) if self.script else Answer(599, b"the script has ended")
        step = self.script(request)
        return step if isinstance(step, Step) else await step

    async def _take(self, step: Step, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Do what the step says, and tell whether the connection goes on."""
        if isinstance(step, Answer):
            if step.after is not None:
                await step.after.wait()
            writer.write(step.as_bytes())
            await writer.drain()
            return not step.then_close
        writer.write(step.sent)
        await writer.drain()
        if isinstance(step, Silence):
            await reader.read()
        if isinstance(step, Reset):
            linger_for_no_time = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_no_time)
            writer.transport.abort()
        return False


async def _read_request(reader: asyncio.StreamReader, connection: int) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body, connection)


@dataclass(frozen=True)
class Recording:
    """A reply of a real node, and what it was the reply to."""

    name: str
    method: str
    path: str
    asked: Json
    """The body of the request, None for a GET."""
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def answer(self, request: Request | None = None) -> Answer:
        """The reply, given to a request of today: numbered as that is, and else to the byte."""
        body = self.body
        if request is not None and request.body:
            body = _renumbered(body, self.asked, request.json)
        return Answer(self.status, body, self.headers)


def _renumbered(body: bytes, asked: Json, asking: Json) -> bytes:
    """A reply with the ids of the recorded request replaced by those of another one."""
    for old, new in zip(_as_list(asked), _as_list(asking), strict=False):
        if isinstance(old, dict) and "id" in old:
            before, found, after = body.rpartition(b'"id":' + json.dumps(old["id"]).encode() + b"}")
            if found:
                body = before + b'"id":' + json.dumps(new["id"]).encode() + b"}" + after
    return body


def _as_list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else [value]


def recorded(name: str) -> Recording:
    """A recording by its name."""
    found = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    method, path, *_ = found["request"]["line"].split(" ")
    body = base64.b64decode(found["body_base64"]) if "body_base64" in found else found["body_text"].encode()
    return Recording(
        name,
        method,
        path,
        found["request"].get("body"),
        found["status"],
        tuple(found["headers"].items()),
        body,
    )


def recorded_names() -> list[str]:
    """The names of all recordings that are one reply to one request."""
    paths = sorted(RECORDED.glob("*.json"))
    return [path.stem for path in paths if "request" in json.loads(path.read_text(encoding="utf-8"))]


def recorded_document(name: str) -> Json:
    """A recording of another shape, whole."""
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
