"""Parameters of an RPC: how many, with which names and of which types, and what a wrong one is answered with."""

from __future__ import annotations

import json
import string
from dataclasses import dataclass
from decimal import Decimal

from utxoracle_tui.demo.host.json_text import Json
from utxoracle_tui.demo.host.rpc_errors import Code, RpcError

_HASH_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter. `type` is a JSON type as Bitcoin Core names it, or empty when the method checks it itself."""

    name: str
    type: str = ""
    required: bool = False
    alias: str = ""


def in_order(params: tuple[Param, ...], given: Json, usage: str) -> list[Json]:
    """The given parameters, by position or by name, in the order of `params`, with None for those that were left out.

    Raises `RpcError` as the node does: the usage for a wrong number, all wrong types together.
    """
    values = _by_name(params, given) if isinstance(given, dict) else list(given)
    missing = [param for n, param in enumerate(params) if param.required and (n >= len(values) or values[n] is None)]
    if len(values) > len(params) or missing:
        raise RpcError(Code.MISC, usage)
    values += [None] * (len(params) - len(values))
    wrong = {
        f"Position {n} ({param.name})": _mismatch(value, param.type)
        for n, (param, value) in enumerate(zip(params, values, strict=True), start=1)
        if value is not None and param.type and type_name(value) != param.type
    }
    if wrong:
        raise RpcError(Code.TYPE, "Wrong type passed:\n" + json.dumps(wrong, indent=4))
    return values


def type_name(value: Json) -> str:
    """As Bitcoin Core's messages name the type of a JSON value."""
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int() | Decimal():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def whole_number(value: Json) -> int:
    """A number without a fraction; raises `RpcError` for anything else."""
    if type_name(value) != "number":
        raise RpcError(Code.TYPE, _mismatch(value, "number"))
    if not isinstance(value, int):
        raise RpcError(Code.MISC, "JSON integer out of range")
    return value


def block_hash(value: str) -> str:
    """A hash as RPC writes it; raises `RpcError` for anything else."""
    if len(value) != _HASH_DIGITS:
        message = f"blockhash must be of length {_HASH_DIGITS} (not {len(value)}, for '{value}')"
        raise RpcError(Code.INVALID_PARAMETER, message)
    if not is_hex(value):
        raise RpcError(Code.INVALID_PARAMETER, f"blockhash must be hexadecimal string (not '{value}')")
    return value.lower()


def is_hex(text: str) -> bool:
    """Whether all characters are hexadecimal digits."""
    return all(character in string.hexdigits for character in text)


def _mismatch(value: Json, expected: str) -> str:
    return f"JSON value of type {type_name(value)} is not of expected type {expected}"


def _by_name(params: tuple[Param, ...], given: dict[str, Json]) -> list[Json]:
    values: list[Json] = [None] * len(params)
    for name, value in given.items():
        places = [n for n, param in enumerate(params) if name in {param.name, param.alias}]
        if not places:
            raise RpcError(Code.INVALID_PARAMETER, f"Unknown named parameter {name}")
        values[places[0]] = value
    return values
