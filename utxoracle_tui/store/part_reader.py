"""Reading the part files of one kind of records: lists of parts, and what they hold, remembered while it is true."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from utxoracle_tui import clock
from utxoracle_tui.store.column_file import ColumnFile
from utxoracle_tui.store.envelope import HEAD_BYTES, DamagedFile, Header, Sealed, checksum_of
from utxoracle_tui.store.part_file import COLUMNS, PREVIOUS, SUFFIX, PartFile, UnreadablePart
from utxoracle_tui.store.part_names import PartName, Span
from utxoracle_tui.store.part_storage import up_to_date
from utxoracle_tui.store.store_folder import StoreFolder
from utxoracle_tui.store.troubles import MissingFile, told

TABLE = "records"
_PARTS_REMEMBERED = 96
_FORGOTTEN_AFTER_S = 600.0
"""What nobody has asked for in so long goes: a watch that runs for months has no use for the days behind it."""


class Record(Protocol):
    """What can be kept: a frozen dataclass with a key of its own, and a time."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def time_s(self) -> float: ...  # noqa: D102


R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Kind(Generic[R]):
    """How records of one kind are kept."""

    name: str
    record: type[R]
    span: Span = Span.DAY
    part_of: Callable[[R], PartName] | None = None
    """Which part a record goes to, where its time does not say."""
    heights: Callable[[R], tuple[int | None, int | None]] | None = None
    columns: Mapping[str, Callable[[R], float | None]] = field(default_factory=dict)
    """What charts and statistics need of a record, by name."""

    def place(self, record: R) -> PartName:
        """The part that a record belongs to."""
        return self.part_of(record) if self.part_of else self.span.part_of(record.time_s)

    def describe(self, part: str, records: tuple[R, ...], written_s: float) -> Header:
        """The header of a part with these records."""
        times = [record.time_s for record in records]
        ends = [self.heights(record) for record in records] if self.heights else []
        low = [first for first, _ in ends if first is not None]
        high = [last for _, last in ends if last is not None]
        return Header(
            collection=self.name,
            part=part,
            documents=len(records),
            first_time_s=min(times, default=None),
            last_time_s=max(times, default=None),
            first_height=min(low, default=None),
            last_height=max(high, default=None),
            written_s=written_s,
        )


@dataclass(frozen=True)
class Part(Generic[R]):
    """A part as it was read."""

    checksum: str | None
    """None for a part that isn't there, or can't be read."""
    records: tuple[R, ...]
    """By time."""
    times: tuple[float, ...]
    readable: bool = True

    @classmethod
    def of(cls, checksum: str | None, records: list[R], *, readable: bool = True) -> Part[R]:
        """Sort the records."""
        records.sort(key=_time)
        return cls(checksum, tuple(records), tuple(record.time_s for record in records), readable)


class PartReader(Generic[R]):
    """The parts of one kind of records."""

    def __init__(self, kind: Kind[R], folder: StoreFolder) -> None:
        self.kind = kind
        self.folder = folder.root / kind.name
        self._store_folder = folder
        self._folder_text = str(self.folder)
        self._column_file = ColumnFile(tuple(kind.columns))
        self._parts: OrderedDict[PartName, tuple[Part[R], float]] = OrderedDict()
        """Each with when it was last used; the one that was not for longest is the first."""
        self._remembering = threading.Lock()

    def file(self, name: PartName) -> PartFile:
        """The file of a part."""
        path = self.folder / name.folder / (name.file_stem + SUFFIX)
        return PartFile(path, f"{self.kind.name} {name.file_stem}", self._store_folder)

    def folders(self) -> list[str]:
        """The folders that there are, in order."""
        self._store_folder.settle()
        try:
            with told("read the store", self.folder), os.scandir(self.folder) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except MissingFile:
            return []

    def names_in(self, folder: str, start: str = "") -> list[PartName]:
        """The parts of a folder, in order; only those whose names start so."""
        self._store_folder.settle()
        try:
            with told("read the store", self.folder / folder):
                names = os.listdir(self.folder / folder)  # noqa: PTH208  (names are all that is needed)
        except MissingFile:
            return []
        stems = {
            name.removesuffix(SUFFIX).removesuffix(PREVIOUS)
            for name in names
            if name.startswith(start) and name.endswith((SUFFIX, PREVIOUS))
        }
        return sorted(PartName.from_file(folder, stem) for stem in stems)

    def names(self) -> Iterator[PartName]:
        """All parts, in order."""
        for folder in self.folders():
            yield from self.names_in(folder)

    def names_between(self, start_s: float, end_s: float) -> list[PartName]:
        """The parts that can hold records of a span of time."""
        low, high = self.kind.span.part_of(start_s), self.kind.span.part_of(end_s)
        return [
            name
            for folder in self.folders()
            if low.folder <= folder <= high.folder
            for name in self.names_in(folder)
            if low.stem <= name.stem <= high.stem
        ]

    def names_newest_first(self) -> Iterator[PartName]:
        """All parts, the latest first."""
        for folder in reversed(self.folders()):
            yield from reversed(self.names_in(folder))

    def neighbours(self, name: PartName) -> list[PartName]:
        """The parts that there are of a stem."""
        # mending may have taken away one of them, so that counting up would miss those behind it
        return [found for found in self.names_in(name.folder, name.stem) if found.stem == name.stem]

    def before(self, name: PartName) -> PartName | None:
        """The part before this one in its folder, if there is one."""
        return next((first for first, second in pairwise(self.names_in(name.folder)) if second == name), None)

    def load(self, name: PartName, *, verify: bool = False) -> Part[R]:
        """What a part holds. A part that can't be read is told of, and empty.

        With `verify` the whole file is looked at, even where it should be what is remembered: whoever writes must know
        what it is that is on the disk.
        """
        file = self.file(name)
        identity = None if verify else file.identity()
        known = self._known(name, identity[0]) if identity is not None else None
        if known is not None:
            return known
        try:
            sealed = file.read()
        except UnreadablePart as trouble:
            self._store_folder.notices.tell(file.path, trouble.message)
            return Part.of(None, [], readable=False)
        if sealed is None:
            return Part.of(None, [])
        if (known := self._known(name, sealed.checksum)) is not None:
            return known
        try:
            records = self.records_of(sealed)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._store_folder.notices.tell(file.path, _not_ours(file.path, error))
            return Part.of(None, [], readable=False)
        part = Part.of(sealed.checksum, records)
        self.remember(name, part)
        return part

    def _known(self, name: PartName, checksum: str) -> Part[R] | None:
        with self._remembering:
            part, _ = self._parts.get(name, (None, 0.0))
            if part is None or part.checksum != checksum:
                return None
            self._parts[name] = part, clock.now_s()
            self._parts.move_to_end(name)
            return part

    def remember(self, name: PartName, part: Part[R]) -> None:
        """Keep a part in memory, and give up those that were used long ago."""
        now_s = clock.now_s()
        with self._remembering:
            self._parts[name] = part, now_s
            self._parts.move_to_end(name)
            while len(self._parts) > _PARTS_REMEMBERED or self._oldest_use_s < now_s - _FORGOTTEN_AFTER_S:
                self._parts.popitem(last=False)

    @property
    def _oldest_use_s(self) -> float:
        return next(iter(self._parts.values()))[1]

    def array(self, name: PartName) -> NDArray[np.float64]:
        """The numbers of a part, shape (columns of the kind, records), by time."""
        # a chart of a year asks hundreds of times, and building paths takes longer than opening them
        base = f"{self._folder_text}/{name.folder}/{name.file_stem}"
        checksum = _checksum_in(base + SUFFIX)
        if checksum is not None:
            found = self._column_file.read(base + COLUMNS, checksum)
            if found is not None:
                return found
        part = self.load(name)
        array = self._as_array(part.records)
        if part.checksum is not None:
            self._column_file.write(Path(base + COLUMNS), part.checksum, array)
        return array

    def records_of(self, sealed: Sealed) -> list[R]:
        """The records of a verified file.

        Raises `msgspec.MsgspecError` or `UnicodeDecodeError` where one is none of this kind.
        """
        documents = up_to_date(self.kind.name, sealed).get(TABLE, {}).values()
        return [msgspec.convert(document, self.kind.record) for document in documents]

    def _as_array(self, records: tuple[R, ...]) -> NDArray[np.float64]:
        rows = [[_number(get(record)) for get in self.kind.columns.values()] for record in records]
        return np.array(rows, dtype=np.float64).reshape(len(records), len(self.kind.columns)).T


def _checksum_in(path: str) -> str | None:
    """The checksum that a part's file bears, taken on trust; None when the part has to be read to know."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  (see above)
            return checksum_of(file.read(HEAD_BYTES))
    except (OSError, DamagedFile):
        return None


def _not_ours(path: Path, error: Exception) -> str:
    return (
        f"{path} is whole, but holds a record that this program can't have written ({error}). Its rows can't be read; "
        "nothing was deleted. `utxoracle-tui restore` brings back the newest backup."
    )


def to_document(record: Record) -> dict[str, Any]:
    """The document of a record; what is None is left out."""
    document: dict[str, Any] = msgspec.to_builtins(record)
    return {"key": record.key, **{name: value for name, value in document.items() if value is not None}}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _time(record: Record) -> float:
    return record.time_s
