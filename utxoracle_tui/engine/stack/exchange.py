"""The exchange price as a part of the stack: how old it is by its own time, and who said it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.exchange import Exchange, ExchangeNow
from utxoracle_tui.engine.stack.reading import ASKING, Health, Heard, Source, Standing, Trouble, Verdict
from utxoracle_tui.engine.stack.thresholds import LIMITS, PRICE_EVERY_S
from utxoracle_tui.store.records import ExchangeReading

NO_PRICE, UNREACHABLE = "no_price", "price_unreachable"
UNPRICED_NETWORKS = frozenset({"test", "testnet4", "signet"})
"""Backends refuse prices of coins that are worth nothing."""


@dataclass(frozen=True, slots=True)
class ExchangeStatus:
    """The newest price that is known."""

    reading: ExchangeReading
    host: str


class ExchangeWatch:
    """The exchange price, asked for regularly."""

    def __init__(self, exchange: Exchange, *, every_s: float = PRICE_EVERY_S) -> None:
        self._exchange = exchange
        self._every_s = every_s
        self.heard: Heard[ExchangeStatus] = Heard()

    async def run(self, on_change: Callable[[], None]) -> None:
        """Watch until cancelled."""

        def hear(now: ExchangeNow, started_s: float) -> None:
            self.heard = heard_of(now, self.heard, started_s)
            on_change()

        with self._exchange.overheard(hear):
            while True:
                await self._exchange.now()
                # what has just come back must not be missed for half a minute
                await asyncio.sleep(self._every_s if self.heard.trouble is None else min(self._every_s, 5.0))


async def ask_exchange(exchange: Exchange, before: Heard[ExchangeStatus]) -> Heard[ExchangeStatus]:
    """What is known of the price after one more question."""
    started_s = clock.elapsed_s()
    return heard_of(await exchange.now(), before, started_s)


def heard_of(now: ExchangeNow, before: Heard[ExchangeStatus], started_s: float) -> Heard[ExchangeStatus]:
    """What is known after an answer, or none; `started_s` is when it was asked for, on the clock for spans."""
    ended_s = clock.elapsed_s()
    said = " ".join(now.troubles)
    if now.reading is None or now.host is None:
        trouble = Trouble(UNREACHABLE if now.unreachable else NO_PRICE, said)
        return replace(before, trouble=trouble, latency_s=ended_s - started_s)
    status = ExchangeStatus(now.reading, now.host)
    trouble_of_others = Trouble(UNREACHABLE if now.unreachable else NO_PRICE, said) if said else None
    return Heard(status, ended_s, clock.now_s(), ended_s - started_s, trouble_of_others)


def judge(heard: Heard[ExchangeStatus], wall_s: float, *, named: bool, network: str | None) -> Verdict:
    """The verdict at a moment, in unix seconds.

    `named` says whether the operator has given an address, `network` is that of the node where it is known.
    """
    status, trouble = heard.detail, heard.trouble
    if status is None:
        if trouble is None:
            return ASKING
        if network in UNPRICED_NETWORKS and trouble.kind == NO_PRICE:
            return Verdict(Health.NOT_CONFIGURED, Standing.NONE, "none", trouble.sentence)
        if not named and trouble.kind == UNREACHABLE:
            return Verdict(Health.NOT_CONFIGURED, Standing.NONE, "none", trouble.sentence)
        return Verdict(Health.DOWN, Standing.DEGRADED, "no price", trouble.sentence)
    age_s = max(0.0, wall_s - status.reading.time_s)
    health = LIMITS[Source.EXCHANGE].health(age_s)
    public = ", from the PUBLIC instance" if status.reading.source == "public" else ""
    sentence = f"{formats.whole_usd(status.reading.price_usd)}, {formats.age(age_s)}{public}, by {status.host}."
    if trouble is not None:
        sentence = f"{sentence} {trouble.sentence}"
    elif health is not Health.UP:
        sentence = f"{sentence} The time of the price stands still: the backend's price feeds don't answer it."
    if health is Health.STALE:
        return Verdict(health, Standing.DEGRADED, "stale", sentence)
    # a backend asks once an hour, so that a price may be a little older than that without any fault
    return Verdict(health, Standing.READY, "fresh" if health is Health.UP else "late", sentence)
