"""What commands that talk to a node share: the settings, and from them the way in."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.settings import AUTO, Settings
from utxoracle_tui.engine.node_pricing import NodePricing
from utxoracle_tui.engine.validation import Limits
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.node_access import NodeAccess


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


def pricing(client: BitcoinCore, workers: Workers) -> NodePricing:
    """The pricing of windows from a node."""
    return NodePricing(client, workers)


def limits_of(settings: Settings) -> Limits:
    """What a price has to meet to be valid."""
    price = settings.price
    return Limits(price.confidence_threshold, price.min_price_usd, price.max_price_usd)
