"""The exchange's prices over a window of the past, from the table of the operator's own backend.

Windows are worked out years after their blocks, and nobody took readings then. The backend keeps a row an hour for as
long as it runs, and got those of the last month when it was set up. Older rows are of a day or a week, and are no
prices of the moment; they are left alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from utxoracle_tui import clock
from utxoracle_tui.engine.exchange import Exchange
from utxoracle_tui.engine.exchange_mean import HELD_S
from utxoracle_tui.store.records import ExchangeReading
from utxoracle_tui.store.store import Store

_STEP_S = 3_600
_TOO_OLD_MOST = 3
"""After so many rows in a row that are older than a price holds, the rest of a window is not asked for."""
_AGAIN_AFTER_S = 300.0


class ExchangePast:
    """Asks for the prices of the past, one after the other, and stores them."""

    def __init__(self, store: Store, exchange: Exchange) -> None:
        self._store = store
        self._exchange = exchange
        self._silent_until_s = 0.0
        self._asking = asyncio.Lock()

    async def know(self, start_s: float, end_s: float) -> int:
        """Have the store know a price for each hour of a span, in unix seconds, as far as the backend has them.

        How many are new. A backend that has none, or doesn't answer, is left alone for five minutes: windows without
        an exchange price are windows all the same. Raises `StoreTrouble`.
        """
        async with self._asking:
            if clock.elapsed_s() < self._silent_until_s:
                return 0
            there = await asyncio.to_thread(self._times_there, start_s, end_s)
            found = await self._ask(_missing(there, start_s, min(end_s, clock.now_s())))
            if found:
                await asyncio.to_thread(self._store.exchange_readings.put, found)
            return len(found)

    async def _ask(self, times_s: Sequence[int]) -> list[ExchangeReading]:
        found: dict[str, ExchangeReading] = {}
        too_old = 0
        for time_s in times_s:
            reading = await self._exchange.at(time_s)
            if reading is None:
                self._silent_until_s = clock.elapsed_s() + _AGAIN_AFTER_S
                break
            if time_s - reading.time_s > HELD_S:
                too_old += 1
                if too_old == _TOO_OLD_MOST:
                    break
                continue
            too_old = 0
            found[reading.key] = reading
        return list(found.values())

    def _times_there(self, start_s: float, end_s: float) -> list[float]:
        readings = self._store.exchange_readings.between(start_s - _STEP_S, end_s + 1)
        return [reading.time_s for reading in readings]


def _missing(there_s: Sequence[float], start_s: float, end_s: float) -> list[int]:
    """The hours from the start of a span on, before which no reading was taken for an hour."""
    hours = range(int(start_s), int(end_s) + 1, _STEP_S)
    return [hour for hour in hours if not any(hour - _STEP_S < time_s <= hour for time_s in there_s)]
