"""What the store knows of the exchange price over the span of a window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from utxoracle_tui.engine.exchange_mean import HELD_S, mean_over
from utxoracle_tui.store.kinds import EXCHANGE_DAYS
from utxoracle_tui.store.records import ExchangeReading, midnight_s
from utxoracle_tui.store.store import Store

_DAY_S = 86_400.0
_ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class ExchangeOver:
    """The exchange price of a span, and what it rests on."""

    price_usd: float
    coverage: float
    """The share of the span that readings hold; 0 for a daily figure."""
    is_daily: bool


def exchange_over(
    store: Store, start_s: float, end_s: float, newest: ExchangeReading | None = None
) -> ExchangeOver | None:
    """The mean over a span, or the close of the day in which it ends where readings hold less than half of it.

    `newest` is a reading that may not be stored yet. Raises `StoreTrouble`.
    """
    readings = {(r.time_s, r.price_usd) for r in store.exchange_readings.between(start_s - HELD_S, end_s)}
    if newest is not None and start_s - HELD_S <= newest.time_s < end_s:
        readings.add((newest.time_s, newest.price_usd))
    mean = mean_over(sorted(readings), start_s, end_s)
    if mean is None or mean.coverage < _ENOUGH:
        # a day ends at the midnight that the next one begins with
        close = _close_of(store, datetime.fromtimestamp(max(end_s - 1, 0), UTC).date())
        if close is not None:
            return ExchangeOver(close, 0.0, is_daily=True)
    return None if mean is None else ExchangeOver(mean.price_usd, mean.coverage, is_daily=False)


def exchange_over_day(store: Store, day: date) -> ExchangeOver | None:
    """The exchange price of a UTC day, midnight to midnight. Raises `StoreTrouble`."""
    start_s = midnight_s(day)
    return exchange_over(store, start_s, start_s + _DAY_S)


def _close_of(store: Store, day: date) -> float | None:
    found = store.exchange_days.get(day.isoformat(), EXCHANGE_DAYS.span.part_of(midnight_s(day)))
    return found.close_usd if found else None
