"""Which cells of a line differ from what stood there: a terminal at the end of a slow line is sent no others."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text
from textual.geometry import Region
from textual.strip import Strip

Cell = tuple[str, Hashable]
"""A character and how it looks; of a wide one there are two."""


def cells_of_text(line: Text) -> list[Cell]:
    """The cells of a line of text."""
    looks: list[tuple[Hashable, ...]] = [(line.style,)] * len(line)
    for start, end, style in line.spans:
        for at in range(max(start, 0), min(end, len(looks))):
            looks[at] += (style,)
    return [(sign, look) for sign, look in zip(line.plain, looks, strict=True) for _ in range(cell_len(sign))]


def cells_of_strip(line: Strip) -> list[Cell]:
    """The cells of a line that is ready for the screen."""
    return [(sign, style) for text, style, _ in line for sign in text for _ in range(cell_len(sign))]


def changed_regions(lines: Sequence[tuple[Sequence[Cell], Sequence[Cell]]], width: int) -> Iterator[Region]:
    """Where lines, given as they were and as they are, have changed: from the first cell of each to the last.

    They are `width` cells wide, and filled up with blanks. Of longer ones the last cell shown may say so.
    """
    for y, (before, after) in enumerate(lines):
        if before == after:
            continue
        longest = max(len(before), len(after))
        whole, other = (list(cells) + [None] * (longest - len(cells)) for cells in (before, after))
        changed = [x for x in range(longest) if whole[x] != other[x]]
        start, end = min(changed[0], width - 1), min(changed[-1] + 1, width)
        yield Region(start, y, end - start, 1)
