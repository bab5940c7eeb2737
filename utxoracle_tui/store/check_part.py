"""Whether one part of a store is what it should be: both generations, and every document in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from utxoracle_tui.store.envelope import Sealed
from utxoracle_tui.store.part_file import MISSING
from utxoracle_tui.store.part_names import PartName
from utxoracle_tui.store.part_reader import Kind, PartReader


@dataclass(frozen=True, slots=True)
class PartFinding:
    """What was found in one part."""

    path: Path
    records: tuple[Any, ...]
    """Those of the generation that is used."""
    used: Path | None
    """The generation that is used; None where none is good."""
    troubles: tuple[tuple[Path, str], ...]
    """Each file that is not what it should be, and why."""


def examine(reader: PartReader[Any], name: PartName) -> PartFinding:
    """Look at both generations of a part; changes nothing. Raises `StoreTrouble`."""
    file = reader.file(name)
    troubles: list[tuple[Path, str]] = []
    used: Path | None = None
    records: tuple[Any, ...] = ()
    current, before = file.generations()
    for generation in (current, before):
        if generation.why is not None:
            troubles.append((generation.path, generation.why))
        if generation.sealed is not None:
            found, whys = _contents(reader, name, generation.sealed)
            troubles += [(generation.path, why) for why in whys]
            if used is None:
                used, records = generation.path, found
    if current.gone and not before.gone:
        troubles.append((current.path, MISSING))
    return PartFinding(file.path, records, used, tuple(troubles))


def _contents(reader: PartReader[Any], name: PartName, sealed: Sealed) -> tuple[tuple[Any, ...], list[str]]:
    """The records of a file whose checksum fits, and what is wrong with them."""
    kind, header = reader.kind, sealed.header
    try:
        records = tuple(reader.records_of(sealed))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return (), [f"it holds what is none of the {kind.name}: {error}"]
    whys = []
    if (header.collection, header.part) != (kind.name, name.file_stem):
        whys.append(f"it says that it is part {header.part} of {header.collection}")
    expected = kind.describe(name.file_stem, records, header.written_s)
    told_of = replace(
        header, collection=expected.collection, part=expected.part, schema=expected.schema, format=expected.format
    )
    if told_of != expected:
        whys.append("its header does not agree with its documents")
    strays = [record.key for record in _telling(kind, records) if kind.place(record).first != name.first]
    if strays:
        strays = [record.key for record in records if kind.place(record).first != name.first]
        whys.append(f"{strays[0]} in it belongs elsewhere ({len(strays)} of {len(records)} documents)")
    twice = [key for key, count in Counter(record.key for record in records).items() if count > 1]
    if twice:
        whys.append(f"{twice[0]} is in it more than once ({len(twice)} keys)")
    return records, whys


def _telling(kind: Kind[Any], records: tuple[Any, ...]) -> tuple[Any, ...]:
    """Records that all lie in one part only if all the others do."""
    if kind.part_of is not None or not records:
        return records
    # a part is a span of time, so those between the first and the last are in it when these are
    return min(records, key=_time), max(records, key=_time)


def _time(record: Any) -> float:  # noqa: ANN401  (of any kind)
    return float(record.time_s)
