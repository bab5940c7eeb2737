"""The store's face: everything that is kept of one network, as typed records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from utxoracle_tui.store.blobs import Blobs
from utxoracle_tui.store.collection import Collection
from utxoracle_tui.store.jobs import Jobs
from utxoracle_tui.store.kinds import (
    ALERTS,
    BLOCK_PRICES,
    EXCHANGE_DAYS,
    EXCHANGE_READINGS,
    NOTES,
    OBSERVATIONS,
    note_part,
)
from utxoracle_tui.store.notices import Notices
from utxoracle_tui.store.points import PointsStore
from utxoracle_tui.store.records import Alert, BlockPrice, ExchangeDay, ExchangeReading, Note, Observation, Window
from utxoracle_tui.store.statistics import SpanStatistics, statistics
from utxoracle_tui.store.store_folder import StoreFolder
from utxoracle_tui.store.windows import Windows

_MB = 1_000_000
_DAY_S = 86_400.0
_THINNED_TO_S = 600


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept that are not kept for ever."""

    readings_days: int = 30
    """After this, exchange readings are thinned to one in ten minutes."""
    points_days: int = 400
    points_block_windows: int = 10
    digests_mb: int = 2_000
    backups: int = 30


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records there are of each kind; an imported daily row counts as one exchange reading."""

    observations: int
    windows: int
    jobs: int
    alerts: int
    exchange_readings: int


class Store:
    """One network's store. Safe to use from several threads; several processes can have it open at once.

    Opening reads nothing but the description. All reading sees whole states; all writing is on the disk when it
    returns. Both raise `StoreTrouble`.
    """

    def __init__(
        self, data_dir: Path, network: str, *, genesis_hash: str | None = None, retention: Retention | None = None
    ) -> None:
        """`data_dir` is the folder of all networks. Raises `StoreTrouble` for a store of another chain or version."""
        self.retention = retention or Retention()
        self.folder = StoreFolder(data_dir / network, network, genesis_hash)
        self.folder.check()
        self.observations: Collection[Observation] = Collection(OBSERVATIONS, self.folder)
        self.windows = Windows(self.folder)
        self.block_prices: Collection[BlockPrice] = Collection(BLOCK_PRICES, self.folder)
        self.exchange_readings: Collection[ExchangeReading] = Collection(EXCHANGE_READINGS, self.folder)
        self.exchange_days: Collection[ExchangeDay] = Collection(EXCHANGE_DAYS, self.folder)
        self.alerts: Collection[Alert] = Collection(ALERTS, self.folder)
        self.notes: Collection[Note] = Collection(NOTES, self.folder)
        self.jobs = Jobs(self.folder)
        self.points = PointsStore(
            self.folder.home / "points", self.retention.points_days, self.retention.points_block_windows
        )

    @property
    def notices(self) -> Notices:
        """What there is to tell of damaged files."""
        return self.folder.notices

    def writes(self) -> int:
        """A number that changes whenever any process has written."""
        return self.folder.lock.writes()

    def counts(self) -> Counts:
        """How many records there are."""
        return Counts(
            observations=self.observations.count(),
            windows=self.windows.count(),
            jobs=self.jobs.count(),
            alerts=self.alerts.count(),
            exchange_readings=self.exchange_readings.count() + self.exchange_days.count(),
        )

    def note(self, key: str) -> Note | None:
        """The newest note with a key, None before the first; `notes.put` with `replace` writes one."""
        return self.notes.get(key, note_part(key))

    def statistics(self, start_s: float, end_s: float) -> SpanStatistics:
        """What the observations of a span say."""
        return statistics(self.observations.columns(start_s, end_s))

    def mark_orphans(self, heights: range, is_on_chain: Callable[[int, str], bool]) -> int:
        """Mark what ends in a block that is not on the chain, and unmark what is on it again; how many changed.

        Looks at what ends at one of `heights`; `is_on_chain` is asked with the height and hash of each last block.
        """
        first, last = heights.start, heights.stop - 1
        windows = [
            *self.windows.between_heights(first, last, "blocks"),
            *self.windows.between_heights(first, last, "day"),
        ]
        changed = self.windows.put(_wrongly_marked(windows, is_on_chain))
        observations = self.observations.between_heights(first, last)
        changed += self.observations.put(_wrongly_marked(observations, is_on_chain), replace=True)
        blocks = self.block_prices.between_heights(first, last)
        changed += self.block_prices.put(_wrongly_marked(blocks, is_on_chain), replace=True)
        return len(changed)

    def thin_out(self, now_s: float) -> int:
        """Thin old exchange readings to the first of every ten minutes; how many went."""
        before_s, removed = now_s - self.retention.readings_days * _DAY_S, 0
        readings = self.exchange_readings
        for name in {name.first for name in readings.parts.names_between(0.0, before_s)}:
            surplus = _surplus(
                [record for part in readings.parts.neighbours(name) for record in readings.parts.load(part).records],
                before_s,
            )
            if surplus:
                removed += readings.remove(name, _is_one_of(surplus))
        return removed


def _is_one_of(keys: set[str]) -> Callable[[ExchangeReading], bool]:
    return lambda record: record.key in keys


def digests_of(data_dir: Path, network: str, retention: Retention) -> Blobs | None:
    """The digests of one network's blocks, by block hash; None where none are to be kept."""
    return Blobs(data_dir / network / "digests", retention.digests_mb * _MB) if retention.digests_mb else None


M = TypeVar("M", Window, Observation, BlockPrice)


def _wrongly_marked(records: list[M], is_on_chain: Callable[[int, str], bool]) -> list[M]:
    """The records whose mark does not agree with the chain, marked as it does."""
    return [
        replace(record, orphaned=not record.orphaned)
        for record in records
        if record.last_height is not None
        and record.last_hash is not None
        and is_on_chain(record.last_height, record.last_hash) == record.orphaned
    ]


def _surplus(readings: list[ExchangeReading], before_s: float) -> set[str]:
    """The keys of readings before a moment that are not the first of their source and ten minutes."""
    seen: set[tuple[str, int]] = set()
    surplus = set()
    for reading in sorted(readings, key=lambda reading: reading.time_s):
        slot = (reading.source, int(reading.time_s // _THINNED_TO_S))
        if reading.time_s < before_s and slot in seen:
            surplus.add(reading.key)
        seen.add(slot)
    return surplus
