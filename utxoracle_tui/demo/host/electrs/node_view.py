"""The node as the simulated electrs meets it: what it says, or why it doesn't."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from utxoracle_tui.demo.host.chain_state import ChainState, Known
from utxoracle_tui.demo.host.credentials import Accept
from utxoracle_tui.demo.host.json_text import to_json
from utxoracle_tui.demo.host.node import Node
from utxoracle_tui.demo.host.node_state import NETWORK
from utxoracle_tui.demo.host.rpc_errors import Code


@dataclass(frozen=True, slots=True)
class NodeView:
    """Looks at the node directly: it costs the node no request, and its statistics are of others alone."""

    node: Node
    chain: ChainState
    port: int

    def faults(self) -> list[str]:
        """The warnings that electrs prints when it tries to reach the node; none when that answers."""
        if not self.node.is_listening:
            return [f"failed to connect daemon at 127.0.0.1:{self.port}: Connection refused (os error 111)"]
        if not self.node.credentials.is_readable:
            return ['reconnecting to bitcoind: failed to read cookie from "/bitcoin/.cookie"']
        if self.node.state.settings.accept is Accept.NONE:
            return ["reconnecting to bitcoind: no reply from daemon"]
        warming_up = self.node.state.warming_up
        if warming_up is not None:
            body = to_json({"code": int(Code.WARMING_UP), "message": warming_up})
            return ["HTTP status: HTTP/1.1 500 Internal Server Error", f"reconnecting to bitcoind: {body}"]
        if self.node.faults.is_busy:
            return ["reconnecting to bitcoind: expected 24 bytes, got 25"]
        return []

    @property
    def is_up(self) -> bool:
        """Whether it answers."""
        return self.node.is_listening and self.node.state.warming_up is None

    @property
    def tip(self) -> Known:
        """Its newest block."""
        return self.chain.tip

    @property
    def headers(self) -> int:
        """Height of the newest header."""
        return self.tip.height + self.node.state.settings.headers_ahead

    @property
    def is_synced(self) -> bool:
        """Whether it has all blocks that it knows headers of, and says so."""
        return not self.node.state.settings.initial_block_download and self.headers == self.tip.height

    @property
    def is_pruned(self) -> bool:
        """Whether blocks are missing."""
        return self.chain.pruned_below is not None

    @property
    def progress(self) -> float:
        """`verificationprogress`."""
        return self.tip.height / self.headers if self.headers else 1.0

    def describe(self) -> str:
        """The answer of `getblockchaininfo` as electrs prints it."""
        downloading = str(self.node.state.settings.initial_block_download).lower()
        return (
            f'BlockchainInfo {{ chain: "{NETWORK}", blocks: {self.tip.height}, headers: {self.headers}, '
            f'bestblockhash: "{self.tip.hash}", pruned: {str(self.is_pruned).lower()}, '
            f"verificationprogress: {self.progress:.6g}, initialblockdownload: Some({downloading}) }}"
        )


def rfc3339(time_s: float) -> str:
    """To the second, in UTC."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
