"""Lines in ASCII: nothing else is left, and nothing moves."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.control import Control
from rich.segment import Segment
from textual.color import Color

from utxoracle_tui.ui.ascii_filter import AsciiFilter

BLACK = Color(0, 0, 0)


def shown(text: str) -> str:
    (segment,) = AsciiFilter().apply([Segment(text)], BLACK)
    return segment.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("● up · tip 975,123", "* up - tip 975,123"),
        ("✗ down", "X down"),
        ("╭─ stack ─╮", "+- stack -+"),
        ("│ 3 ┤", "| 3 +"),
        ("┃║╎", "|||"),
        ("━━═", "==-"),
        ("▮▮▯", "##."),
        ("⠀⠁⣿", " .#"),
        ("█▓░▁▄", "##._#"),
        ("± 0.3 %", "+-0.3 %"),
        ("a line that was cut …", "a line that was cut ~"),
        ("◐ working", "@ working"),
        ("Zürich", "Zurich"),
    ],
)
def test_signs(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_all_that_a_terminal_may_be_sent() -> None:
    for code in (*range(0xA1, 0x2C00), *range(0x3000, 0x3100), 0x1F600):
        character = chr(code)
        if character.isprintable() and cell_len(character):
            plain = shown(character)
            assert plain.isascii(), character
            assert len(plain) == cell_len(character), character


def test_control_sequences_pass() -> None:
    control = Control.bell().segment
    assert AsciiFilter().apply([control], BLACK) == [control]
