"""Errors of Bitcoin Core's RPC."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """As in Bitcoin Core, rpc/protocol.h."""

    MISC = -1
    TYPE = -3
    NOT_FOUND = -5
    INVALID_PARAMETER = -8
    WARMING_UP = -28
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    PARSE = -32700


class RpcError(Exception):
    """A call that is answered with an error."""

    def __init__(self, code: Code, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class Forbidden(Exception):
    """A method that is not on the user's whitelist; the whole request is refused for it."""
