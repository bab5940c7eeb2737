"""Cells of text as values; what can't be one is refused with a reason for the operator."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]
"""A row of a file by column: cells of a CSV, or the values of a JSON object."""

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9].*")
_TRUTHS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_LARGEST_WHOLE = 2**53
_LONGEST_SHOWN = 40
_LONGEST_SENTENCE = 200
FIRST_YEAR = 1970


class Refused(ValueError):
    """A row, or a part of it, that can't be taken; the text says why."""


def number(row: Row, name: str) -> float | None:
    """The number in a cell, None for an empty one. Raises `Refused`, for infinity and NaN too."""
    text = _text(row, name)
    if not text:
        return None
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise Refused(f"{name} is {shown(text)}, which is not a number")
    return value


def price(row: Row, name: str) -> float | None:
    """The price in a cell, None for an empty one. Raises `Refused`."""
    value = number(row, name)
    if value is not None and value <= 0:
        raise Refused(f"{name} is {shown(_text(row, name))}, and a price is more than 0")
    return value


def needed_price(row: Row, name: str) -> float:
    """The price in a cell that must not be empty. Raises `Refused`."""
    value = price(row, name)
    if value is None:
        raise Refused(f"{name} is empty")
    return value


def share(row: Row, name: str) -> float | None:
    """The number from 0 to 1 in a cell, None for an empty one. Raises `Refused`."""
    value = number(row, name)
    if value is not None and not 0 <= value <= 1:
        raise Refused(f"{name} is {shown(_text(row, name))}, and must be from 0 to 1")
    return value


def whole(row: Row, name: str) -> int | None:
    """The count in a cell, None for an empty one; `1250.0` is one too. Raises `Refused`."""
    value = number(row, name)
    if value is None:
        return None
    if not value.is_integer() or not 0 <= value <= _LARGEST_WHOLE:
        raise Refused(f"{name} is {shown(_text(row, name))}, which is not a whole number of 0 or more")
    return int(value)


def truth(row: Row, name: str) -> bool | None:
    """True or false in a cell, None for an empty one. Raises `Refused`."""
    text = _text(row, name)
    if not text:
        return None
    if text.lower() not in _TRUTHS:
        raise Refused(f"{name} is {shown(text)}, which is neither true nor false")
    return _TRUTHS[text.lower()]


def day(row: Row, name: str) -> dt.date:
    """The date in a cell, `YYYY-MM-DD`. Raises `Refused`."""
    text = _text(row, name)
    try:
        if not _DAY.fullmatch(text):
            raise Refused(f"{name} is {shown(text)}, which is not a date like 2024-02-29")
        found = dt.date.fromisoformat(text)
    except ValueError:
        raise Refused(f"{name} is {shown(text)}, which is not a date like 2024-02-29") from None
    if found.year < FIRST_YEAR:
        raise Refused(f"{name} is {shown(text)}, which is too long ago")
    return found


def day_or_moment(row: Row, name: str) -> dt.date | dt.datetime:
    """The date in a cell, or the moment in UTC where it has a time; a zone that isn't said is UTC. Raises `Refused`."""
    text = _text(row, name)
    if not _MOMENT.fullmatch(text):
        return day(row, name)
    try:
        found = dt.datetime.fromisoformat(text)
        moment = found.replace(tzinfo=found.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Refused(f"{name} is {shown(text)}, which is not a time like 2024-02-29 13:00:00") from None
    if moment.year < FIRST_YEAR:
        raise Refused(f"{name} is {shown(text)}, which is too long ago")
    return moment


def shown(text: str) -> str:
    """A piece of a file as messages show it: quoted, cut, and without what would steer a terminal."""
    return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")


def printable(text: str) -> str:
    """A sentence that may have a piece of a file in it, without what would steer a terminal, and cut."""
    return repr(text[:_LONGEST_SENTENCE])[1:-1] if not text.isprintable() else text[:_LONGEST_SENTENCE]


def _text(row: Row, name: str) -> str:
    return str(row.get(name, "")).strip()
