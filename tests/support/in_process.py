"""Commands run in the process of the test, as their user sees them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from utxoracle_tui.cli import main
from utxoracle_tui.engine.workers import Workers


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


def find_host(monkeypatch: pytest.MonkeyPatch, env: Mapping[str, str]) -> None:
    """Let commands of this process find a simulated host, and compile nothing beside their work."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Workers, "compile_in_background", lambda _: None)
