"""What the clients of HTTP services share: redaction, back-off, and one exchange."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import h11
import httpx

from utxoracle_tui import __version__, clock

KEEP_ALIVE_S = 20.0
"""An idle connection is given up after this; Bitcoin Core closes its side after 30 s (`-rpcservertimeout`)."""
CLEAN_TEXT_LENGTH = 200


def host_of(url: str) -> str:
    """Host and port of a URL, as errors name them: no credentials, no path."""
    return urlsplit(url).netloc.rpartition("@")[2]


def redact_url(url: str) -> str:
    """A URL fit to be shown: credentials replaced, query and fragment, where tokens travel, left out."""
    parts = urlsplit(url)
    credentials, separator, host = parts.netloc.rpartition("@")
    return urlunsplit((parts.scheme, f"***{separator}{host}" if credentials else host, parts.path, "", ""))


def clean_text(text: str) -> str:
    """What a server wrote, fit for a terminal: one line of printable characters, at most 200."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * CLEAN_TEXT_LENGTH]).split())
    return line if len(line) <= CLEAN_TEXT_LENGTH else line[: CLEAN_TEXT_LENGTH - 1] + "…"


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before another try: doubling, and half of it random, so that clients don't come in step."""

    first_s: float = 0.2
    most_s: float = 5.0

    def delay_s(self, failures: int, jitter: float) -> float:
        """The wait after so many failures (1 or more); `jitter` is a random number from 0 to 1."""
        return min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 32)) * (0.5 + 0.5 * jitter)


class Failure(StrEnum):
    """How an exchange can fail below the level of HTTP."""

    REFUSED = "refused"
    NAME = "name"
    """The host's name is not known."""
    NO_CONNECTION = "no_connection"
    """No connection within the time-out, or no way to the host."""
    NO_SOCKET = "no_socket"
    """There is no such unix socket."""
    DENIED = "denied"
    """The system does not let this user connect."""
    PROXY = "proxy"
    """The proxy in between refuses."""
    TLS = "tls"
    CLOSED = "closed"
    """The connection was closed or reset before the reply was whole."""
    SILENT = "silent"
    """Nothing came within the time-out."""
    GARBLED = "garbled"
    """What came is not HTTP."""
    TOO_BIG = "too_big"


class ExchangeFailed(Exception):
    """No reply was had. `detail` is the system's word for it, if there is one."""

    def __init__(self, failure: Failure, detail: str = "") -> None:
        self.failure = failure
        self.detail = detail
        super().__init__(failure, detail)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP reply."""

    status: int
    content_type: str
    body: bytes
    wait_s: float
    """Seconds until its first byte, connecting included."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By name, in lower case."""


@dataclass(frozen=True, slots=True)
class OpenReply:
    """A reply whose body is still to come."""

    status: int
    content_type: str
    chunks: AsyncIterator[bytes]
    """The body as it arrives; raises `ExchangeFailed` where it breaks off."""


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    content: bytes | None
    auth: httpx.Auth | None
    headers: Mapping[str, str] | None


class HttpSession:
    """Exchanges with one server, over TCP or over a unix socket.

    Proxies in the environment are ignored unless `use_proxy` says otherwise: they would see the password.
    """

    def __init__(
        self,
        url: str,
        *,
        connect_timeout_s: float,
        read_timeout_s: float,
        keep_alive: bool,
        use_proxy: bool = False,
        socket_path: Path | None = None,
    ) -> None:
        self.connections = 0
        """How many were opened so far."""
        self._base = url.rstrip("/")
        self._is_closed = False
        # a context without authorities is made in no time, trusts nobody, and is never asked over plain HTTP
        is_tls = urlsplit(url).scheme == "https"
        trust = ssl.create_default_context() if is_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        limits = httpx.Limits(max_keepalive_connections=None if keep_alive else 0, keepalive_expiry=KEEP_ALIVE_S)
        self._client = httpx.AsyncClient(
            trust_env=use_proxy,
            verify=trust,
            follow_redirects=False,
            timeout=httpx.Timeout(read_timeout_s, connect=connect_timeout_s, pool=None),
            limits=limits,
            transport=(
                httpx.AsyncHTTPTransport(uds=str(socket_path), verify=trust, limits=limits, trust_env=False)
                if socket_path
                else None
            ),
            headers={
                "Accept": "*/*",
                "User-Agent": f"utxoracle-tui/{__version__}",
                "Accept-Encoding": "identity",
                "Connection": "keep-alive" if keep_alive else "close",
            },
        )

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        auth: httpx.Auth | None = None,
        headers: Mapping[str, str] | None = None,
        most_bytes: int,
    ) -> Reply:
        """Send one request and read the whole reply, of at most `most_bytes`.

        A kept connection may have been closed by the server just as the request went out; such a request is sent
        once more, over a new one. Raises `ExchangeFailed`.
        """
        request = _Request(method, path, content, auth, headers)
        outcome, stale = await self._try(request, most_bytes)
        if stale and not self._is_closed:
            outcome, _ = await self._try(request, most_bytes)
        if isinstance(outcome, Reply):
            return outcome
        raise outcome

    @asynccontextmanager
    async def open(self, method: str, path: str) -> AsyncIterator[OpenReply]:
        """Send one request and hand out its reply before the body is there, which may take as long as it will.

        Raises `ExchangeFailed`, on the way in and while the chunks are read.
        """
        connect_s, head_s = self._client.timeout.connect, self._client.timeout.read
        request = self._client.build_request(method, self._base + path, timeout=httpx.Timeout(None, connect=connect_s))
        failed: ExchangeFailed | None = None
        try:
            async with asyncio.timeout(head_s):
                response = await self._client.send(request, stream=True)
        except httpx.TransportError as error:
            failed = _failed(error, answered=False)
        except TimeoutError:
            failed = ExchangeFailed(Failure.SILENT)
        if failed is not None:
            raise failed
        try:
            yield OpenReply(response.status_code, response.headers.get("content-type", ""), _chunks(response))
        finally:
            await response.aclose()
            await self._let_go(response)

    async def aclose(self) -> None:
        """Close all connections, those of requests that are under way as well; one that is only being made is closed
        as soon as its request has ended."""
        self._is_closed = True
        await self._client.aclose()

    async def _let_go(self, response: httpx.Response) -> None:
        """Close the connection of a reply that came when the session was closed: nobody else knows of it any more."""
        if self._is_closed:
            await response.extensions["network_stream"].aclose()

    async def _try(self, request: _Request, most_bytes: int) -> tuple[Reply | ExchangeFailed, bool]:
        """The reply or the failure, and whether it is a kept connection's that had gone stale.

        Failures are returned: raised from inside the handler they would carry frames of httpx, in whose local
        variables the credentials stand.
        """
        connected = answered = False

        async def trace(event: str, _: object) -> None:
            nonlocal connected
            if event in ("connection.connect_tcp.started", "connection.connect_unix_socket.started"):
                connected = True
                self.connections += 1

        started_s = clock.elapsed_s()
        try:
            async with self._client.stream(
                request.method,
                self._base + request.path,
                content=request.content,
                auth=request.auth,
                headers=request.headers,
                extensions={"trace": trace},
            ) as response:
                answered = True
                wait_s = clock.elapsed_s() - started_s
                body = await _read_body(response, most_bytes)
            await self._let_go(response)
        except httpx.TransportError as error:
            failed = _failed(error, answered=answered)
            return failed, failed.failure is Failure.CLOSED and not connected and not answered
        if body is None:
            return ExchangeFailed(Failure.TOO_BIG, f"more than {most_bytes:,} bytes"), False
        content_type = response.headers.get("content-type", "")
        return Reply(response.status_code, content_type, body, wait_s, dict(response.headers)), False


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    failed: ExchangeFailed | None = None
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    except httpx.TransportError as error:
        failed = _failed(error, answered=True)
    if failed is not None:
        raise failed


async def _read_body(response: httpx.Response, most_bytes: int) -> bytes | None:
    """The body, or None when it is too big."""
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most_bytes:
        return None
    chunks, size = [], 0
    async for chunk in response.aiter_raw():
        chunks.append(chunk)
        size += len(chunk)
        if size > most_bytes:
            return None
    return b"".join(chunks)


def _failed(error: httpx.TransportError, *, answered: bool) -> ExchangeFailed:
    causes = list(_causes(error))
    system = next((cause for cause in causes if isinstance(cause, OSError) and cause.errno), None)
    detail = clean_text(system.strerror or "") if system is not None else ""
    if isinstance(error, httpx.ConnectTimeout):
        return ExchangeFailed(Failure.NO_CONNECTION, "no answer")
    if isinstance(error, httpx.TimeoutException):
        return ExchangeFailed(Failure.SILENT)
    if isinstance(error, httpx.ProxyError):
        detail = clean_text(str(error))
    for kind, failure in (
        (httpx.ProxyError, Failure.PROXY),
        (ssl.SSLError, Failure.TLS),
        (socket.gaierror, Failure.NAME),
        (ConnectionRefusedError, Failure.REFUSED),
        (FileNotFoundError, Failure.NO_SOCKET),
        (PermissionError, Failure.DENIED),
    ):
        if any(isinstance(cause, kind) for cause in causes):
            return ExchangeFailed(failure, detail)
    if isinstance(error, httpx.ConnectError):
        return ExchangeFailed(Failure.NO_CONNECTION, detail)
    if not answered and any(isinstance(cause, h11.RemoteProtocolError) for cause in causes):
        return ExchangeFailed(Failure.GARBLED)
    return ExchangeFailed(Failure.CLOSED, detail)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it came from."""
    yield error
    inner = error.__cause__ or error.__context__
    if inner is not None:
        yield from _causes(inner)
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _causes(member)
