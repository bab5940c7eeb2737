"""Importing files: each is opened and told for what it is before the first row of any is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.collection import Outcome
from utxoracle_tui.store.importing.cells import Refused, shown
from utxoracle_tui.store.importing.earlier_table import EARLIER_TABLE
from utxoracle_tui.store.importing.exchange_history import EXCHANGE_HISTORY
from utxoracle_tui.store.importing.file_kind import AnyKind, Context
from utxoracle_tui.store.importing.lines import CsvRows, JsonRows, Line, lines_of
from utxoracle_tui.store.importing.own_exports import (
    OBSERVATIONS_CSV,
    OBSERVATIONS_JSON,
    WINDOWS_CSV,
    WINDOWS_JSON,
)
from utxoracle_tui.store.importing.published_prices import PUBLISHED_PRICES
from utxoracle_tui.store.importing.taking import Taker
from utxoracle_tui.store.part_reader import Record
from utxoracle_tui.store.store import Store

_FOREIGN = (EXCHANGE_HISTORY, PUBLISHED_PRICES, EARLIER_TABLE)
KINDS: tuple[AnyKind, ...] = (OBSERVATIONS_CSV, WINDOWS_CSV, OBSERVATIONS_JSON, WINDOWS_JSON, *_FOREIGN)
ROWS_AT_ONCE = 20_000
"""Rows are stored in runs of this many: each file of the store that they touch is then written once a run."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken."""

    line: int
    """From 1."""
    reason: str


@dataclass(slots=True)
class FileReport:
    """What became of a file's rows."""

    path: Path
    kind: AnyKind
    taken: int = 0
    same: int = 0
    """Those that were stored already."""
    conflicts: list[int] = field(default_factory=list)
    """Lines of rows that say something else than what is stored, which stays."""
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows the file has."""
        return self.taken + self.same + len(self.conflicts) + len(self.refusals)

    def add(self, line: int, outcome: Outcome) -> None:
        """What became of one row."""
        if outcome is Outcome.SAME:
            self.same += 1
        elif outcome is Outcome.CONFLICT:
            self.conflicts.append(line)
        else:
            self.taken += 1


@dataclass(slots=True)
class _Source:
    """A file whose kind is known."""

    path: Path
    kind: AnyKind
    rows: CsvRows | JsonRows
    lines: Iterator[Line]
    context: Context


def import_files(
    store: Store, paths: Iterable[Path], context: Context, on_progress: Callable[[FileReport], None], *, dry_run: bool
) -> Iterator[FileReport]:
    """Take the rows of all files, and report on each when it is done; `on_progress` is called now and then.

    Raises `OperatorError` before anything is stored for a file that can't be read, is of no known kind, or is an
    export of another network.
    """
    with ExitStack() as files:
        sources = [_open(path, files, context) for path in paths]
        for source in sources:
            yield _take(source, Taker(source.kind, store, dry_run), on_progress)


def _open(path: Path, files: ExitStack, context: Context) -> _Source:
    with _told(path):
        file = files.enter_context(path.open("rb"))
        return _tell(path, file, context)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OperatorError("unreadable", f"Could not read {path}: {reason}.", Exit.USAGE) from None


def _tell(path: Path, file: BinaryIO, context: Context) -> _Source:
    """Find out what a file is by its first lines."""
    lines = lines_of(file)
    said: dict[str, Any] = {}
    first = None
    for line in lines:
        head = _head(line)
        if head is None:
            first = line
            break
        said |= head
    _check_network(path, said, context)
    if first is None and not said:
        raise OperatorError("unknown_kind", f"{path} is empty: there is nothing to import in it.", Exit.USAGE)
    context = replace(context, network_is_said="network" in said)
    return _source(path, first, said.get("what"), lines, context)


def _head(line: Line) -> dict[str, Any] | None:
    """What a line before the first row says of the file."""
    try:
        return JsonRows.head(line.text) if _is_json(line) else CsvRows.head(line.text)
    except Refused:
        return None


def _is_json(line: Line) -> bool:
    return line.text.lstrip().startswith("{")


def _source(path: Path, first: Line | None, what: object, lines: Iterator[Line], context: Context) -> _Source:
    if first is None or _is_json(first):
        rows = JsonRows()
        kinds = [kind for kind in KINDS if kind.json_lines]
        known = next((kind for kind in kinds if kind.name == what), None)
        if known is None and first is not None:
            known = _by_columns(kinds, _names(rows, first))
        if known is not None:
            return _Source(path, known, rows, chain([first] if first else [], lines), context)
    elif first.trouble is None:
        try:
            columns = CsvRows(first.text)
        except Refused as refused:
            raise _unknown(path, f"in its column row, {refused}") from None
        known = _by_columns([kind for kind in KINDS if not kind.json_lines], columns.columns)
        if known is not None:
            return _Source(path, known, columns, lines, context)
    if first is None:
        raise _unknown(path, "it has no rows")
    raise _unknown(path, first.trouble or f"its first line is {shown(first.text)}")


def _by_columns(kinds: Iterable[AnyKind], names: Iterable[str]) -> AnyKind | None:
    there = set(names)
    return next((kind for kind in kinds if there.issuperset(kind.columns)), None)


def _names(rows: JsonRows, line: Line) -> Iterable[str]:
    try:
        return rows.row(line.text)
    except Refused:
        return ()


def _unknown(path: Path, why: str) -> OperatorError:
    known = "".join(f"\n  {','.join(kind.columns)}   ({kind.title})" for kind in _FOREIGN)
    return OperatorError(
        "unknown_kind",
        f"{path} is of no known kind: {why}. Nothing was imported. A CSV is known by its column row, which has at "
        f"least, in any order:{known}\nand exports of this program, CSV or JSON lines, as they are.",
        Exit.USAGE,
    )


def _check_network(path: Path, said: dict[str, Any], context: Context) -> None:
    network = said.get("network")
    if network is not None and network != context.network:
        raise OperatorError(
            "other_network",
            f"{path} is an export of the network {shown(str(network))}, and this is the store of {context.network}. "
            "They are never mixed: name the network with --network.",
            Exit.USAGE,
        )


def _take(source: _Source, taker: Taker[Any], on_progress: Callable[[FileReport], None]) -> FileReport:
    report = FileReport(source.path, source.kind)
    waiting: list[tuple[int, Record]] = []
    with _told(source.path):
        for line in source.lines:
            try:
                record = _record(source, line)
            except Refused as refused:
                report.refusals.append(Refusal(line.number, str(refused)))
                continue
            if record is not None:
                waiting.append((line.number, record))
            if len(waiting) == ROWS_AT_ONCE:
                _flush(waiting, taker, report)
                on_progress(report)
    _flush(waiting, taker, report)
    return report


def _record(source: _Source, line: Line) -> Record | None:
    """The record of a line; None for one that says what the file is."""
    if line.trouble is not None:
        raise Refused(line.trouble)
    said = source.rows.head(line.text)
    if said is not None:
        _check_network(source.path, said, source.context)
        return None
    record: Record = source.kind.read(source.rows.row(line.text), source.context)
    return record


def _flush(waiting: list[tuple[int, Record]], taker: Taker[Any], report: FileReport) -> None:
    outcomes = taker.take([record for _, record in waiting])
    for (line, _), outcome in zip(waiting, outcomes, strict=True):
        report.add(line, outcome)
    waiting.clear()
