"""The bytes of a store file: a checksum, a header that says what the file holds, and TinyDB's tables.

Three parts follow each other: a first line; a line of JSON, the header; and JSON again, the tables. The first line
is the format's name, the SHA-256 of all that follows the line, a space, and the CRC-32 (zlib's) of the second line
without its end, both as lower-case hexadecimal digits. Since it covers everything after it, and has no freedom of
its own, each truncation and each flipped bit is found; in the header already by those who read nothing but that.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import Any

import msgspec

from utxoracle_tui.store.schema import SCHEMA_VERSION

MAGIC = b"UTXORACLE-TUI-STORE "
HEAD_BYTES = 1024
"""A header is never longer, so that a first read of this size holds it."""
_LINE_BYTES = len(MAGIC) + 64 + 1 + 8 + 1
FORMAT_VERSION = 1


class DamagedFile(Exception):
    """The bytes are not what was written; the text says in which way."""


class NewerFile(Exception):
    """The file was written by a newer version of the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a file says of itself."""

    collection: str
    part: str
    documents: int = 0
    first_time_s: float | None = None
    """The earliest and latest time of its documents, unix seconds."""
    last_time_s: float | None = None
    first_height: int | None = None
    last_height: int | None = None
    written_s: float = 0.0
    """When it was written, unix seconds."""
    schema: int = SCHEMA_VERSION
    format: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file's content with its checksum, the identity of this very content."""

    checksum: str
    header: Header
    body: bytes


Tables = dict[str, dict[str, dict[str, Any]]]
"""As TinyDB has them: table, document id, document."""


def pack(header: Header, tables: Tables) -> bytes:
    """The bytes of a file."""
    line = msgspec.json.encode(header)
    rest = line + b"\n" + msgspec.json.encode(tables)
    return _first_line(hashlib.sha256(rest).hexdigest(), line) + rest


def unpack(data: bytes) -> Sealed:
    """Verify the bytes of a file. Raises `DamagedFile` and `NewerFile`."""
    if not data:
        raise DamagedFile("it is empty")
    checksum, end = _first_lines(data)
    rest = memoryview(data)[_LINE_BYTES:]
    if hashlib.sha256(rest).hexdigest() != checksum:
        raise DamagedFile("its checksum does not fit its content")
    return Sealed(checksum, _header(data[_LINE_BYTES:end]), data[end + 1 :])


def peek(head: bytes) -> tuple[str, Header]:
    """Checksum and header from a file's first `HEAD_BYTES`; what follows may be damaged. Raises as `unpack` does."""
    checksum, end = _first_lines(head)
    return checksum, _header(head[_LINE_BYTES:end])


def checksum_of(head: bytes) -> str:
    """The checksum alone, from a file's first `HEAD_BYTES`, taken on trust. Raises `DamagedFile`."""
    return _first_lines(head)[0]


def tables_of(sealed: Sealed) -> Tables:
    """The tables of a verified file."""
    return msgspec.json.decode(sealed.body, type=Tables)


def _first_line(checksum: str, header_line: bytes) -> bytes:
    return MAGIC + f"{checksum} {zlib.crc32(header_line):08x}\n".encode()


def _first_lines(data: bytes) -> tuple[str, int]:
    """The checksum of a file, and where its header ends."""
    if not data.startswith(MAGIC):
        raise DamagedFile("it does not begin as a store file does")
    if len(data) < _LINE_BYTES:
        raise DamagedFile("its first line is cut off")
    end = data.find(b"\n", _LINE_BYTES)
    if end < 0:
        raise DamagedFile("its header is cut off")
    checksum = data[len(MAGIC) : len(MAGIC) + 64].decode("ascii", "replace")
    if data[:_LINE_BYTES] != _first_line(checksum, data[_LINE_BYTES:end]):
        raise DamagedFile("its first line does not fit its header")
    return checksum, end


def _header(line: bytes) -> Header:
    try:
        versions = msgspec.json.decode(line, type=_Versions)
        if versions.format > FORMAT_VERSION or versions.schema > SCHEMA_VERSION:
            raise NewerFile
        return msgspec.json.decode(line, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise DamagedFile("its header is not readable") from None


@dataclass(frozen=True, slots=True)
class _Versions:
    format: int
    schema: int
