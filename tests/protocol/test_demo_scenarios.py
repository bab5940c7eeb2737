"""The scripts of what happens on the simulated host, and the odd blocks and prices that they are made of."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.demo_node import SMALL, DemoNode, demo_node
from utxoracle_core import digest_block
from utxoracle_core.scan_python import scan
from utxoracle_tui import clock
from utxoracle_tui.demo.host.electrs.electrs import Electrs
from utxoracle_tui.demo.host.growth import Growth
from utxoracle_tui.demo.host.mempool.backend import Backend
from utxoracle_tui.demo.host.node import Node
from utxoracle_tui.demo.host.options import SCENARIO_NAMES
from utxoracle_tui.demo.host.scenario import SCENARIOS

TINY = replace(SMALL, tx_per_block=1)
PRICE = 65_000.0

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class FastStage:
    """A host whose minutes last a few milliseconds."""

    demo: DemoNode
    minute_s: float = 0.004

    @property
    def node(self) -> Node:
        return self.demo.host.node

    @property
    def electrs(self) -> Electrs:
        return self.demo.host.electrs

    @property
    def backend(self) -> Backend:
        return self.demo.host.backend

    @property
    def growth(self) -> Growth:
        return self.demo.host.growth


@pytest.fixture(scope="module")
async def node() -> AsyncIterator[DemoNode]:
    async with demo_node(TINY) as node:
        yield node


@pytest.fixture(scope="module")
async def full() -> AsyncIterator[DemoNode]:
    """A host whose blocks have payments enough to tell their price."""
    async with demo_node(replace(SMALL, tx_per_block=150, price=str(PRICE))) as node:
        yield node


@asynccontextmanager
async def running(node: DemoNode, name: str, minute_s: float = 0.004) -> AsyncIterator[None]:
    task = asyncio.ensure_future(SCENARIOS[name].script(FastStage(node, minute_s)))
    try:
        yield
    finally:
        if task.done():
            task.result()
        task.cancel()


async def until(condition: Callable[[], object], within_s: float = 5) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come true"
        await asyncio.sleep(0.002)


async def test_restarts(node: DemoNode) -> None:
    cookies = {node.cookie}
    async with running(node, "node-restart"):
        for _ in range(300):
            await asyncio.sleep(0.01)
            if (node.folder / ".cookie").exists():
                cookies.add(node.cookie)
            if len(cookies) >= 3:
                break
    assert len(cookies) >= 3
    await node.act("start", warm_up_s=0)


async def test_reorgs(node: DemoNode) -> None:
    replaced = 0
    async with running(node, "reorg"):
        for _ in range(300):
            await asyncio.sleep(0.01)
            replaced = sum(tip["branchlen"] == 2 for tip in await node.call("getchaintips"))
            if replaced >= 2:
                break
    assert replaced >= 2


async def test_price_outage(node: DemoNode) -> None:
    exchange = node.host.backend.exchange
    async with running(node, "price-outage", 0.001):
        await until(lambda: not exchange.feeds_up)
        await until(lambda: exchange.feeds_up)


async def test_divergence(node: DemoNode) -> None:
    backend = node.host.backend
    async with running(node, "divergence", 0.001):
        await until(lambda: backend.exchange.offset_pct == 7.0)
        assert backend.exchange.current is not None
        assert backend.exchange.current.prices["USD"] == pytest.approx(PRICE * 1.07, rel=0.004)
        await until(lambda: backend.exchange.offset_pct == 0.0)
    assert backend.exchange.current.prices["USD"] == pytest.approx(PRICE, rel=0.004)


async def test_stuck(node: DemoNode) -> None:
    async with running(node, "electrs-stuck"):
        await until(lambda: node.host.electrs.stalled)
    await node.act("electrs/stall", on=False)


async def test_quiet_hour() -> None:
    seed = min(range(200), key=lambda seed: sum(waits(seed)))
    async with demo_node(replace(TINY, speed=600, seed=seed)) as node:
        await node.act("pause-blocks", seconds=60)
        height = await node.call("getblockcount")
        await asyncio.sleep(2 * sum(waits(seed)))
        assert await node.call("getblockcount") - height <= 1
        await node.act("pause-blocks", seconds=0)
        await until(lambda: node.host.chain.tip.height > height + 1)


def waits(seed: int) -> list[float]:
    """Seconds before the first blocks at the highest speed."""
    draws = random.Random(seed)
    return [draws.expovariate(1) for _ in range(3)]


@pytest.mark.parametrize("name", ["step", "flood", "yesterday", "quiet-hour"])
async def test_script_of_hard_cases_for_block_prices(node: DemoNode, name: str) -> None:
    """That it goes on without an error; what it orders is tested by itself."""
    async with running(node, name, 0.0002):
        await asyncio.sleep(0.15)


async def block(node: DemoNode, block_hash: str) -> bytes:
    return (await node.get(f"block/{block_hash}.bin")).content


async def amounts(node: DemoNode, hashes: list[str]) -> NDArray[np.int64]:
    """Of the candidates' outputs, in sats."""
    return np.concatenate([scan(await block(node, block_hash)).output_sats.ravel() for block_hash in hashes])


def payments_at(amounts: NDArray[np.int64], price_usd: float) -> int:
    """How many amounts are within 0.6 % of a usual number of dollars at a price."""
    usd = amounts / 1e8 * price_usd
    rungs = np.array([20, 30, 50, 100, 200, 500, 1000], float)
    return int((np.abs(usd[:, None] / rungs - 1) < 0.006).sum())


async def test_flood_is_one_amount_in_each_block(full: DemoNode) -> None:
    ordered = (await full.act("flood", blocks=2))["sats"]
    assert ordered == round(100 / (PRICE * 1.03) * 1e8)
    hashes = (await full.act("mine", count=3))["hashes"]
    counts = []
    for height, block_hash in enumerate(hashes, start=await full.call("getblockcount") - 2):
        raw = await block(full, block_hash)
        digest_block(raw, height, expected_hash=block_hash, check_witness=True)
        counts.append(int((scan(raw).output_sats == ordered).sum()))
    # a few of the 150 take their coins from the same block, which makes them no candidates; how many is a draw
    assert 115 <= counts[0] <= 150
    assert 115 <= counts[1] <= 150
    assert counts[2] < 3


async def test_flood_of_any_size_and_amount(full: DemoNode) -> None:
    assert (await full.act("flood", blocks=1, payments=20, sats=123_457))["sats"] == 123_457
    found = await amounts(full, (await full.act("mine"))["hashes"])
    assert 15 <= (found == 123_457).sum() <= 20


async def test_old_price_fills_blocks_with_payments_of_before(full: DemoNode) -> None:
    ordinary = await amounts(full, (await full.act("mine", count=4))["hashes"])
    assert (await full.act("old-price", blocks=4, usd=60_000))["usd"] == 60_000
    odd = await amounts(full, (await full.act("mine", count=4))["hashes"])
    assert payments_at(odd, 60_000) > 1.5 * payments_at(ordinary, PRICE) > 3 * payments_at(odd, PRICE)
    after = await amounts(full, (await full.act("mine", count=4))["hashes"])
    assert payments_at(after, PRICE) > 2 * payments_at(after, 60_000)


async def test_old_price_is_that_of_so_long_ago(full: DemoNode) -> None:
    assert (await full.act("old-price", blocks=0, age_s=3600))["usd"] == PRICE


async def test_step_of_the_price_reaches_payments_and_exchanges(full: DemoNode) -> None:
    await full.act("price-step", percent=10)
    await full.act("exchange/update")
    state = await full.read("exchange/state")
    assert state["planted_usd"] == pytest.approx(PRICE * 1.1)
    assert state["usd"] == pytest.approx(PRICE * 1.1, rel=0.004)
    found = await amounts(full, (await full.act("mine", count=3))["hashes"])
    assert payments_at(found, PRICE * 1.1) > 2 * payments_at(found, PRICE)
    await full.act("price-step", percent=-50, over_s=1000)
    begun = clock.now_s()
    await asyncio.sleep(0.05)
    planted = (await full.read("exchange/state"))["planted_usd"]
    assert planted == pytest.approx(PRICE * 1.1 * (1 - (clock.now_s() - begun) / 2000), rel=0.001)
    refused = await full.client.post(full.env["UTXORACLE_DEMO_CONTROL_URL"] + "/price-step", json={"percent": -100})
    assert refused.status_code == 400


async def test_every_scenario_has_a_script() -> None:
    assert tuple(SCENARIOS) == SCENARIO_NAMES
