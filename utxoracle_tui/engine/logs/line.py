"""A line of any of the logs, as all of them are shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from utxoracle_tui.engine.request import Day, Heights


class Origin(StrEnum):
    """Whose line it is, by the short name that it is shown with."""

    OWN = "own"
    NODE = "node"
    ELECTRS = "electrs"
    BACKEND = "backend"
    DATABASE = "db"


class Level(IntEnum):
    """How grave a line is; whatever a program calls it, it is one of these."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40

    @property
    def word(self) -> str:
        """At most five letters."""
        return {Level.DEBUG: "debug", Level.INFO: "info", Level.WARNING: "warn", Level.ERROR: "error"}[self]


LEVELS = {
    "TRACE": Level.DEBUG,
    "DEBUG": Level.DEBUG,
    "INFO": Level.INFO,
    "NOTE": Level.INFO,
    "NOTICE": Level.INFO,
    "SYSTEM": Level.INFO,
    "WARN": Level.WARNING,
    "WARNING": Level.WARNING,
    "ERR": Level.ERROR,
    "ERROR": Level.ERROR,
    "CRIT": Level.ERROR,
    "CRITICAL": Level.ERROR,
    "ALERT": Level.ERROR,
    "EMERG": Level.ERROR,
    "FATAL": Level.ERROR,
}
"""Levels by what programs call them, in capitals."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line, without secrets and without what a terminal would obey."""

    number: int
    """Lines are numbered as they are read, over all logs."""
    at_s: float
    """Unix seconds."""
    origin: Origin
    level: Level
    text: str
    """Without time and level; own entries may have several lines."""
    window: Day | Heights | None = None
    """The window that it speaks of."""
    dated: bool = True
    """Whether it bears its time itself, or somebody put it there who knew; else it has that of a line before it."""

    @property
    def place(self) -> tuple[float, int]:
        """What lines are in order by."""
        return self.at_s, self.number
