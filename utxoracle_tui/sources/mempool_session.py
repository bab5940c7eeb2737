"""Exchanges with one mempool backend, and what an HTTP status means there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from utxoracle_tui import clock
from utxoracle_tui.sources.http import ExchangeFailed, HttpSession, Reply, clean_text, host_of, redact_url
from utxoracle_tui.sources.http_json import Fields, GarbledBody, parse_json
from utxoracle_tui.sources.mempool_errors import (
    AccessRefused,
    BackendFailed,
    BackendHanging,
    BackendNonsense,
    MempoolError,
    NotServed,
    PriceSource,
    ProxyUnusable,
    RateLimited,
    Service,
    no_exchange,
    only_the_front_end,
)

LONGEST_WAIT_S = 86_400.0
"""No server is obeyed for longer than this when it says how long to wait."""
_PREFIXES = ("/api/v1", "/api")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MempoolAccess:
    """Where a mempool backend is. Raises `ValueError` for a URL that can't be used or carries credentials.

    The URL is that of the backend itself (port 8999) or of its front end, as `http://127.0.0.1:8999`; what stands
    before `/api/v1` in its paths may follow, and `/api` or `/api/v1` at its end does no harm.
    """

    url: str
    source: PriceSource = PriceSource.OWN
    connect_timeout_s: float = 5.0
    timeout_s: float = 10.0
    """How long a whole reply may take."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if "@" in parts.netloc:
            raise ValueError("the URL of a mempool backend must carry no credentials")
        try:
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
            (parts.hostname or "").encode("idna")
        except ValueError:
            usable = False
        if not usable or parts.query or parts.fragment:
            example = "http://127.0.0.1:8999"
            raise ValueError(f"{redact_url(self.url)!r} is not the URL of a mempool backend; write it as {example}")

    @property
    def base_url(self) -> str:
        """What the paths from `/api/v1` on are appended to."""
        base = self.url.rstrip("/")
        for prefix in _PREFIXES:
            base = base.removesuffix(prefix)
        return base

    @property
    def service(self) -> Service:
        """The server, as errors name it."""
        return Service(host_of(self.url), self.source)


@dataclass(frozen=True, slots=True)
class Got:
    """A reply with its time."""

    status: int
    body: bytes
    at_s: float
    latency_s: float


class MempoolSession:
    """GET requests to one backend. Proxies in the environment are used for the public instance alone."""

    def __init__(self, access: MempoolAccess) -> None:
        self.service = access.service
        self._access = access
        self._http: HttpSession | None = None

    async def get(self, path: str, what: str, *, most_bytes: int, expected: tuple[int, ...] = ()) -> Got:
        """Get a path below `/api/v1/`; a status other than 200 and those expected is an error.

        Raises `MempoolError`.
        """
        started_s = clock.elapsed_s()
        failed: ExchangeFailed | None = None
        late = False
        http = self._opened()
        try:
            async with asyncio.timeout(self._access.timeout_s):
                reply = await http.exchange("GET", f"/api/v1/{path}", most_bytes=most_bytes)
        except ExchangeFailed as error:
            failed = error
        except TimeoutError:
            late = True
        if late:
            raise BackendHanging(self.service, what, self._access.timeout_s)
        if failed is not None:
            raise no_exchange(self.service, what, failed, self._access.timeout_s)
        if reply.status != httpx.codes.OK and reply.status not in expected:
            raise self._status_error(reply, what)
        return Got(reply.status, reply.body, clock.now_s(), clock.elapsed_s() - started_s)

    def read(self, got: Got, what: str, reader: Callable[[bytes], T]) -> T:
        """Read a reply's body; raises `BackendNonsense` where it is garbled."""
        try:
            return reader(got.body)
        except GarbledBody as garbled:
            fault = f"{garbled}" if got.status == httpx.codes.OK else f"{garbled} (HTTP {got.status})"
        raise BackendNonsense(self.service, what, fault)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._http is not None:
            await self._http.aclose()

    def _opened(self) -> HttpSession:
        if self._http is None:
            try:
                self._http = HttpSession(
                    self._access.base_url,
                    connect_timeout_s=self._access.connect_timeout_s,
                    read_timeout_s=self._access.timeout_s,
                    keep_alive=True,
                    use_proxy=self._access.source is PriceSource.PUBLIC,
                )
            except (ImportError, ValueError, httpx.InvalidURL):
                # the HTTP client looks at the proxies of the environment as soon as it is made
                raise ProxyUnusable(self.service) from None
        return self._http

    def _status_error(self, reply: Reply, what: str) -> MempoolError:
        match reply.status:
            case 401 | 403 | 407:
                return AccessRefused(self.service, what, reply.status)
            case 404:
                return NotServed(self.service, what)
            case 429:
                return RateLimited(self.service, retry_after_s(reply))
            case 502 | 504:
                return only_the_front_end(self.service, what, reply.status)
            case status if 300 <= status < 400:
                target = clean_text(redact_url(reply.headers.get("location", ""))) or "nowhere"
                return BackendNonsense(self.service, what, f"sends to {target} (HTTP {status}), which is not followed")
            case status:
                return BackendFailed(self.service, what, status, said_in(reply.body))


def said_in(body: bytes) -> str:
    """The words of an error: the `error` of a JSON object, or a short text that isn't a web page."""
    try:
        return Fields(parse_json(body)).text("error") or ""
    except GarbledBody:
        text = clean_text(body[:1000].decode(errors="replace"))
        return "" if text.startswith("<") else text


def retry_after_s(reply: Reply) -> float | None:
    """Seconds to wait by the `Retry-After` header, at most a day: a number, or a date (RFC 9110, section 10.2.3).

    A date is measured against the reply's own `Date`, so that clocks needn't agree.
    """
    text = reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        wait_s = float(text[:12])
    else:
        until = _date_s(text)
        if until is None:
            return None
        sent = _date_s(reply.headers.get("date", ""))
        wait_s = until - (sent if sent is not None else clock.now_s())
    return min(max(wait_s, 0.0), LONGEST_WAIT_S)


def _date_s(text: str) -> float | None:
    try:
        date: datetime = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
