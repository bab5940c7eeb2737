"""What an operator says to an alert: that he knows, or that it is to be silent for a while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from utxoracle_tui import clock
from utxoracle_tui.alerts.reading import RECENT
from utxoracle_tui.store.records import Alert
from utxoracle_tui.store.store import Store


def acknowledge(store: Store, key: str) -> Alert | None:
    """Say that somebody knows of an open alert; the alert, None without one. Raises `StoreTrouble`.

    What is said last counts: who knows needs no reminder.
    """
    return _edit(store, key, lambda alert: replace(alert, acknowledged_s=clock.now_s(), snoozed_until_s=None))


def snooze(store: Store, key: str, minutes: float) -> Alert | None:
    """Be silent of an open alert for a while, and speak of it again then; the alert, None without one.

    Raises `StoreTrouble`.
    """
    until_s = clock.now_s() + minutes * 60.0
    return _edit(store, key, lambda alert: replace(alert, acknowledged_s=None, snoozed_until_s=until_s))


def _edit(store: Store, key: str, change: Callable[[Alert], Alert]) -> Alert | None:
    found = next((alert for alert in store.alerts.newest(RECENT) if alert.key == key), None)
    if found is None or found.resolved_s is not None:
        return None
    # it may be resolved meanwhile, and must not be open again by this
    changed = store.alerts.edit(
        store.alerts.kind.place(found),
        lambda alert: change(alert) if alert.key == key and alert.resolved_s is None else None,
    )
    return changed[0] if changed else None
