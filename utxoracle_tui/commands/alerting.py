"""Putting the alerts together, for all that run the engine."""

from __future__ import annotations

import platform
from collections.abc import Callable

from utxoracle_tui.alerts.sinks import sinks_of
from utxoracle_tui.alerts.watch import AlertWatch
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.store.store import Store


def alert_watch(settings: Settings, opened: Callable[[], Store | None], *, is_demo: bool = False) -> AlertWatch:
    """The alerts of the store that `opened` gives once it is open. Of a demo's nobody outside the console is told."""
    return AlertWatch(opened, settings.alerts, [] if is_demo else sinks_of(settings.alerts), host_name())


def host_name() -> str:
    """What this machine calls itself."""
    return platform.node() or "this host"
