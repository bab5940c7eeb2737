"""The networks of Bitcoin Core: what they are called, where their RPC listens, where their files lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MAIN = "main"
"""The network of a node that was told nothing else."""


@dataclass(frozen=True, slots=True)
class Network:
    """One network, as Bitcoin Core defines it (`src/chainparamsbase.cpp`)."""

    name: str
    """As in the field `chain` of `getblockchaininfo`, in `chain=` and in the section names of bitcoin.conf."""
    rpc_port: int
    """The port of RPC and REST where none is configured."""
    subfolder: str
    """The folder in the data directory that holds the cookie and the blocks; empty for main."""
    magic: bytes
    """The four bytes before each block in `blk*.dat` (`src/kernel/chainparams.cpp`); those of the default signet."""


NETWORKS: Mapping[str, Network] = MappingProxyType(
    {
        network.name: network
        for network in (
            Network(MAIN, 8332, "", bytes.fromhex("f9beb4d9")),
            Network("test", 18332, "testnet3", bytes.fromhex("0b110907")),
            Network("testnet4", 48332, "testnet4", bytes.fromhex("1c163f28")),
            Network("signet", 38332, "signet", bytes.fromhex("0a03cf40")),
            Network("regtest", 18443, "regtest", bytes.fromhex("fabfb5da")),
        )
    }
)
"""All networks by name."""


def network_of_port(port: int) -> Network | None:
    """The network whose RPC listens on `port` by default, if one does."""
    return next((network for network in NETWORKS.values() if network.rpc_port == port), None)
