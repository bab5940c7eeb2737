"""What all sources of the stack have said. The screens need it before the watch, and without what the watch needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from utxoracle_tui.engine.stack.reading import Overall, SourceReading, overall

if TYPE_CHECKING:
    from utxoracle_tui.engine.electrs.state import State
    from utxoracle_tui.engine.stack.backend import BackendStatus
    from utxoracle_tui.engine.stack.containers import ContainersStatus
    from utxoracle_tui.engine.stack.disks import DisksStatus
    from utxoracle_tui.engine.stack.exchange import ExchangeStatus
    from utxoracle_tui.engine.stack.node import NodeStatus


@dataclass(frozen=True, slots=True)
class StackReading:
    """All of the stack."""

    node: SourceReading[NodeStatus]
    electrs: SourceReading[State]
    backend: SourceReading[BackendStatus]
    exchange: SourceReading[ExchangeStatus]
    containers: SourceReading[ContainersStatus]
    disks: SourceReading[DisksStatus]

    @property
    def all(self) -> tuple[SourceReading[Any], ...]:
        """All sources, in the order in which they are shown."""
        return self.node, self.electrs, self.backend, self.exchange, self.containers, self.disks

    @property
    def overall(self) -> Overall:
        """How the stack is, in a word."""
        return overall(iter(self.all))
