"""Findings about networks that don't fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType

from utxoracle_tui.engine.stack.findings.finding import Finding, Gravity, StackLook
from utxoracle_tui.sources.node_errors import WrongNetwork

AHEAD_BLOCKS = 12
"""Nobody can know so many blocks more than the headers that the node knows, unless of another chain."""
_TYPE = re.compile(r"\bnetwork_type: (\w+)")
NETWORK_OF_ELECTRS = MappingProxyType(
    {"Bitcoin": "main", "Testnet": "test", "Testnet4": "testnet4", "Signet": "signet", "Regtest": "regtest"}
)
"""As the first line of electrs's log has them (electrs, src/chain.rs, `Network`)."""


def find(look: StackLook) -> Iterator[Finding]:
    """All of them."""
    trouble = look.reading.node.heard.trouble
    if trouble is not None and trouble.kind == WrongNetwork.KIND:
        yield Finding(
            "wrong_network",
            Gravity.ERROR,
            "The node is on another network than the one that is configured",
            trouble.sentence,
            "Set UTXORACLE_TUI_NODE_NETWORK (node.network) to that of the node, or BITCOIN_RPC_URL and BITCOIN_DATADIR "
            "to a node of the right one.",
        )
    yield from _electrs_by_its_log(look)
    yield from _ahead(look)


def _electrs_by_its_log(look: StackLook) -> Iterator[Finding]:
    said = next((found[1] for line in reversed(look.electrs_log or ()) if (found := _TYPE.search(line))), None)
    network = NETWORK_OF_ELECTRS.get(said or "")
    if look.node is None or network is None or network == look.node.chain.network:
        return
    ours = look.node.chain.network
    yield Finding(
        "electrs_on_another_network",
        Gravity.ERROR,
        "electrs is on another network than the node",
        f"The first line of its log says network_type: {said}; the node is on {ours}.",
        f"Start electrs with --network {'mainnet' if ours == 'main' else 'testnet' if ours == 'test' else ours}.",
    )


def _ahead(look: StackLook) -> Iterator[Finding]:
    if look.node is None:
        return
    headers, network = look.node.chain.headers, look.node.chain.network
    state, backend = look.electrs, look.reading.backend.detail
    rest = state.memory.known.rest if state is not None else None
    heights = (
        ("electrs", rest.height if rest is not None else None, "ELECTRS_HTTP_URL"),
        ("the mempool backend", backend.tip_height if backend is not None else None, "MEMPOOL_API_URL"),
    )
    for name, height, variable in heights:
        if height is not None and headers >= 0 and height > headers + AHEAD_BLOCKS:
            yield Finding(
                "another_chain",
                Gravity.ERROR,
                f"{name[0].upper()}{name[1:]} follows another chain than the node",
                f"It is at height {height:,}, and the node on {network} knows of {headers:,} headers.",
                f"Set {variable} to the one that belongs to this node.",
            )
