"""What stands on a terminal that a program runs on, as an emulator shows it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyte

from tests.support.dialogue import Dialogue, dialogue

COLUMNS, ROWS = 120, 40
# of the keyboard protocol that Textual asks for, which the emulator would print
_UNKNOWN = re.compile(rb"\x1b\[[<>=][0-9;]*u")
_CUT = re.compile(rb"\x1b(\[[<>=]?[0-9;]*)?\Z")


class ShownTerminal:
    """A program on a terminal: its screen by lines, and what is typed."""

    def __init__(self, talk: Dialogue) -> None:
        self.talk = talk
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._taken = 0

    @property
    def lines(self) -> list[str]:
        """What stands there now, line by line."""
        self.talk.read_all()
        raw = self.talk.raw
        cut = _CUT.search(raw, self._taken)
        end = len(raw) if cut is None else cut.start()
        self._stream.feed(_UNKNOWN.sub(b"", raw[self._taken : end]))
        self._taken = end
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """The same in one piece."""
        return "\n".join(self.lines)

    def press(self, key: str) -> None:
        """Type a key."""
        self.talk.send(key)

    def until(self, pattern: str, seconds: float = 60.0) -> re.Match[str]:
        """Wait until something that a pattern describes stands on the screen."""
        end_s = time.monotonic() + seconds
        while (found := re.search(pattern, self.text)) is None:
            assert time.monotonic() < end_s, f"{pattern!r} is not on the screen:\n{self.text}"
            time.sleep(0.05)
        return found


@contextmanager
def shown_terminal(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[ShownTerminal]:
    """A program on a terminal of 120x40, with this environment alone."""
    with dialogue(command, environment, COLUMNS) as talk:
        yield ShownTerminal(talk)
