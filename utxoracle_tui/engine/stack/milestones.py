"""Keeping what must outlive the console of electrs's phases: in the store, as soon as there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from utxoracle_tui import clock
from utxoracle_tui.engine.electrs.milestones import from_document
from utxoracle_tui.engine.electrs.phases import Phase
from utxoracle_tui.engine.electrs.watch import SAVE_EVERY_S, ElectrsWatch
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.store.records import Note
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble

KEY = "electrs"
READY_EVERY_S = 600.0
"""Once electrs is ready, nothing of them changes that matters much."""
_LOOK_EVERY_S = 1.0


class KeptMilestones:
    """The milestones in the store.

    `store` gives the store once it is open, `likely` the one that is probably the right one before the node has said
    so, or None.
    """

    def __init__(self, store: Callable[[], Store | None], likely: Callable[[], Store | None] = lambda: None) -> None:
        self._store = store
        self._likely = likely
        self._read_from: Path | None = None
        self._saved_s: float | None = None
        self._saved_as: tuple[Phase, int] | None = None
        self.trouble: str | None = None
        """Why they could not be kept, as a sentence."""

    async def early(self) -> dict[str, Any] | None:
        """What is kept, as far as that can be told before the node has answered."""
        try:
            store = self._store() or await asyncio.to_thread(self._likely)
            return None if store is None else await self._read(store)
        except OperatorError:
            # the store that is opened later has the same trouble, or none
            return None

    async def keep(self, watch: ElectrsWatch) -> dict[str, Any]:
        """Keep the milestones of a watch for as long as it is the right one.

        It ends when the store is open at last and turns out to have some of an earlier console, which it gives.
        """
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            store = self._store()
            if store is None:
                continue
            if self._read_from != store.folder.root:
                try:
                    found = await self._read(store)
                except StoreTrouble as trouble:
                    self.trouble = trouble.message
                    continue
                if found is not None and from_document(found) is not None:
                    return found
            if self._is_due(watch):
                await self.save(watch)

    async def save(self, watch: ElectrsWatch) -> None:
        """Keep the milestones of a watch now, if the store is open."""
        store = self._store()
        if store is None or self._read_from != store.folder.root:
            return
        note = Note(key=KEY, time_s=clock.now_s(), values=dict(watch.milestones))
        self._saved_s, self._saved_as = clock.elapsed_s(), _stage(watch)
        try:
            await asyncio.to_thread(store.notes.put, [note], replace=True)
        except StoreTrouble as trouble:
            self.trouble = trouble.message
        else:
            self.trouble = None

    def _is_due(self, watch: ElectrsWatch) -> bool:
        if self._saved_s is None or self._saved_as != _stage(watch):
            return True
        every_s = READY_EVERY_S if watch.state.phase is Phase.READY else SAVE_EVERY_S
        return clock.elapsed_s() - self._saved_s >= every_s

    async def _read(self, store: Store) -> dict[str, Any] | None:
        note = await asyncio.to_thread(store.note, KEY)
        self._read_from = store.folder.root
        return note.values if note is not None else None


def _stage(watch: ElectrsWatch) -> tuple[Phase, int]:
    return watch.state.phase, watch.state.run
