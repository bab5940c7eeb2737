"""Keeps rounds though the disk be full or away: what can't be stored waits in memory and is tried again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from utxoracle_tui.engine.rounds import Round, Rounds
from utxoracle_tui.store.troubles import StoreTrouble

RETRY_S = 10.0
MOST_WAITING = 1_000
"""About a week of blocks; beyond it the oldest are given up."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How keeping goes."""

    waiting: int
    """Rounds that are not stored yet."""
    trouble: str | None
    """Why, as a sentence."""
    newest: Round | None
    """The round that was stored last."""


class Keeper:
    """Stores rounds in the order in which they were made."""

    def __init__(self, rounds: Rounds, on_change: Callable[[Keeping], None]) -> None:
        self._rounds = rounds
        self._on_change = on_change
        self._waiting: deque[Round] = deque(maxlen=MOST_WAITING)
        self._wake = asyncio.Event()

    def add(self, made: Round) -> None:
        """Have a round stored."""
        self._waiting.append(made)
        self._wake.set()

    async def run(self) -> None:
        """Store what is added until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._store_first()

    async def _store_first(self) -> None:
        made = self._waiting[0]
        try:
            kept = await self._rounds.keep(made)
        except StoreTrouble as trouble:
            # a thousand windows with all their amounts would take gigabytes
            self._waiting[0] = replace(made, result=None)
            self._on_change(Keeping(len(self._waiting), trouble.message, None))
            await asyncio.sleep(RETRY_S)
            return
        if self._waiting and self._waiting[0] is made:
            self._waiting.popleft()
        self._on_change(Keeping(len(self._waiting), None, kept))
