"""Rounds while the console is open: each block window that is priced is set beside the exchange price and stored,
and what any process stores is seen within a second.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from utxoracle_tui import lean_memory
from utxoracle_tui.engine.keeper import Keeper, Keeping
from utxoracle_tui.engine.pricing import PricedWindow
from utxoracle_tui.engine.rounds import Round, Rounds
from utxoracle_tui.engine.watch.presence import WatchSeen, find_watch
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.notices import Notice
from utxoracle_tui.store.records import ExchangeReading, Observation
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble

NOT_OPEN = "The store is opened as soon as the node says which chain it is on."
_LOOK_EVERY_S = 0.5
_OPEN_AGAIN_S = 2.0
_LOOK_FOR_WATCH_EVERY_S = 5.0


def store_not_open() -> OperatorError:
    """What is said to somebody who is too early."""
    return OperatorError("not_open", NOT_OPEN, Exit.FAILED)


@dataclass(frozen=True, slots=True)
class StoreReading:
    """What the store holds that the console shows, and how storing goes."""

    newest: Observation | None = None
    """The newest observation, whoever made it."""
    exchange: ExchangeReading | None = None
    """The newest exchange price, which may be older than the observation, or younger."""
    waiting: int = 0
    """Rounds of this process that are not stored yet."""
    trouble: str | None = None
    """Why something could not be stored or read, as a sentence."""
    notices: tuple[Notice, ...] = ()
    writes: int = 0
    """Changes whenever any process has stored something."""
    watch: WatchSeen | None = None
    """The `watch` that runs on the same store, or was ended the hard way."""
    network: str | None = None
    """Whose store it is; None while there is none to read."""
    waits: bool = False
    """Whether the node has been asked for its chain and hasn't named it: the store is the likely one, or none."""


class LiveRounds:
    """Opens the store as soon as that can be done, follows it, and has rounds kept in it."""

    def __init__(
        self,
        open_store: Callable[[], Awaitable[Store]],
        rounds_in: Callable[[Store], Rounds],
        likely_store: Callable[[], Store | None] = lambda: None,
    ) -> None:
        """`open_store` may fail as long as it isn't known which chain the node is on; until then `likely_store` is what
        there is to read, if there is one.
        """
        self._open_store = open_store
        self._likely_store = likely_store
        self._rounds_in = rounds_in
        self._priced: asyncio.Queue[PricedWindow] = asyncio.Queue(maxsize=4)
        self._reading = StoreReading()
        self.store: Store | None = None
        """Once it is open: what is worked out goes in there."""
        self.readable: Store | None = None
        """What is stored can be read from here: the same store, and until it is open the likely one."""

    def priced(self, result: PricedWindow) -> None:
        """Make a round of a block window; where rounds are slower than blocks, some windows make none."""
        if not self._priced.full():
            self._priced.put_nowait(result)

    async def run(self, on_reading: Callable[[StoreReading], None]) -> None:
        """Work until cancelled; `on_reading` is called whenever there is something new to show."""

        def tell(**changes: object) -> None:
            reading = replace(self._reading, **changes)  # type: ignore[arg-type]
            if reading != self._reading:
                self._reading = reading
                on_reading(reading)

        store = self.store = self.readable = await self._opened(tell)
        tell(network=store.folder.network, waits=False, trouble=None)
        rounds = self._rounds_in(store)

        to_fill_in: asyncio.Queue[Round] = asyncio.Queue(maxsize=1)

        def kept(keeping: Keeping) -> None:
            tell(waiting=keeping.waiting, trouble=keeping.trouble)
            # rounds that wait have prices of their own for their blocks
            if keeping.newest is not None and not keeping.waiting and to_fill_in.empty():
                to_fill_in.put_nowait(keeping.newest)

        keeper = Keeper(rounds, kept)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(store, tell))
            tasks.create_task(self._look_for_watch(store, tell))
            tasks.create_task(self._make(rounds, keeper, tell))
            tasks.create_task(keeper.run())
            tasks.create_task(self._fill_in(rounds, to_fill_in))

    async def _show_likely(self, tell: Callable[..., None]) -> None:
        try:
            store = await asyncio.to_thread(self._likely_store)
        except OperatorError:
            # the store that is opened next has the same trouble, or none
            return
        if store is not None:
            self.readable = store
            tell(network=store.folder.network)
            await self._follow(store, tell)

    async def _opened(self, tell: Callable[..., None]) -> Store:
        showing = asyncio.create_task(self._show_likely(tell))
        try:
            while True:
                try:
                    return await self._open_store()
                except StoreTrouble as trouble:
                    # the chain is known, and the likely store is not of it or can't be relied on
                    showing.cancel()
                    self.readable = None
                    tell(trouble=trouble.message, newest=None, exchange=None, network=None, waits=False)
                except OperatorError:
                    # the node's own line says what is wrong with it
                    tell(waits=True)
                await asyncio.sleep(_OPEN_AGAIN_S)
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)

    async def _make(self, rounds: Rounds, keeper: Keeper, tell: Callable[..., None]) -> None:
        while True:
            result = await self._priced.get()
            try:
                keeper.add(await rounds.of_window(result))
            except StoreTrouble as trouble:
                tell(trouble=trouble.message)

    async def _fill_in(self, rounds: Rounds, kept: asyncio.Queue[Round]) -> None:
        """Beside the rounds, which must not wait for blocks of the past."""
        while True:
            made = await kept.get()
            # it will do after the next round
            with contextlib.suppress(OperatorError):
                await rounds.fill_in(made)
            # what the round was worked out with is done with, and the next one comes minutes later
            await asyncio.to_thread(lean_memory.give_back)

    async def _look_for_watch(self, store: Store, tell: Callable[..., None]) -> None:
        while True:
            tell(watch=await asyncio.to_thread(find_watch, store.folder.home))
            await asyncio.sleep(_LOOK_FOR_WATCH_EVERY_S)

    async def _follow(self, store: Store, tell: Callable[..., None]) -> None:
        seen: int | None = None
        while True:
            writes = await asyncio.to_thread(store.writes)
            if writes != seen:
                try:
                    newest, exchange = await asyncio.to_thread(_newest, store)
                except StoreTrouble as trouble:
                    tell(trouble=trouble.message)
                else:
                    seen = writes
                    tell(newest=newest, exchange=exchange, notices=store.notices.all(), writes=writes)
            await asyncio.sleep(_LOOK_EVERY_S)


def _newest(store: Store) -> tuple[Observation | None, ExchangeReading | None]:
    observations, readings = store.observations.newest(), store.exchange_readings.newest()
    return observations[0] if observations else None, readings[0] if readings else None
