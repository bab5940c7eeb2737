"""Errors as the operator meets them: a sentence, a stable word for programs, and an exit code."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FAILED = 1
    """The work failed."""
    USAGE = 2
    """Wrong usage or configuration; a refused date is one."""
    UNREACHABLE = 3
    """A source can't be reached."""
    NOT_VALID = 4
    """Done, but the result is not valid."""


class OperatorError(Exception):
    """Something that went wrong, said as a sentence: what failed, where, and what can be done.

    `kind` is stable, for programs; `host` names the machine that is at fault, if one is.
    """

    def __init__(self, kind: str, message: str, exit_code: Exit, host: str | None = None) -> None:
        self.kind = kind
        self.message = message
        self.exit_code = exit_code
        self.host = host
        super().__init__(message)
