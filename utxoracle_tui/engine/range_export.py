"""Writing a range of days to a file, for whoever looks at them on a screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from utxoracle_tui import clock
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.durable import private_folder
from utxoracle_tui.store.exporting import Format, Wanted, What, export_to_file
from utxoracle_tui.store.store import Store


@dataclass(frozen=True, slots=True)
class WrittenRange:
    """What was written."""

    path: Path
    count: int
    """How many records."""


class RangeExport:
    """Writes exports of the store that a console has open, as `utxoracle-tui export` does."""

    def __init__(self, opened: Callable[[], Store | None], folder: Path | None, label: str | None = None) -> None:
        """`opened` gives the store as soon as it is open; without a `folder`, the working one. `label` goes into the
        head of the file.
        """
        self._opened = opened
        self._folder = folder
        self._label = label

    async def write(self, what: What, form: Format, first: date, last: date) -> WrittenRange:
        """Write what is stored of the UTC days `first` to `last`, both included. Raises `OperatorError`."""
        store = self._opened()
        if store is None:
            raise OperatorError("not_open", "The store is not open yet; try again in a moment.", Exit.FAILED)
        return await asyncio.to_thread(self._write, store, Wanted(what, form, first, last, self._label))

    def _write(self, store: Store, wanted: Wanted) -> WrittenRange:
        folder = self._folder or Path.cwd()
        try:
            private_folder(folder)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise OperatorError("export_failed", f"Could not make {folder}: {reason}.", Exit.FAILED) from None
        now = datetime.fromtimestamp(clock.now_s(), UTC)
        ending = "csv" if wanted.format == "csv" else "jsonl"
        name = f"{wanted.what}-{wanted.first_day}-to-{wanted.last_day}-{now:%Y%m%dT%H%M%SZ}.{ending}"
        return WrittenRange(folder / name, export_to_file(store, wanted, folder / name).count)
