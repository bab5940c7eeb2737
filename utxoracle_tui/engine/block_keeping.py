"""Keeping the prices at blocks: which are missing, the exchange price of their moment, and when one grows stale."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from utxoracle_core import BLOCK_METHOD, STALE_AFTER_S, Gap, HeightRange
from utxoracle_tui.engine.block_line import of_blocks, quietly
from utxoracle_tui.engine.exchange_mean import HELD_S, divergence_pct
from utxoracle_tui.engine.pricing import ProgressCallback, WindowPricing
from utxoracle_tui.engine.request import Heights
from utxoracle_tui.store.collection import Outcome
from utxoracle_tui.store.records import BlockPrice, ExchangeReading
from utxoracle_tui.store.store import Store

LATER_S = 600.0
"""A reading from after a block's header counts when it is nearer than the one before, and no later than this."""


async def missing_prices(
    pricing: WindowPricing,
    store: Store,
    blocks: HeightRange,
    start_usd: float,
    *,
    on_progress: ProgressCallback = quietly,
    anew: bool = False,
) -> list[BlockPrice]:
    """The prices at those blocks that the store has none of by this method, or at all of them; to be kept.

    Nothing is asked of the node but headers where none is missing. As `of_blocks` besides; raises `StoreTrouble`, too.
    """
    plan = await pricing.plan(Heights(blocks.first, blocks.last))
    heights = {block.hash_text: block.height for block in plan.blocks}
    if not anew:
        times = [block.time_s for block in plan.blocks if block.time_s is not None]
        there = await asyncio.to_thread(_there, store, times)
        heights = {hash_text: height for hash_text, height in heights.items() if hash_text not in there}
    if not heights:
        return []
    span = HeightRange(min(heights.values()), max(heights.values()))
    found = await of_blocks(pricing, span, start_usd, on_progress)
    wanted = [price for price in found if price.last_hash in heights]
    return await asyncio.to_thread(with_exchange, store, wanted)


def with_exchange(
    store: Store, prices: Sequence[BlockPrice], newest: ExchangeReading | None = None
) -> list[BlockPrice]:
    """The same with the exchange price of each block's moment, as far as the store knows it. Raises `StoreTrouble`.

    `newest` is a reading that may not be stored yet.
    """
    if not prices:
        return []
    times = [price.time_s for price in prices]
    found = store.exchange_readings.between(min(times) - HELD_S, max(times) + LATER_S + 1)
    readings = {(reading.time_s, reading.price_usd) for reading in found}
    if newest is not None:
        readings.add((newest.time_s, newest.price_usd))
    ordered = sorted(readings)
    return [_beside(price, nearest(ordered, price.time_s)) for price in prices]


def nearest(readings: Sequence[tuple[float, float]], moment_s: float) -> tuple[float, float] | None:
    """The (unix time, USD) of the reading nearest to a moment, of `readings` in order of time; None without one.

    It is the last one before, at most two hours old, or the first one after where that is nearer, and within ten
    minutes: so a block that comes with a step of the price is set beside what the exchange said when it came.
    """
    position = bisect_right(readings, moment_s, key=lambda reading: reading[0])
    around = []
    if position and moment_s - readings[position - 1][0] <= HELD_S:
        around.append(readings[position - 1])
    if position < len(readings) and readings[position][0] - moment_s <= LATER_S:
        around.append(readings[position])
    return min(around, key=lambda reading: abs(reading[0] - moment_s), default=None)


def keep_block_prices(store: Store, prices: Sequence[BlockPrice], *, anew: bool = False) -> int:
    """Store the prices of blocks that have none yet, or of all of them; how many are new or others than before.

    The exchange price of a block's moment, once it is known, is kept: later readings are thinner. Raises
    `StoreTrouble`.
    """
    if not prices:
        return 0
    if anew:
        prices = _with_old_exchange(store, prices)
        outcomes = store.block_prices.put(prices, replace=True)
    else:
        outcomes = store.block_prices.put(prices, same=_same_block)
    return sum(outcome in (Outcome.TAKEN, Outcome.REPLACED) for outcome in outcomes)


def gap_now(reason: str | None, eligible_s: float | None, now_s: float) -> Gap | None:
    """Why a stored block price is none now, as `utxoracle_core.gap_at` has it; None when it is one.

    `eligible_s` is the header time of the newest block that says anything of the price.
    """
    if reason is None and eligible_s is not None and now_s - eligible_s > STALE_AFTER_S:
        return Gap.STALE
    return Gap(reason) if reason is not None else None


def _there(store: Store, times_s: Sequence[float]) -> set[str]:
    """The hashes of the blocks of a time that have a price."""
    if not times_s:
        return set()
    found = store.block_prices.between(min(times_s), max(times_s) + 1)
    return {price.last_hash for price in found if price.method == BLOCK_METHOD}


def _with_old_exchange(store: Store, prices: Sequence[BlockPrice]) -> list[BlockPrice]:
    times = [price.time_s for price in prices]
    old = {price.key: price for price in store.block_prices.between(min(times), max(times) + 1)}
    kept = []
    for price in prices:
        before = old.get(price.key)
        if before is not None and before.exchange_usd is not None:
            price = _beside(price, (before.exchange_time_s, before.exchange_usd))  # noqa: PLW2901
        kept.append(price)
    return kept


def _same_block(old: BlockPrice, new: BlockPrice) -> bool:
    """A block's price is what it was when the block was new, the exchange price of its moment included."""
    return old.key == new.key


def _beside(price: BlockPrice, reading: tuple[float | None, float] | None) -> BlockPrice:
    time_s, exchange_usd = reading or (None, None)
    return replace(
        price,
        exchange_usd=exchange_usd,
        exchange_time_s=time_s,
        divergence_block_pct=divergence_pct(price.price_usd, exchange_usd),
    )
