"""Which window a line speaks of."""

from __future__ import annotations

import re
from datetime import date

from utxoracle_tui.engine.request import Day, Heights

_BLOCKS = 144
_MOST_BLOCKS = 300
"""Longer ranges are what a program has to do, not a window."""
_LONGEST = 2_000
"""Characters that are looked at."""
_NUMBER = r"(\d{1,3}(?:,\d{3})+|\d{1,8})"
_RANGE = re.compile(rf"\b(?:blocks|heights) {_NUMBER} ?(?:–|-|to) ?{_NUMBER}\b")
_DAY = re.compile(r"(?<![\w/-])(20\d\d-\d\d-\d\d)(?![\w/-]| \d\d:)")
_HEIGHT = re.compile(rf"\b(?:height|block|tip)[ =:#]{{1,2}}{_NUMBER}(?![.,/]?\d)", re.IGNORECASE)


def window_in(text: str) -> Day | Heights | None:
    """The window that a text names: a range of blocks, a day, or the 144 blocks up to a height; None for none."""
    text = text[:_LONGEST]
    if (found := _RANGE.search(text)) is not None:
        first, last = _whole(found[1]), _whole(found[2])
        if 0 <= last - first < _MOST_BLOCKS:
            return Heights(first, last)
    if (found := _DAY.search(text)) is not None:
        try:
            return Day(date.fromisoformat(found[1]))
        except ValueError:
            return None
    if (found := _HEIGHT.search(text)) is not None:
        last = _whole(found[1])
        return Heights(max(last - _BLOCKS + 1, 0), last)
    return None


def _whole(digits: str) -> int:
    return int(digits.replace(",", ""))
