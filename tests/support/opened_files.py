"""Which files a piece of work opens, told by the interpreter's audit events, and how much it reads of block files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import pytest

from utxoracle_tui.sources import block_files_records

_listening: list[list[str]] = []


@contextmanager
def opened_files(pattern: str) -> Iterator[list[str]]:
    """The names of the files that are opened meanwhile and match, in order, repeatedly where they are."""
    _install()
    opened: list[str] = []
    _listening.append(opened)
    found: list[str] = []
    try:
        yield found
    finally:
        _listening.remove(opened)
        found += [Path(path).name for path in opened if Path(path).match(pattern)]


def lengths_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes of each read from block files from now on, to the end of the test."""
    lengths: list[int] = []
    plain = block_files_records.read_clear

    def counted(file: FileIO, key: bytes, offset_bytes: int, length_bytes: int) -> bytes:
        data = plain(file, key, offset_bytes, length_bytes)
        lengths.append(len(data))
        return data

    monkeypatch.setattr(block_files_records, "read_clear", counted)
    return lengths


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _listening and isinstance(arguments[0], str):
        for opened in _listening:
            opened.append(arguments[0])


def _install() -> None:
    # a hook can't be taken away again
    if _hear not in _installed:
        _installed.append(_hear)
        sys.addaudithook(_hear)


_installed: list[object] = []
