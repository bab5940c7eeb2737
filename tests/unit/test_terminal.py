"""A terminal that takes nothing for a while, or goes away: whoever writes to it doesn't notice."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

import pytest

from utxoracle_tui.ui.terminal import MOST_PENDING, Outlet

FRAME = "x" * 1000
WITHIN_S = 10.0


@dataclass
class Line:
    """A pipe in the place of a terminal: it takes 64 KB before somebody has to read."""

    reader: int
    writer: TextIO
    caught_up: threading.Event = field(default_factory=threading.Event)

    def read(self, ends_with: str) -> str:
        found = ""
        while not found.endswith(ends_with):
            found += os.read(self.reader, 1_000_000).decode()
        return found


@pytest.fixture
def line() -> Iterator[Line]:
    reader, writer = os.pipe()
    made = Line(reader, os.fdopen(writer, "w"))
    yield made
    os.close(made.reader)


async def test_what_is_written_arrives_in_order(line: Line) -> None:
    outlet = Outlet(line.writer, line.caught_up.set)
    for number in range(100):
        outlet.write(f"{number} ")
    outlet.finish(WITHIN_S)
    assert line.read("99 ") == "".join(f"{number} " for number in range(100))
    assert not line.caught_up.is_set()


async def test_a_terminal_that_hangs_gets_what_is_new_when_it_is_back(line: Line) -> None:
    outlet = Outlet(line.writer, line.caught_up.set)
    # nobody reads, and none of these waits
    for _ in range(3 * MOST_PENDING // len(FRAME)):
        outlet.write(FRAME)
    outlet.finish(0.01)
    os.set_blocking(line.reader, False)
    seen = 0
    while not line.caught_up.is_set():
        try:
            seen += len(os.read(line.reader, 1_000_000))
        except BlockingIOError:
            line.caught_up.wait(0.01)
    os.set_blocking(line.reader, True)
    assert seen % len(FRAME) == 0
    assert seen < MOST_PENDING + len(FRAME)
    outlet.write("drawn anew")
    assert line.read("drawn anew").removeprefix(FRAME * 1000).strip("x") == "drawn anew"


async def test_a_terminal_that_is_gone_takes_all_in_silence() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    # the pipe's own object is closed by hand, as what could not be written stays in it
    file = os.fdopen(writer, "w")
    outlet = Outlet(file, lambda: None)
    outlet.write("lost")
    outlet.finish(WITHIN_S)
    assert outlet.is_gone
    for _ in range(1000):
        outlet.write(FRAME)
    outlet.finish(WITHIN_S)
    with pytest.raises(BrokenPipeError):
        file.close()
