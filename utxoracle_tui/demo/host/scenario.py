"""Small scripts of what happens on the simulated host, in minutes that the speed of the blocks makes shorter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from utxoracle_tui.demo.host.chain_state import Known
from utxoracle_tui.demo.host.node import Node


class Stage(Protocol):
    """What a script acts on."""

    @property
    def node(self) -> Node:
        """The node."""

    async def reorg(self, depth: int, length: int) -> list[Known]:
        """Let a longer branch replace the newest blocks."""

    @property
    def minute_s(self) -> float:
        """How long a minute lasts, in seconds."""


async def _minutes(stage: Stage, minutes: float) -> None:
    await asyncio.sleep(minutes * stage.minute_s)


async def ready(stage: Stage) -> None:
    """Nothing but blocks."""


async def node_restart(stage: Stage) -> None:
    """Every hour the node goes down for three minutes and warms up for seven."""
    while True:
        await _minutes(stage, 20)
        await stage.node.restart(down_s=3 * stage.minute_s, warm_up_s=7 * stage.minute_s)
        await _minutes(stage, 30)


async def reorg(stage: Stage) -> None:
    """Every hour two blocks are replaced by three."""
    while True:
        await _minutes(stage, 25)
        await stage.reorg(depth=2, length=3)
        await _minutes(stage, 35)


SCENARIOS: dict[str, Callable[[Stage], Coroutine[Any, Any, None]]] = {
    "ready": ready,
    "node-restart": node_restart,
    "reorg": reorg,
}
"""By the names of the command line."""
