"""JSON as Bitcoin Core writes it: no blanks, amounts with eight decimals, text in UTF-8."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

Json = Any
"""What a JSON document holds; `Amount` and `Decimal` stand for numbers whose text matters."""

_SATS_A_BTC = 100_000_000
_CONSTANTS = {True: "true", False: "false", None: "null"}
_quoted = json.JSONEncoder(ensure_ascii=False).encode


class Amount(int):
    """Satoshis, written as bitcoin with all eight decimals. Not negative."""


def to_json(value: Json) -> str:
    """The text of a document. Raises TypeError for what JSON cannot hold."""
    match value:
        case dict():
            text = "{" + ",".join(f"{_quoted(key)}:{to_json(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            text = "[" + ",".join(map(to_json, value)) + "]"
        case Amount():
            text = f"{value // _SATS_A_BTC}.{value % _SATS_A_BTC:08}"
        case True | False | None:
            text = _CONSTANTS[value]
        case int():
            text = str(value)
        case float():
            text = f"{value:.16g}"
        case Decimal():
            text = str(value)
        case str():
            text = _quoted(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no place in JSON")
    return text


def from_json(text: bytes) -> Json:
    """Read a document, keeping the text of fractions. Raises ValueError for anything that isn't one."""
    return json.loads(text, parse_float=Decimal)
