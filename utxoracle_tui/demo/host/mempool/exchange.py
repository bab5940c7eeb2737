"""What the simulated mempool backend knows of exchange prices: the newest, and a table of older ones.

A real backend on a test network has no prices at all. This one reports as if it were configured for the main network:
a demonstration without an exchange price would have nothing to compare with.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import exp, log

from utxoracle_tui.demo.chain.times import DAY_S, midnight_s
from utxoracle_tui.demo.host.json_text import Json
from utxoracle_tui.demo.host.market import Market

HOUR_S = 3600
_WEEK_S = 7 * DAY_S
MISSING = -1
"""Stands for a price that the backend hasn't got."""
RATES = {"USD": 1.0, "EUR": 0.92, "GBP": 0.78, "CAD": 1.37, "CHF": 0.89, "AUD": 1.52, "JPY": 149.25}
"""Units of the currencies that exchanges trade bitcoin in, for a USD; those of the recorded replies."""
_OTHERS = (
    *("BGN", "BRL", "CNY", "CZK", "DKK", "HKD", "HRK", "HUF", "IDR", "ILS", "INR", "ISK", "KRW"),
    *("MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RON", "RUB", "SEK", "SGD", "THB", "TRY", "ZAR"),
)
"""Currencies that need the key of a conversion service."""
_SINCE = {
    "EUR": date(2013, 9, 1),
    "GBP": date(2014, 11, 1),
    "CAD": date(2015, 7, 1),
    "CHF": date(2019, 12, 1),
    "AUD": date(2020, 6, 1),
    "JPY": date(2014, 11, 1),
}
"""When the table begins for a currency; older rows have `MISSING`."""
FIRST_ROW_S = 1_279_497_600
"""2010-07-19, the first week of the bundled table."""
_WHOLE_DOLLARS_SINCE = date(2013, 9, 30)
_CANDLES = 720
"""Candles of each width that an exchange still gives (Kraken, OHLC)."""
_LANDMARKS = (
    *((date(2010, 7, 19), 0.0858), (date(2011, 6, 8), 29.6), (date(2011, 11, 18), 2.04), (date(2013, 1, 1), 13.3)),
    *((date(2013, 4, 9), 230.0), (date(2013, 7, 5), 68.5), (date(2013, 12, 4), 1238.0), (date(2015, 1, 14), 182.0)),
    *((date(2016, 1, 1), 434.0), (date(2017, 1, 1), 996.0), (date(2017, 12, 17), 19_128.0)),
    *((date(2018, 12, 15), 3182.0), (date(2019, 6, 26), 12_930.0), (date(2020, 3, 13), 5636.0)),
    *((date(2021, 4, 14), 62_975.0), (date(2021, 7, 20), 29_792.0), (date(2021, 11, 8), 67_556.0)),
    *((date(2022, 11, 20), 16_255.0), (date(2024, 3, 13), 73_082.0)),
)
"""USD at some closes (Bitcoin Research Kit), between which the old rows are drawn."""


@dataclass(frozen=True, slots=True)
class Row:
    """Prices of one moment."""

    time_s: int
    prices: dict[str, float]
    """By currency, `MISSING` for none."""

    def as_json(self, currencies: tuple[str, ...] = tuple(RATES)) -> Json:
        """With its time, as the API has it."""
        return {"time": self.time_s, **{currency: self.prices[currency] for currency in currencies}}


class Exchange:
    """Follows a market, unless its feeds fail."""

    def __init__(self, market: Market, *, now_s: float) -> None:
        """The table ends with the last whole hour before `now_s` (unix seconds)."""
        self._market = market
        self._start_s = int(now_s)
        self._rows: list[Row] = []
        self._current: Row | None = None
        self._from_table = False
        self.feeds_up = True
        """Whether any exchange answers; when none does the newest price stays, with its time."""
        self.offset_pct = 0.0
        """How far exchanges are above the price that payments are made at."""

    @property
    def current(self) -> Row | None:
        """The newest prices; None when there never were any."""
        return self._current

    @property
    def rows(self) -> list[Row]:
        """The table, oldest first."""
        if not self._rows:
            self._rows = _table(self._market, self._start_s)
        return self._rows

    def update(self, now_s: float) -> None:
        """Ask the exchanges."""
        if self.feeds_up:
            usd = self._market.exchange_usd(now_s) * (1 + self.offset_pct / 100)
            self._current = Row(int(now_s), _in_all(usd))

    def save(self) -> None:
        """Add the newest prices to the table."""
        if self._current is not None and self._current.time_s > self.rows[-1].time_s:
            self._rows.append(self._current)

    def restart(self, *, database: bool) -> None:
        """Forget what isn't in the table; from then on the newest prices are told in the currencies of the table."""
        self._current = self.rows[-1] if database else None
        self._from_table = database

    def latest(self, time_s: float) -> Row | None:
        """The newest row at or before a time."""
        place = bisect_right(self.rows, time_s, key=lambda row: row.time_s)
        return self._rows[place - 1] if place else None

    def current_json(self) -> Json:
        """As `/prices`."""
        if self._current is None:
            return {"time": 0, **dict.fromkeys((*RATES, *_OTHERS), MISSING)}
        return self._current.as_json() | ({} if self._from_table else dict.fromkeys(_OTHERS, MISSING))

    def rates_json(self) -> Json:
        """The exchange rates of the newest row, as `/historical-price` has them beside its prices."""
        prices = self.rows[-1].prices
        return {f"USD{currency}": round(prices[currency] / prices["USD"], 2) for currency in list(RATES)[1:]}


def _in_all(usd: float) -> dict[str, float]:
    return {currency: round(usd * rate) for currency, rate in RATES.items()}


def _table(market: Market, now_s: int) -> list[Row]:
    """Weekly rows from 2010 on, then daily and at last hourly ones: what a backend finds when it is set up."""
    last_hour_s = now_s - now_s % HOUR_S
    hourly_from_s = last_hour_s - _CANDLES * HOUR_S
    daily_from_s = hourly_from_s - hourly_from_s % DAY_S - _CANDLES * DAY_S
    times = [
        *range(FIRST_ROW_S, daily_from_s, _WEEK_S),
        *range(daily_from_s, hourly_from_s, DAY_S),
        *range(hourly_from_s, last_hour_s + 1, HOUR_S),
    ]
    landmarks = [(midnight_s(day), usd) for day, usd in _LANDMARKS if midnight_s(day) < hourly_from_s]
    landmarks.append((hourly_from_s, market.exchange_usd(hourly_from_s)))
    old = _drawn(landmarks, [time_s for time_s in times if time_s < hourly_from_s])
    recent = [Row(time_s, _in_all(market.exchange_usd(time_s))) for time_s in times if time_s >= hourly_from_s]
    return old + recent


def _drawn(landmarks: list[tuple[int, float]], times: list[int]) -> list[Row]:
    """Rows on straight lines between the logarithms of landmarks, with some noise."""
    rows: list[Row] = []
    for (start_s, start_usd), (end_s, end_usd) in pairwise(landmarks):
        slope = log(end_usd / start_usd) / (end_s - start_s)
        for time_s in times:
            if start_s <= time_s < end_s:
                noise = random.Random(time_s).gauss(0.0, 0.01)
                rows.append(Row(time_s, _old_prices(time_s, start_usd * exp(slope * (time_s - start_s) + noise))))
    return rows


def _old_prices(time_s: int, usd: float) -> dict[str, float]:
    if time_s < midnight_s(_WHOLE_DOLLARS_SINCE):
        prices: dict[str, float] = dict.fromkeys(RATES, MISSING)
        prices["USD"] = round(usd, 5)
        return prices
    prices = _in_all(usd)
    for currency, since in _SINCE.items():
        if time_s < midnight_s(since):
            prices[currency] = MISSING
    return prices
