"""What `price --save` keeps: the window, and the prices at its blocks."""

from __future__ import annotations

import asyncio
import sys

from utxoracle_core import HeightRange
from utxoracle_tui import formats
from utxoracle_tui.commands.shown_progress import shown_progress
from utxoracle_tui.engine.block_keeping import keep_block_prices, missing_prices
from utxoracle_tui.engine.keeping import keep_window, window_record
from utxoracle_tui.engine.pricing import PricedWindow, WindowPricing
from utxoracle_tui.engine.validation import Limits
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble


async def save(windows: WindowPricing, store: Store, result: PricedWindow, limits: Limits) -> str:
    """Keep a window that is priced; what was kept where, in lines for the terminal.

    The prices at its blocks need the blocks before it as well; the window is kept without them where these can't be
    had, and that is said on stderr. Raises `StoreTrouble`.
    """
    await asyncio.to_thread(_keep_window, store, result, limits)
    kept = await _keep_block_prices(windows, store, result)
    new = f"{formats.plural(kept, 'new one')} stored"
    return f"  block prices  {new}\n  stored in     {store.folder.root}\n"


def _keep_window(store: Store, result: PricedWindow, limits: Limits) -> None:
    keep_window(store, window_record(store, result, limits), result)


async def _keep_block_prices(windows: WindowPricing, store: Store, result: PricedWindow) -> int:
    outputs, price_usd = result.price.outputs, result.price.price_usd
    if price_usd is None:
        return 0
    blocks = HeightRange(outputs.first_height, outputs.last_height)
    try:
        with shown_progress() as on_progress:
            prices = await missing_prices(windows, store, blocks, price_usd, on_progress=on_progress)
    except StoreTrouble:
        raise
    except OperatorError as error:
        sys.stderr.write(f"utxoracle-tui: the window is stored without the prices at its blocks. {error.message}\n")
        return 0
    return await asyncio.to_thread(keep_block_prices, store, prices)
