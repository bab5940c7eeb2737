"""Export: what is stored, as a CSV or as JSON lines that `import` reads back to equal records."""

from __future__ import annotations

import csv
import datetime as dt
import heapq
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar

import msgspec

from utxoracle_tui import __version__, clock, durable, formats
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.collection import Collection
from utxoracle_tui.store.export_columns import cells_of, columns_of
from utxoracle_tui.store.records import Observation, Window, midnight_s
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.window_document import document_of

What = Literal["observations", "windows"]
Format = Literal["csv", "json"]
Row = Mapping[str, str | float | int | None]
"""One row of a table, by the names of its columns."""
T = TypeVar("T")
HEAD_KEY = "export"
"""The single key of the object that says what JSON lines are."""
COMMENT = "# "
"""What the lines begin with that say what a CSV is."""

_DAY_S = 86_400.0
_FOR_EVER_S = 253_402_300_800.0
"""The end of the year 9999."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be exported; the days are UTC, both included, None for no bound."""

    what: What
    format: Format = "csv"
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    label: str | None = None
    """What else to say of it, such as that it is a demo's."""


@dataclass(slots=True)
class Exported:
    """What an export holds, gathered while it is made."""

    count: int = 0
    unreadable_parts: int = 0
    """Files of the store whose records are missing, because they are damaged."""
    first_time_s: float | None = None
    last_time_s: float | None = None
    first_height: int | None = None
    last_height: int | None = None
    methods: set[str] = field(default_factory=set)
    exchange_sources: set[str] = field(default_factory=set)

    def add(self, record: Observation | Window) -> None:
        """One more record."""
        self.count += 1
        if self.first_time_s is None or record.time_s < self.first_time_s:
            self.first_time_s = record.time_s
        if self.last_time_s is None or record.time_s > self.last_time_s:
            self.last_time_s = record.time_s
        if record.first_height is not None and (self.first_height is None or record.first_height < self.first_height):
            self.first_height = record.first_height
        if record.last_height is not None and (self.last_height is None or record.last_height > self.last_height):
            self.last_height = record.last_height
        if record.method is not None:
            self.methods.add(record.method)
        source = _exchange_source(record)
        if source is not None:
            self.exchange_sources.add(source)


def export(
    store: Store,
    wanted: Wanted,
    target: BinaryIO,
    target_name: str,
    spool_folder: Path | None,
    *,
    records: Sequence[Observation | Window] | None = None,
) -> Exported:
    """Write an export to `target`: `records`, or what is stored of the days; memory is bounded whatever its size.

    What it is comes first and can only be said when all of it is known, so the rows wait in a file without a name in
    `spool_folder` (None: the platform's). Raises `OperatorError`, and `BrokenPipeError` when the reader has gone.
    """
    exported = Exported()
    with _told(f"a temporary file in {spool_folder or tempfile.gettempdir()}"):
        spool = tempfile.TemporaryFile(dir=spool_folder)  # noqa: SIM115  (closed below, told of differently)
    with spool:
        with _told("a temporary file"):
            chosen = _records(store, wanted, exported) if records is None else iter(records)
            _WRITERS[wanted.format](spool, _counted(chosen, exported), wanted.what)
            spool.seek(0)
        with _told(target_name):
            target.write(_head(_description(store, wanted, exported), wanted.format))
            shutil.copyfileobj(spool, target, 1 << 20)
            target.flush()
    return exported


def export_to_file(
    store: Store, wanted: Wanted, path: Path, records: Sequence[Observation | Window] | None = None
) -> Exported:
    """Write an export as `export` does, to a file for the owner alone, whole or not at all. Raises `OperatorError`."""
    path = path.resolve()
    if path.exists() and not path.is_file():
        message = f"Could not write {path}: it is not a file. Name a file, or leave --output out to print the export."
        raise OperatorError("export_failed", message, Exit.USAGE)
    return write_whole(path, lambda file: export(store, wanted, file, str(path), path.parent, records=records))


def rows_to_file(path: Path, head: dict[str, object], rows: Sequence[Row], form: Format) -> None:
    """Write rows that all have the same keys, after a head that says what they are. Raises `OperatorError`."""

    def write(file: BinaryIO) -> None:
        file.write(_head(head, form))
        if form == "json":
            file.writelines(msgspec.json.encode(row) + b"\n" for row in rows)
            return
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(rows[0] if rows else ())
        writer.writerows(["" if value is None else value for value in row.values()] for row in rows)
        text.detach()

    write_whole(path, write)


def write_whole(path: Path, write: Callable[[BinaryIO], T]) -> T:
    """Have a file written for the owner alone: there is all of it, or nothing. Raises `OperatorError`."""
    temporary = durable.temporary_beside(path)
    with _told(str(path)):
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, durable.PRIVATE_FILE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                written = write(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        durable.sync_folder(path.parent)
    return written


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OperatorError("export_failed", f"Could not write {name}: {reason}.", Exit.FAILED) from None


def _records(store: Store, wanted: Wanted, exported: Exported) -> Iterator[Observation | Window]:
    """The records of the span, by time."""
    start_s = midnight_s(wanted.first_day) if wanted.first_day else 0.0
    end_s = midnight_s(wanted.last_day) + _DAY_S if wanted.last_day else _FOR_EVER_S
    if wanted.what == "observations":
        yield from _by_time(store.observations, start_s, end_s, exported)
        return
    yield from heapq.merge(
        _by_time(store.windows.days, start_s, end_s, exported),
        _by_time(store.windows.blocks, start_s, end_s, exported),
        key=_time,
    )


def _by_time(
    collection: Collection[Any], start_s: float, end_s: float, exported: Exported
) -> Iterator[Observation | Window]:
    names = collection.parts.names_between(start_s, end_s)
    for _, neighbours in groupby(names, key=lambda name: name.first):
        parts = [collection.parts.load(name) for name in neighbours]
        exported.unreadable_parts += sum(not part.readable for part in parts)
        found = [record for part in parts for record in part.records if start_s <= record.time_s < end_s]
        yield from sorted(found, key=_time)


def _time(record: Observation | Window) -> float:
    return record.time_s


def _counted(records: Iterator[Observation | Window], exported: Exported) -> Iterator[Observation | Window]:
    for record in records:
        exported.add(record)
        yield record


def _write_csv(target: BinaryIO, records: Iterator[Observation | Window], what: What) -> None:
    columns = columns_of(Observation if what == "observations" else Window)
    text = io.TextIOWrapper(target, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.name for column in columns)
    writer.writerows(cells_of(columns, document_of(record)) for record in records)
    text.detach()


def _write_json(target: BinaryIO, records: Iterator[Observation | Window], what: What) -> None:
    encoder = msgspec.json.Encoder()
    for record in records:
        target.write(encoder.encode(record) + b"\n")


_WRITERS: dict[Format, Callable[[BinaryIO, Iterator[Observation | Window], What], None]] = {
    "csv": _write_csv,
    "json": _write_json,
}


def _description(store: Store, wanted: Wanted, exported: Exported) -> dict[str, object]:
    """What the export is; None where there is nothing to say."""
    return {
        "program": "utxoracle-tui",
        "version": __version__,
        "label": wanted.label,
        "what": wanted.what,
        "network": store.folder.network,
        "from": wanted.first_day.isoformat() if wanted.first_day else None,
        "to": wanted.last_day.isoformat() if wanted.last_day else None,
        "first_time": _utc(exported.first_time_s),
        "last_time": _utc(exported.last_time_s),
        "methods": sorted(exported.methods),
        "first_height": exported.first_height,
        "last_height": exported.last_height,
        "exchange_sources": sorted(exported.exchange_sources),
        "count": exported.count,
        "unreadable_parts": exported.unreadable_parts or None,
        "made": _utc(clock.now_s()),
    }


def _head(description: dict[str, object], form: Format) -> bytes:
    if form == "json":
        return msgspec.json.encode({HEAD_KEY: description}) + b"\n"
    lines = []
    for name, value in description.items():
        text = ", ".join(value) if isinstance(value, list) else value
        if text is not None and text != "":
            lines.append(f"{COMMENT}{name}: {text}\n")
    return "".join(lines).encode()


def _utc(time_s: float | None) -> str | None:
    return None if time_s is None else formats.utc_iso(time_s)


def _exchange_source(record: Observation | Window) -> str | None:
    """Where the exchange price comes from, as far as the record knows."""
    if isinstance(record, Observation):
        return record.exchange_source
    if record.exchange_usd is None:
        return None
    return "daily" if record.exchange_is_daily else "readings"
