"""Everything on the screen in ASCII, for terminals and fonts that have nothing else."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_SIGNS = {
    "…": "~",
    "·": "-",
    "–": "-",
    "−": "-",
    "“": '"',
    "”": '"',
    "’": "'",
    "●": "*",
    "◐": "@",
    "◌": "o",
    "▲": "!",
    "△": "^",
    "▼": "v",
    "▽": "v",
    "▶": ">",
    "◀": "<",
    "✗": "X",
    "✓": "+",
    "⚠": "!",
    "ℹ": "i",
    "◆": "#",
    "◇": "o",
    "■": "#",
    "▪": "#",
    "□": "o",
    "▮": "#",
    "▯": ".",
    "▨": "%",
    "≥": ">",
    "≤": "<",
    "×": "x",
    "→": ">",
    "←": "<",
    "↑": "^",
    "↓": "v",
    "‖": "|",
    "Δ": "d",
    "•": "*",
    "○": "o",
    "┄": "-",
    "╴": "-",
    "╶": "-",
    "━": "=",
    "╸": "=",
    "╺": "=",
}
"""What a sign becomes; where several become the same, the word beside them tells."""
_BOX, _BLOCKS, _BRAILLE = range(0x2500, 0x2580), range(0x2580, 0x25A0), range(0x2800, 0x2900)
_DOTS = " .:**#"
"""For so many of the eight dots of a braille sign."""


class AsciiFilter(LineFilter):
    """Puts an ASCII character, or two for a wide one, in the place of every other."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments in ASCII, each as wide as before."""
        return [
            segment if segment.control or segment.text.isascii() else Segment(_ascii(segment.text), segment.style)
            for segment in segments
        ]


@lru_cache(4096)
def _ascii(text: str) -> str:
    # of a width with the space after it
    text = text.replace("± ", "+-")
    return "".join(character if character.isascii() else _plain(character) for character in text)


@lru_cache(4096)
def _plain(character: str) -> str:
    """ASCII for one character, as wide as it is."""
    code = ord(character)
    if character in _SIGNS:
        return _SIGNS[character]
    if code in _BOX:
        return _box(unicodedata.name(character, ""))
    if code in _BRAILLE:
        return _DOTS[min((code - _BRAILLE.start).bit_count(), len(_DOTS) - 1)]
    if code in _BLOCKS:
        return _block(unicodedata.name(character, ""))
    letter = unicodedata.normalize("NFKD", character)[:1]
    width = cell_len(character)
    return (letter if letter.isascii() and letter.isprintable() else "?").ljust(width, "?")[:width]


def _box(name: str) -> str:
    words = set(name.split())
    across, down = words & {"HORIZONTAL", "LEFT", "RIGHT"}, words & {"VERTICAL", "UP", "DOWN"}
    if "DIAGONAL" in words:
        return "/"
    return "+" if across and down else "|" if down else "-"


def _block(name: str) -> str:
    if "LIGHT SHADE" in name:
        return "."
    if "MEDIUM SHADE" in name:
        return ":"
    if "UPPER" in name:
        return "^" if "HALF" in name or "EIGHTH" in name else "#"
    if "LOWER" in name and ("ONE" in name or "QUARTER" in name):
        return "_"
    return "#"
