"""What the simulated node's RPC and REST answer from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from utxoracle_tui import clock
from utxoracle_tui.demo.host.chain_state import ChainState
from utxoracle_tui.demo.host.credentials import Accept
from utxoracle_tui.demo.host.statistics import Statistics

NETWORK = "regtest"


@dataclass(slots=True)
class NodeSettings:
    """How the node is configured, and of which version it looks."""

    rest: bool = True
    threads: int = 4  # Bitcoin Core up to v28, -rpcthreads
    queue_depth: int = 16  # Bitcoin Core up to v28, -rpcworkqueue
    idle_timeout_s: float = 30.0  # Bitcoin Core, -rpcservertimeout
    rpc_user: str | None = None
    rpc_password: str | None = None
    """With a password there is no cookie."""
    accept: Accept = Accept.RIGHT
    whitelist: dict[str, list[str]] | None = None
    """Methods a user may call; with any, users without an entry may call none."""
    warnings: list[str] = field(default_factory=list)
    warnings_as_text: bool = False
    """As up to v27."""
    target_keys: bool = False
    """`bits` and `target` where v29 has them."""
    headers_ahead: int = 0
    """Headers that the node knows beyond its blocks, as one that is catching up."""
    initial_block_download: bool = False


@dataclass(slots=True)
class NodeState:
    """The node behind its port."""

    chain: ChainState
    settings: NodeSettings
    folder: Path
    """The network's folder in the data directory."""
    statistics: Statistics = field(default_factory=Statistics)
    warming_up: str | None = None
    """What a node that is starting says it does."""
    started_s: float = field(default_factory=clock.elapsed_s)
    """On the clock for spans."""
