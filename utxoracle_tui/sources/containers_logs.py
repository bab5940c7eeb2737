"""The log of a container as Docker sends it: bytes in, lines out.

Without a terminal, frames of stdout and stderr: a byte for the stream, three of zero, the length of the payload as
unsigned 32 bits, big-endian (Docker Engine API, `ContainerAttach`, “Stream format”). With one, the bytes as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from utxoracle_tui.sources.http import clean_text
from utxoracle_tui.sources.http_json import GarbledBody

MOST_FRAME_BYTES = 4_194_304
"""Docker cuts lines after 16 KiB; frames beyond this are none."""
MOST_LINE_BYTES = 1_048_576
"""A line that goes on for longer is given out in parts."""
_HEADER_BYTES = 8
_SYSTEM_ERROR = 3
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ")
_PIECE = re.compile(rb"[^\n]*\n|[^\n]+")


class Stream(StrEnum):
    """Where a line was written to."""

    STDOUT = "stdout"
    STDERR = "stderr"


_STREAMS = {0: Stream.STDOUT, 1: Stream.STDOUT, 2: Stream.STDERR}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line."""

    stream: Stream
    """A terminal has only one: stdout."""
    time_ns: int | None
    """When Docker read its beginning, in unix nanoseconds; None if it doesn't say."""
    line: bytes
    """Without its end."""


class BrokenLog(Exception):
    """Docker broke off the log; the text is its own word."""


@dataclass(slots=True)
class _Begun:
    """A line of which parts are there."""

    time_ns: int | None
    text: bytearray


class LogDecoder:
    """Puts lines together from chunks of any size, each line with the time that Docker put before it.

    Docker has to be asked for times (`timestamps=1`). It puts one before each part of a line that it has cut as well;
    the first is that of the line.
    """

    def __init__(self, *, tty: bool) -> None:
        self._tty = tty
        self._input = bytearray()
        self._begun: dict[Stream, _Begun] = {}

    def feed(self, chunk: bytes) -> Iterator[LogLine]:
        """The lines that are complete now. Raises `GarbledBody`, and `BrokenLog`."""
        self._input += chunk
        if self._tty:
            yield from self._raw_lines()
            return
        while (frame := self._next_frame()) is not None:
            yield from self._framed_lines(*frame)

    def finish(self) -> Iterator[LogLine]:
        """The lines that had no end when the log ended. Raises `GarbledBody` when it ended within a frame."""
        if self._input and not self._tty:
            raise GarbledBody("ends in the middle of a log frame")
        if self._input:
            yield _raw_line(bytes(self._input))
            self._input.clear()
        for stream in tuple(self._begun):
            yield self._complete(stream)

    def _raw_lines(self) -> Iterator[LogLine]:
        while (end := self._input.find(b"\n") + 1) > 0 or len(self._input) > MOST_LINE_BYTES:
            size = end or len(self._input)
            yield _raw_line(bytes(self._input[:size]))
            del self._input[:size]

    def _next_frame(self) -> tuple[Stream, bytes] | None:
        if len(self._input) < _HEADER_BYTES:
            return None
        kind, size = self._input[0], int.from_bytes(self._input[4:_HEADER_BYTES], "big")
        if kind > _SYSTEM_ERROR or any(self._input[1:4]) or size > MOST_FRAME_BYTES:
            raise GarbledBody("is not made of log frames")
        end = _HEADER_BYTES + size
        if len(self._input) < end:
            return None
        payload = bytes(self._input[_HEADER_BYTES:end])
        del self._input[:end]
        if kind == _SYSTEM_ERROR:
            raise BrokenLog(clean_text(payload.decode(errors="replace")))
        return _STREAMS[kind], payload

    def _framed_lines(self, stream: Stream, payload: bytes) -> Iterator[LogLine]:
        time_ns, payload = split_stamp(payload)
        for number, piece in enumerate(_PIECE.findall(payload)):
            stamped_ns, text = split_stamp(piece, exact=True) if number else (None, piece)
            begun = self._begun.setdefault(stream, _Begun(stamped_ns or time_ns, bytearray()))
            begun.text += text
            if text.endswith(b"\n") or len(begun.text) > MOST_LINE_BYTES:
                yield self._complete(stream)

    def _complete(self, stream: Stream) -> LogLine:
        begun = self._begun.pop(stream)
        return LogLine(stream, begun.time_ns, _without_end(bytes(begun.text)))


def split_stamp(text: bytes, *, exact: bool = False) -> tuple[int | None, bytes]:
    """The time before a line, in unix nanoseconds, and the line.

    `exact` takes it only with nine digits after the point, as Docker writes it, not what a program might have written.
    """
    found = _STAMP.match(text)
    if found is None or (exact and len(found[2] or b"") != 9):
        return None, text
    try:
        second = datetime.fromisoformat((found[1] + found[3]).decode())
    except ValueError:
        return None, text
    return int(second.timestamp()) * 1_000_000_000 + int((found[2] or b"0").ljust(9, b"0")), text[found.end() :]


def _raw_line(piece: bytes) -> LogLine:
    time_ns, text = split_stamp(piece)
    return LogLine(Stream.STDOUT, time_ns, _without_end(text))


def _without_end(text: bytes) -> bytes:
    return text.removesuffix(b"\n").removesuffix(b"\r")
