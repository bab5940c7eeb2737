"""Putting the alerts together, for all that run the engine."""

from __future__ import annotations

import platform
from collections.abc import Callable

from utxoracle_tui.alerts.sinks import sinks_of
from utxoracle_tui.alerts.watch import AlertWatch
from utxoracle_tui.commands.stored import likely_store
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.store.store import Store


def alert_watch(settings: Settings, opened: Callable[[], Store | None], *, is_demo: bool = False) -> AlertWatch:
    """The alerts of the store that `opened` gives once it is open. Of a demo's nobody outside the console is told.

    A node that doesn't come up after a reboot never says which store is the right one, and is just what has to be told:
    until then it is the one that was used before, as far as that is clear.
    """

    def used() -> Store | None:
        return opened() or _used_before(settings)

    return AlertWatch(used, settings.alerts, [] if is_demo else sinks_of(settings.alerts), host_name())


def _used_before(settings: Settings) -> Store | None:
    try:
        store = likely_store(settings)
        # one that nothing is kept in yet is described by whoever knows its genesis block
        return store if store is not None and store.folder.manifest() is not None else None
    except OperatorError:
        # what is wrong with it is told where it is opened
        return None


def host_name() -> str:
    """What this machine calls itself."""
    return platform.node() or "this host"
