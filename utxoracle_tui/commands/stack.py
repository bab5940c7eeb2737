"""What commands and the console share of the stack: the settings, and from them its watch, or one look at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from utxoracle_tui.commands.node import exchange_of, open_node
from utxoracle_tui.commands.stored import likely_store
from utxoracle_tui.config.paths import data_dir
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.electrs.watch import ElectrsWatch
from utxoracle_tui.engine.exchange import Exchange
from utxoracle_tui.engine.stack.backend import BackendWatch
from utxoracle_tui.engine.stack.containers import ContainersWatch
from utxoracle_tui.engine.stack.disks import DisksWatch
from utxoracle_tui.engine.stack.electrs import ElectrsStatusWatch
from utxoracle_tui.engine.stack.exchange import ExchangeWatch
from utxoracle_tui.engine.stack.look import ANSWER_WITHIN_S, Asked
from utxoracle_tui.engine.stack.milestones import KEY, KeptMilestones
from utxoracle_tui.engine.stack.node import NodeStatusWatch
from utxoracle_tui.engine.stack.setup import Setup
from utxoracle_tui.engine.stack.stack import StackWatch, Watches
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.store.store import Store


def stack_watch(
    settings: Settings, client: BitcoinCore, exchange: Exchange, store: Callable[[], Store | None]
) -> StackWatch:
    """The watch of the whole stack. `client` and `exchange` stay the caller's; `store` gives the store once open."""
    setup = Setup.of(settings, data_dir(settings.store.data_dir))
    node = NodeStatusWatch(client)

    def electrs(kept: object) -> ElectrsWatch:
        return ElectrsWatch(setup.electrs, node=node.as_evidence, kept=kept)

    watches = Watches(
        node=node,
        electrs=ElectrsStatusWatch(electrs, KeptMilestones(store, lambda: likely_store(settings))),
        backend=BackendWatch(setup.backend),
        exchange=ExchangeWatch(exchange),
        containers=ContainersWatch(setup.docker, setup.containers),
        disks=DisksWatch(setup.folders),
    )
    return StackWatch(watches, setup.named)


@asynccontextmanager
async def asked_once(settings: Settings) -> AsyncIterator[Asked]:
    """All that one look at the stack asks, impatient."""
    shared = open_node(settings).access
    access = replace(shared, read_timeout_s=min(shared.read_timeout_s, ANSWER_WITHIN_S))
    setup = Setup.of(settings, data_dir(settings.store.data_dir), timeout_s=ANSWER_WITHIN_S)
    async with BitcoinCore(access) as client, exchange_of(settings, timeout_s=ANSWER_WITHIN_S) as exchange:
        yield Asked(client, exchange, setup, await asyncio.to_thread(_kept, settings))


def _kept(settings: Settings) -> object:
    """The milestones that are stored, or None."""
    try:
        store = likely_store(settings)
        note = store.note(KEY) if store is not None else None
    except OperatorError:
        # what is wrong with the store is told where the store is
        return None
    return note.values if note is not None else None
