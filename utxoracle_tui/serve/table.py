"""Observations as the API answers with them: each row's JSON made once, and the numbers that statistics need.

`diff_amount` is exchange − on-chain in USD and `diff_percent` that in percent of the on-chain price, as the earlier
system had them: the opposite sign of the console's divergences, and on the other base.

Orphaned observations are left out of everything: their blocks are not on the chain, and a row has no field to say so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from utxoracle_tui.store.records import Observation

DAY_S = 86_400.0
_TIME, _ONCHAIN, _EXCHANGE, _VALID = range(4)
_COLUMNS = 4
_FEWEST_FOR_CORRELATION = 3

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far the exchange price was from the on-chain price, over the rows that have both; None where none has."""

    avg_diff: float | None
    """Signed USD, as the two after it."""
    max_diff: float | None
    min_diff: float | None
    avg_diff_percent: float | None
    correlation: float | None
    """Pearson's, of the two prices; None for fewer than three rows with both, or a price that stands still."""
    total_entries: int
    """All rows of the span, those without one of the prices as well."""
    valid_entries: int


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some observations."""

    numbers: Numbers
    """Shape (4, rows): unix seconds, on-chain USD, exchange USD, whether valid; NaN for what is not known."""
    texts: Sequence[bytes]
    """Each row as a JSON object."""

    @classmethod
    def of(cls, observations: Iterable[Observation]) -> Rows:
        """Those that are on the chain, in their order."""
        kept = [each for each in observations if not each.orphaned]
        numbers = [
            (each.time_s, _nan(each.onchain_usd or None), _nan(each.exchange_usd), _nan(each.valid)) for each in kept
        ]
        return cls(np.array(numbers, dtype=np.float64).reshape(len(kept), _COLUMNS).T, [_text(each) for each in kept])


class Table:
    """Rows by time. It never changes; a newer one takes its place."""

    def __init__(self, parts: Sequence[Rows]) -> None:
        numbers = np.concatenate([np.empty((_COLUMNS, 0)), *(part.numbers for part in parts)], axis=1)
        texts = [text for part in parts for text in part.texts]
        times = numbers[_TIME]
        if np.any(times[1:] < times[:-1]):
            order = np.argsort(times, kind="stable")
            numbers, texts = numbers[:, order], [texts[index] for index in order]
        self._times, self._onchain, self._exchange, self._valid = numbers
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def latest(self) -> bytes | None:
        """The newest row as a JSON object."""
        return self._texts[-1] if self._texts else None

    def since(self, start_s: float) -> bytes:
        """The rows from a moment on, the oldest first, as a JSON array."""
        return b"[" + b",".join(self._texts[self._first(start_s) :]) + b"]"

    def comparison(self, start_s: float) -> Comparison:
        """Statistics of the rows from a moment on."""
        inside = slice(self._first(start_s), None)
        onchain, exchange, valid = self._onchain[inside], self._exchange[inside], self._valid[inside]
        both = ~(np.isnan(onchain) | np.isnan(exchange))
        onchain, exchange = onchain[both], exchange[both]
        difference = exchange - onchain
        there = len(difference) > 0
        return Comparison(
            avg_diff=float(difference.mean()) if there else None,
            max_diff=float(difference.max()) if there else None,
            min_diff=float(difference.min()) if there else None,
            avg_diff_percent=float((difference / onchain * 100).mean()) if there else None,
            correlation=_correlation(onchain, exchange),
            total_entries=len(both),
            valid_entries=int(np.count_nonzero(valid == 1)),
        )

    def missing_dates(self, now_s: float, days: int) -> list[dt.date]:
        """The UTC days without a row among the `days` before today, none of them before the first row's."""
        if not len(self):
            return []
        today = int(now_s // DAY_S)
        first = max(int(self._times[0] // DAY_S), today - days)
        found = set((self._times[self._first(first * DAY_S) :] // DAY_S).astype(int).tolist())
        return [_date(day) for day in range(first, today) if day not in found]

    def _first(self, start_s: float) -> int:
        return int(np.searchsorted(self._times, start_s))


def _text(observation: Observation) -> bytes:
    onchain, exchange = observation.onchain_usd, observation.exchange_usd
    difference = exchange - onchain if onchain and exchange is not None else None
    return msgspec.json.encode(
        {
            "timestamp": dt.datetime.fromtimestamp(observation.time_s, dt.UTC),
            "utxoracle_price": onchain,
            "mempool_price": exchange,
            "confidence": observation.confidence,
            "tx_count": observation.transactions,
            "diff_amount": difference,
            "diff_percent": difference / onchain * 100 if difference is not None and onchain else None,
            "is_valid": observation.valid,
        }
    )


def _correlation(first: Numbers, second: Numbers) -> float | None:
    if len(first) < _FEWEST_FOR_CORRELATION or not np.ptp(first) or not np.ptp(second):
        return None
    found = float(np.corrcoef(first, second)[0, 1])
    return found if np.isfinite(found) else None


def _date(day: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=day)


def _nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)
