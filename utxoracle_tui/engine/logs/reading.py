"""From lines as a log has them to lines as they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from utxoracle_tui.config.redaction import redact
from utxoracle_tui.engine.logs.dialects import DIALECTS
from utxoracle_tui.engine.logs.line import Level, LogLine, Origin
from utxoracle_tui.engine.logs.spoken_of import window_in


@dataclass(frozen=True, slots=True)
class Raw:
    """A line as it was read."""

    text: str
    stamp_s: float | None = None
    """When it was written, in unix seconds, by whoever carries the log: Docker, the journal."""
    level: Level | None = None
    """What the carrier says of it."""


class LineReader:
    """Reads the lines of one log, in order.

    A line without a time has that of the line before it, which it mostly belongs to; so has an indented one without a
    level that one's level.
    """

    def __init__(self, origin: Origin, numbers: Iterator[int]) -> None:
        """`numbers` is shared by all logs."""
        self.origin = origin
        self._dialect = DIALECTS[origin]
        self._numbers = numbers
        self._at_s: float | None = None
        self._level = Level.INFO

    def read(self, lines: Iterable[Raw], otherwise_s: float, *, is_new: bool) -> list[LogLine]:
        """The lines that say anything. `otherwise_s` is the time of those that have none and nothing before them.

        With `is_new` they were written just now, at `otherwise_s`: the time of a line read earlier is none of theirs.
        """
        if is_new:
            self._at_s = None
        return [line for raw in lines if (line := self._line(raw, otherwise_s)) is not None]

    def _line(self, raw: Raw, otherwise_s: float) -> LogLine | None:
        told = self._dialect(raw.text)
        if not told.text.strip():
            return None
        at_s = raw.stamp_s if raw.stamp_s is not None else told.at_s
        if at_s is not None:
            self._at_s = at_s
        level = told.level or raw.level
        if level is None:
            level = self._level if told.text[0] == " " else Level.INFO
        self._level = level
        text = redact(told.text)
        when_s = self._at_s if self._at_s is not None else otherwise_s
        return LogLine(next(self._numbers), when_s, self.origin, level, text, window_in(text), at_s is not None)
