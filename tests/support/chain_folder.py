"""Folders of raw blocks, as the fixtures have them, read without the program's own reader.

Two kinds: a generated chain (`index.json` beside `blocks.dat`), and files that are a block each, named
`<height>-<last 8 hex of the hash>.bin`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

HEADER_SPACING_S = 600


class HeaderTimes(dict[int, int]):
    """Header times by height, from `base` on as given, below it `HEADER_SPACING_S` apart down to height 0."""

    def __init__(self, base: int, times_s: Sequence[int]) -> None:
        super().__init__(enumerate(times_s, base))
        self._base = base

    def __missing__(self, height: int) -> int:
        if not 0 <= height < self._base:
            raise KeyError(height)
        return self[self._base] - HEADER_SPACING_S * (self._base - height)


@dataclass(frozen=True)
class Entry:
    height: int
    hash_text: str
    time_s: int
    offset: int
    length: int
    n_tx: int


@dataclass(frozen=True)
class ChainFolder:
    """A generated chain. Its blocks may be missing; the index, and with it the header times, is always there."""

    path: Path
    base_height: int
    tip: int
    entries: tuple[Entry, ...]

    @property
    def has_blocks(self) -> bool:
        return (self.path / "blocks.dat").is_file()

    def times_s(self) -> HeaderTimes:
        """Header times of all heights; below the first block there are headers alone."""
        return HeaderTimes(self.base_height, [entry.time_s for entry in self.entries])

    def raw_blocks(self, heights: Sequence[int]) -> list[bytes]:
        """The bytes of consecutive blocks."""
        by_height = {entry.height: entry for entry in self.entries}
        with (self.path / "blocks.dat").open("rb") as file:
            found = []
            for height in heights:
                file.seek(by_height[height].offset)
                found.append(file.read(by_height[height].length))
        return found

    def entry(self, height: int) -> Entry:
        return self.entries[height - self.base_height]


@lru_cache(maxsize=32)
def read_chain(path: Path) -> ChainFolder:
    index = json.loads((path / "index.json").read_text(encoding="ascii"))
    entries = tuple(
        Entry(e["height"], e["hash"], e["time"], e["offset"], e["length"], e["n_tx"]) for e in index["blocks"]
    )
    assert [e.height for e in entries] == list(range(index["base_height"], index["tip_height"] + 1))
    return ChainFolder(path, index["base_height"], index["tip_height"], entries)


def block_files(folder: Path) -> dict[str, Path]:
    """All block files below a folder, by name."""
    return {path.name: path for path in sorted(folder.rglob("*.bin"))}


def height_in_name(name: str) -> int:
    return int(name.split("-", maxsplit=1)[0])


def hash_end_in_name(name: str) -> str:
    return name.removesuffix(".bin").split("-")[1]
