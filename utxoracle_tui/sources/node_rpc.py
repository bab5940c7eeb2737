"""JSON-RPC as Bitcoin Core speaks it, in both dialects: requests to bytes, replies to results or errors.

The old dialect has `result` and `error` in every reply, one of them null, and an HTTP status to match; 2.0 has one of
the two, and status 200. What a reply is, is decided by its body alone. Numbers with a point come as `Decimal`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

READING_METHODS = frozenset(
    {
        "getbestblockhash",
        "getblock",
        "getblockchaininfo",
        "getblockhash",
        "getblockheader",
        "getindexinfo",
        "getmempoolinfo",
        "getnetworkinfo",
        "uptime",
    }
)
"""The methods that are ever called; all of them only read."""
BLOCK_AS_BYTES = 0
"""The verbosity of `getblock` that gives the raw block; the others cost the node up to 60 times as much."""


class NotAllowedError(RuntimeError):
    """A call that this program must never make: a mistake in the program, not of the operator."""


class GarbledReply(ValueError):
    """A body that is no JSON-RPC reply to the request; the text says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Call:
    """A method with its parameters. Raises `NotAllowedError` for one that is not on the list of reading methods."""

    number: int
    method: str
    params: tuple[object, ...] = ()

    def __post_init__(self) -> None:
        if self.method not in READING_METHODS:
            raise NotAllowedError(f"{self.method} is not on the list of reading methods")
        if self.method == "getblock" and self.params[1:] != (BLOCK_AS_BYTES,):
            raise NotAllowedError("getblock is only called with verbosity 0")

    def as_json(self) -> dict[str, object]:
        """The request object."""
        return {"jsonrpc": "2.0", "id": self.number, "method": self.method, "params": list(self.params)}


@dataclass(frozen=True, slots=True)
class RpcError:
    """The error of a reply."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class RpcResult:
    """The result of a reply, any JSON value."""

    value: object


Answer = RpcResult | RpcError


def encode(calls: Call | Sequence[Call]) -> bytes:
    """The body of a request: of one call, or of a batch."""
    return json.dumps(calls.as_json() if isinstance(calls, Call) else [call.as_json() for call in calls]).encode()


def decode(body: bytes, call: Call) -> Answer:
    """The answer to a call; raises `GarbledReply`."""
    return _answer(_parse(body), call.number)


def decode_batch(body: bytes, calls: Sequence[Call]) -> list[Answer]:
    """The answers to a batch, in the order of the calls; an error for the batch as a whole is that of every call.

    Raises `GarbledReply`.
    """
    parsed = _parse(body)
    if isinstance(parsed, dict):
        answer = _answer(parsed, None)
        if isinstance(answer, RpcResult):
            raise GarbledReply("is one result, not a batch of them")
        return [answer] * len(calls)
    if not isinstance(parsed, list) or len(parsed) != len(calls):
        raise GarbledReply(f"is not a batch of {len(calls)} answers")
    # a boolean and an integer are the same key to Python
    by_number = {entry["id"]: entry for entry in parsed if isinstance(entry, dict) and type(entry.get("id", "")) is int}
    missing = next((call for call in calls if call.number not in by_number), None)
    if missing is not None:
        raise GarbledReply(f"has no answer to request {missing.number} of the batch")
    return [_answer(by_number[call.number], call.number) for call in calls]


def _parse(body: bytes) -> object:
    try:
        parsed: object = json.loads(body.decode(), parse_float=Decimal, parse_constant=_refuse)
    except UnicodeDecodeError:
        fault = "is not UTF-8"
    except (ValueError, ArithmeticError, RecursionError):
        fault = "is not JSON"
    else:
        return parsed
    if body.lstrip()[:1] == b"<":
        fault = "is a web page, not JSON"
    elif not body:
        fault = "is empty"
    raise GarbledReply(fault)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _answer(reply: object, number: int | None) -> Answer:
    if not isinstance(reply, dict):
        raise GarbledReply("is not a JSON-RPC reply")
    error = reply.get("error")
    same = type(reply.get("id")) is int and reply["id"] == number
    if error is not None:
        # a server that could not read the request doesn't know its number
        if not same and reply.get("id") is not None:
            raise GarbledReply(f"is the error of another request ({reply['id']!r:.40})")
        return _error(error)
    if "result" not in reply:
        raise GarbledReply("has neither a result nor an error")
    if not same:
        raise GarbledReply(f"belongs to another request ({reply.get('id')!r:.40})")
    return RpcResult(reply["result"])


def _error(error: object) -> RpcError:
    if isinstance(error, Mapping):
        code, message = error.get("code"), error.get("message")
        if type(code) is int and isinstance(message, str):
            return RpcError(code, message)
    raise GarbledReply("has an error without code and message")
