"""The client of a mempool backend: the exchange price and its history, and what the backend says of itself.

Nothing is tried again here but a request over a kept connection that turns out closed: who asks regularly, asks again.
"""

from __future__ import annotations

from types import TracebackType

import httpx

from utxoracle_tui import clock
from utxoracle_tui.sources.mempool_errors import BackendFailed, BackendNotReady, MempoolError, NotServed
from utxoracle_tui.sources.mempool_replies import (
    BackendInfo,
    ExchangePrice,
    HistoricalPrice,
    Liveness,
    Loading,
    NoPrice,
    NoPriceKind,
    Prices,
    TipHash,
    TipHeight,
    current_price,
    on_a_testnet,
    price_at,
    read_fees,
    read_height,
    read_history,
    read_info,
    read_loading,
    read_prices,
    read_tip_hash,
    without_history,
)
from utxoracle_tui.sources.mempool_session import Got, MempoolAccess, MempoolSession, said_in

SMALL_BYTES = 262_144
"""No reply of one value or object is bigger; a whole table of prices is."""
INIT_DATA_BYTES = 8_388_608
"""The biggest init-data: eight blocks with extras, and the mempool's."""
_TESTNET_WORD = "testnet"


class MempoolBackend:
    """One mempool backend. Use as an async context manager, or call `aclose`.

    Every method raises `MempoolError` when there is no sensible reply.
    """

    def __init__(self, access: MempoolAccess, *, session: MempoolSession | None = None) -> None:
        self.access = access
        self._session = session or MempoolSession(access)

    async def __aenter__(self) -> MempoolBackend:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.aclose()

    async def prices(self) -> Prices:
        """The exchange price with its own time, or why there is none.

        A backend that never had one is asked for an earlier price as well, since only that tells a test network from
        feeds that don't answer.
        """
        what = "prices"
        got = await self._session.get("prices", what, most_bytes=SMALL_BYTES)
        usd = current_price(self._session.read(got, what, read_prices), self._session.service)
        if isinstance(usd, NoPrice) and usd.kind is NoPriceKind.NEVER_PRICED and await self._is_testnet():
            usd = on_a_testnet(self._session.service)
        return Prices(usd, got.at_s, got.latency_s)

    async def historical_price(self, time_s: int) -> HistoricalPrice:
        """The price of the backend's newest row at or before a moment, in unix seconds, or why there is none.

        Raises `ValueError` for a time that isn't positive: the backend would send its whole table.
        """
        if time_s <= 0:
            raise ValueError("prices can be asked for positive times only")
        what = "historical-price"
        path = f"historical-price?currency=USD&timestamp={time_s}"
        got = await self._session.get(
            path, what, most_bytes=SMALL_BYTES, expected=(httpx.codes.BAD_REQUEST, httpx.codes.NOT_FOUND)
        )
        return HistoricalPrice(time_s, self._history_in(got, what, time_s), got.at_s, got.latency_s)

    async def tip_height(self) -> TipHeight:
        """The height of the newest block that it has heard of, which is no proof of life: see `TipHeight`.

        Raises `BackendNotReady` while it knows no block.
        """
        what = "blocks/tip/height"
        got = await self._session.get(what, what, most_bytes=SMALL_BYTES, expected=(httpx.codes.SERVICE_UNAVAILABLE,))
        if got.status == httpx.codes.SERVICE_UNAVAILABLE:
            raise BackendNotReady(self._session.service, "tip height")
        return TipHeight(self._session.read(got, what, read_height), got.at_s, got.latency_s)

    async def tip_hash(self) -> TipHash:
        """The hash of the tip. Raises `NotServed` with BACKEND=esplora, which leaves that to electrs."""
        what = "blocks/tip/hash"
        got = await self._session.get(what, what, most_bytes=SMALL_BYTES, expected=(httpx.codes.NOT_FOUND,))
        if got.status == httpx.codes.NOT_FOUND:
            raise NotServed(self._session.service, what, left_to_electrs=True)
        return TipHash(self._session.read(got, what, read_tip_hash), got.at_s, got.latency_s)

    async def liveness(self) -> Liveness:
        """Whether its data is live: it refuses recommended fees about five seconds after it lost its sources."""
        what = "fees/recommended"
        got = await self._session.get(what, what, most_bytes=SMALL_BYTES, expected=(httpx.codes.SERVICE_UNAVAILABLE,))
        name = self._session.service.title
        if got.status == httpx.codes.SERVICE_UNAVAILABLE:
            text = (
                f"{name} answers and is not in sync: what it says of blocks and fees may be old. It is starting, or "
                "Bitcoin Core or electrs do not answer it."
            )
            return Liveness(False, text, got.at_s, got.latency_s)
        self._session.read(got, what, read_fees)
        return Liveness(True, f"{name} is in sync.", got.at_s, got.latency_s)

    async def info(self) -> BackendInfo:
        """Version and set-up; answered also while Bitcoin Core, electrs and the database are down."""
        what = "backend-info"
        got = await self._session.get(what, what, most_bytes=SMALL_BYTES)
        return self._session.read(got, what, lambda body: read_info(body, got.at_s, got.latency_s))

    async def loading(self) -> Loading:
        """What it is loading. The reply is big, some hundred kilobytes on the main network: don't ask often."""
        what = "init-data"
        got = await self._session.get(what, what, most_bytes=INIT_DATA_BYTES)
        return Loading(self._session.read(got, what, read_loading), got.at_s, got.latency_s)

    def _history_in(self, got: Got, what: str, time_s: int) -> ExchangePrice | NoPrice:
        service = self._session.service
        if got.status == httpx.codes.NOT_FOUND:
            return without_history(service)
        if got.status == httpx.codes.BAD_REQUEST:
            said = said_in(got.body)
            if _TESTNET_WORD in said:
                return on_a_testnet(service)
            raise BackendFailed(service, what, got.status, said)
        return price_at(time_s, self._session.read(got, what, read_history), service)

    async def _is_testnet(self) -> bool:
        """Whether it says so; not when it can't be told."""
        try:
            earlier = await self.historical_price(int(clock.now_s()))
        except MempoolError:
            return False
        return isinstance(earlier.usd, NoPrice) and earlier.usd.kind is NoPriceKind.TESTNET
