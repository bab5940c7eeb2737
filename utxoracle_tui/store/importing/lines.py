"""A file as numbered lines, with bounded memory, and what an export's first lines say of it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

from utxoracle_tui.store.exporting import COMMENT, HEAD_KEY
from utxoracle_tui.store.importing.cells import Refused, Row, shown

LONGEST_BYTES = 1_000_000
"""No row is longer; a file without line ends must not fill the memory."""
_COMMENT = COMMENT.strip()


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end; `trouble` says why its text can't be had."""

    number: int
    """From 1."""
    text: str = ""
    trouble: str | None = None


def lines_of(file: BinaryIO) -> Iterator[Line]:
    """The lines of a UTF-8 file that are not blank; a byte order mark is left out. Raises `OSError`."""
    number = 0
    while data := file.readline(LONGEST_BYTES + 1):
        number += 1
        if len(data) > LONGEST_BYTES:
            while data and not data.endswith(b"\n"):
                data = file.readline(LONGEST_BYTES)
            yield Line(number, trouble=f"the line is longer than {LONGEST_BYTES:,} bytes")
            continue
        try:
            text = data.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            yield Line(number, trouble="the line is not UTF-8 text")
            continue
        if text.strip():
            yield Line(number, text.rstrip("\r\n"))


class CsvRows:
    """Reads lines of a CSV; a quoted field ends on its line."""

    def __init__(self, column_row: str) -> None:
        """Raises `Refused` for a column row that is none."""
        self.columns = tuple(name.strip().lower() for name in _split(column_row))
        twice = sorted({name for name in self.columns if name and self.columns.count(name) > 1})
        if twice:
            raise Refused(f"{shown(twice[0])} stands twice")

    def row(self, line: str) -> Row:
        """The cells by column. Raises `Refused`."""
        cells = _split(line)
        if len(cells) != len(self.columns):
            raise Refused(f"it has {len(cells)} fields, and the column row has {len(self.columns)}")
        return dict(zip(self.columns, cells, strict=True))

    @staticmethod
    def head(line: str) -> dict[str, Any] | None:
        """What a line says of the file, where it says anything of it: `# name: value`."""
        if not line.startswith(_COMMENT):
            return None
        name, _, value = line.removeprefix(_COMMENT).partition(":")
        return {name.strip(): value.strip()}


class JsonRows:
    """Reads JSON lines."""

    @staticmethod
    def row(line: str) -> Row:
        """The object of a line. Raises `Refused`."""
        try:
            document = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise Refused(f"it is not JSON: {error}") from None
        if not isinstance(document, dict):
            raise Refused("it is not a JSON object")
        return document

    @staticmethod
    def head(line: str) -> dict[str, Any] | None:
        """What a line says of the file, where it says anything of it: an object with the single key `export`.

        Raises `Refused`.
        """
        if HEAD_KEY not in line:
            return None
        document = JsonRows.row(line)
        said = document.get(HEAD_KEY)
        return said if len(document) == 1 and isinstance(said, dict) else None


def _split(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        raise Refused(f"it is not CSV: {error}") from None
