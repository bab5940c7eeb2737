"""What tests can make the simulated node and its chain do."""

from __future__ import annotations

from typing import Protocol

from utxoracle_tui.demo.host.chain_state import ChainState
from utxoracle_tui.demo.host.control_actions import Actions, change, server_actions
from utxoracle_tui.demo.host.credentials import Accept
from utxoracle_tui.demo.host.history import History
from utxoracle_tui.demo.host.json_text import Json
from utxoracle_tui.demo.host.node import Node

_RESTART_DOWN_S = 0.3
_RESTART_WARM_UP_S = 1.0


class NodeHost(Protocol):
    """What there is to control."""

    node: Node
    chain: ChainState
    history: History

    @property
    def is_ready(self) -> bool:
        """Whether the node has warmed up for the first time."""


def node_actions(host: NodeHost) -> Actions:
    """The node: its names stand alone."""
    node = host.node

    async def state() -> Json:
        """How far the host is, and what the node is up to."""
        blocks = len(host.chain)
        return {
            "ready": host.is_ready,
            "blocks_made": blocks,
            "blocks_planned": max(blocks, len(host.history) + 1),
            "listening": node.is_listening,
            "warming_up": node.state.warming_up,
            "tip": host.chain.tip.hash if blocks else None,
        }

    async def start(*, warm_up_s: float = _RESTART_WARM_UP_S) -> Json:
        """Let the node listen again."""
        await node.start(warm_up_s)
        return {}

    async def stop(*, clean: bool = True) -> Json:
        """Let the node go down; uncleanly it leaves its cookie and drops what it was answering."""
        await node.stop(clean=clean)
        return {}

    async def restart(
        *, down_s: float = _RESTART_DOWN_S, warm_up_s: float = _RESTART_WARM_UP_S, clean: bool = True
    ) -> Json:
        """Both of them."""
        await node.restart(down_s=down_s, warm_up_s=warm_up_s, clean=clean)
        return {}

    async def lose_cookie() -> Json:
        """Delete the cookie file under a running node."""
        node.credentials.remove_file()
        return {}

    async def settings(**changes: Json) -> Json:
        """Change fields of `NodeSettings`."""
        if "accept" in changes:
            changes["accept"] = Accept(changes["accept"])
        change(node.state.settings, changes)
        node.reconfigure()
        return {}

    own = Actions(
        {"state": state},
        {"start": start, "stop": stop, "restart": restart, "lose_cookie": lose_cookie, "settings": settings},
    )
    return own | server_actions(node.faults, node.state.statistics)
