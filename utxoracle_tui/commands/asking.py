"""Asking the operator on the terminal: a line, yes or no, a password. Prompts go where words go, to stderr."""

from __future__ import annotations

import getpass
import sys

from utxoracle_tui.errors import Exit, OperatorError

LEAVE_OUT = "-"
"""What is typed to have nothing where a default stands."""


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask(question: str, default: str = "") -> str:
    """A line, without the blanks around it; the default for an empty one, nothing for a dash.

    Raises `OperatorError` where the input ends.
    """
    sys.stderr.write(f"{question} [{default}]: " if default else f"{question}: ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        sys.stderr.write("\n")
        raise OperatorError("not_answered", "The input ended before all was answered. Nothing was written.", Exit.USAGE)
    text = line.strip()
    return "" if text == LEAVE_OUT else text or default


def ask_yes(question: str) -> bool:
    """Yes or no; no unless yes is said."""
    return ask(f"{question} [y/N]").lower() in ("y", "yes")


def ask_password(question: str) -> str:
    """A password, which isn't shown; empty for none. Raises `OperatorError` where the input ends."""
    try:
        return getpass.getpass(f"{question}: ", sys.stderr)
    except EOFError:
        message = "The input ended before all was answered. Nothing was written."
        raise OperatorError("not_answered", message, Exit.USAGE) from None
