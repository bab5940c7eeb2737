"""The price at every block: worked out from the digests of the blocks, by the method `block-grid-1`.

The price at the tip comes from the last 144 digests alone, so that every node has the same. Blocks that nobody made a
round of, when a console was away or before it was first started, are worked out together, over the 143 blocks before
them as well, or from where a run over these has ended: then they have what the rounds would have stored, within 0.05 %.
"""

from __future__ import annotations

from collections.abc import Sequence

from utxoracle_core import BLOCK_METHOD, RUN_BLOCKS, BlockReading, HeightRange
from utxoracle_tui.engine.pricing import (
    BlockReadings,
    Plan,
    PricedWindow,
    ProgressCallback,
    WantedBlock,
    WindowPricing,
)
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import Heights, Request
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.records import BlockPrice

LEAD_BLOCKS = RUN_BLOCKS - 1
"""With so many blocks before it, a block's window of spends is whole."""
_NO_LEAD = frozenset({"pruned_block", "block_not_found", "blocks_missing", "damaged", "unreadable"})
"""Errors for which the blocks before a run are done without."""


def quietly(progress: Progress) -> None:
    """Progress that nobody looks at."""


async def at_tip(pricing: WindowPricing, window: PricedWindow) -> list[BlockPrice]:
    """The prices at the blocks up to the one after a block window, the tip, as far as the start has worn off.

    The start is the window's price; without one there are none. The last is what every node has, by the last 144
    digests; the windows of spends of those before it are shorter than 144 blocks. Raises `OperatorError`.
    """
    if window.price.price_usd is None:
        return []
    last = window.price.outputs.last_height + 1
    blocks = Heights(max(last - RUN_BLOCKS + 1, 0), last)
    found = await pricing.readings(blocks, window.price.price_usd, quietly)
    return _records(found, found.settled_from)


async def of_blocks(
    pricing: WindowPricing,
    blocks: HeightRange,
    start_usd: float,
    on_progress: ProgressCallback = quietly,
) -> list[BlockPrice]:
    """The prices at blocks, as rounds would have found them, from the digests of these and of the 143 before them.

    Where fewer can be had (of a pruned node, or a young chain), the windows of spends are shorter, and of less than 36
    before the first blocks are left out: something of the start is left there. `start_usd` is a price within 25 % of
    the truth. Raises `OperatorError`.
    """
    found = await _with_lead(pricing, blocks, start_usd, on_progress)
    return _records(found, max(len(found.readings) - len(blocks), found.settled_from))


async def over(
    pricing: WindowPricing, request: Request, on_progress: ProgressCallback, start_price_usd: float | None = None
) -> tuple[Plan, list[BlockReading]]:
    """The price at each block of a request.

    Without a start price, it is the window price of the 144 blocks before. Raises `OperatorError`, also when these
    are needed and are not there, or have no price.
    """
    plan = await pricing.plan(request)
    first, last = plan.window.blocks.first, plan.window.blocks.last
    lowest = max(await pricing.lowest_height(), first - RUN_BLOCKS)
    if start_price_usd is None and lowest > first - RUN_BLOCKS:
        raise OperatorError(
            "no_start",
            f"The price at block {first} needs the {RUN_BLOCKS} blocks before it to start from, and only "
            f"{max(first - lowest, 0)} are there. Give a price within 25 % of the truth with --start-price.",
            Exit.USAGE,
        )
    before: Sequence[bytes] = ()
    if lowest < first:
        # what these made may be spent in the first blocks of the request
        _, before = await pricing.digests(Heights(lowest, first - 1), on_progress)
    _, digests = await pricing.digests(Heights(first, last), on_progress)
    readings = await pricing.block_prices(before, digests, start_price_usd)
    if not readings:
        raise OperatorError(
            "no_start",
            f"The {RUN_BLOCKS} blocks before block {first} have no price to start from. Give one with --start-price.",
            Exit.USAGE,
        )
    return plan, readings


async def _with_lead(
    pricing: WindowPricing, blocks: HeightRange, start_usd: float, on_progress: ProgressCallback
) -> BlockReadings:
    """The prices at blocks, over as many of the 143 before them as can be had."""
    wanted = max(blocks.first - LEAD_BLOCKS, 0)
    # digests can be at hand of blocks that a node has deleted, so that is only asked second
    lowest = min(max(await pricing.lowest_height(), wanted), blocks.first)
    for first in sorted({wanted, lowest} - {blocks.first}):
        try:
            with_lead = Heights(first, blocks.last)
            return await pricing.readings(with_lead, start_usd, on_progress, n_lead=blocks.first - first)
        except OperatorError as error:
            if error.kind not in _NO_LEAD:
                raise
    return await pricing.readings(Heights(blocks.first, blocks.last), start_usd, on_progress)


def _records(found: BlockReadings, first: int) -> list[BlockPrice]:
    return [_record(*pair) for pair in zip(found.readings[first:], found.blocks[first:], strict=True)]


def _record(reading: BlockReading, block: WantedBlock) -> BlockPrice:
    return BlockPrice(
        time_s=float(reading.time),
        last_height=reading.height,
        last_hash=block.hash_text,
        method=BLOCK_METHOD,
        price_usd=reading.price_usd,
        low_usd=reading.low_usd,
        high_usd=reading.high_usd,
        confidence=reading.confidence,
        points=reading.n_points,
        reason=reading.reason.value if reading.reason else None,
        eligible_time_s=reading.eligible_time,
    )
