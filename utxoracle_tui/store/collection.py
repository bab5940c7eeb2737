"""Records of one kind, in part files small enough that writing one costs the same however many there are."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from enum import Enum
from itertools import groupby
from operator import eq
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray
from tinydb import TinyDB, where

from utxoracle_tui import clock
from utxoracle_tui.store.part_names import PartName
from utxoracle_tui.store.part_reader import TABLE, Kind, Part, PartReader, R, to_document
from utxoracle_tui.store.part_storage import PartStorage
from utxoracle_tui.store.store_folder import StoreFolder

PART_DOCUMENTS = 512
"""A part with this many gets a neighbour: a day of rounds and blocks is about 290."""


class Outcome(Enum):
    """What became of a record that was to be kept."""

    TAKEN = "taken"
    SAME = "same"
    """It was there already."""
    REPLACED = "replaced"
    """Another one with its key was there, and has gone."""
    CONFLICT = "conflict"
    """Another one with its key is there, and stays."""


class Collection(Generic[R]):
    """All records of one kind. Safe to use from several threads and processes."""

    def __init__(self, kind: Kind[R], folder: StoreFolder) -> None:
        self.kind = kind
        self.parts = PartReader(kind, folder)
        self._store_folder = folder

    def put(self, records: Iterable[R], *, replace: bool = False, same: Callable[[R, R], bool] = eq) -> list[Outcome]:
        """Keep records. Where another one with its key is there, `replace` says which of them stays.

        What came of each, in order. When this returns all of it is on the disk; when it raises `StoreTrouble`, each
        part has all of its new records or none.
        """
        wanted = list(records)
        by_part: dict[PartName, list[int]] = defaultdict(list)
        for number, record in enumerate(wanted):
            by_part[self.kind.place(record)].append(number)
        outcomes: dict[int, Outcome] = {}
        for name, numbers in by_part.items():
            with self._store_folder.writing(f"write {self.kind.name}"):
                found = self._put_in(name, [wanted[number] for number in numbers], replace, same)
            outcomes.update(zip(numbers, found, strict=True))
        return [outcomes[number] for number in range(len(wanted))]

    def insert(self, record: R) -> Outcome:
        """Keep one record, unless its key is there already. Raises `StoreTrouble`."""
        return self.put([record])[0]

    def edit(self, name: PartName, change: Callable[[R], R | None]) -> list[R]:
        """Change records where they are: `change` gives the new one, with the same key, or None to leave it.

        The new records. Nobody else writes between reading and writing. Raises `StoreTrouble`.
        """
        changed: list[R] = []
        with self._store_folder.writing(f"write {self.kind.name}"):
            for part in self.parts.neighbours(name):
                updates = {
                    new.key: new
                    for old in self.parts.load(part, verify=True).records
                    if (new := change(old)) is not None and new != old
                }
                if updates:
                    self._commit(part, updates=updates)
                    changed += updates.values()
        return changed

    def remove(self, name: PartName, unwanted: Callable[[R], bool]) -> int:
        """Remove records of one part; how many went. Raises `StoreTrouble`."""
        removed = 0
        with self._store_folder.writing(f"thin out {self.kind.name}"):
            for part in self.parts.neighbours(name):
                keys = {record.key for record in self.parts.load(part, verify=True).records if unwanted(record)}
                if keys:
                    self._commit(part, removed=keys)
                    removed += len(keys)
        return removed

    def between(self, start_s: float, end_s: float) -> list[R]:
        """Records with `start_s <= time_s < end_s`, by time."""
        found: list[R] = []
        for name in self.parts.names_between(start_s, end_s):
            part = self.parts.load(name)
            found += part.records[bisect_left(part.times, start_s) : bisect_left(part.times, end_s)]
        # neighbours can hold times in any order
        found.sort(key=lambda record: record.time_s)
        return found

    def between_heights(self, first: int, last: int) -> list[R]:
        """Records whose window ends within these heights, both included, by time."""
        heights = self.kind.heights
        if heights is None:
            return []
        found: list[R] = []
        for name in self.parts.names():
            identity = self.parts.file(name).identity()
            if identity is not None and _misses(identity[1].last_height, identity[1].first_height, first, last):
                continue
            for record in self.parts.load(name).records:
                end = heights(record)[1]
                if end is not None and first <= end <= last:
                    found.append(record)
        found.sort(key=lambda record: record.time_s)
        return found

    def all(self) -> list[R]:
        """All records, by part."""
        return [record for name in self.parts.names() for record in self.parts.load(name).records]

    def newest(self, count: int = 1) -> list[R]:
        """The `count` latest records, the latest first."""
        found: list[R] = []
        last: PartName | None = None
        for name in self.parts.names_newest_first():
            if len(found) >= count and name.first != last:
                break
            found += self.parts.load(name).records
            last = name.first
        found.sort(key=lambda record: record.time_s, reverse=True)
        return found[:count]

    def first_time_s(self) -> float | None:
        """The time of the earliest record; None without any."""
        row = list(self.kind.columns).index("time_s")
        for _, neighbours in groupby(self.parts.names(), key=lambda name: name.first):
            # neighbours can hold times in any order
            times = np.concatenate([self.parts.array(name)[row] for name in neighbours])
            if len(times):
                return float(times.min())
        return None

    def get(self, key: str, part: PartName) -> R | None:
        """The record with a key, in a part or its neighbours."""
        for name in self.parts.neighbours(part):
            for record in self.parts.load(name).records:
                if record.key == key:
                    return record
        return None

    def count(self) -> int:
        """How many records there are."""
        total = 0
        for name in self.parts.names():
            identity = self.parts.file(name).identity()
            total += identity[1].documents if identity is not None else len(self.parts.load(name).records)
        return total

    def columns(self, start_s: float, end_s: float) -> dict[str, NDArray[np.float64]]:
        """The numbers of the records with `start_s <= time_s < end_s`, by column, each by time; NaN for no value."""
        arrays = [self.parts.array(name) for name in self.parts.names_between(start_s, end_s)]
        names = list(self.kind.columns)
        table = np.concatenate(arrays, axis=1) if arrays else np.empty((len(names), 0))
        times = table[names.index("time_s")]
        if np.any(times[1:] < times[:-1]):
            # neighbours can hold times in any order
            table = table[:, np.argsort(times, kind="stable")]
            times = table[names.index("time_s")]
        inside = slice(*np.searchsorted(times, (start_s, end_s)).tolist())
        return dict(zip(names, table[:, inside], strict=True))

    def _put_in(
        self, name: PartName, records: Sequence[R], replace: bool, same: Callable[[R, R], bool]
    ) -> list[Outcome]:
        parts = self.parts.neighbours(name)
        there = {record.key: (record, part) for part in parts for record in self.parts.load(part, verify=True).records}
        new: dict[str, R] = {}
        updates: dict[PartName, dict[str, R]] = defaultdict(dict)
        outcomes = []
        for record in records:
            old, part = there.get(record.key, (None, None))
            if old is None:
                outcomes.append(Outcome.TAKEN)
            elif same(old, record):
                outcomes.append(Outcome.SAME)
                continue
            elif replace:
                outcomes.append(Outcome.REPLACED)
            else:
                outcomes.append(Outcome.CONFLICT)
                continue
            there[record.key] = (record, part or name)
            if part is None or record.key in new:
                new[record.key] = record
            else:
                updates[part][record.key] = record
        for part, changed in updates.items():
            self._commit(part, updates=changed)
        self._append(parts[-1] if parts else name, list(new.values()))
        return outcomes

    def _append(self, part: PartName, new: Sequence[R]) -> None:
        position = 0
        while position < len(new):
            there = self.parts.load(part)
            # new records must not wait until somebody mends the old ones
            room = max(PART_DOCUMENTS - len(there.records), 0) if there.readable else 0
            if room:
                self._commit(part, inserts=new[position : position + room])
                if there.checksum is None and self.kind.columns and (before := self.parts.before(part)):
                    # the part before is complete now: a chart of a year must not have to read its documents
                    self.parts.array(before)
                position += room
            part = part.neighbour

    def _commit(
        self,
        name: PartName,
        inserts: Sequence[R] = (),
        updates: Mapping[str, R] | None = None,
        removed: set[str] | None = None,
    ) -> None:
        """Write one part once; the lock is held."""
        old = self.parts.load(name)
        updates, removed = updates or {}, removed or set()
        records = [updates.get(record.key, record) for record in old.records if record.key not in removed]
        after = Part.of(None, [*records, *inserts])
        header = self.kind.describe(name.file_stem, after.records, clock.now_s())
        storage = PartStorage(self.parts.file(name), self.kind.name, header)
        database = TinyDB(storage=lambda: storage)
        table = database.table(TABLE)
        if removed:
            table.remove(where("key").test(removed.__contains__))
        for key, record in updates.items():
            table.update(_become(to_document(record)), where("key") == key)
        if inserts:
            table.insert_multiple(to_document(record) for record in inserts)
        database.close()
        self.parts.remember(name, Part(storage.checksum, after.records, after.times))


def _become(new: dict[str, Any]) -> Callable[[MutableMapping[str, Any]], None]:
    """An update for TinyDB that leaves nothing of the old document: it may have fields that the new one lacks."""

    def change(document: MutableMapping[str, Any]) -> None:
        document.clear()
        document.update(new)

    return change


def _misses(part_last: int | None, part_first: int | None, first: int, last: int) -> bool:
    """Whether a part's heights say that no window in it can end within these."""
    return part_last is not None and part_first is not None and (part_last < first or part_first > last)
