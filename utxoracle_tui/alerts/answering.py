"""What an operator says to an alert: that he knows, or that it is to be silent for a while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from utxoracle_tui import clock
from utxoracle_tui.alerts.reading import RECENT
from utxoracle_tui.store.records import Alert
from utxoracle_tui.store.store import Store


def acknowledge(store: Store, key: str) -> Alert | None:
    """Say that somebody knows of an open alert; the alert, None without one. Raises `StoreTrouble`."""
    return _edit(store, key, lambda alert: replace(alert, acknowledged_s=clock.now_s()))


def snooze(store: Store, key: str, minutes: float) -> Alert | None:
    """Be silent of an open alert for a while; the alert, None without one. Raises `StoreTrouble`."""
    return _edit(store, key, lambda alert: replace(alert, snoozed_until_s=clock.now_s() + minutes * 60.0))


def _edit(store: Store, key: str, change: Callable[[Alert], Alert]) -> Alert | None:
    found = next((alert for alert in store.alerts.newest(RECENT) if alert.key == key), None)
    if found is None or found.resolved_s is not None:
        return None
    changed = change(found)
    store.alerts.put([changed], replace=True)
    return changed
