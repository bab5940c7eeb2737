"""The price at every block: worked out from the digests of the blocks, set beside the exchange price, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from utxoracle_core import BLOCK_METHOD, RUN_BLOCKS, BlockReading
from utxoracle_tui.engine.exchange_mean import HELD_S, divergence_pct, held_at
from utxoracle_tui.engine.pricing import SETTLED_AFTER, Plan, PricedWindow, ProgressCallback, WantedBlock, WindowPricing
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import Heights, Request
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.collection import Outcome
from utxoracle_tui.store.records import BlockPrice, ExchangeReading
from utxoracle_tui.store.store import Store


def quietly(progress: Progress) -> None:
    """Progress that nobody looks at."""


async def at_tip(pricing: WindowPricing, window: PricedWindow) -> list[BlockPrice]:
    """The prices at the blocks up to the one after a block window, the tip, as far as the start has worn off.

    The start is the window's price; without one there are none. Raises `OperatorError`.
    """
    if window.price.price_usd is None:
        return []
    last = window.price.outputs.last_height + 1
    plan, digests = await pricing.digests(Heights(max(last - RUN_BLOCKS + 1, 0), last), quietly)
    readings = await pricing.block_prices((), digests, window.price.price_usd)
    return [_record(*pair) for pair in zip(readings, plan.blocks, strict=True)][SETTLED_AFTER:]


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


def with_exchange(
    store: Store, prices: Sequence[BlockPrice], newest: ExchangeReading | None = None
) -> list[BlockPrice]:
    """The same with the exchange price of each block's moment, as far as the store knows it. Raises `StoreTrouble`."""
    if not prices:
        return []
    times = [price.time_s for price in prices]
    found = store.exchange_readings.between(min(times) - HELD_S, max(times) + 1)
    readings = {(reading.time_s, reading.price_usd) for reading in found}
    if newest is not None:
        readings.add((newest.time_s, newest.price_usd))
    ordered = sorted(readings)
    return [_beside(price, held_at(ordered, price.time_s)) for price in prices]


def keep_block_prices(store: Store, prices: Sequence[BlockPrice]) -> int:
    """Store the prices of blocks that have none yet; how many were new. Raises `StoreTrouble`."""
    outcomes = store.block_prices.put(prices, same=_same_price)
    return sum(outcome is Outcome.TAKEN for outcome in outcomes)


def _same_price(old: BlockPrice, new: BlockPrice) -> bool:
    """A block's price is what it was when the block was new, the exchange price of its moment included."""
    return old.key == new.key


def _beside(price: BlockPrice, exchange_usd: float | None) -> BlockPrice:
    divergence = divergence_pct(price.price_usd, exchange_usd)
    return replace(price, exchange_usd=exchange_usd, divergence_block_pct=divergence)


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
    )
