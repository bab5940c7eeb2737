"""Which part file a record lies in: the folder by year, the file by day, month or year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

_MARK = "~"
_EARLIEST_S, _LATEST_S = 0.0, 253_402_300_799.0
"""1970 to 9999: other times belong to nothing that is kept."""


@dataclass(frozen=True, slots=True, order=True)
class PartName:
    """The name of a part; parts of one stem are neighbours, the second made when the first is full."""

    folder: str
    stem: str
    number: int = 1

    @property
    def file_stem(self) -> str:
        """The name of its files, without a suffix."""
        return self.stem if self.number == 1 else f"{self.stem}{_MARK}{self.number}"

    @property
    def neighbour(self) -> PartName:
        """The part that is used when this one is full."""
        return PartName(self.folder, self.stem, self.number + 1)

    @property
    def first(self) -> PartName:
        """The first part of its stem."""
        return PartName(self.folder, self.stem)

    @classmethod
    def from_file(cls, folder: str, file_stem: str) -> PartName:
        """Read a name back."""
        stem, mark, number = file_stem.partition(_MARK)
        return cls(folder, stem, int(number) if mark and number.isdecimal() else 1)


class Span(Enum):
    """How much time one part covers."""

    DAY = "%Y-%m-%d"
    MONTH = "%Y-%m"
    YEAR = "%Y"

    def part_of(self, time_s: float) -> PartName:
        """The part of a moment."""
        moment = datetime.fromtimestamp(min(max(time_s, _EARLIEST_S), _LATEST_S), UTC)
        return PartName(f"{moment.year:04}", moment.strftime(self.value))
