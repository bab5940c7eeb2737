"""The exchange price of this moment: from the operator's backend, from the public instance where that is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from utxoracle_tui import clock
from utxoracle_tui.sources.mempool_errors import MempoolError, PriceSource
from utxoracle_tui.sources.mempool_replies import ExchangePrice, HistoricalPrice, Prices
from utxoracle_tui.store.records import ExchangeReading, ExchangeSource


class PriceServer(Protocol):
    """What says the exchange price."""

    async def prices(self) -> Prices:
        """The price, or why there is none. Raises `MempoolError`."""

    async def historical_price(self, time_s: int) -> HistoricalPrice:
        """The price of the newest row at or before a moment, or why there is none. Raises `MempoolError`."""

    async def aclose(self) -> None:
        """Close all connections."""


@dataclass(frozen=True, slots=True)
class ExchangeNow:
    """The exchange price, or what is known of why there is none."""

    reading: ExchangeReading | None
    host: str | None
    troubles: tuple[str, ...]
    """A sentence for each server that had no price."""
    unreachable: bool = False
    """Whether the trouble is that servers don't answer."""


Listener = Callable[[ExchangeNow, float], None]
"""Is told what was found, and when it was asked for on the clock for spans."""


class Exchange:
    """Asks the servers in turn until one has a price."""

    def __init__(self, servers: tuple[PriceServer, ...]) -> None:
        self._servers = servers
        self._listeners: list[Listener] = []

    async def __aenter__(self) -> Exchange:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        for server in self._servers:
            await server.aclose()

    @contextmanager
    def overheard(self, listener: Listener) -> Iterator[None]:
        """Have a listener told of every answer, whoever has asked: all say the same of the price then."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    async def now(self) -> ExchangeNow:
        """The price of the first server that has one; its source is in the reading."""
        started_s = clock.elapsed_s()
        found = await self._ask()
        for listener in self._listeners:
            listener(found, started_s)
        return found

    async def _ask(self) -> ExchangeNow:
        troubles: list[str] = []
        unreachable = False
        for server in self._servers:
            try:
                prices = await server.prices()
            except MempoolError as error:
                troubles.append(error.message)
                unreachable = True
                continue
            if isinstance(prices.usd, ExchangePrice):
                return ExchangeNow(_reading(prices.usd, prices.at_s), prices.usd.host, tuple(troubles))
            troubles.append(prices.usd.message)
        return ExchangeNow(None, None, tuple(troubles), unreachable)

    async def at(self, time_s: int) -> ExchangeReading | None:
        """The newest price at or before a moment that the first server knows, which is the operator's own.

        None where it has none, or does not answer. The others are not asked: so much is not asked of a public service.
        """
        try:
            found = await self._servers[0].historical_price(time_s)
        except MempoolError:
            return None
        return _reading(found.usd, found.at_s) if isinstance(found.usd, ExchangePrice) else None


def _reading(price: ExchangePrice, at_s: float) -> ExchangeReading:
    source: ExchangeSource = "public" if price.source is PriceSource.PUBLIC else "own"
    return ExchangeReading(time_s=float(price.time_s), price_usd=price.price_usd, source=source, read_s=at_s)
