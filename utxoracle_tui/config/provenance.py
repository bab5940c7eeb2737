"""Where a value comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Source(IntEnum):
    """The kinds of places that values come from; the smaller number wins."""

    FLAG = 1
    ENVIRONMENT = 2
    DOTENV = 3
    """A file `.env` in the current folder."""
    FILE = 4
    """The program's own configuration file."""
    BITCOIN_CONF = 5
    """Bitcoin Core's configuration file."""
    DEFAULT = 6

    @property
    def word(self) -> str:
        """The kind as it is written for people and in JSON."""
        return _WORDS[self]


_WORDS = {
    Source.FLAG: "flag",
    Source.ENVIRONMENT: "environment",
    Source.DOTENV: ".env",
    Source.FILE: "config.toml",
    Source.BITCOIN_CONF: "bitcoin.conf",
    Source.DEFAULT: "default",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """The place that a value was read from."""

    source: Source
    place: str = ""
    """A flag, a variable's name, a file's path; for a default, what it follows from."""
    line: int | None = None
    """The line in a file, from 1, where it is known."""
    section: str = ""
    """The section of bitcoin.conf."""

    def __str__(self) -> str:
        words = [] if self.source in {Source.DOTENV, Source.FILE, Source.BITCOIN_CONF} else [self.source.word]
        if self.place:
            words.append(self.place)
        if self.line is not None:
            words.append(f"line {self.line}")
        if self.section:
            words.append(f"[{self.section}]")
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class Value:
    """A setting's value and its origin."""

    value: object
    origin: Origin


DEFAULT = Origin(Source.DEFAULT)
"""The origin of a value that nobody gave."""
