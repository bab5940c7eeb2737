"""The client of electrs: its metrics, which are there from its first second, and its REST, which comes last of all.

Nothing is tried again here; who watches asks again. Proxies in the environment are ignored.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit

import httpx

from utxoracle_tui import clock
from utxoracle_tui.sources.electrs_errors import Door, ElectrsHanging, NotElectrs, Port, no_exchange
from utxoracle_tui.sources.electrs_metrics import MetricsPage, NoMetrics, read_page
from utxoracle_tui.sources.http import ExchangeFailed, HttpSession, Reply, clean_text, host_of, redact_url

MOST_METRICS_BYTES = 4_194_304
"""A page has some 30 kB."""
MOST_REST_BYTES = 65_536
_MADE_BY = "x-powered-by"
_MOST_HEIGHT_DIGITS = 9


@dataclass(frozen=True, slots=True)
class ElectrsAccess:
    """Where electrs is. Raises `ValueError` for a URL that can't be used or carries credentials."""

    rest_url: str | None = None
    """As `http://127.0.0.1:3000`; None where REST isn't to be asked."""
    metrics_url: str | None = None
    """As `http://127.0.0.1:4224`; any path will do."""
    connect_timeout_s: float = 3.0
    timeout_s: float = 10.0
    """How long a whole reply may take."""

    def __post_init__(self) -> None:
        for url in (self.rest_url, self.metrics_url):
            if url is not None:
                _check(url)


def _check(url: str) -> None:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("the URL of electrs must carry no credentials")
    try:
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        raise ValueError(f"{redact_url(url)!r} is not the URL of electrs; write it as http://127.0.0.1:3000")


@dataclass(frozen=True, slots=True)
class Tip:
    """What REST says of the tip: that of the last finished update, which may be long ago."""

    height: int
    version: str | None
    """As `mempool-electrs 3.1.0-dev`."""
    at_s: float
    """Unix seconds."""
    latency_s: float


class Electrs:
    """One electrs. Use as an async context manager, or call `aclose`. Reading methods raise `ElectrsError`."""

    def __init__(self, access: ElectrsAccess) -> None:
        self.access = access
        self._sessions: dict[Port, HttpSession] = {}

    async def __aenter__(self) -> Electrs:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            await session.aclose()
        self._sessions.clear()

    async def metrics(self) -> MetricsPage:
        """Its metrics. Raises `ValueError` where there is no address for them."""
        door, url = self._door(Port.METRICS, self.access.metrics_url)
        reply, at_s = await self._get(door, url, "/metrics", MOST_METRICS_BYTES)
        if reply.status != httpx.codes.OK:
            raise NotElectrs(door, f"has the status {reply.status}")
        try:
            return read_page(reply.body, at_s, reply.wait_s)
        except NoMetrics as error:
            fault = str(error)
        raise NotElectrs(door, fault)

    async def tip(self) -> Tip:
        """The height of its tip. Raises `ValueError` where there is no address for REST."""
        door, url = self._door(Port.REST, self.access.rest_url)
        reply, at_s = await self._get(door, url, "/blocks/tip/height", MOST_REST_BYTES)
        text = reply.body.decode(errors="replace").strip()
        if reply.status != httpx.codes.OK:
            raise NotElectrs(door, f"has the status {reply.status}")
        if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_HEIGHT_DIGITS):
            raise NotElectrs(door, "is a web page" if text.startswith("<") else "is no height")
        version = reply.headers.get(_MADE_BY)
        return Tip(int(text), clean_text(version) if version else None, at_s, reply.wait_s)

    def _door(self, port: Port, url: str | None) -> tuple[Door, str]:
        if url is None:
            raise ValueError(f"there is no address for electrs's {port}")
        return Door(port, host_of(url)), url

    async def _get(self, door: Door, url: str, path: str, most_bytes: int) -> tuple[Reply, float]:
        access = self.access
        if door.port not in self._sessions:
            # the metrics server has one thread: a kept connection would keep everybody else out
            self._sessions[door.port] = HttpSession(
                url,
                connect_timeout_s=access.connect_timeout_s,
                read_timeout_s=access.timeout_s,
                keep_alive=door.port is Port.REST,
            )
        failed: ExchangeFailed | None = None
        try:
            async with asyncio.timeout(access.timeout_s):
                reply = await self._sessions[door.port].exchange("GET", path, most_bytes=most_bytes)
        except ExchangeFailed as error:
            failed = error
        except TimeoutError:
            failed = None
        else:
            return reply, clock.now_s()
        if failed is None:
            raise ElectrsHanging(door, access.timeout_s)
        raise no_exchange(door, failed, access.timeout_s)
