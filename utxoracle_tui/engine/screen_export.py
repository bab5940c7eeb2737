"""Writing what somebody looks at on a screen to files: windows, a range, the rows of a table, a chart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from utxoracle_tui import __version__, clock, formats
from utxoracle_tui.durable import private_folder
from utxoracle_tui.engine.chart.figures import facts_of, just_after, rows_of
from utxoracle_tui.engine.chart.series import PriceSeries
from utxoracle_tui.engine.live_rounds import store_not_open
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.exporting import Format, Row, Wanted, export_to_file, rows_to_file, write_whole
from utxoracle_tui.store.records import Window
from utxoracle_tui.store.store import Store

_ENDINGS: dict[Format, str] = {"csv": "csv", "json": "jsonl"}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    path: Path
    count: int


class ScreenExport:
    """Writes files into one folder, each under a name of its own."""

    def __init__(self, opened: Callable[[], Store | None], folder: Path | None, label: str | None = None) -> None:
        """`opened` gives the store as soon as it is open; without a `folder`, the working one. `label` goes into the
        head of the files.
        """
        self._opened = opened
        self._folder = folder
        self._label = label

    async def write_windows(self, windows: Sequence[Window], form: Format) -> Written:
        """Write windows in the order that they are in. Raises `OperatorError`."""
        store = self._opened()
        if store is None:
            raise store_not_open()
        wanted = Wanted("windows", form, label=self._label)

        def write() -> Written:
            path = self._path(f"windows-shown.{_ENDINGS[form]}")
            return Written(path, export_to_file(store, wanted, path, windows).count)

        return await asyncio.to_thread(write)

    async def write_range(self, series: PriceSeries, from_s: float, to_s: float, form: Format) -> Written:
        """Write the figures from one moment to another, both included. Raises `OperatorError`."""
        end_s = just_after(to_s)
        rows = await asyncio.to_thread(rows_of, series, from_s, end_s)
        head = {
            "what": "a marked range of the price chart",
            "from": formats.utc_iso(from_s),
            "to": formats.utc_iso(to_s),
            **facts_of(series, from_s, end_s),
            "count": len(rows),
        }
        name = f"range-{_moment(from_s)}-to-{_moment(to_s)}"
        return Written(await self.write_rows(name, head, lambda: rows, form), len(rows))

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

    def _path(self, name: str) -> Path:
        """A path with the time in it; its folder is made."""
        folder = self._folder or Path.cwd()
        try:
            private_folder(folder)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise OperatorError("export_failed", f"Could not make {folder}: {reason}.", Exit.FAILED) from None
        stem, _, ending = name.rpartition(".")
        return folder / f"{stem}-{_moment(clock.now_s())}.{ending}"


def _moment(time_s: float) -> str:
    """A moment in UTC as it stands in the names of files."""
    return f"{datetime.fromtimestamp(time_s, UTC):%Y%m%dT%H%M%SZ}"
