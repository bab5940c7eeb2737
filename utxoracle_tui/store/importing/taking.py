"""Rows into the store, or only to see what would become of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic

import msgspec

from utxoracle_tui.store.collection import Collection, Outcome
from utxoracle_tui.store.importing.file_kind import FileKind
from utxoracle_tui.store.part_reader import R, to_document
from utxoracle_tui.store.store import Store


@dataclass(frozen=True)
class Taker(Generic[R]):
    """Takes the rows of one file."""

    kind: FileKind[R]
    store: Store
    dry_run: bool
    _foreseen: dict[str, bytes] = field(default_factory=dict)
    """What a dry run would have stored by now, packed: a file can name a key twice."""

    def take(self, records: Sequence[R]) -> list[Outcome]:
        """What became of each, or would become. Raises `StoreTrouble`."""
        by_collection: dict[str, list[int]] = defaultdict(list)
        for number, record in enumerate(records):
            by_collection[self.kind.collection(self.store, record).kind.name].append(number)
        outcomes: dict[int, Outcome] = {}
        for numbers in by_collection.values():
            chosen = [records[number] for number in numbers]
            collection = self.kind.collection(self.store, chosen[0])
            found = self._foresee(collection, chosen) if self.dry_run else self._put(collection, chosen)
            outcomes.update(zip(numbers, found, strict=True))
        return [outcomes[number] for number in range(len(records))]

    def _put(self, collection: Collection[R], records: Sequence[R]) -> list[Outcome]:
        outcomes = collection.put(records, same=self.kind.same)
        makes_way = self.kind.makes_way
        if makes_way is None:
            return outcomes
        contested = [number for number, outcome in enumerate(outcomes) if outcome is Outcome.CONFLICT]
        again = [records[number] for number in contested]
        # asked once more under the lock: the stored one may be another by now
        found = collection.put(again, replace=True, same=lambda old, new: not makes_way(old, new))
        for number, outcome in zip(contested, found, strict=True):
            if outcome is not Outcome.SAME:
                outcomes[number] = outcome
        return outcomes

    def _foresee(self, collection: Collection[R], records: Sequence[R]) -> list[Outcome]:
        """What `_put` would say, from what is stored and what the file had before."""
        stored: dict[str, R] = {}
        for place in {collection.kind.place(record) for record in records}:
            for part in collection.parts.neighbours(place):
                stored.update((record.key, record) for record in collection.parts.load(part).records)
        outcomes = []
        for record in records:
            packed = self._foreseen.get(record.key)
            old = stored.get(record.key) if packed is None else self._unpacked(collection, packed)
            outcome = Outcome.TAKEN if old is None else self._judge(old, record)
            if outcome in {Outcome.TAKEN, Outcome.REPLACED}:
                self._foreseen[record.key] = msgspec.msgpack.encode(to_document(record))
            outcomes.append(outcome)
        return outcomes

    def _judge(self, old: R, new: R) -> Outcome:
        if self.kind.same(old, new):
            return Outcome.SAME
        if self.kind.makes_way is not None and self.kind.makes_way(old, new):
            return Outcome.REPLACED
        return Outcome.CONFLICT

    def _unpacked(self, collection: Collection[R], packed: bytes) -> R:
        return msgspec.msgpack.decode(packed, type=collection.kind.record)
