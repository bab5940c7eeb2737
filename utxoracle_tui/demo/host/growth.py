"""How the simulated chain comes to be and grows: the past, blocks that arrive, reorganisations, and odd blocks."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from utxoracle_tui import clock
from utxoracle_tui.demo.chain.builder import GeneratedBlock, Oddity
from utxoracle_tui.demo.chain.economy import Flood
from utxoracle_tui.demo.host.chain_state import ChainState, Known
from utxoracle_tui.demo.host.history import History
from utxoracle_tui.demo.host.market import Market, Step
from utxoracle_tui.demo.host.miner import Miner
from utxoracle_tui.demo.host.node import Node
from utxoracle_tui.demo.host.options import HostOptions

_MEAN_SPACING_S = 600.0
_PAUSE_LOOK_S = 0.1
_FLOOD_USD = 100.0
_FLOOD_SHIFT = 1.03
"""The amount of a flood is that many dollars at a price so much higher: a price that it might be taken for."""
_FULL_SHARE = 0.6
"""Of payments at an old price, in blocks that are full of them."""

T = TypeVar("T")


class Growth:
    """A thread makes blocks. Until `begin` that thread alone changes the chain, afterwards the event loop alone."""

    def __init__(
        self,
        options: HostOptions,
        history: History,
        market: Market,
        chain: ChainState,
        node: Node,
    ) -> None:
        self._history = history
        self._market = market
        self._chain = chain
        self._settings = node.state.settings
        self._options = options
        self._miner = Miner(options, history, market)
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="demo-blocks")
        self._leaving = threading.Event()
        self._past: Iterator[GeneratedBlock] = iter(())
        self._missing = 0
        self._begun = asyncio.Event()
        self._complete = asyncio.Event()
        self._mining = asyncio.Lock()
        self._paused_until_s = 0.0
        self._ordered_s = 0
        """Header time of the newest block that a spacing was ordered for."""

    def leave(self) -> None:
        """Make no more blocks of the past."""
        self._leaving.set()

    def close(self) -> None:
        """Let go of the thread."""
        self._maker.shutdown()

    async def load(self, *, missing: float) -> None:
        """Make the past; of a share of its blocks the node has the headers alone."""
        planned = len(self._history) + 1
        self._missing = round(missing * planned)
        self._past = self._miner.past(self._leaving)
        if self._missing:
            self._settings.headers_ahead, self._settings.initial_block_download = self._missing, True
        else:
            self._complete.set()
        await self._in_maker(lambda: self._connect_past(planned - self._missing))

    def begin(self) -> None:
        """The past is there, and the node has warmed up: from now on blocks may arrive."""
        self._begun.set()

    async def catch_up(self, count: int) -> int:
        """Let the node get some of the missing blocks; the number that are still missing."""
        await self._begun.wait()
        async with self._mining:
            for block in await self._in_maker(lambda: list(islice(self._past, min(count, self._missing)))):
                self._chain.connect(block)
                self._missing -= 1
                self._settings.headers_ahead = self._missing
            if not self._missing and not self._complete.is_set():
                self._settings.initial_block_download = False
                self._complete.set()
            return self._missing

    async def mine(self, count: int = 1, spacing_s: int | None = None) -> list[Known]:
        """Let blocks arrive on the tip, now. Raises ValueError while blocks are missing.

        With a spacing, each header's time is so many seconds after that of the block before, whatever the clock says.
        It may be negative; all headers stay above the median of the eleven before.
        """
        await self._begun.wait()
        async with self._mining:
            self._need_all()
            return [await self._arrive(self._time_after(self._chain.tip, spacing_s)) for _ in range(count)]

    async def reorg(self, depth: int, length: int, spacing_s: int | None = None) -> list[Known]:
        """Let a branch of `length` blocks replace the newest `depth`, at the same times and then as `mine` has it.

        Raises ValueError unless the branch is longer, and the chain long enough.
        """
        await self._begun.wait()
        async with self._mining:
            self._need_all()
            tip = self._chain.tip
            fork = self._chain.at(tip.height - depth)
            if fork is None or not 0 < depth < length:
                raise ValueError(f"a branch of {length} blocks cannot replace the newest {depth} of {tip.height}")
            replaced = [block.time_s for block in self._chain.run_from(fork, depth + 1)[1:]]
            await self._in_maker(lambda: self._miner.branch_off(fork.height, bytes.fromhex(fork.hash)[::-1]))
            made = [fork]
            for place in range(length):
                time_s = replaced[place] if place < depth else self._time_after(made[-1], spacing_s)
                made.append(await self._arrive(time_s, on=made[-1]))
            return made[1:]

    async def prune(self, below: int | None) -> None:
        """Forget the blocks under a height; None makes the node one that never pruned."""
        await self._begun.wait()
        self._chain.prune_below(below)

    async def arrivals(self) -> None:
        """Let blocks arrive for ever, ten minutes apart on average, which the speed makes shorter."""
        if not self._options.speed:
            return
        await self._complete.wait()
        waits = random.Random(self._options.seed)
        while True:
            await asyncio.sleep(waits.expovariate(self._options.speed / _MEAN_SPACING_S))
            while (left_s := self._paused_until_s - clock.elapsed_s()) > 0:
                await asyncio.sleep(min(left_s, _PAUSE_LOOK_S))
            await self.mine()

    def pause(self, seconds: float) -> None:
        """Let no block arrive by itself for a while."""
        self._paused_until_s = clock.elapsed_s() + seconds

    def price_step(self, percent: float, over_s: float = 0.0) -> None:
        """Let the price change from now on. Raises ValueError for one that leaves none."""
        # header times are whole seconds, and a block of this very second is after the step
        self._market.add(Step(1 + percent / 100, int(self._now_s()), over_s))

    def flood(self, blocks: int, payments: int = 150, sats: int | None = None) -> int:
        """Let blocks to come have one amount over and over; returns it."""
        usd = self._market(self._now_s())
        amount = round(_FLOOD_USD / (usd * _FLOOD_SHIFT) * 1e8) if sats is None else sats
        self._miner.order(Oddity(flood=Flood(amount, payments)), blocks)
        return amount

    def old_price(self, blocks: int, age_s: float, usd: float | None = None) -> float:
        """Let blocks to come be full of payments at a price of before; returns it."""
        old_usd = self._market(self._now_s() - age_s) if usd is None else usd
        self._miner.order(Oddity(price_usd=old_usd, usd_payments=_FULL_SHARE), blocks)
        return old_usd

    def _connect_past(self, count: int) -> None:
        for block in islice(self._past, count):
            self._chain.connect(block)

    def _need_all(self) -> None:
        if self._missing:
            raise ValueError(f"the node is still catching up: {self._missing} blocks are missing")

    def _now_s(self) -> float:
        """What blocks to come are after: headers may have been ordered that are ahead of the clock."""
        return max(clock.now_s(), self._ordered_s)

    def _time_after(self, parent: Known, spacing_s: int | None) -> int:
        if spacing_s is None:
            return int(clock.now_s())
        self._ordered_s = parent.time_s + int(spacing_s)
        return self._ordered_s

    async def _arrive(self, time_s: int, on: Known | None = None) -> Known:
        parent = on or self._chain.tip
        time_s = max(time_s, parent.median_time_s + 1)
        return self._chain.connect(await self._in_maker(lambda: self._miner.next_block(time_s)))

    async def _in_maker(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._maker, work)
