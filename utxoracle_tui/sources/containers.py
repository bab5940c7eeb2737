"""The client of the Docker Engine API: how containers are, and their logs. It only ever asks.

Nothing is tried again here but a request over a kept connection that turns out closed.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import quote

from utxoracle_tui.sources.containers_errors import DockerFailed, DockerNonsense, NoSuchContainer
from utxoracle_tui.sources.containers_logs import BrokenLog, LogDecoder, LogLine
from utxoracle_tui.sources.containers_replies import (
    Container,
    ContainerStats,
    ContainerSummary,
    EngineVersion,
    Listing,
    read_container,
    read_listing,
    read_stats,
    read_version,
)
from utxoracle_tui.sources.containers_session import DockerAccess, DockerSession, Got
from utxoracle_tui.sources.http import OpenReply
from utxoracle_tui.sources.http_json import GarbledBody

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
"""What Docker takes for a name (moby, daemon/names); ids are such names, too."""
_FRAMED, _RAW = "multiplexed-stream", "raw-stream"
_PING = b"OK"


@dataclass(frozen=True, slots=True)
class Ping:
    """Docker is there."""

    at_s: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class Log:
    """The end of a container's log, the oldest line first."""

    lines: tuple[LogLine, ...]
    at_s: float
    latency_s: float


class DockerEngine:
    """One Docker. Use as an async context manager, or call `aclose`.

    Every method raises `DockerError` when there is no sensible reply, and `NoSuchContainer` for names that Docker
    doesn't know.
    """

    def __init__(self, access: DockerAccess | None = None) -> None:
        self.access = access or DockerAccess()
        self._session = DockerSession(self.access)

    async def __aenter__(self) -> DockerEngine:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.aclose()

    async def ping(self) -> Ping:
        """Whether Docker answers."""
        got = await self._session.get("/_ping", "ping")
        if got.body.strip() != _PING:
            raise DockerNonsense(self._session.socket, "ping", "is not OK")
        return Ping(got.at_s, got.latency_s)

    async def version(self) -> EngineVersion:
        """Versions of Docker and of its API."""
        got = await self._session.get("/version", "version")
        return self._session.read(got, "version", lambda value: read_version(value, got.at_s, got.latency_s))

    async def listing(self) -> Listing:
        """All containers, stopped ones included."""
        return await self._list("/containers/json?all=1")

    async def by_name(self, name: str) -> ContainerSummary | None:
        """The container of exactly this name, or None; Docker's own filter finds all whose names hold it."""
        wanted = quote(json.dumps({"name": [name]}))
        listing = await self._list(f"/containers/json?all=1&filters={wanted}")
        return next((container for container in listing.containers if name in container.names), None)

    async def inspect(self, name: str) -> Container:
        """State, restarts, health and set-up of a container."""
        what = f"container {name}"
        got = await self._session.get(f"{self._path(name)}/json", what, name=name)
        return self._session.read(got, what, lambda value: read_container(value, got.at_s, got.latency_s))

    async def stats(self, name: str) -> ContainerStats:
        """What a container uses now."""
        what = f"stats of {name}"
        got = await self._session.get(f"{self._path(name)}/stats?stream=false&one-shot=true", what, name=name)
        return self._session.read(got, what, lambda value: read_stats(value, got.at_s, got.latency_s))

    async def log(self, name: str, *, tty: bool, tail: int = 200, since_ns: int | None = None) -> Log:
        """The last `tail` lines of a log, of those after `since_ns` (unix nanoseconds) where that is given.

        `tty` is `Container.tty`. Raises `LogsUnavailable` where the log driver doesn't allow it.
        """
        what = f"log of {name}"
        got = await self._session.get(self._log_path(name, tail, since_ns), what, name=name)
        try:
            decoder = _decoder(got, tty)
            lines = [*decoder.feed(got.body), *decoder.finish()]
        except GarbledBody as garbled:
            fault = str(garbled)
        except BrokenLog as broken:
            raise DockerFailed(self._session.socket, what, None, str(broken)) from None
        else:
            return Log(tuple(line for line in lines if _is_after(line, since_ns)), got.at_s, got.latency_s)
        raise DockerNonsense(self._session.socket, what, fault)

    @asynccontextmanager
    async def follow(
        self, name: str, *, tty: bool, tail: int = 0, since_ns: int | None = None
    ) -> AsyncIterator[AsyncIterator[LogLine]]:
        """The lines of a log as they are written; before them the last `tail` ones, or else all after `since_ns`.

        It ends when the container does; to go on after that, or after an error, without losing or repeating lines,
        follow again since the last line's time. Arguments and errors are those of `log`.
        """
        what = f"log of {name}"
        path = f"{self._log_path(name, tail if since_ns is None else None, since_ns)}&follow=1"
        async with (
            self._session.open(path, what, name=name) as reply,
            aclosing(self._lines(reply, what, tty, since_ns)) as lines,
        ):
            yield lines

    async def _lines(
        self, reply: OpenReply, what: str, tty: bool, since_ns: int | None
    ) -> AsyncGenerator[LogLine, None]:
        try:
            decoder = _decoder(reply, tty)
            async for chunk in reply.chunks:
                for line in decoder.feed(chunk):
                    if _is_after(line, since_ns):
                        yield line
            for line in decoder.finish():
                if _is_after(line, since_ns):
                    yield line
        except GarbledBody as garbled:
            raise DockerNonsense(self._session.socket, what, str(garbled)) from None
        except BrokenLog as broken:
            raise DockerFailed(self._session.socket, what, None, str(broken)) from None

    async def _list(self, path: str) -> Listing:
        got = await self._session.get(path, "containers")
        return Listing(self._session.read(got, "containers", read_listing), got.at_s, got.latency_s)

    def _path(self, name: str) -> str:
        """Raises `NoSuchContainer` for what can't be a name."""
        if not _NAME.fullmatch(name):
            raise NoSuchContainer(self._session.socket, name)
        return f"/containers/{name}"

    def _log_path(self, name: str, tail: int | None, since_ns: int | None) -> str:
        since = f"&since={since_ns // 10**9}.{since_ns % 10**9:09d}" if since_ns is not None else ""
        lines = "all" if tail is None else tail
        return f"{self._path(name)}/logs?stdout=1&stderr=1&timestamps=1&tail={lines}{since}"


def _decoder(reply: Got | OpenReply, tty: bool) -> LogDecoder:
    """For what the reply says it is made of, as from API 1.42 on it does, else for what the container's set-up says.

    Raises `GarbledBody` for a web page.
    """
    if reply.content_type.startswith("text/html"):
        raise GarbledBody("is a web page, not a log")
    return LogDecoder(tty=_FRAMED not in reply.content_type and (tty or _RAW in reply.content_type))


def _is_after(line: LogLine, since_ns: int | None) -> bool:
    return since_ns is None or line.time_ns is None or line.time_ns > since_ns
