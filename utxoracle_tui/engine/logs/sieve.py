"""Which lines are wanted: by level, by source, and by a regular expression of the operator.

Expressions are those of RE2 (https://github.com/google/re2/wiki/Syntax), which takes time in proportion to the text and
bounded memory, whatever the expression. With Python's own, `(a|aa)+$` on the wrong line would take for ever, and hold
up everything else meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from utxoracle_tui.engine.logs.line import Level, LogLine, Origin
from utxoracle_tui.errors import Exit, OperatorError

LONGEST_PATTERN = 200
_LONGEST_TEXT = 2_000
"""Characters of a line that are looked at."""
_MOST_BYTES = 8_388_608
"""What the automata of an expression may take."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What is wanted."""

    least: Level = Level.DEBUG
    hidden: frozenset[Origin] = frozenset()
    pattern: str = ""
    """A regular expression that the text must have somewhere; small letters alone stand for capitals, too."""


class _Pattern(Protocol):
    def search(self, text: str, /) -> object:
        """What was found, or None."""


def read_pattern(text: str) -> str:
    """A regular expression as it was typed. Raises `OperatorError` for one that is none."""
    Sieve(LogFilter(pattern=text))
    return text


class Sieve:
    """Picks lines. Raises `OperatorError` for a pattern that is no regular expression."""

    def __init__(self, wanted: LogFilter) -> None:
        self.wanted = wanted
        self._pattern = _compiled(wanted.pattern) if wanted.pattern else None

    @property
    def is_slow(self) -> bool:
        """Whether many lines take a while, and so belong in a thread."""
        return self._pattern is not None

    def pick(self, lines: Iterable[LogLine]) -> list[LogLine]:
        """The lines that are wanted."""
        least, hidden, pattern = self.wanted.least, self.wanted.hidden, self._pattern
        found = [line for line in lines if line.level >= least and line.origin not in hidden]
        if pattern is None:
            return found
        return [line for line in found if pattern.search(line.text[:_LONGEST_TEXT]) is not None]


class _Words:
    """Finds a text as it stands, capitals or not."""

    def __init__(self, text: str) -> None:
        self._text = text.casefold()

    def search(self, line: str) -> object | None:
        """Something, where the text is in the line."""
        return True if self._text in line.casefold() else None


def _compiled(text: str) -> _Pattern:
    if len(text) > LONGEST_PATTERN:
        raise _bad(f"it is longer than {LONGEST_PATTERN} characters")
    try:
        import re2  # noqa: PLC0415  (20 ms that only who filters pays)
    except ImportError:
        # a platform without it: Python's own would let one expression stop the console
        return _Words(text)
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MOST_BYTES
    options.case_sensitive = any(map(str.isupper, text))
    try:
        pattern: _Pattern = re2.compile(text, options)
    except re2.error as error:
        said = error.args[0]
        raise _bad(said.decode(errors="replace") if isinstance(said, bytes) else str(said)) from None
    return pattern


def _bad(why: str) -> OperatorError:
    return OperatorError("bad_pattern", f"That is no regular expression: {why}.", Exit.USAGE)
