"""What commands that talk to a node share: the settings, and from them the way in."""

from __future__ import annotations

import argparse
import asyncio
import os
from functools import cache
from pathlib import Path

from utxoracle_tui.commands.block_files import NodesBlockFiles
from utxoracle_tui.commands.stored import likely_store, retention_of
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.paths import data_dir
from utxoracle_tui.config.settings import AUTO, Settings
from utxoracle_tui.engine.exchange import Exchange
from utxoracle_tui.engine.live_rounds import LiveRounds
from utxoracle_tui.engine.node_pricing import NodePricing
from utxoracle_tui.engine.precedence import Precedence
from utxoracle_tui.engine.pricing import DigestKeeper
from utxoracle_tui.engine.rounds import Rounds
from utxoracle_tui.engine.validation import Limits
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.mempool import MempoolBackend
from utxoracle_tui.sources.mempool_errors import PriceSource
from utxoracle_tui.sources.mempool_public import PublicInstance
from utxoracle_tui.sources.mempool_session import MempoolAccess
from utxoracle_tui.sources.node_access import NodeAccess
from utxoracle_tui.store.store import Store, digests_of


def load_settings(arguments: argparse.Namespace) -> Settings:
    """The settings from flags, environment and files. Raises `ConfigError` with all that is wrong with them."""
    return load(Flags.of(arguments), os.environ, Path.cwd()).settings


def open_node(settings: Settings) -> BitcoinCore:
    """The client of the node that the settings name; nothing is sent before it is used."""
    node = settings.node
    access = NodeAccess(
        url=node.url,
        user=node.user,
        password=node.password,
        cookie_path=node.cookie_file,
        network=None if node.network == AUTO else node.network,
        max_in_flight=node.max_in_flight,
        reuse_connections=node.reuse_connections,
        connect_timeout_s=node.connect_timeout_s,
        read_timeout_s=node.read_timeout_s,
    )
    return BitcoinCore(access)


def pricing(
    settings: Settings,
    client: BitcoinCore,
    workers: Workers,
    *,
    keep: bool,
    precedence: Precedence | None = None,
    files: NodesBlockFiles | None = None,
) -> NodePricing:
    """The pricing of windows from a node; with `keep`, digests outlive the process.

    `files` are given where several share them.
    """

    @cache
    def kept_for(network: str) -> DigestKeeper | None:
        return digests_of(data_dir(settings.store.data_dir), network, retention_of(settings))

    files = files or NodesBlockFiles(settings, keep=keep)
    return NodePricing(client, workers, kept_for if keep else None, precedence, files)


async def open_store(settings: Settings, client: BitcoinCore) -> Store:
    """The store of the node's chain. Raises `OperatorError` when the node doesn't say which that is, or for a store
    of another one.
    """
    info = await client.chain_info()
    genesis_hash = await client.block_hash(0)
    folder = data_dir(settings.store.data_dir)
    return await asyncio.to_thread(
        Store, folder, info.network, genesis_hash=genesis_hash, retention=retention_of(settings)
    )


def exchange_of(settings: Settings, *, timeout_s: float = 10.0) -> Exchange:
    """The exchange price: from the own backend, and from the public instance only where that is switched on."""
    mempool = settings.mempool
    own = MempoolBackend(MempoolAccess(mempool.api_url, timeout_s=timeout_s))
    if not mempool.fallback_enabled:
        return Exchange((own,))
    public = MempoolAccess(mempool.fallback_url, source=PriceSource.PUBLIC, timeout_s=timeout_s)
    return Exchange((own, PublicInstance(public)))


def live_rounds(settings: Settings, windows: NodePricing, client: BitcoinCore, exchange: Exchange) -> LiveRounds:
    """Rounds for as long as the console is open."""

    async def open_it() -> Store:
        return await open_store(settings, client)

    def rounds_in(store: Store) -> Rounds:
        return Rounds(windows, exchange, store, limits_of(settings))

    return LiveRounds(open_it, rounds_in, lambda: likely_store(settings))


def limits_of(settings: Settings) -> Limits:
    """What a price has to meet to be valid."""
    price = settings.price
    return Limits(price.confidence_threshold, price.min_price_usd, price.max_price_usd)
