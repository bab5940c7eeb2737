"""Windows beside the exchange price over their span; stored days as well, whichever of the two was known first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial

from utxoracle_tui.engine.exchange_history import ExchangeOver, exchange_over_day
from utxoracle_tui.engine.exchange_mean import divergence_pct
from utxoracle_tui.store.kinds import DAY_WINDOWS
from utxoracle_tui.store.part_names import PartName
from utxoracle_tui.store.records import Window
from utxoracle_tui.store.store import Store


def compare_days(store: Store) -> int:
    """Set the exchange price beside each stored day that has none, where it is known; how many days that is.

    Raises `StoreTrouble`.
    """
    found: dict[PartName, dict[str, ExchangeOver]] = defaultdict(dict)
    for window in store.windows.days.all():
        if window.exchange_usd is None and window.date is not None:
            over = exchange_over_day(store, window.date)
            if over is not None:
                found[DAY_WINDOWS.place(window)][window.key] = over
    return sum(len(store.windows.days.edit(part, partial(_compared, overs))) for part, overs in found.items())


def with_exchange(window: Window, over: ExchangeOver | None) -> Window:
    """The window beside the exchange price over its span, if there is one."""
    return replace(
        window,
        exchange_usd=over.price_usd if over else None,
        exchange_coverage=over.coverage if over else None,
        exchange_is_daily=over.is_daily if over else False,
        divergence_window_pct=divergence_pct(window.price_usd, over.price_usd if over else None),
    )


def _compared(overs: dict[str, ExchangeOver], window: Window) -> Window | None:
    if window.exchange_usd is not None or window.key not in overs:
        return None
    return with_exchange(window, overs[window.key])
