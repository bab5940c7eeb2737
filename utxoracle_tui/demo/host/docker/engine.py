"""The Engine API on a unix socket: it answers what reads, and does nothing whatever else it is asked for."""

from __future__ import annotations

import asyncio
import json
import re
import struct
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from utxoracle_tui.demo.host.docker.containers import Container, missing, rfc3339_nano
from utxoracle_tui.demo.host.http_server import Request, Response, SocketFile
from utxoracle_tui.demo.host.json_text import Json
from utxoracle_tui.demo.host.log_book import STDERR, STDOUT, Line
from utxoracle_tui.demo.host.service import Service

API_VERSION = "1.41"
MIN_API_VERSION = "1.12"
_IDLE_TIMEOUT_S = 300.0
_HEARTBEAT_S = 0.5
_VERSIONED = re.compile(r"/v([0-9]+\.[0-9]+)(/.*)")
_CONTAINER = re.compile(r"/containers/([^/]+)/(json|logs|stats)")
_HEADERS = (
    ("Api-Version", API_VERSION),
    ("Docker-Experimental", "false"),
    ("Ostype", "linux"),
    ("Server", "Docker/20.10.24+dfsg1 (linux)"),
)
_NO_CACHE = (("Cache-Control", "no-cache, no-store, must-revalidate"), ("Pragma", "no-cache"))
_JSON = "application/json"
_VERSION: Json = {
    "Platform": {"Name": ""},
    "Components": [
        {
            "Name": "Engine",
            "Version": "20.10.24+dfsg1",
            "Details": {"ApiVersion": API_VERSION, "Arch": "amd64", "MinAPIVersion": MIN_API_VERSION, "Os": "linux"},
        }
    ],
    "Version": "20.10.24+dfsg1",
    "ApiVersion": API_VERSION,
    "MinAPIVersion": MIN_API_VERSION,
    "GitCommit": "5d6db84",
    "GoVersion": "go1.19.8",
    "Os": "linux",
    "Arch": "amd64",
    "KernelVersion": "6.1.0",
    "BuildTime": "2026-05-07T21:09:36.000000000+00:00",
}


class Engine:
    """Answers for containers over a socket file."""

    def __init__(self, containers: list[Container], path: Path) -> None:
        self.path = path
        self.service = Service(self._answer, _label, idle_timeout_s=_IDLE_TIMEOUT_S, port=SocketFile(path))
        self._containers = containers

    @property
    def url(self) -> str:
        """As in `DOCKER_HOST`."""
        return f"unix://{self.path}"

    async def start(self) -> None:
        """Listen, for the owner alone. Raises OSError."""
        await self.service.start()
        self.path.chmod(0o600)

    async def _answer(self, request: Request) -> Response:
        path = request.path
        versioned = _VERSIONED.fullmatch(path)
        if versioned is not None:
            path = versioned[2]
            refusal = _version_refusal(versioned[1])
            if refusal is not None:
                return refusal
        if request.method not in {"GET", "HEAD"}:
            return _json({"message": "the simulated engine changes nothing"}, HTTPStatus.FORBIDDEN)
        return self._read(path, {name: values[-1] for name, values in parse_qs(request.query).items()})

    def _read(self, path: str, query: dict[str, str]) -> Response:
        match = _CONTAINER.fullmatch(path)
        if match is not None:
            return self._one(match[1], match[2], query)
        if path == "/containers/json":
            return self._list(query)
        if path == "/version":
            return _json(_VERSION)
        if path == "/_ping":
            return Response(HTTPStatus.OK, b"OK", "text/plain; charset=utf-8", (*_HEADERS, *_NO_CACHE))
        return _json({"message": "page not found"}, HTTPStatus.NOT_FOUND)

    def _list(self, query: dict[str, str]) -> Response:
        try:
            filters = json.loads(query.get("filters", "{}"))
        except ValueError:
            return _json({"message": "invalid filter"}, HTTPStatus.BAD_REQUEST)
        names, states = filters.get("name", []), filters.get("status", [])
        everything = _is_true(query.get("all")) or bool(states)
        found = [
            container.listed()
            for container in self._containers
            if (everything or container.life().status in {"running", "restarting"})
            and (not names or any(name.lstrip("/") in container.name for name in names))
            and (not states or container.life().status in states)
        ]
        return _json(found)

    def _one(self, name: str, what: str, query: dict[str, str]) -> Response:
        container = next((container for container in self._containers if container.matches(name)), None)
        if container is None:
            status, document = missing(name)
            return _json(document, status)
        if what == "json":
            return _json(container.inspected())
        if what == "stats":
            if query.get("stream", "1") in {"0", "false"}:
                return _json(container.stats())
            return Response(HTTPStatus.OK, b"", _JSON, _HEADERS, _samples(container))
        return _logs(container, query)


def _logs(container: Container, query: dict[str, str]) -> Response:
    streams = {STDOUT: _is_true(query.get("stdout")), STDERR: _is_true(query.get("stderr"))}
    wanted = frozenset(stream for stream, asked in streams.items() if asked)
    if not wanted:
        message = "Bad parameters: you must choose at least one stream"
        return _json({"message": message}, HTTPStatus.BAD_REQUEST)
    since_s, until_s = float(query.get("since", 0) or 0), float(query.get("until", 0) or 0)
    lines = [
        line
        for line in container.log.after(0)
        if line.stream in wanted and line.time_ns >= since_s * 1e9 and (not until_s or line.time_ns <= until_s * 1e9)
    ]
    tail = query.get("tail", "all")
    if tail.isdigit():
        lines = lines[len(lines) - min(int(tail), len(lines)) :]
    with_times = _is_true(query.get("timestamps"))
    more = _nothing()
    if _is_true(query.get("follow")):
        more = _follow(container, container.log.newest, wanted, with_times=with_times)
    frames = b"".join(_frame(line, with_times=with_times) for line in lines)
    # the real one sets no type here before API 1.42
    return Response(HTTPStatus.OK, b"", None, _HEADERS, _then(frames, more))


async def _then(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


async def _follow(
    container: Container, number: int, wanted: frozenset[int], *, with_times: bool
) -> AsyncIterator[bytes]:
    """Frames of lines as they come, and nothing now and then, until this run of the container ends."""
    log, began_s = container.log, container.life().started_s
    while True:
        try:
            async with asyncio.timeout(_HEARTBEAT_S):
                await log.wait(number)
        except TimeoutError:
            life = container.life()
            if not life.is_running or life.started_s != began_s:
                return
            yield b""
            continue
        lines = log.after(number)
        number = lines[-1].number
        yield b"".join(_frame(line, with_times=with_times) for line in lines if line.stream in wanted)


async def _samples(container: Container) -> AsyncIterator[bytes]:
    while True:
        yield json.dumps(container.stats()).encode() + b"\n"
        await asyncio.sleep(1.0)


def _frame(line: Line, *, with_times: bool) -> bytes:
    """A line of a container without a terminal: stream, three zeros, length, text."""
    stamp = f"{rfc3339_nano(line.time_ns / 1e9)} " if with_times else ""
    payload = f"{stamp}{line.text}\n".encode()
    return struct.pack(">BxxxI", line.stream, len(payload)) + payload


def _version_refusal(asked: str) -> Response | None:
    version = tuple(map(int, asked.split(".")))
    if version > tuple(map(int, API_VERSION.split("."))):
        limit = f"Maximum supported API version is {API_VERSION}"
        return _json({"message": f"client version {asked} is too new. {limit}"}, HTTPStatus.BAD_REQUEST)
    if version < tuple(map(int, MIN_API_VERSION.split("."))):
        limit = f"Minimum supported API version is {MIN_API_VERSION}, please upgrade your client to a newer version"
        return _json({"message": f"client version {asked} is too old. {limit}"}, HTTPStatus.BAD_REQUEST)
    return None


def _label(request: Request) -> str:
    """Method and path, the name of the container left out."""
    versioned = _VERSIONED.fullmatch(request.path)
    path = versioned[2] if versioned else request.path
    match = _CONTAINER.fullmatch(path)
    return f"{request.method} {f'/containers/{{name}}/{match[2]}' if match else path}"


def _is_true(text: str | None) -> bool:
    return text is not None and text.lower() in {"1", "true"}


def _json(document: Json, status: int = HTTPStatus.OK) -> Response:
    return Response(status, json.dumps(document).encode() + b"\n", _JSON, _HEADERS)
