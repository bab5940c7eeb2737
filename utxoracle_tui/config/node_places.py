"""Where packages and node distributions keep the data directory of Bitcoin Core, when it isn't in its own place."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from utxoracle_tui.config.bitcoin_conf import FILE_NAME
from utxoracle_tui.config.networks import NETWORKS
from utxoracle_tui.config.node_files import COOKIE_NAME, default_datadir

_ELSEWHERE = (
    # Bitcoin Core, contrib/init/bitcoind.service; Debian's package
    "/var/lib/bitcoind",
    # a user of its own, as most guides have it
    "/home/bitcoin/.bitcoin",
    # the snap package
    "~/snap/bitcoin-core/common/.bitcoin",
    # RaspiBlitz, RaspiBolt, Umbrel
    "/mnt/hdd/bitcoin",
    "/data/bitcoin",
    "~/umbrel/app-data/bitcoin/data/bitcoin",
)


@dataclass(frozen=True, slots=True)
class DataPlace:
    """A folder that looks like a node's data directory."""

    folder: Path
    is_readable: bool
    """Whether this user may look into it; what is in it is not known otherwise."""


def data_places() -> Iterator[DataPlace]:
    """The folders that there are, Bitcoin Core's own place first."""
    own = default_datadir()
    known = [own] if own is not None else []
    if sys.platform != "win32":
        known += [Path(place).expanduser() for place in _ELSEWHERE]
    for folder in known:
        if not os.access(folder, os.F_OK):
            continue
        if not os.access(folder, os.R_OK | os.X_OK):
            yield DataPlace(folder, is_readable=False)
        elif _is_data(folder):
            yield DataPlace(folder, is_readable=True)


def _is_data(folder: Path) -> bool:
    cookies = [folder / network.subfolder / COOKIE_NAME for network in NETWORKS.values()]
    return any(os.access(path, os.F_OK) for path in (folder / FILE_NAME, *cookies))
