"""Whether a store is whole, and mending it where it isn't. Checking reads every file and changes nothing."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import stat
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from utxoracle_tui import clock
from utxoracle_tui.durable import TEMPORARY
from utxoracle_tui.store import kinds
from utxoracle_tui.store.backup_file import Progress
from utxoracle_tui.store.check_part import PartFinding, examine
from utxoracle_tui.store.part_file import MISSING, PartFile
from utxoracle_tui.store.part_names import PartName
from utxoracle_tui.store.part_reader import Kind, PartReader
from utxoracle_tui.store.records import Window
from utxoracle_tui.store.store import Counts
from utxoracle_tui.store.store_folder import MANIFEST, StoreFolder
from utxoracle_tui.store.troubles import MissingFile, told

KINDS: tuple[Kind[Any], ...] = tuple(value for value in vars(kinds).values() if isinstance(value, Kind))
"""Every kind that is declared, so that none can be forgotten."""
_LEFT_AFTER_S = 3600.0
"""No file takes an hour to write."""
_LOOKS, _LOOK_EVERY_S = 100, 0.01
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is not what it should be."""

    file: Path
    why: str
    used: Path | None
    """Which file is used for it; None where no good one is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What was found. Only damage makes a store one that is not all right."""

    counts: Counts
    damaged: tuple[Damage, ...]
    gaps: tuple[dt.date, ...]
    """Days without a window, between the first and the last that have one."""
    orphans: tuple[str, ...]
    """Keys of records that end in a block which is no longer on the chain."""
    set_aside: tuple[Path, ...]
    """Files that were damaged some time before, and are kept."""
    leftovers: tuple[Path, ...]
    """What an interrupted write left behind, over an hour ago."""

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged."""
        return not self.damaged

    @property
    def rows_missing(self) -> bool:
        """Whether there are files of which no good copy is left."""
        return any(damage.used is None for damage in self.damaged)


@dataclass(slots=True)
class _Seen:
    """What was found so far."""

    counts: Counter[str] = field(default_factory=Counter)
    damaged: list[Damage] = field(default_factory=list)
    days: set[dt.date] = field(default_factory=set)
    orphans: list[str] = field(default_factory=list)


def check_store(folder: StoreFolder, on_progress: Progress) -> CheckReport:
    """Look at every file. Raises `StoreTrouble` where that can't be done, or a newer program wrote the store."""
    while True:
        before = _identity(folder)
        seen = _look(folder, on_progress)
        # a store that was restored meanwhile is another one
        if _identity(folder) == before:
            break
    return CheckReport(
        counts=Counts(
            observations=seen.counts["observations"],
            windows=seen.counts["day-windows"] + seen.counts["block-windows"],
            jobs=seen.counts["jobs"],
            alerts=seen.counts["alerts"],
            exchange_readings=seen.counts["exchange-readings"] + seen.counts["exchange-days"],
        ),
        damaged=tuple(seen.damaged),
        gaps=_gaps(seen.days),
        orphans=tuple(sorted(seen.orphans)),
        set_aside=tuple(sorted(_files_in(folder.damaged))),
        leftovers=tuple(sorted(_leftovers(folder))),
    )


def mend_store(folder: StoreFolder, on_progress: Progress) -> list[str]:
    """Set damaged files aside, put the state before in their place, and remove leftovers; what was done, in sentences.

    Raises `StoreTrouble`.
    """
    with told("mend the store", folder.root):
        if folder.root.exists() or folder.is_being_exchanged():
            _mend_files(folder, on_progress)
    done = []
    for path in list(_leftovers(folder)):
        with told("remove what an interrupted write left behind", path):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        done.append(f"{path} was left behind by a write that was interrupted. It is removed.")
    return [*(notice.sentence for notice in folder.notices.all()), *done]


def _mend_files(folder: StoreFolder, on_progress: Progress) -> None:
    with folder.standing_still("mend the store"):
        _description(folder).mend()
    with folder.writing("mend the store"):
        # one that was lost has been written again
        pass
    files = [reader.file(name) for reader, name in _parts(folder)]
    for number, file in enumerate(files):
        on_progress("Mending", number, len(files))
        if any(generation.sealed is None for generation in file.generations()):
            # others need not wait while whole files are read
            with folder.standing_still("mend the store"):
                file.mend()


def _look(folder: StoreFolder, on_progress: Progress) -> _Seen:
    seen = _Seen()
    if _is_half_restored(folder):
        why = "restoring it was interrupted; whatever opens the store next finishes that"
        seen.damaged.append(Damage(folder.root, why, folder.root))
        return seen
    parts = list(_parts(folder))
    _look_at_description(folder, seen, expected=bool(parts))
    neighbourhood: tuple[Kind[Any], PartName] | None = None
    keys: dict[str, Path] = {}
    for number, (reader, name) in enumerate(parts):
        on_progress("Checking", number, len(parts))
        if neighbourhood != (reader.kind, name.first):
            # only neighbours can hold the same record
            neighbourhood, keys = (reader.kind, name.first), {}
        _take(examine(reader, name), reader.kind, keys, seen)
    return seen


def _is_half_restored(folder: StoreFolder) -> bool:
    """Whether the store is not there because restoring it was interrupted."""
    for _ in range(_LOOKS):
        with told("read the store", folder.root):
            if folder.root.exists() or not folder.is_being_exchanged():
                return False
        time.sleep(_LOOK_EVERY_S)
    return True


def _look_at_description(folder: StoreFolder, seen: _Seen, *, expected: bool) -> None:
    file = _description(folder)
    generations = file.generations()
    used = next((each.path for each in generations if each.sealed is not None), None)
    seen.damaged += [Damage(each.path, each.why, used) for each in generations if each.why is not None]
    current, before = generations
    if current.gone and (expected or not before.gone):
        seen.damaged.append(Damage(file.path, MISSING, used))
    manifest = folder.description_in(folder.root)
    if manifest is not None:
        folder.refuse_other(manifest)


def _take(finding: PartFinding, kind: Kind[Any], known: dict[str, Path], seen: _Seen) -> None:
    """Add what was found in one part."""
    seen.damaged += [Damage(path, why, finding.used) for path, why in finding.troubles]
    seen.counts[kind.name] += len(finding.records)
    for record in finding.records:
        other = known.setdefault(record.key, finding.path)
        if other is not finding.path:
            seen.damaged.append(Damage(finding.path, f"{record.key} is in {other} as well", finding.used))
        if isinstance(record, Window) and record.kind == "day" and record.date is not None:
            seen.days.add(record.date)
        if getattr(record, "orphaned", False):
            seen.orphans.append(record.key)


def _parts(folder: StoreFolder) -> Iterator[tuple[PartReader[Any], PartName]]:
    for kind in KINDS:
        reader = PartReader(kind, folder)
        for name in reader.names():
            yield reader, name


def _description(folder: StoreFolder) -> PartFile:
    return PartFile(folder.root / f"{MANIFEST}.json", "the store's description", folder)


def _gaps(days: set[dt.date]) -> tuple[dt.date, ...]:
    if not days:
        return ()
    first, last = min(days), max(days)
    return tuple(day for number in range((last - first).days) if (day := first + number * _DAY) not in days)


def _identity(folder: StoreFolder) -> tuple[int, int] | None:
    try:
        with told("read the store", folder.root):
            state = folder.root.stat()
    except MissingFile:
        return None
    return state.st_dev, state.st_ino


def _files_in(path: Path) -> list[Path]:
    try:
        with told("look at the files set aside", path):
            return [Path(entry.path) for entry in os.scandir(path)]
    except MissingFile:
        return []


def _leftovers(folder: StoreFolder) -> Iterator[Path]:
    """Temporary files and folders that nobody has written to for long."""
    before_s = clock.now_s() - _LEFT_AFTER_S
    for here, folders, names in os.walk(folder.home):
        for name in [*folders, *names]:
            path = Path(here, name)
            if not name.endswith(TEMPORARY):
                continue
            if name in folders:
                folders.remove(name)
            try:
                with told("look for what was left behind", path):
                    state = path.lstat()
            except MissingFile:
                continue
            if state.st_mtime < before_s and (stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode)):
                yield path
