"""The numbers of a part as an array, in a file beside it, so that a chart of a year need not read every document.

It can be made again from the part, so it is written without waiting for the disk, and is used only while it bears
the checksum of the part.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from utxoracle_tui import durable

_MAGIC = b"UTXORACLE-TUI-COLUMNS 2 "


class ColumnFile:
    """Reads and writes arrays of shape (columns, rows), float64, NaN where there is no value."""

    def __init__(self, names: Sequence[str]) -> None:
        self._width = len(names)
        self._layout = f"{zlib.crc32(' '.join(names).encode()):08x}"

    def read(self, path: str, checksum: str) -> NDArray[np.float64] | None:
        """The array that belongs to the part with this checksum, if there is one and it is sound."""
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123  (hundreds are opened for one chart)
                data = file.read()
        except OSError:
            return None
        end = data.find(b"\n")
        line, content = data[:end], memoryview(data)[end + 1 :]
        if end < 0 or line != self._line(checksum, content) or len(content) % max(8 * self._width, 1):
            return None
        return np.frombuffer(content, dtype="<f8").reshape(self._width, -1)

    def write(self, path: Path, checksum: str, array: NDArray[np.float64]) -> None:
        """Keep an array, if the disk allows it."""
        content = np.ascontiguousarray(array, dtype="<f8").tobytes()
        line = self._line(checksum, memoryview(content)) + b"\n"
        with contextlib.suppress(OSError):
            durable.replace_unsynced(path, line, content)

    def _line(self, checksum: str, content: memoryview) -> bytes:
        return _MAGIC + f"{checksum} {self._layout} {zlib.crc32(content):08x}".encode()
