"""The stored windows as a list, the newest first, for a screen to show."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from utxoracle_tui.store.records import Window
from utxoracle_tui.store.store import Store

MOST_BLOCK_WINDOWS = 10_000
"""About ten weeks of a window a block; older ones are reached by an export."""


@dataclass(frozen=True, slots=True)
class WindowList:
    """All stored days, and the newest block windows, the newest first."""

    days: tuple[Window, ...] = ()
    blocks: tuple[Window, ...] = ()
    missing_days: tuple[date, ...] = ()
    """The days between the first and the last stored one that there is no window of, in order."""


class WindowLists:
    """Reads the list whenever it is asked for. Parts that nobody has changed come from memory."""

    def __init__(self, opened: Callable[[], Store | None]) -> None:
        """`opened` gives the store as soon as it is open."""
        self._opened = opened

    async def load(self) -> WindowList | None:
        """The list as it is now; None while no store is open. Raises `StoreTrouble`."""
        store = self._opened()
        return None if store is None else await asyncio.to_thread(_load, store)


def _load(store: Store) -> WindowList:
    days = store.windows.days.all()
    days.sort(key=lambda window: window.time_s, reverse=True)
    return WindowList(tuple(days), tuple(store.windows.newest("blocks", MOST_BLOCK_WINDOWS)), _missing(days))


def _missing(days: list[Window]) -> tuple[date, ...]:
    there = {window.date for window in days if window.date is not None}
    if not there:
        return ()
    first, last = min(there), max(there)
    between = (first + timedelta(days=number) for number in range((last - first).days))
    return tuple(day for day in between if day not in there)
