"""A round: the block window price and the exchange price of one moment, set beside each other and kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from utxoracle_tui import clock
from utxoracle_tui.engine.block_line import at_tip, keep_block_prices, with_exchange
from utxoracle_tui.engine.exchange import Exchange, ExchangeNow
from utxoracle_tui.engine.exchange_mean import HELD_S, divergence_pct
from utxoracle_tui.engine.keeping import keep_window, window_record
from utxoracle_tui.engine.pricing import PricedWindow, ProgressCallback, WindowPricing
from utxoracle_tui.engine.request import Last
from utxoracle_tui.engine.validation import Limits
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.store.records import BlockPrice, Observation, Window
from utxoracle_tui.store.store import Store


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found."""

    observation: Observation
    window: Window
    result: PricedWindow | None
    """None where only the record is left: the points can be worked out again."""
    exchange: ExchangeNow
    blocks: tuple[BlockPrice, ...] = ()
    """The prices at the blocks up to the tip, as far as they could be had."""
    block_trouble: str | None = None
    """Why there are none, as a sentence."""
    kept: bool = False
    """Whether it is in the store."""
    orphaned: int = 0
    """How many earlier results turned out to end in a block that is no longer on the chain."""


class Rounds:
    """Makes rounds and keeps them."""

    def __init__(self, pricing: WindowPricing, exchange: Exchange, store: Store, limits: Limits) -> None:
        self._pricing = pricing
        self._exchange = exchange
        self._store = store
        self._limits = limits

    async def make(self, on_progress: ProgressCallback) -> Round:
        """One round, not kept yet. Raises `OperatorError` when the chain can't be priced.

        An exchange price that can't be had is no error: the round goes without it.
        """
        asking = asyncio.create_task(self._exchange.now())
        try:
            result = await self._pricing.price(Last(), on_progress)
            return await self._of_window(result, await asking)
        finally:
            asking.cancel()

    async def of_window(self, result: PricedWindow) -> Round:
        """The round of a block window that is priced already. Raises `StoreTrouble` for an unreadable store."""
        return await self._of_window(result, await self._exchange.now())

    async def keep(self, made: Round) -> Round:
        """Store a round, and mark what it shows to be orphaned; again does no harm. Raises `StoreTrouble`."""
        return await asyncio.to_thread(self._keep, made)

    async def _of_window(self, result: PricedWindow, exchange: ExchangeNow) -> Round:
        trouble = None
        blocks: list[BlockPrice] = []
        try:
            blocks = await at_tip(self._pricing, result)
        except OperatorError as error:
            # the tip may just have been replaced: the window price holds all the same
            trouble = error.message
        made = await asyncio.to_thread(self._round, result, exchange, blocks)
        return replace(made, block_trouble=trouble)

    def _round(self, result: PricedWindow, exchange: ExchangeNow, blocks: list[BlockPrice]) -> Round:
        window = window_record(self._store, result, self._limits, exchange.reading)
        blocks = with_exchange(self._store, blocks, exchange.reading)
        observation = observe(window, exchange, blocks[-1] if blocks else None, clock.now_s())
        return Round(observation, window, result, exchange, tuple(blocks))

    def _keep(self, made: Round) -> Round:
        if made.exchange.reading is not None:
            self._store.exchange_readings.insert(made.exchange.reading)
        keep_window(self._store, made.window, made.result)
        keep_block_prices(self._store, made.blocks)
        self._store.observations.insert(made.observation)
        return replace(made, kept=True, orphaned=self._mark_orphans(made.window))

    def _mark_orphans(self, window: Window) -> int:
        if window.first_height is None or window.last_height is None:
            return 0
        hashes = self._pricing.known_hashes()
        # the tip is the block after the window
        heights = range(window.first_height, window.last_height + 2)
        return self._store.mark_orphans(heights, lambda height, text: hashes.get(height, text) == text)


def observe(window: Window, exchange: ExchangeNow, block: BlockPrice | None, now_s: float) -> Observation:
    """What a round found, at a moment in unix seconds; `block` is the newest block's price.

    An exchange price older than two hours is kept with its time, but nothing is compared with it.
    """
    reading = exchange.reading
    fresh_usd = reading.price_usd if reading is not None and now_s - reading.time_s <= HELD_S else None
    return Observation(
        key=f"{now_s:.3f}-{(window.last_hash or '')[-8:]}",
        time_s=now_s,
        window_kind=window.kind,
        first_height=window.first_height,
        last_height=window.last_height,
        last_hash=window.last_hash,
        first_time_s=window.first_time,
        last_time_s=window.last_time,
        transactions=window.transactions,
        onchain_usd=window.price_usd,
        method=window.method,
        exchange_usd=reading.price_usd if reading else None,
        exchange_time_s=reading.time_s if reading else None,
        exchange_source=reading.source if reading else None,
        block_usd=block.price_usd if block else None,
        block_low_usd=block.low_usd if block else None,
        block_high_usd=block.high_usd if block else None,
        block_confidence=block.confidence if block else None,
        block_height=block.last_height if block else None,
        block_time_s=int(block.time_s) if block else None,
        block_reason=block.reason if block else None,
        exchange_mean_usd=window.exchange_usd,
        exchange_coverage=window.exchange_coverage,
        divergence_spot_pct=divergence_pct(window.price_usd, fresh_usd),
        divergence_window_pct=window.divergence_window_pct,
        divergence_block_pct=block.divergence_block_pct if block else None,
        confidence=window.confidence,
        valid=window.valid,
        reason=window.reason,
    )
