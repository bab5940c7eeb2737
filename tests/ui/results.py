"""Priced windows for the screens: from real blocks, from recorded amounts, and from nothing."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from utxoracle_core import DaySelection, HeightRange, WindowOutputs, assemble, digest_block, price_window
from utxoracle_core.window import FilterCounts
from utxoracle_tui.engine.pricing import PricedWindow
from utxoracle_tui.engine.request import Window
from utxoracle_tui.sources.block_folder import BlockFolder, open_folder

FIXTURES = Path(__file__).parent.parent / "fixtures"
REAL_BLOCKS = FIXTURES / "mainnet" / "799997-800000"
ELAPSED_S = 1.25


@cache
def real_folder() -> BlockFolder:
    """Four consecutive blocks of the main network."""
    return open_folder(REAL_BLOCKS)


@cache
def real_window() -> PricedWindow:
    """Their price: right, and too few blocks to be trusted."""
    folder = real_folder()
    digests = [digest_block(ref.read(), height) for height, ref in folder.refs.items()]
    window = Window("blocks", HeightRange(folder.base, folder.tip), None)
    return PricedWindow(window, price_window(assemble(digests)), "main", ELAPSED_S)


@cache
def recorded_day(case: str, day: date, name: str | None) -> PricedWindow:
    """A day with the amounts of a recorded case; times and hashes are made up, ten minutes a block."""
    arrays = np.load(FIXTURES / "reference" / "cases" / f"{case}.npz")
    heights = arrays["amount_heights"]
    first, last = int(heights.min()), int(heights.max())
    n_blocks = last - first + 1
    n_amounts = len(arrays["amounts_btc"])
    passed = (n_amounts + 1) // 2
    start_s = (day - date(1970, 1, 1)).days * 86_400 + 300
    outputs = WindowOutputs(
        first_height=first,
        last_height=last,
        first_hash="00" * 32,
        last_hash="11" * 32,
        block_times=start_s + 590 * np.arange(n_blocks),
        filters=FilterCounts(passed + 3000, 400, 1500, n_blocks, 500, 200, 400 - n_blocks),
        amounts_btc=arrays["amounts_btc"],
        amount_heights=heights,
    )
    blocks = HeightRange(first, last)
    other = HeightRange(first, last + 1)
    selection = DaySelection(day, blocks, () if name else (other,))
    return PricedWindow(Window("day", blocks, name, selection), price_window(outputs), "main", ELAPSED_S)


@cache
def empty_window() -> PricedWindow:
    """Blocks without a single payment."""
    outputs = WindowOutputs(
        first_height=841_767,
        last_height=841_910,
        first_hash="00" * 32,
        last_hash="11" * 32,
        block_times=1_714_881_184 + 600 * np.arange(144),
        filters=FilterCounts(144, 0, 17, 127, 0, 0, 0),
        amounts_btc=np.zeros(0),
        amount_heights=np.zeros(0, np.int32),
    )
    return PricedWindow(Window("blocks", HeightRange(841_767, 841_910), None), price_window(outputs), None, ELAPSED_S)
