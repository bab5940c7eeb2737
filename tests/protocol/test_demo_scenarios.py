"""The scripts of what happens on the simulated host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from tests.support.demo_node import SMALL, DemoNode, demo_node
from utxoracle_tui.demo.host.chain_state import Known
from utxoracle_tui.demo.host.node import Node
from utxoracle_tui.demo.host.options import SCENARIO_NAMES
from utxoracle_tui.demo.host.scenario import SCENARIOS


@dataclass
class FastStage:
    """A host whose minutes last a few milliseconds."""

    demo: DemoNode
    minute_s: float = 0.004

    @property
    def node(self) -> Node:
        return self.demo.host.node

    async def reorg(self, depth: int, length: int) -> list[Known]:
        return await self.demo.host.reorg(depth, length)


@pytest.fixture
async def node() -> AsyncIterator[DemoNode]:
    async with demo_node(replace(SMALL, tx_per_block=1)) as node:
        yield node


async def test_scenario_of_restarts(node: DemoNode) -> None:
    cookies = {node.cookie}
    running = asyncio.create_task(SCENARIOS["node-restart"](FastStage(node)))
    for _ in range(300):
        await asyncio.sleep(0.01)
        path = node.folder / ".cookie"
        if path.exists():
            cookies.add(node.cookie)
        if len(cookies) >= 3:
            break
    running.cancel()
    assert len(cookies) >= 3


async def test_scenario_of_reorgs(node: DemoNode) -> None:
    running = asyncio.create_task(SCENARIOS["reorg"](FastStage(node)))
    replaced = 0
    for _ in range(300):
        await asyncio.sleep(0.01)
        replaced = sum(tip["branchlen"] == 2 for tip in await node.call("getchaintips"))
        if replaced >= 2:
            break
    running.cancel()
    assert replaced >= 2


def test_every_scenario_has_a_script() -> None:
    assert tuple(SCENARIOS) == SCENARIO_NAMES
