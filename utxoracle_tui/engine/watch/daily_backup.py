"""A backup a day, beside everything else."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.stack.stored import read_stored
from utxoracle_tui.store.backup import Backup, make_backup
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble

EVERY_S = 86_400.0
_LOOK_EVERY_S = 60.0
_UNOPENED_LOOK_EVERY_S = 0.5
_AGAIN_S = 3_600.0
_log = logging.getLogger(__name__)


class _Stopped(Exception):
    """Nobody wants the backup any more."""


class DailyBackup:
    """Makes a backup whenever the newest one is a day old, whoever made that."""

    def __init__(self, opened: Callable[[], Store | None], keep: int) -> None:
        """`opened` gives the store once it is open; the newest `keep` backups are kept."""
        self._opened = opened
        self._keep = keep

    async def run(self) -> None:
        """Work until cancelled; a backup that is being made then is given up, and leaves nothing behind."""
        while (store := self._opened()) is None:
            await asyncio.sleep(_UNOPENED_LOOK_EVERY_S)
        while True:
            wait_s = _LOOK_EVERY_S
            try:
                if await asyncio.to_thread(_is_due, store):
                    _tell(await self._make(store))
            except StoreTrouble as trouble:
                wait_s = _AGAIN_S
                again = formats.span(wait_s)
                _log.error("no backup could be made: %s It is tried again in %s.", trouble.message, again)
            await asyncio.sleep(wait_s)

    async def _make(self, store: Store) -> Backup:
        stopped = threading.Event()

        def on_progress(doing: str, done: int, total: int) -> None:
            if stopped.is_set():
                raise _Stopped(doing, done, total)

        making = asyncio.ensure_future(asyncio.to_thread(make_backup, store.folder, None, self._keep, on_progress))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            stopped.set()
            await asyncio.wait([making])
            if not making.cancelled():
                # whatever came of it, nobody asks any more
                making.exception()
            raise


def _is_due(store: Store) -> bool:
    """Whether there is something to back up, and no backup of the last day. Raises `StoreTrouble`."""
    if store.folder.manifest() is None:
        return False
    made_s = read_stored(store).backup_at_s
    # a backup from the future, as after the clock was set back, is none of the last day
    return made_s is None or not 0 <= clock.now_s() - made_s < EVERY_S


def _tell(backup: Backup) -> None:
    records, size_kb = formats.plural(backup.documents, "record"), formats.count(round(backup.size_bytes / 1e3))
    _log.info("backup made: %s, %s, %s kB", backup.path, records, size_kb)
    for path in backup.removed:
        _log.info("old backup removed: %s", path)
    for note in backup.notes:
        _log.warning("backup: %s", note)
