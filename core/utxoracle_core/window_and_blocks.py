"""A window and the price at each of its blocks, in one go over the digests.

To find out what the candidates spend is the larger part of putting a window together, and a run over its blocks has to
find out the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from utxoracle_core.block_price import BlockPriceRun, BlockReading, RunEnd
from utxoracle_core.digest import BlockDigest
from utxoracle_core.price import WindowPrice, price_window
from utxoracle_core.window import check_linked, outputs_of


def price_with_blocks(
    start: RunEnd, before: Iterable[BlockDigest], digests: Sequence[BlockDigest]
) -> tuple[WindowPrice, list[BlockReading], RunEnd]:
    """What `price_window` gives for the digests, and `block_prices` where `before` leads to the end of another run.

    Raises `ValueError` as these do.
    """
    check_linked(digests)
    run = BlockPriceRun(start, before, held_blocks=len(digests))
    first_of_window = run.next_number
    readings, spends = [], []
    for digest in digests:
        reading, spent = run.add_with_spends(digest)
        readings.append(reading)
        spends.append(spent >= first_of_window)
    return price_window(outputs_of(digests, np.concatenate(spends))), readings, run.end
