"""The public mempool instance, asked only when the operator has switched it on: it learns the operator's address.

Its rules: limits are enforced with HTTP 429, and who goes on can be banned (mempool.space, API documentation). So it
gets at most one request a second, is left alone for as long as it says, or else for a minute, two, four, …, which is
the least when it refuses several times in a row, and is never asked twice for a price of the past.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType

from utxoracle_tui import clock
from utxoracle_tui.sources.http import Backoff
from utxoracle_tui.sources.mempool import MempoolBackend
from utxoracle_tui.sources.mempool_errors import AccessRefused, PriceSource, RateLimited
from utxoracle_tui.sources.mempool_replies import ExchangePrice, HistoricalPrice, Prices
from utxoracle_tui.sources.mempool_session import Got, MempoolAccess, MempoolSession

SPACING_S = 1.0
"""Seconds from the start of one request to the start of the next."""
HOLD_OFF = Backoff(first_s=60.0, most_s=3600.0)
SETTLED_S = 86_400
"""The row for a moment that lies so far back does not change any more: rows are added every hour."""
MOST_CACHED = 10_000
_FULL = 1.0


class _PacedSession(MempoolSession):
    """Requests one after the other, spaced, and none while the server wants none."""

    def __init__(
        self, access: MempoolAccess, sleep: Callable[[float], Awaitable[None]], elapsed_s: Callable[[], float]
    ) -> None:
        super().__init__(access)
        self._sleep = sleep
        self._elapsed_s = elapsed_s
        self._turn = asyncio.Lock()
        self._next_s: float | None = None
        self._held_until_s: float | None = None
        self._refusals = 0

    async def get(self, path: str, what: str, *, most_bytes: int, expected: tuple[int, ...] = ()) -> Got:
        """Get a path when its turn has come.

        Raises `RateLimited`, without a request, while the server wants none, and `MempoolError`.
        """
        async with self._turn:
            now_s = self._elapsed_s()
            if self._held_until_s is not None and now_s < self._held_until_s:
                raise RateLimited(self.service, self._held_until_s - now_s)
            if self._next_s is not None and now_s < self._next_s:
                await self._sleep(self._next_s - now_s)
            self._next_s = self._elapsed_s() + SPACING_S
            try:
                got = await super().get(path, what, most_bytes=most_bytes, expected=expected)
            except RateLimited as limited:
                asked_s = limited.wait_s
            except AccessRefused:
                self._hold_off(None)
                raise
            else:
                self._refusals, self._held_until_s = 0, None
                return got
            raise RateLimited(self.service, self._hold_off(asked_s))

    def _hold_off(self, asked_s: float | None) -> float:
        """Leave the server alone from now on, and tell for how long."""
        self._refusals += 1
        own_s = HOLD_OFF.delay_s(self._refusals, _FULL)
        wait_s = own_s if asked_s is None else asked_s if self._refusals == 1 else max(asked_s, own_s)
        self._held_until_s = self._elapsed_s() + wait_s
        return wait_s


class PublicInstance:
    """The public instance. Use as an async context manager, or call `aclose`.

    Every price that it gives is marked `public`. Raises `ValueError` for an access that isn't, and every method
    `MempoolError` when there is no sensible reply. `sleep` waits for so many seconds, `elapsed_s` measures them.
    """

    def __init__(
        self,
        access: MempoolAccess,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        elapsed_s: Callable[[], float] = clock.elapsed_s,
    ) -> None:
        if access.source is not PriceSource.PUBLIC:
            raise ValueError("the access to the public instance must be marked as public")
        self.access = access
        self._backend = MempoolBackend(access, session=_PacedSession(access, sleep, elapsed_s))
        self._asking = asyncio.Lock()
        self._cached: dict[int, HistoricalPrice] = {}

    async def __aenter__(self) -> PublicInstance:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._backend.aclose()

    async def prices(self) -> Prices:
        """The exchange price with its own time, or why there is none."""
        return await self._backend.prices()

    async def historical_price(self, time_s: int) -> HistoricalPrice:
        """The price at a moment in the past, as of `MempoolBackend`; one that is settled is asked for only once."""
        async with self._asking:
            if time_s in self._cached:
                return self._cached[time_s]
            found = await self._backend.historical_price(time_s)
            if _is_settled(found):
                if len(self._cached) >= MOST_CACHED:
                    del self._cached[next(iter(self._cached))]
                self._cached[time_s] = found
            return found


def _is_settled(found: HistoricalPrice) -> bool:
    if isinstance(found.usd, ExchangePrice):
        return found.asked_s < found.at_s - SETTLED_S
    return found.usd.kind.is_lasting
