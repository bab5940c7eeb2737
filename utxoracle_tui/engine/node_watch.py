"""Watches a Bitcoin Core node: is it there, on which tip, and how far behind what it knows of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from utxoracle_tui import clock
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.node_errors import NodeError
from utxoracle_tui.sources.node_replies import ChainInfo
from utxoracle_tui.sources.node_session import Patience

TIP_EVERY_S = 1.0
"""How often the tip is asked for."""
CHAIN_EVERY_S = 10.0
"""How often the rest is, while the tip stays."""
_TROUBLE_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class NodeReading:
    """What a node said at one moment, or why it said nothing."""

    host: str
    at_s: float
    """Unix time of the reading."""
    latency_s: float
    chain: ChainInfo | None
    """The newest that is known, which may be older than this reading when there is a `trouble`."""
    chain_at_s: float | None
    """When `chain` was said."""
    trouble_kind: str | None = None
    trouble: str | None = None
    """A sentence for the operator."""


class NodeWatch:
    """Asks a node for its tip once a second, and for the state of its chain when that moves."""

    def __init__(self, node: BitcoinCore) -> None:
        self._node = node.with_patience(Patience(busy_s=0.0))
        self._host = node.access.host
        self._chain: ChainInfo | None = None
        self._chain_at_s: float | None = None

    async def run(self, on_reading: Callable[[NodeReading], None]) -> None:
        """Watch until cancelled; `on_reading` is called with every reading."""
        while True:
            reading = await self._read()
            on_reading(reading)
            await asyncio.sleep(_TROUBLE_EVERY_S if reading.trouble else TIP_EVERY_S)

    async def _read(self) -> NodeReading:
        started_s = clock.elapsed_s()
        kind = trouble = None
        try:
            tip = await self._node.best_block_hash()
            latency_s = clock.elapsed_s() - started_s
            if self._is_outdated(tip):
                self._chain = await self._node.chain_info()
                self._chain_at_s = clock.now_s()
        except NodeError as error:
            latency_s = clock.elapsed_s() - started_s
            kind, trouble = error.kind, error.message
        return NodeReading(self._host, clock.now_s(), latency_s, self._chain, self._chain_at_s, kind, trouble)

    def _is_outdated(self, tip: str) -> bool:
        if self._chain is None or self._chain_at_s is None or self._chain.best_hash != tip:
            return True
        return clock.now_s() - self._chain_at_s >= CHAIN_EVERY_S
