"""Commands run in the process of the test, as their user sees them."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass

from utxoracle_tui.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


def ran(*arguments: object) -> Ran:
    """Run a command; its output is UTF-8 whatever the terminal of the tests."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    err = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    raw = out.buffer
    assert isinstance(raw, io.BytesIO)
    return Ran(code, raw.getvalue().decode(), err.getvalue())
