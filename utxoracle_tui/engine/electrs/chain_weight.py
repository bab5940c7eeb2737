"""How much of the chain's bytes lies below a height: blocks of the early years are small.

Only for figures that rest on heights or counts of blocks, which are rough anyway.
"""

from __future__ import annotations

import math
from bisect import bisect_right

_GIGABYTES = (
    (0, 0.0),
    (120_000, 0.134),
    (150_000, 0.7),
    (200_000, 2.8),
    (250_000, 9.0),
    (300_000, 17.5),
    (350_000, 34.0),
    (400_000, 60.0),
    (450_000, 101.0),
    (500_000, 149.0),
    (550_000, 195.0),
    (600_000, 243.0),
    (650_000, 300.0),
    (700_000, 357.0),
    (750_000, 425.0),
    (800_000, 495.0),
    (850_000, 578.0),
    (900_000, 660.0),
)
"""Serialised blocks of the main chain up to a height, by public charts of its size; good to some percent."""
_GIGABYTES_A_BLOCK = 0.00165
"""Beyond the table."""
MAIN_LEAST_HEADERS = 800_000
"""Bitcoin's main chain has been longer since July 2023; chains that are shorter count blocks alike."""


def share_below(height: int, tip: int) -> float:
    """The share, 0 to 1, of the bytes of a chain with that tip that lies in the blocks up to `height`."""
    if tip <= 0:
        return 0.0
    if tip < MAIN_LEAST_HEADERS:
        return min(1.0, max(0, height) / tip)
    return min(1.0, _gigabytes(height) / _gigabytes(tip))


def _gigabytes(height: int) -> float:
    last_height, last = _GIGABYTES[-1]
    if height >= last_height:
        return last + (height - last_height) * _GIGABYTES_A_BLOCK
    index = bisect_right(_GIGABYTES, (max(0, height), math.inf)) - 1
    (low_height, low), (high_height, high) = _GIGABYTES[index], _GIGABYTES[index + 1]
    return low + (high - low) * (max(0, height) - low_height) / (high_height - low_height)
