"""Exchanges with one node: credentials, the limit on requests in flight, and what an HTTP status means."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx

from utxoracle_tui import clock
from utxoracle_tui.sources.http import Backoff, ExchangeFailed, Failure, HttpSession, Reply
from utxoracle_tui.sources.http_limits import Load, RequestLimiter, Slot
from utxoracle_tui.sources.node_access import Credentials, NodeAccess, read_credentials
from utxoracle_tui.sources.node_errors import (
    Forbidden,
    NodeBusy,
    NodeError,
    NodeHanging,
    NodeNonsense,
    NodeUnreachable,
    NodeWarmingUp,
    WrongPassword,
    shutting_down,
    unreachable,
)

MOST_BLOCK_BYTES = 4_000_000
"""No block is bigger (`MAX_BLOCK_SERIALIZED_SIZE` of Bitcoin Core)."""
MOST_RPC_BYTES = 2 * MOST_BLOCK_BYTES + 1_000_000
"""The biggest reply is a block in hexadecimal."""
_WARM_UP = b"Service temporarily unavailable:"
_QUEUE_FULL = b"Work queue depth exceeded"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long a failing request is tried again, by the way it fails, in seconds; 0: not at all."""

    busy_s: float = 30.0
    warming_up_s: float = 0.0
    unreachable_s: float = 0.0
    """Also for a node that hangs."""

    def for_error(self, error: NodeError) -> float:
        """The span for this error; errors that another try can't mend have none."""
        match error:
            case NodeBusy():
                return self.busy_s
            case NodeWarmingUp():
                return self.warming_up_s
            case NodeUnreachable() | NodeHanging():
                return self.unreachable_s
            case _:
                return 0.0


OnRetry = Callable[[NodeError, float], None]


class NodeSession:
    """What all requests to one node share.

    `on_retry` is told of every failure that is tried again, and in how many seconds; `sleep` waits for so many seconds
    and `jitter` gives random numbers from 0 to 1.
    """

    def __init__(
        self,
        access: NodeAccess,
        *,
        on_retry: OnRetry | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.access = access
        self.numbers = itertools.count(1)
        self.rest_headers_fail = False
        """Whether REST, if it is on, is too old to be asked for headers."""
        self.prune_height: int | None = None
        self._on_retry = on_retry
        self._sleep = sleep
        self._jitter = jitter
        self._backoff = Backoff()
        self._limiter = RequestLimiter(access.max_in_flight)
        self._credentials: Credentials | None = None
        self._address_allowed: bool | None = None
        self._rest_off_since: int | None = None
        self._http = self._open(keep_alive=True)
        self._bodies_http = self._http if access.reuse_connections else self._open(keep_alive=False)

    def _open(self, *, keep_alive: bool) -> HttpSession:
        return HttpSession(
            self.access.url,
            connect_timeout_s=self.access.connect_timeout_s,
            read_timeout_s=self.access.read_timeout_s,
            keep_alive=keep_alive,
        )

    @property
    def load(self) -> Load:
        """Requests in flight and waiting."""
        return self._limiter.load

    @property
    def rest_is_off(self) -> bool:
        """Whether the node was found to have no REST; not believed any longer than its connection lasts."""
        return self._rest_off_since == self._http.connections

    def found_rest_off(self) -> None:
        """Note that the node has no REST."""
        self._rest_off_since = self._http.connections

    async def aclose(self) -> None:
        """Close all connections."""
        try:
            await self._http.aclose()
        finally:
            await self._bodies_http.aclose()

    async def patiently(self, attempt: Callable[[], Awaitable[T]], patience: Patience) -> T:
        """Make an attempt, again and again while its errors are worth the patience; raises the last of them."""
        tries, spent_s = 0, 0.0
        while True:
            started_s = clock.elapsed_s()
            try:
                return await attempt()
            except NodeError as error:
                failed = error
            tries += 1
            spent_s += clock.elapsed_s() - started_s
            delay_s = self._backoff.delay_s(tries, self._jitter())
            if spent_s + delay_s > patience.for_error(failed):
                if tries > 1:
                    failed.note_tries(tries, spent_s)
                raise failed
            if self._on_retry is not None:
                self._on_retry(failed, delay_s)
            await self._sleep(delay_s)
            spent_s += delay_s

    async def rpc(self, content: bytes, method: str, *, batch: bool = False, body: bool = False) -> Reply:
        """Send a JSON-RPC request, one call or a batch; `body` says that a whole block will come.

        Raises `NodeError`, by what can be told without reading the reply's body as JSON.
        """
        what = f"a batch of {method}" if batch else method
        async with self._limiter.slot(ahead=not body) as slot:
            credentials = await self._current_credentials()
            reply = await self._send(slot, what, body=body, content=content, credentials=credentials)
            if reply.status == httpx.codes.UNAUTHORIZED:
                credentials = await self._other_credentials(credentials)
                reply = await self._send(slot, what, body=body, content=content, credentials=credentials)
                if reply.status == httpx.codes.UNAUTHORIZED:
                    raise self._refused(credentials)
        if reply.status == httpx.codes.FORBIDDEN:
            raise Forbidden(self.access.host, method, address_allowed=self._address_allowed)
        return reply

    async def rest(self, path: str, what: str, *, body: bool = False) -> Reply:
        """Get a REST path, for which a node asks no credentials. Raises `NodeError`."""
        async with self._limiter.slot(ahead=not body) as slot:
            reply = await self._send(slot, what, body=body, path=path)
        if reply.status == httpx.codes.FORBIDDEN:
            raise Forbidden(self.access.host, what, address_allowed=False)
        return reply

    async def _send(
        self,
        slot: Slot,
        what: str,
        *,
        body: bool,
        path: str = "/",
        content: bytes | None = None,
        credentials: Credentials | None = None,
    ) -> Reply:
        http = self._bodies_http if body else self._http
        most_bytes = MOST_BLOCK_BYTES if content is None else MOST_RPC_BYTES
        failed: ExchangeFailed | None = None
        try:
            reply = await http.exchange(
                "GET" if content is None else "POST",
                path,
                content=content,
                auth=_basic(credentials),
                most_bytes=most_bytes,
            )
        except ExchangeFailed as error:
            failed = error
        if failed is not None:
            raise self._broken(slot, what, failed)
        if reply.status == httpx.codes.SERVICE_UNAVAILABLE:
            raise self._unavailable(slot, reply)
        if reply.status != httpx.codes.FORBIDDEN:
            self._address_allowed = True
        if reply.status not in (httpx.codes.FORBIDDEN, httpx.codes.UNAUTHORIZED):
            self._limiter.served(slot, f"{what} body" if body else what, reply.wait_s)
        return reply

    def _broken(self, slot: Slot, what: str, failed: ExchangeFailed) -> NodeError:
        match failed.failure:
            case Failure.TOO_BIG:
                return NodeNonsense(self.access.host, what, f"is too big ({failed.detail})")
            case Failure.GARBLED:
                return NodeNonsense(self.access.host, what, "is not HTTP")
            case Failure.SILENT:
                self._limiter.overloaded(slot)
                return NodeHanging(self.access.host, what, self.access.read_timeout_s)
            case _:
                self._forget()
                return unreachable(self.access.host, failed)

    def _unavailable(self, slot: Slot, reply: Reply) -> NodeError:
        if reply.body.startswith(_WARM_UP):
            return NodeWarmingUp(self.access.host, reply.body[len(_WARM_UP) :].decode(errors="replace"))
        if reply.body.startswith(_QUEUE_FULL):
            self._limiter.overloaded(slot)
            return NodeBusy(self.access.host)
        self._forget()
        return shutting_down(self.access.host)

    def _forget(self) -> None:
        """What was known of a node that is gone need not hold for the one that comes back."""
        self._credentials = None
        self._address_allowed = None
        self._rest_off_since = None
        self.rest_headers_fail = False

    async def _current_credentials(self) -> Credentials:
        if self._credentials is None:
            self._credentials = await asyncio.to_thread(read_credentials, self.access)
        return self._credentials

    async def _other_credentials(self, refused: Credentials) -> Credentials:
        """What to use in place of refused credentials: a node writes another cookie at each start."""
        if self._credentials is refused:
            self._credentials = None
        current = await self._current_credentials()
        if current == refused:
            raise self._refused(refused)
        self._rest_off_since = None
        self.rest_headers_fail = False
        return current

    def _refused(self, credentials: Credentials) -> WrongPassword:
        self._credentials = None
        return WrongPassword(self.access.host, credentials.cookie_path)


def _basic(credentials: Credentials | None) -> httpx.Auth | None:
    return httpx.BasicAuth(credentials.user, credentials.password.reveal()) if credentials is not None else None
