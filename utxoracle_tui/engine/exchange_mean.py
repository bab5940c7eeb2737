"""The exchange price over a span of time, from readings at moments."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

HELD_S = 7_200.0
"""A price holds until the next one, at most this long."""


@dataclass(frozen=True, slots=True)
class SpanMean:
    """A time-weighted mean."""

    price_usd: float
    coverage: float
    """The share of the span that readings hold, 0 to 1."""


def mean_over(readings: Sequence[tuple[float, float]], start_s: float, end_s: float) -> SpanMean | None:
    """The mean of (unix time, USD) pairs, which must be in order of time, over `start_s` to `end_s`.

    None when no reading holds anywhere in the span. Each holds from its own time to that of the next one, at most
    `HELD_S`; so readings from two hours before the span count.
    """
    if end_s <= start_s:
        held = held_at(readings, start_s)
        return None if held is None else SpanMean(held, 1.0)
    weighted = covered_s = 0.0
    for number, (time_s, price_usd) in enumerate(readings):
        following_s = readings[number + 1][0] if number + 1 < len(readings) else end_s
        until_s = min(time_s + HELD_S, following_s, end_s)
        held_s = until_s - max(time_s, start_s)
        if held_s > 0:
            weighted += price_usd * held_s
            covered_s += held_s
    if covered_s == 0:
        return None
    return SpanMean(weighted / covered_s, min(covered_s / (end_s - start_s), 1.0))


def held_at(readings: Sequence[tuple[float, float]], moment_s: float) -> float | None:
    """The price that holds at a moment; None when the last one before it is too old."""
    position = bisect_right(readings, moment_s, key=lambda reading: reading[0]) - 1
    if position < 0:
        return None
    time_s, price_usd = readings[position]
    return price_usd if moment_s - time_s <= HELD_S else None


def divergence_pct(onchain_usd: float | None, exchange_usd: float | None) -> float | None:
    """(on-chain − exchange) / exchange, in percent, signed; None where either is unknown."""
    if onchain_usd is None or not exchange_usd:
        return None
    return (onchain_usd - exchange_usd) / exchange_usd * 100


def exchange_behind(onchain_usd: float | None, divergence_pct: float | None) -> float | None:
    """The exchange price that a divergence was worked out with; None where there is no divergence."""
    if onchain_usd is None or divergence_pct is None:
        return None
    return onchain_usd / (1 + divergence_pct / 100)
