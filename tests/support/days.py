"""Generated days as amounts alone: quick enough to draw many of them, with a signal as strong or weak as wanted."""

from __future__ import annotations

import numpy as np

from tests.support.parity_checks import window_of_amounts
from utxoracle_core import WindowPrice, price_window
from utxoracle_tui.demo.chain.draws import Draws, Stream
from utxoracle_tui.demo.chain.economy import Kind, Mix, plan_block

BLOCKS = 144
MAX_INPUTS = 5


def price_of_day(mix: Mix, price_usd: float, seed: int, tx_per_block: int = 200) -> WindowPrice:
    """The price that the core finds in a day of payments at `price_usd`."""
    amounts = []
    for height in range(BLOCKS):
        plan = plan_block(mix, tx_per_block - 1, price_usd, Draws(seed, Stream.BLOCK, height))
        candidates = (
            (plan.output_counts == 2)
            & (plan.input_counts <= MAX_INPUTS)
            & (plan.kinds != Kind.DATA)
            & (plan.kinds != Kind.INSCRIPTION)
            & (plan.spend_ages < 0)
        )
        first_outputs = (np.cumsum(plan.output_counts) - plan.output_counts)[candidates]
        amounts.append(plan.output_sats[np.stack((first_outputs, first_outputs + 1), axis=1).ravel()] / 1e8)
    kept = np.concatenate(amounts)
    kept = kept[(kept > 1e-5) & (kept < 1e5)]
    return price_window(window_of_amounts(kept, np.zeros(len(kept), np.int32), BLOCKS))
