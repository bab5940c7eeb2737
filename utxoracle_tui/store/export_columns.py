"""Records as rows of a table: its columns, and cells of text that read back to the same values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from enum import Enum
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

QUOTE = '"'
"""A cell that begins with this is a text written as JSON: an empty cell means that there is no value, and a line that
begins with # is none of the rows."""
_TO_QUOTE = {QUOTE, "#"}


class Form(Enum):
    """What the cells of a column hold."""

    TEXT = "text"
    DAY = "day"
    NUMBER = "number"
    WHOLE = "whole number"
    TRUTH = "truth"
    NESTED = "nested"
    """A list or a mapping, as JSON."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    path: tuple[str, ...]
    """The field, and the field in it where it is a record itself."""
    form: Form

    @property
    def name(self) -> str:
        """As it stands in the column row."""
        return ".".join(self.path)


def columns_of(record: type) -> tuple[Column, ...]:
    """The columns of a kind of records, in the order of its fields."""
    found: list[Column] = []
    for name, hint in get_type_hints(record).items():
        # an optional value is declared `X | None`
        kind = next((kind for kind in get_args(hint) if is_dataclass(kind)), hint)
        if isinstance(kind, type) and is_dataclass(kind):
            found += [Column((name, *column.path), column.form) for column in columns_of(kind)]
        else:
            found.append(Column((name,), _form(hint)))
    return tuple(found)


def cells_of(columns: tuple[Column, ...], document: Mapping[str, Any]) -> list[str]:
    """The row of a document as `document_of` gives it."""
    cells = []
    for column in columns:
        value: Any = document
        for name in column.path:
            value = None if value is None else value[name]
        cells.append("" if value is None else _cell(value))
    return cells


def _cell(value: object) -> str:
    kind = type(value)
    if kind is float:
        return repr(value)
    if kind is bool:
        return "true" if value else "false"
    text = str(value)
    if kind in {list, tuple, dict} or not text or text[0] in _TO_QUOTE:
        return msgspec.json.encode(value).decode()
    return text


_FORMS: Mapping[object, Form] = {
    str: Form.TEXT,
    dt.date: Form.DAY,
    float: Form.NUMBER,
    int: Form.WHOLE,
    bool: Form.TRUTH,
}


def _form(hint: object) -> Form:
    kinds = [hint] if get_origin(hint) in {Literal, tuple, dict} else [*get_args(hint), hint]
    kind = next(kind for kind in kinds if kind is not type(None))
    if get_origin(kind) is Literal:
        return Form.TEXT
    return _FORMS.get(kind, Form.NESTED)
