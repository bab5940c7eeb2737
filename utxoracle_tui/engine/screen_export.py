"""Writing what somebody looks at on a screen to files: a range of the store, the rows of a table, a chart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from utxoracle_tui import __version__, clock, formats
from utxoracle_tui.durable import private_folder
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.exporting import Format, Row, Wanted, What, export_to_file, rows_to_file, write_whole
from utxoracle_tui.store.records import Window
from utxoracle_tui.store.store import Store

_ENDINGS: dict[Format, str] = {"csv": "csv", "json": "jsonl"}


@dataclass(frozen=True, slots=True)
class WrittenRange:
    """What was written."""

    path: Path
    count: int
    """How many records."""


class ScreenExport:
    """Writes files into one folder, each under a name of its own."""

    def __init__(self, opened: Callable[[], Store | None], folder: Path | None, label: str | None = None) -> None:
        """`opened` gives the store as soon as it is open; without a `folder`, the working one. `label` goes into the
        head of the files.
        """
        self._opened = opened
        self._folder = folder
        self._label = label

    async def write(self, what: What, form: Format, first: date, last: date) -> WrittenRange:
        """Write what is stored of the UTC days `first` to `last`, both included. Raises `OperatorError`."""
        store = self._store()
        name = f"{what}-{first}-to-{last}.{_ENDINGS[form]}"
        return await asyncio.to_thread(self._records, store, Wanted(what, form, first, last, self._label), name, None)

    async def write_windows(self, windows: Sequence[Window], form: Format) -> WrittenRange:
        """Write windows in the order that they are in. Raises `OperatorError`."""
        wanted = Wanted("windows", form, label=self._label)
        name = f"windows-shown.{_ENDINGS[form]}"
        return await asyncio.to_thread(self._records, self._store(), wanted, name, windows)

    async def write_rows(self, name: str, head: dict[str, object], rows: Callable[[], list[Row]], form: Format) -> Path:
        """Write the rows of a table, made in a thread; `head` is what is to be said of them.

        Raises `OperatorError`.
        """

        def write() -> Path:
            path = self._path(f"{name}.{_ENDINGS[form]}")
            rows_to_file(path, {**self.head(), **head}, rows(), form)
            return path

        return await asyncio.to_thread(write)

    async def write_text(self, name: str, text: str) -> Path:
        """Write a text, such as a chart; `name` has the ending. Raises `OperatorError`."""

        def write() -> Path:
            path = self._path(name)
            write_whole(path, lambda file: file.write(text.encode()))
            return path

        return await asyncio.to_thread(write)

    def head(self) -> dict[str, object]:
        """What is to be said of all that is written: by which program, of what, and when."""
        store = self._opened()
        return {
            "program": "utxoracle-tui",
            "version": __version__,
            "label": self._label,
            "network": store.folder.network if store is not None else None,
            "made": formats.utc_iso(clock.now_s()),
        }

    def _records(self, store: Store, wanted: Wanted, name: str, records: Sequence[Window] | None) -> WrittenRange:
        path = self._path(name)
        return WrittenRange(path, export_to_file(store, wanted, path, records).count)

    def _store(self) -> Store:
        store = self._opened()
        if store is None:
            raise OperatorError("not_open", "The store is not open yet; try again in a moment.", Exit.FAILED)
        return store

    def _path(self, name: str) -> Path:
        """A path with the time in it; its folder is made."""
        folder = self._folder or Path.cwd()
        try:
            private_folder(folder)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise OperatorError("export_failed", f"Could not make {folder}: {reason}.", Exit.FAILED) from None
        stem, _, ending = name.rpartition(".")
        return folder / f"{stem}-{self._now():%Y%m%dT%H%M%SZ}.{ending}"

    def _now(self) -> datetime:
        return datetime.fromtimestamp(clock.now_s(), UTC)
