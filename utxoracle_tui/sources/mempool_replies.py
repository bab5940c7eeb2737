"""What a mempool backend says, read from its replies.

Paths and shapes: mempool/mempool 3.4-dev, backend/src/api and backend/src/repositories/PricesRepository.ts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from utxoracle_tui.formats import utc_minute
from utxoracle_tui.sources.http import clean_text
from utxoracle_tui.sources.http_json import Fields, GarbledBody, parse_json
from utxoracle_tui.sources.mempool_errors import PriceSource, Service

FIRST_PRICE_S = 1_279_497_600
"""2010-07-19: the oldest price of the table that the backend ships with."""
LATEST_TIME_S = 1 << 33
"""Times beyond this, in the year 2242, are no unix seconds."""
_HASH = re.compile(r"[0-9a-f]{64}")
_HEIGHT = re.compile(r"[0-9]{1,9}")


class NoPriceKind(StrEnum):
    """Why there is no price."""

    PRICE_MISSING = "price_missing"
    """The backend has no dollar price at this time."""
    NEVER_PRICED = "never_priced"
    """It has never had one since it was started."""
    TESTNET = "testnet"
    """Test networks have no price."""
    BEFORE_HISTORY = "before_history"
    """There was none yet."""
    DATABASE_DOWN = "database_down"
    """The backend can't read its table of prices."""
    NO_HISTORY = "no_history"
    """The backend is set up without one."""

    @property
    def is_lasting(self) -> bool:
        """Whether asking again later is of no use."""
        return self in (NoPriceKind.TESTNET, NoPriceKind.BEFORE_HISTORY)


@dataclass(frozen=True, slots=True)
class ExchangePrice:
    """A price of the exchanges: the median of the feeds that the backend asks."""

    price_usd: float
    """Above 0, finite; whole dollars but for old rows."""
    time_s: int
    """Unix seconds of the price itself. It stands still while the feeds fail: judge the price by the age of this."""
    source: PriceSource
    host: str


@dataclass(frozen=True, slots=True)
class NoPrice:
    """No price, and why."""

    kind: NoPriceKind
    message: str
    """A sentence for the operator."""
    source: PriceSource
    host: str


@dataclass(frozen=True, slots=True)
class Prices:
    """What the backend says of the price now."""

    usd: ExchangePrice | NoPrice
    at_s: float
    """Unix seconds when the reply was there."""
    latency_s: float


@dataclass(frozen=True, slots=True)
class HistoricalPrice:
    """What the backend says of the price at a moment in the past: its newest row at or before it."""

    asked_s: int
    """The moment asked for, unix seconds."""
    usd: ExchangePrice | NoPrice
    at_s: float
    latency_s: float

    @property
    def row_age_s(self) -> int | None:
        """Seconds from the row's time to the moment asked for: an hour at best, a week in old years."""
        return self.asked_s - self.usd.time_s if isinstance(self.usd, ExchangePrice) else None


@dataclass(frozen=True, slots=True)
class TipHeight:
    """The height of the newest block that the backend has heard of.

    No proof of life: it stays at its last value, with HTTP 200, when Bitcoin Core or electrs have died.
    """

    height: int
    at_s: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class TipHash:
    """The hash of the tip, asked from Bitcoin Core or electrs by the backend."""

    block_hash: str
    at_s: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class Liveness:
    """Whether the backend has live data."""

    live: bool
    message: str
    """A sentence for the operator."""
    at_s: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """Version and set-up."""

    version: str | None
    git_commit: str | None
    backend: str
    """Where it has addresses and transactions from: `none` (Bitcoin Core), `electrum` or `esplora` (electrs)."""
    core_version: str | None
    """As `/Satoshi:28.1.0/`; None while it has not reached Bitcoin Core. Read anew every ten minutes only."""
    at_s: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class Indicator:
    """Something that the backend is loading."""

    name: str
    """`mempool`, `block-indexing`, `daily-hashrate-indexing`, …"""
    progress_pct: float


@dataclass(frozen=True, slots=True)
class Loading:
    """What the backend is loading; empty when idle, and no proof of life then."""

    indicators: tuple[Indicator, ...]
    at_s: float
    latency_s: float

    @property
    def out_of_sync(self) -> bool:
        """Whether its mempool is not in sync, as when it starts or can't reach electrs."""
        return any(indicator.name == "mempool" for indicator in self.indicators)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of prices; `usd` is None where it has none."""

    time_s: int
    usd: float | None


def read_prices(body: bytes) -> Row | None:
    """Read `/prices`: None for an empty body; a time of 0 says that there never was a price.

    −1 stands for a price that is missing, and so does 0, the database's default. Raises `GarbledBody`.
    """
    return _row(Fields(parse_json(body))) if body.strip() else None


def read_history(body: bytes) -> list[Row] | None:
    """Read `/historical-price`, in its order: None for the empty body of a failed query. Raises `GarbledBody`."""
    if not body.strip():
        return None
    rows = Fields(parse_json(body)).items("prices")
    if rows is None:
        raise GarbledBody("has no list of prices")
    return [_row(Fields(row)) for row in rows]


def _row(fields: Fields) -> Row:
    time_s = fields.whole("time")
    if time_s is None or not 0 <= time_s < LATEST_TIME_S:
        raise GarbledBody("has no time in unix seconds")
    usd = fields.real("USD")
    if usd is None and "USD" in fields:
        raise GarbledBody("has a dollar price that is no number")
    return Row(time_s, usd if usd is not None and usd > 0 else None)


def current_price(row: Row | None, service: Service) -> ExchangePrice | NoPrice:
    """The price in the reply to `/prices`."""
    if row is not None and row.usd is not None and row.time_s > 0:
        return ExchangePrice(row.usd, row.time_s, service.source, service.host)
    if row is None:
        kind, why = NoPriceKind.PRICE_MISSING, "answers the question for the price with nothing"
    elif row.time_s == 0:
        kind = NoPriceKind.NEVER_PRICED
        why = "has had no exchange price since it was started: none of its feeds answers it, or it is only starting"
    else:
        kind = NoPriceKind.PRICE_MISSING
        why = f"has no dollar price among its prices of {utc_minute(row.time_s)} UTC: its feeds give none"
    return NoPrice(kind, f"{service.title} {why}.", service.source, service.host)


def price_at(asked_s: int, rows: list[Row] | None, service: Service) -> ExchangePrice | NoPrice:
    """The price in the reply to `/historical-price` for a moment: that of the newest row not after it."""
    moment = f"{utc_minute(asked_s)} UTC"
    earlier = [row for row in rows or () if row.time_s <= asked_s]
    newest = max(earlier, key=lambda row: row.time_s, default=None)
    if newest is not None and newest.usd is not None:
        return ExchangePrice(newest.usd, newest.time_s, service.source, service.host)
    if rows is None:
        kind = NoPriceKind.DATABASE_DOWN
        why = "answers the question for an earlier price with nothing, as it does when its database is down"
    elif asked_s < FIRST_PRICE_S:
        kind, why = NoPriceKind.BEFORE_HISTORY, f"has no price of {moment}: there is none before 2010-07-19"
    elif newest is not None:
        kind = NoPriceKind.PRICE_MISSING
        why = f"has no dollar price for {moment}: its row of {utc_minute(newest.time_s)} has none"
    else:
        kind, why = NoPriceKind.PRICE_MISSING, f"has no price at or before {moment}"
    return NoPrice(kind, f"{service.title} {why}.", service.source, service.host)


def without_history(service: Service) -> NoPrice:
    """The absence for a backend that has no `/historical-price` (HTTP 404)."""
    text = f"{service.title} keeps no earlier prices: DATABASE_ENABLED is off there, or INDEXING_BLOCKS_AMOUNT is 0."
    return NoPrice(NoPriceKind.NO_HISTORY, text, service.source, service.host)


def on_a_testnet(service: Service) -> NoPrice:
    """The absence for a backend on a test network (HTTP 400)."""
    text = f"{service.title} serves a test network, where bitcoin has no price."
    return NoPrice(NoPriceKind.TESTNET, text, service.source, service.host)


def read_height(body: bytes) -> int:
    """Read `/blocks/tip/height`; raises `GarbledBody`."""
    text = body.decode(errors="replace").strip()
    if not _HEIGHT.fullmatch(text):
        raise GarbledBody("is not a height")
    return int(text)


def read_tip_hash(body: bytes) -> str:
    """Read `/blocks/tip/hash`; raises `GarbledBody`."""
    text = body.decode(errors="replace").strip()
    if not _HASH.fullmatch(text):
        raise GarbledBody("is not a hash")
    return text


def read_fees(body: bytes) -> None:
    """Check that `/fees/recommended` has a fee; raises `GarbledBody`."""
    if Fields(parse_json(body)).real("fastestFee") is None:
        raise GarbledBody("has no fastestFee")


def read_info(body: bytes, at_s: float, latency_s: float) -> BackendInfo:
    """Read `/backend-info`, where “?” stands for what it doesn't know; raises `GarbledBody`."""
    fields = Fields(parse_json(body))
    backend = fields.text("backend")
    if not backend:
        raise GarbledBody("has no backend")
    known = {
        key: text for key in ("version", "gitCommit", "coreVersion") if (text := fields.text(key)) not in ("?", "")
    }
    return BackendInfo(known.get("version"), known.get("gitCommit"), backend, known.get("coreVersion"), at_s, latency_s)


def read_loading(body: bytes) -> tuple[Indicator, ...]:
    """Read the loading indicators of `/init-data`; raises `GarbledBody`."""
    found = Fields(parse_json(body)).inner("loadingIndicators")
    if found is None:
        raise GarbledBody("has no loadingIndicators")
    shares = ((name, found.real(name)) for name in found.names)
    return tuple(Indicator(clean_text(name), share) for name, share in shares if share is not None)
