"""Whoever asks for the exchange price, the row of the stack says the newest answer, as the header does."""

from __future__ import annotations

import asyncio
from typing import Any

from utxoracle_tui import clock
from utxoracle_tui.engine.exchange import Exchange, ExchangeNow
from utxoracle_tui.engine.stack.exchange import ExchangeWatch, judge
from utxoracle_tui.store.records import ExchangeReading


class Prices(Exchange):
    """Answers with one price after the other."""

    def __init__(self, *prices_usd: float) -> None:
        super().__init__(())
        self._prices_usd: Any = iter(prices_usd)

    async def _ask(self) -> ExchangeNow:
        reading = ExchangeReading(time_s=clock.now_s(), price_usd=next(self._prices_usd), source="own")
        return ExchangeNow(reading, "here", ())


async def test_the_row_follows_the_price_that_a_round_has_asked_for() -> None:
    exchange = Prices(65_013.0, 64_965.0)
    watch, changed = ExchangeWatch(exchange, every_s=3_600), asyncio.Event()
    task = asyncio.create_task(watch.run(changed.set))
    try:
        await changed.wait()
        assert "$65,013" in judge(watch.heard, clock.now_s(), named=True, network="main").sentence
        changed.clear()
        await exchange.now()
        assert changed.is_set()
        assert "$64,965" in judge(watch.heard, clock.now_s(), named=True, network="main").sentence
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
