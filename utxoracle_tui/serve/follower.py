"""The store as the API has it in memory, kept up with what any process writes."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from utxoracle_tui import clock
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.serve.table import DAY_S, Rows, Table
from utxoracle_tui.store.part_names import PartName
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import told

KEPT_DAYS = 366
"""The longest span that can be asked for, and the day that it begins in."""
LOOK_EVERY_S = 0.5
TRY_AGAIN_S = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """What there is to answer from."""

    table: Table
    network: str | None = None
    """None as long as no store could be opened."""
    trouble: OperatorError | None = None
    """Why the store can't be read; the table is then the last that could be."""
    notice: str | None = None
    """The newest that there is to tell of damaged files."""


class Follower:
    """Reads the store, then again whenever something was written. It takes no lock, so that no writer waits for it."""

    def __init__(
        self, open_store: Callable[[], Store], *, every_s: float = LOOK_EVERY_S, again_s: float = TRY_AGAIN_S
    ) -> None:
        """`open_store` may raise `OperatorError`; it is called again until the store is there.

        What was written is looked for every `every_s`, and every `again_s` while the store can't be read.
        """
        self._every_s, self._again_s = every_s, again_s
        self._open_store = open_store
        self._store: Store | None = None
        self._parts: dict[PartName, _Part] = {}
        self._seen: int | None = None
        self._held = Held(Table(()))
        self._ready = asyncio.Event()
        self._ended = threading.Event()

    async def held(self) -> Held:
        """What there is to answer from, once the store has been read or could not be."""
        await self._ready.wait()
        return self._held

    async def run(self) -> None:
        """Follow until cancelled."""
        try:
            while True:
                await asyncio.to_thread(self._look)
                self._ready.set()
                await asyncio.sleep(self._every_s if self._held.trouble is None else self._again_s)
        finally:
            self._ended.set()

    def _look(self) -> None:
        try:
            store = self._opened()
            # before the rows: what is written meanwhile is then seen by the next look
            writes = store.writes()
            if writes != self._seen or self._held.trouble is not None:
                self._held = self._read(store)
                self._seen = writes
        except OperatorError as trouble:
            if self._held.trouble is None or self._held.trouble.message != trouble.message:
                _log.error("%s", trouble.message)
            self._held = Held(self._held.table, self._held.network, trouble)

    def _opened(self) -> Store:
        """The store; as long as it has no folder the network may change, to that of the first round there is."""
        if self._store is not None:
            home = self._store.folder.home
            with told("read the store", home):
                if home.is_dir():
                    return self._store
        store = self._open_store()
        if self._store is None or store.folder.home != self._store.folder.home:
            self._store, self._parts, self._seen = store, {}, None
        return self._store

    def _read(self, store: Store) -> Held:
        """The rows of the kept days, or the newest part with any where those have none."""
        parts = store.observations.parts
        earliest = store.observations.kind.span.part_of(clock.now_s() - KEPT_DAYS * DAY_S)
        found: dict[PartName, _Part] = {}
        rows = 0
        for name in parts.names_newest_first():
            if self._ended.is_set() or (name < earliest and rows):
                break
            identity = parts.file(name).identity()
            known = self._parts.get(name)
            if known is None or identity is None or known.checksum != identity[0]:
                part = parts.load(name)
                known = _Part(part.checksum, Rows.of(part.records))
            found[name] = known
            rows += len(known.rows.texts)
        self._parts = found
        table = Table([part.rows for _, part in sorted(found.items())])
        notices = store.notices.all()
        return Held(table, store.folder.network, notice=notices[-1].sentence if notices else None)


@dataclass(frozen=True, slots=True)
class _Part:
    checksum: str | None
    rows: Rows
