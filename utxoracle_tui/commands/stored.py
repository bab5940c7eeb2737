"""What commands share that work on the store and need no node."""

from __future__ import annotations

import argparse
import os
from dataclasses import fields
from pathlib import Path

from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.networks import MAIN, NETWORKS
from utxoracle_tui.config.paths import data_dir
from utxoracle_tui.config.settings import AUTO, Settings
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.store import Retention, Store
from utxoracle_tui.store.troubles import told


def open_store(arguments: argparse.Namespace) -> Store:
    """The store that flags, environment and files name; nothing is written before it is used.

    Raises `ConfigError`, and `OperatorError` where the network is not clear.
    """
    settings = load(Flags.of(arguments), os.environ, Path.cwd()).settings
    folder = data_dir(settings.store.data_dir)
    return Store(folder, stored_network(settings, folder), retention=retention_of(settings))


def stored_network(settings: Settings, folder: Path) -> str:
    """The network of the store: the one that is set, else the only one that has a folder, else main.

    Raises `OperatorError` where several have one.
    """
    if settings.node.network != AUTO:
        return settings.node.network
    with told("read the store", folder):
        found = [name for name in NETWORKS if (folder / name).is_dir()]
    if len(found) > 1:
        raise OperatorError(
            "usage",
            f"{folder} has stores of several networks: {', '.join(found)}. Name one with --network.",
            Exit.USAGE,
        )
    return found[0] if found else MAIN


def likely_store(settings: Settings) -> Store | None:
    """The store that is the right one as far as can be told without the node; None where there is none.

    Raises `OperatorError` where several networks have one, or it can't be used.
    """
    folder = data_dir(settings.store.data_dir)
    network = stored_network(settings, folder)
    if not (folder / network).is_dir():
        return None
    return Store(folder, network, retention=retention_of(settings))


def retention_of(settings: Settings) -> Retention:
    """How long things are kept."""
    return Retention(**{item.name: getattr(settings.store, item.name) for item in fields(Retention)})
