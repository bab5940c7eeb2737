"""Keeping the result of a window: its record, its points, and the exchange price over its span."""

from __future__ import annotations

from dataclasses import replace

from utxoracle_tui import clock
from utxoracle_tui.engine.exchange_history import ExchangeOver, exchange_over, exchange_over_day
from utxoracle_tui.engine.pricing import PricedWindow
from utxoracle_tui.engine.report import as_document
from utxoracle_tui.engine.validation import Limits
from utxoracle_tui.engine.window_exchange import with_exchange
from utxoracle_tui.store.points import KeptPoints
from utxoracle_tui.store.records import ExchangeReading, Window
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble
from utxoracle_tui.store.window_document import window_of


def window_record(store: Store, result: PricedWindow, limits: Limits, newest: ExchangeReading | None = None) -> Window:
    """The record of a priced window, with the exchange price over its span. Raises `StoreTrouble`."""
    window = window_of(as_document(result, limits))
    return replace(with_exchange(window, _over(store, window, newest)), stored_s=clock.now_s())


def keep_window(store: Store, window: Window, result: PricedWindow | None) -> None:
    """Store a window, and its points where the result is still at hand. Raises `StoreTrouble`."""
    if window.network is not None and window.network != store.folder.network:
        raise StoreTrouble(
            "other_network",
            f"The node is on {window.network} now, and the store that is open is that of {store.folder.network}. "
            "Nothing is stored until the program is started again.",
        )
    store.windows.put([window])
    points = result.price.points if result else None
    if points is not None:
        store.points.put(window, KeptPoints(points.usd, points.heights))


def _over(store: Store, window: Window, newest: ExchangeReading | None) -> ExchangeOver | None:
    if window.date is not None:
        return exchange_over_day(store, window.date)
    if window.first_time is None or window.last_time is None:
        return None
    # header times need not be in order
    first, last = sorted((window.first_time, window.last_time))
    return exchange_over(store, first, last, newest)
