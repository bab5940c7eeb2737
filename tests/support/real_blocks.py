"""The amounts of eleven real blocks, for any window among them: a hundredth of the blocks' size."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tests.support.block_price_checks import FOLDER, REAL
from tests.support.parity_checks import window_of_amounts
from utxoracle_core import WindowOutputs

FIRST, LAST = 799_990, 800_000


@cache
def _columns() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    with np.load(FOLDER / f"{REAL}.npz") as stored:
        return stored["sats"], stored["block"].astype(np.int64), stored["newest_parent"].astype(np.int64)


def real_window(first: int, last: int) -> WindowOutputs:
    """What section 2 keeps of the blocks `first` to `last` as a window of their own."""
    sats, block, newest_parent = _columns()
    inside = (block >= first - FIRST) & (block <= last - FIRST) & (newest_parent <= first - FIRST)
    amounts = (sats[inside] / 1e8).ravel()
    heights = np.repeat(block[inside] + FIRST, 2).astype(np.int32)
    kept = (amounts > 1e-5) & (amounts < 1e5)
    return window_of_amounts(amounts[kept], heights[kept], last - first + 1)
