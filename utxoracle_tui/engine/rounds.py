"""A round: the block window price and the exchange price of one moment, set beside each other and kept."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from utxoracle_core import RUN_BLOCKS, HeightRange
from utxoracle_tui import clock, formats
from utxoracle_tui.engine.block_keeping import keep_block_prices, missing_prices, with_exchange
from utxoracle_tui.engine.block_line import at_tip
from utxoracle_tui.engine.exchange import Exchange, ExchangeNow
from utxoracle_tui.engine.exchange_mean import HELD_S, divergence_pct
from utxoracle_tui.engine.exchange_past import ExchangePast
from utxoracle_tui.engine.keeping import keep_window, window_record
from utxoracle_tui.engine.pricing import PricedWindow, ProgressCallback, WindowPricing
from utxoracle_tui.engine.request import Last
from utxoracle_tui.engine.validation import Limits
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.store.records import BlockPrice, Observation, Window
from utxoracle_tui.store.store import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found."""

    observation: Observation
    window: Window
    result: PricedWindow | None
    """None where only the record is left: the points can be worked out again."""
    exchange: ExchangeNow
    blocks: tuple[BlockPrice, ...] = ()
    """The prices at the blocks up to the tip, as far as they could be had. Only the last is stored with the round:
    of those before it, the windows of spends are too short.
    """
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
        self._past = ExchangePast(store, exchange)

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

    async def fill_in(self, made: Round) -> int:
        """Store the prices at those of the 144 blocks up to the tip of a kept round that nobody made a round of.

        For that, up to 143 blocks more are needed, at the first start of all; none usually. How many were stored.
        Raises `OperatorError`; then the next round's will do.
        """
        last, first_s, last_s = made.window.last_height, made.window.first_time, made.window.last_time
        if last is None or made.window.price_usd is None:
            return 0
        if first_s is not None and last_s is not None:
            # the next round then has the exchange's mean over its window, also if nobody watched all of it
            await self._past.know(first_s, last_s)
        # the tip is the block after the window
        blocks = HeightRange(max(last + 2 - RUN_BLOCKS, 0), last)
        found = await missing_prices(self._pricing, self._store, blocks, made.window.price_usd)
        return await asyncio.to_thread(keep_block_prices, self._store, found)

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
        keep_block_prices(self._store, made.blocks[-1:])
        self._store.observations.insert(made.observation)
        _log.info("%s", _in_words(made))
        return replace(made, kept=True, orphaned=self._mark_orphans(made.window))

    def _mark_orphans(self, window: Window) -> int:
        if window.first_height is None or window.last_height is None:
            return 0
        hashes = self._pricing.known_hashes()
        # the tip is the block after the window
        heights = range(window.first_height, window.last_height + 2)
        return self._store.mark_orphans(heights, lambda height, text: hashes.get(height, text) == text)


def _in_words(made: Round) -> str:
    """A round as a line of the log."""
    seen, window = made.observation, made.window
    price = formats.usd(seen.onchain_usd) if seen.onchain_usd is not None else "no price"
    exchange = formats.usd(seen.exchange_usd) if seen.exchange_usd is not None else "no price"
    apart = formats.signed_percent(seen.divergence_block_pct) if seen.divergence_block_pct is not None else "not known"
    why = "valid" if seen.valid else f"not valid: {seen.reason or 'no reason'}"
    heights = f"blocks {window.first_height}–{window.last_height}"
    return f"round of {heights}: {price}, exchange {exchange}, divergence by block {apart}, {why}"


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
        block_eligible_s=block.eligible_time_s if block else None,
        exchange_mean_usd=window.exchange_usd,
        exchange_coverage=window.exchange_coverage,
        divergence_spot_pct=divergence_pct(window.price_usd, fresh_usd),
        divergence_window_pct=window.divergence_window_pct,
        divergence_block_pct=block.divergence_block_pct if block else None,
        confidence=window.confidence,
        valid=window.valid,
        reason=window.reason,
    )
