"""Which logs there are, as the settings have it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from utxoracle_tui.config.networks import NETWORKS
from utxoracle_tui.config.settings import AUTO, Containers, Electrs, Node, Settings
from utxoracle_tui.engine.logs.followers import Where
from utxoracle_tui.engine.logs.line import Origin
from utxoracle_tui.engine.logs.live import LiveLogs
from utxoracle_tui.own_log.keeping import log_path
from utxoracle_tui.sources.containers_session import DockerAccess

_DEBUG_LOG = "debug.log"


def live_logs(settings: Settings) -> LiveLogs:
    """All of them, to be followed."""
    socket = settings.containers.socket
    return LiveLogs(logs_of(settings), DockerAccess() if socket is None else DockerAccess(socket))


def logs_of(settings: Settings) -> Mapping[Origin, Where]:
    """Where the logs are, in the order in which they are listed.

    Of electrs a file goes before a unit, and that before a container, as where it is watched. The files of the node
    and of this program need not be there.
    """
    electrs, containers = settings.electrs, settings.containers
    found = {Origin.OWN: Where(file=log_path(settings.store.data_dir), is_named=False)}
    node_log = _node_log(settings.node)
    if node_log is not None:
        found[Origin.NODE] = Where(file=node_log, is_named=False)
    if electrs.log_file is not None:
        found[Origin.ELECTRS] = Where(file=electrs.log_file)
    elif electrs.unit is not None:
        found[Origin.ELECTRS] = Where(unit=electrs.unit)
    is_named = containers != Containers()
    names = {
        Origin.ELECTRS: (electrs.container, is_named or electrs.container != Electrs().container),
        Origin.BACKEND: (containers.backend, is_named),
        Origin.DATABASE: (containers.database, is_named),
    }
    for origin, (name, is_missed) in names.items():
        if name and origin not in found and containers.socket is not None:
            found[origin] = Where(container=name, is_named=is_missed)
    return {origin: found[origin] for origin in Origin if origin in found}


def _node_log(node: Node) -> Path | None:
    """Bitcoin Core's debug.log, in its network's folder (`src/init/common.cpp`); None where its folder isn't known."""
    if node.datadir is None:
        return None
    if node.network != AUTO:
        return node.datadir / NETWORKS[node.network].subfolder / _DEBUG_LOG
    # cookie and blocks lie in the folder of the network, too, unless they were put elsewhere
    for file in (node.cookie_file, node.blocks_dir):
        if file is not None and file.parent.is_relative_to(node.datadir):
            return file.parent / _DEBUG_LOG
    return node.datadir / _DEBUG_LOG
