"""The series of the price chart for the screens: read in a thread, together with what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from utxoracle_core.confidence import VALID_FROM
from utxoracle_tui import clock
from utxoracle_tui.engine.chart.cursor import stops
from utxoracle_tui.engine.chart.reading import first_moment_s, read_series
from utxoracle_tui.engine.chart.series import Floats, PriceSeries
from utxoracle_tui.engine.chart.statistics import RangeStatistics, range_statistics
from utxoracle_tui.store.statistics import BASES, Basis
from utxoracle_tui.store.store import Store


@dataclass(frozen=True, slots=True, eq=False)
class PriceRange:
    """The series of a span, and what is worked out of it once."""

    series: PriceSeries
    statistics: Mapping[Basis, RangeStatistics]
    stops: Floats
    """Where a cursor can stand."""
    first_s: float | None
    """The first moment that anything is stored of, be it in the span or before it."""


def price_range(series: PriceSeries, first_s: float | None = None) -> PriceRange:
    """The same with the statistics of its span; what begins at no moment begins with the first figure."""
    extent = series.extent
    start_s = max(series.start_s, extent[0]) if extent and series.start_s <= 0 else series.start_s
    found = {basis: range_statistics(series, basis, start_s, series.end_s) for basis in BASES}
    return PriceRange(series, found, stops(series), first_s)


class PriceHistory:
    """Reads a span whenever it is asked for."""

    def __init__(self, opened: Callable[[], Store | None], min_confidence: float = VALID_FROM) -> None:
        """`opened` gives the store as soon as it is open; `min_confidence` is what a valid window price needs."""
        self._opened = opened
        self._min_confidence = min_confidence

    async def load(self, start_s: float, end_s: float) -> PriceRange | None:
        """The span from `start_s`, 0 for all there is, to before `end_s`; None while no store is open.

        Raises `StoreTrouble`.
        """
        store = self._opened()
        return None if store is None else await asyncio.to_thread(self._read, store, start_s, end_s)

    def _read(self, store: Store, start_s: float, end_s: float) -> PriceRange:
        series = read_series(store, start_s, end_s, clock.now_s(), self._min_confidence)
        return price_range(series, first_moment_s(store))
