"""Exports of this program: observations and windows, as CSV or as JSON lines."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from utxoracle_tui.store.export_columns import QUOTE, Form, columns_of
from utxoracle_tui.store.importing.cells import FIRST_YEAR, Refused, Row, day, number, printable, shown, truth, whole
from utxoracle_tui.store.importing.file_kind import Context, FileKind
from utxoracle_tui.store.importing.published_prices import same_price
from utxoracle_tui.store.records import Observation, Window

T = TypeVar("T", Observation, Window)

_METHOD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
"""It becomes a part of a file's name."""
_PRICES = ("price_usd", "onchain_usd", "exchange_usd", "exchange_mean_usd")
_SHARES = ("confidence", "exchange_coverage")
_TIMES = ("time_s", "exchange_time_s", "first_time_s", "last_time_s", "first_time", "last_time", "stored_s")
_LATEST_S = 253_402_300_799
_LARGEST_WHOLE = 2**53


def read_observation(row: Row, context: Context) -> Observation:
    """An observation from its document. Raises `Refused`."""
    record = _record(row, Observation)
    if not record.key:
        raise Refused("key is empty")
    return record


def read_window(row: Row, context: Context) -> Window:
    """A window from its document. Raises `Refused`."""
    record = _record(row, Window)
    if record.network is not None and record.network != context.network:
        raise Refused(f"it is of the network {shown(record.network)}, and the store of {context.network}")
    if record.network is None and not context.network_is_said:
        raise Refused("nothing says of which network it is")
    if not _METHOD.fullmatch(record.method):
        raise Refused(f"method is {shown(record.method)}, which is not the name of one")
    if record.kind == "day" and record.date is None:
        raise Refused("it is a day without a date")
    if record.kind == "blocks" and None in (record.first_height, record.last_height, record.last_time):
        raise Refused("it is a run of blocks without first_height, last_height or last_time")
    return record


def same_observation(old: Observation, new: Observation) -> bool:
    """Whether two say the same; being on the chain is the chain's affair, and changes."""
    return replace(old, orphaned=new.orphaned) == new


def same_window(old: Window, new: Window) -> bool:
    """Whether two results say the same, whenever and however fast they were made."""
    if makes_way(old, new):
        return False
    if old.imported or new.imported:
        return same_price(old, new)
    return replace(old, stored_s=new.stored_s, elapsed_s=new.elapsed_s, orphaned=new.orphaned) == new


def makes_way(old: Window, new: Window) -> bool:
    """Whether a published price makes way for a result that was worked out."""
    return old.imported and not new.imported


def _record(document: Mapping[str, Any], kind: type[T]) -> T:
    try:
        record = msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        text = text[:1].lower() + text[1:]
        raise Refused(printable(f"{place.rstrip('`')}: {text}" if place else text)) from None
    _check(msgspec.to_builtins(record))
    return record


def _check(document: Mapping[str, Any]) -> None:
    _check_values(document)
    for name in _PRICES:
        if document.get(name) is not None and document[name] <= 0:
            raise Refused(f"{name} is {document[name]}, and a price is more than 0")
    for names, highest in ((_SHARES, 1), (_TIMES, _LATEST_S)):
        for name in names:
            if document.get(name) is not None and not 0 <= document[name] <= highest:
                raise Refused(f"{name} is {document[name]}, and must be from 0 to {highest}")
    date = document.get("date")
    if date is not None and int(date[:4]) < FIRST_YEAR:
        raise Refused(f"date is {shown(date)}, which is too long ago")


def _check_values(document: Mapping[str, Any]) -> None:
    """Refuse what no field can have, such as text that would steer a terminal."""
    for name, value in document.items():
        kind = type(value)
        if kind is float:
            if not math.isfinite(value):
                raise Refused(f"{name} is {value}, which is not a number")
        elif kind is int:
            if not 0 <= value <= _LARGEST_WHOLE:
                raise Refused(f"{name} is {value}, which is not a whole number of 0 or more")
        elif kind is str:
            _check_texts(name, (value,))
        elif kind in {list, tuple, dict}:
            _check_texts(name, value)
            if kind is dict:
                _check_values(value)


def _check_texts(name: str, texts: Iterable[str]) -> None:
    if not all(map(str.isprintable, texts)):
        raise Refused(f"{name} has characters that can't be shown")


def _from_cells(kind: type[T], read: Callable[[Row, Context], T]) -> Callable[[Row, Context], T]:
    """A reader of rows of a CSV, from one of documents."""
    columns = {column.name: (column.path, _READERS[column.form]) for column in columns_of(kind)}

    def read_cells(row: Row, context: Context) -> T:
        document: dict[str, Any] = {}
        for name, cell in row.items():
            if cell == "" or name not in columns:
                continue
            path, value = columns[name]
            inner = document
            for step in path[:-1]:
                inner = inner.setdefault(step, {})
            inner[path[-1]] = value(row, name)
        return read(document, context)

    return read_cells


def _text(row: Row, name: str) -> object:
    cell: str = row[name]
    return _nested(row, name) if cell.startswith(QUOTE) else cell


def _nested(row: Row, name: str) -> object:
    try:
        return msgspec.json.decode(row[name])
    except (msgspec.MsgspecError, UnicodeError):
        raise Refused(f"{name} is {shown(row[name])}, which is not JSON") from None


_READERS: Mapping[Form, Callable[[Row, str], object]] = {
    Form.TEXT: _text,
    Form.DAY: day,
    Form.NUMBER: number,
    Form.WHOLE: whole,
    Form.TRUTH: truth,
    Form.NESTED: _nested,
}

_OBSERVATION_KEYS, _WINDOW_KEYS = ("key", "time_s", "window_kind"), ("kind", "method", "price_usd")

OBSERVATIONS_CSV = FileKind(
    name="observations",
    title="export of observations",
    columns=_OBSERVATION_KEYS,
    read=_from_cells(Observation, read_observation),
    collection=lambda store, record: store.observations,
    same=same_observation,
)
WINDOWS_CSV = FileKind(
    name="windows",
    title="export of windows",
    columns=_WINDOW_KEYS,
    read=_from_cells(Window, read_window),
    collection=lambda store, record: store.windows.of_kind(record.kind),
    same=same_window,
    makes_way=makes_way,
)
OBSERVATIONS_JSON = replace(OBSERVATIONS_CSV, read=read_observation, json_lines=True)
WINDOWS_JSON = replace(WINDOWS_CSV, read=read_window, json_lines=True)
