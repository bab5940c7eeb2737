"""A simulated host whose clock is moved by hand, and the engine at work on it: for the price at every block."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from tests.support.demo_node import DemoNode, demo_node
from utxoracle_tui import clock
from utxoracle_tui.demo.host.json_text import Json
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.engine.block_line import at_tip
from utxoracle_tui.engine.exchange import Exchange
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.node_pricing import NodePricing
from utxoracle_tui.engine.pricing import PricedWindow
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import Last
from utxoracle_tui.engine.rounds import Round, Rounds
from utxoracle_tui.engine.validation import DEFAULT_LIMITS
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.mempool import MempoolBackend
from utxoracle_tui.sources.mempool_session import MempoolAccess
from utxoracle_tui.sources.node_access import NodeAccess
from utxoracle_tui.store.records import BlockPrice, Observation
from utxoracle_tui.store.store import Retention, Store, digests_of
from utxoracle_tui.ui.widgets.round_line import describe

BEGIN_S = 1_795_345_200.0
"""2026-11-22 11:00 UTC: with one day of history, some 200 full blocks lie before it."""
SPACING_S = 600
ARRIVES_AFTER_S = 5
"""From a header's time until a console has the block."""
COLUMNS = 120


class HandClock:
    """The wall clock of everything in this process."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s


@contextmanager
def hand_clock(now_s: float = BEGIN_S) -> Iterator[HandClock]:
    """Stop the wall clock. Whatever is made of a seed is the same on every run then."""
    hands = HandClock(now_s)
    with patch.object(clock, "now_s", lambda: hands.now_s):
        yield hands


def quiet(progress: Progress) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True)
class Mined:
    """A block, and what its payments ought to be made at."""

    height: int
    hash: str
    time_s: int
    market_usd: float
    """The price at its header time, that of the market: odd blocks have payments at another one."""


@dataclass
class Console:
    """An engine, with nothing in memory at first."""

    pricing: NodePricing
    rounds: Rounds
    store: Store

    async def window(self) -> PricedWindow:
        """The block window before the tip."""
        return await self.pricing.price(Last(), quiet)

    async def line(self) -> list[BlockPrice]:
        """The prices at the blocks up to the tip."""
        return await at_tip(self.pricing, await self.window())

    async def round(self) -> Round:
        """A round, kept, with the prices of the blocks before that nobody made one of."""
        made = await self.rounds.keep(await self.rounds.make(quiet))
        await self.rounds.fill_in(made)
        return made


class Stage:
    """A host and its clock."""

    def __init__(self, node: DemoNode, hands: HandClock) -> None:
        self.node = node
        self.hands = hands

    async def act(self, action: str, **arguments: Json) -> Json:
        """Do something through the control port."""
        return await self.node.act(action, **arguments)

    async def mine(self, spacing_s: int = SPACING_S) -> Mined:
        """One more block; the clock moves on to when it arrives, and the backend looks at the exchanges."""
        await self.act("mine", spacing_s=spacing_s)
        return await self.arrived()

    async def arrived(self) -> Mined:
        """The tip; the clock is moved on to when it arrived."""
        tip = self.node.host.chain.tip
        self.hands.now_s = max(self.hands.now_s, tip.time_s + ARRIVES_AFTER_S)
        await self.act("exchange/update")
        return Mined(tip.height, tip.hash, tip.time_s, self.node.host.market(tip.time_s))

    @asynccontextmanager
    async def console(self, workers: Workers, folder: Path) -> AsyncIterator[Console]:
        """Another engine on real sockets, with its store and what it keeps of blocks in a folder."""
        access = NodeAccess(self.node.url, cookie_path=self.node.folder / ".cookie")
        backend = MempoolBackend(MempoolAccess(self.node.env["MEMPOOL_API_URL"]))
        async with BitcoinCore(access) as client, Exchange((backend,)) as exchange:
            digests = digests_of(folder, "regtest", Retention())
            pricing, store = NodePricing(client, workers, lambda network: digests), Store(folder, "regtest")
            yield Console(pricing, Rounds(pricing, exchange, store, DEFAULT_LIMITS), store)


@asynccontextmanager
async def stage(options: HostOptions) -> AsyncIterator[Stage]:
    """A host that is ready, on a clock that stands until it is moved."""
    with hand_clock() as hands:
        async with demo_node(options) as node:
            yield Stage(node, hands)


def words(seen: Observation, now_s: float, columns: int = COLUMNS) -> str:
    """What an operator reads of a round at a moment."""
    return describe(StoreReading(newest=seen), now_s, columns).plain
