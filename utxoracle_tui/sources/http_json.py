"""JSON as the clients of HTTP services read it: strict, and with words for what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import NoReturn

from utxoracle_tui.sources.http import clean_text


class GarbledBody(ValueError):
    """A body that is not what was asked for; the text says why, as the end of a sentence."""


def parse_json(body: bytes) -> object:
    """The value of a JSON document; raises `GarbledBody`."""
    try:
        parsed: object = json.loads(body.decode(), parse_constant=_refuse)
    except UnicodeDecodeError:
        fault = "is not UTF-8"
    except (ValueError, RecursionError):
        fault = "is not JSON"
    else:
        return parsed
    if body.lstrip()[:1] == b"<":
        fault = "is a web page, not JSON"
    elif not body.strip():
        fault = "is empty"
    raise GarbledBody(fault)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


class Fields:
    """A JSON object, its values fetched by key and type: a value of another type counts as missing.

    Raises `GarbledBody` for a value that is no object.
    """

    def __init__(self, value: object) -> None:
        if not isinstance(value, Mapping):
            raise GarbledBody("is not an object")
        self._values: Mapping[str, object] = value

    def __contains__(self, key: str) -> bool:
        return key in self._values

    @property
    def names(self) -> tuple[str, ...]:
        """All keys, in their order."""
        return tuple(self._values)

    def whole(self, key: str) -> int | None:
        """A whole number."""
        value = self._values.get(key)
        return value if type(value) is int else None

    def real(self, key: str) -> float | None:
        """A finite number, whole or not."""
        value = self._values.get(key)
        if type(value) is int:
            try:
                return float(value)
            except OverflowError:
                return None
        return value if isinstance(value, float) and isfinite(value) else None

    def flag(self, key: str) -> bool | None:
        """True or false."""
        value = self._values.get(key)
        return value if isinstance(value, bool) else None

    def text(self, key: str) -> str | None:
        """A text, made fit for a terminal."""
        value = self._values.get(key)
        return clean_text(value) if isinstance(value, str) else None

    def raw_text(self, key: str) -> str | None:
        """A text as it came."""
        value = self._values.get(key)
        return value if isinstance(value, str) else None

    def inner(self, key: str) -> Fields | None:
        """An object."""
        value = self._values.get(key)
        return Fields(value) if isinstance(value, Mapping) else None

    def items(self, key: str) -> list[object] | None:
        """A list."""
        value = self._values.get(key)
        return value if isinstance(value, list) else None
