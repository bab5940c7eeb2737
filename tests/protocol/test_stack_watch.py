"""The watch of the whole stack on the simulated host: what it says in each of the host's stories, and what it asks."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.demo_node import SMALL, demo_node
from tests.support.stack_rig import Rig, demo_settings, stack_rig
from utxoracle_tui.demo.host.electrs.settings import SyncSize
from utxoracle_tui.engine.electrs.phases import Phase
from utxoracle_tui.engine.stack.milestones import KEY, KeptMilestones
from utxoracle_tui.engine.stack.reading import Health, Overall, Standing
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.store.store import Store

SIZE = SyncSize(
    blocks=40_000,
    first_file_blocks=20_000,
    blk_files=40,
    txstore_bytes=6_000_000_000,
    history_bytes=4_000_000_000,
    headers_s=30.0,
)


def all_up(reading: StackReading) -> bool:
    return all(source.health is Health.UP for source in reading.all)


async def test_a_stack_that_is_ready(tmp_path: Path) -> None:
    async with demo_node() as node, stack_rig(demo_settings(node, tmp_path)) as rig:
        reading = await rig.until(
            lambda reading: (
                reading.overall is Overall.READY
                and reading.node.detail
                and reading.node.detail.started_at_s is not None
                and reading.node.detail.indexes is not None
                and reading.disks.detail
                and reading.disks.detail.disks[0].activity is not None
            )
        )
        assert all_up(reading)
        tip = await node.call("getblockcount")
        status = reading.node.detail
        assert status is not None
        assert (status.chain.blocks, status.indexes, status.warnings) == (tip, (), ())
        assert status.network is not None
        assert status.network.connections == 10
        assert status.mempool is not None
        assert status.started_at_s == pytest.approx(rig.nodes[-1].at_s - (await node.call("uptime")), abs=2)
        assert reading.node.sentence.startswith(f"regtest: tip {tip:,}, block ")
        assert "10 peers" in reading.node.sentence
        assert "v28.1.0" in reading.node.sentence
        backend = reading.backend.detail
        assert backend is not None
        assert (backend.tip_height, backend.live.live) == (tip, True)
        assert backend.info is not None
        assert backend.info.backend == "esplora"
        assert reading.electrs.detail is not None
        assert reading.electrs.detail.phase is Phase.READY
        assert reading.exchange.word == "fresh"
        assert reading.containers.word == "4 running"
        disk = reading.disks.detail
        assert disk is not None
        assert sum((each.holds for each in disk.disks), ()) == ("node", "blocks", "electrs", "console")
        assert len({each.mount_point for each in disk.disks}) == len(disk.disks)
        assert not any(source.troubles for source in reading.all)


@pytest.mark.soak
async def test_a_node_that_catches_up_and_the_load_on_it(tmp_path: Path) -> None:
    # the worst that can be: the tip moves every second
    options = replace(SMALL, scenario="node-ibd", speed=60)
    async with demo_node(options, size=SIZE) as node, stack_rig(demo_settings(node, tmp_path)) as rig:
        reading = await rig.until(lambda reading: reading.node.detail and reading.node.detail.started_at_s)
        await node.act("clear-statistics")
        started_s = time.monotonic()
        reading = await rig.until(
            lambda reading: (
                reading.node.detail
                and reading.node.detail.ibd
                and reading.node.detail.ibd.blocks_per_s
                and reading.electrs.word == "waiting"
            )
        )
        assert (reading.node.word, reading.overall) == ("syncing", Overall.WORKING)
        assert "blocks/s" in reading.node.sentence
        assert "blocks behind" in reading.node.sentence
        assert reading.backend.standing is Standing.WAITS
        await asyncio.sleep(3.0)
        asked = await node.read("requests")
        assert len(asked) / (time.monotonic() - started_s) <= 3.0, asked
        assert {call for _, call, _ in asked} <= {
            "getbestblockhash",
            "getblockchaininfo",
            "getmempoolinfo",
            "getnetworkinfo",
            "getindexinfo",
            "uptime",
        }


@pytest.mark.soak
async def test_a_restart_of_the_node(tmp_path: Path) -> None:
    async with demo_node() as node, stack_rig(demo_settings(node, tmp_path)) as rig:
        await rig.until(lambda reading: reading.overall is Overall.READY)
        restarting = asyncio.create_task(node.act("restart", down_s=1.3, warm_up_s=2.4))
        reading = await rig.next(lambda reading: reading.node.word == "down")
        assert reading.overall is Overall.DOWN
        assert "127.0.0.1" in reading.node.sentence
        reading = await rig.next(lambda reading: reading.node.word == "starting")
        assert " is starting: " in reading.node.sentence
        assert reading.node.standing is Standing.WORKING
        await restarting
        reading = await rig.next(lambda reading: reading.node.word == "synced")
        # what it said before the restart may no longer hold, and is asked for again
        await rig.next(lambda reading: reading.node.detail and reading.node.detail.started_at_s and all_up(reading))


async def test_a_crash_loop(tmp_path: Path) -> None:
    options = replace(SMALL, scenario="electrs-crashloop", speed=600)
    async with demo_node(options, size=SIZE) as node, stack_rig(demo_settings(node, tmp_path)) as rig:
        reading = await rig.until(
            lambda reading: reading.electrs.word == "failed" and "failed to index" in reading.electrs.sentence
        )
        assert reading.overall is Overall.DEGRADED
        assert reading.node.health is reading.backend.health is reading.containers.health is Health.UP


async def test_exchange_prices_that_stand_still(tmp_path: Path) -> None:
    async with demo_node() as node, stack_rig(demo_settings(node, tmp_path)) as rig:
        await rig.until(lambda reading: reading.overall is Overall.READY)
        await node.act("exchange/forget")
        reading = await rig.next(lambda reading: reading.exchange.heard.trouble)
        # the price that was known still holds, and why there is no newer one is said
        assert reading.exchange.word == "fresh"
        assert "has had no exchange price since it was started" in reading.exchange.sentence
        # who begins to watch only now knows of none
        async with stack_rig(demo_settings(node, tmp_path)) as later:
            reading = await later.until(lambda reading: reading.exchange.word == "no price")
            assert reading.overall is Overall.DEGRADED


async def advanced(rig: Rig, phase: Phase) -> StackReading:
    return await rig.next(lambda reading: reading.electrs.detail and reading.electrs.detail.phase is phase)


async def test_milestones_survive_the_console(tmp_path: Path) -> None:
    options = replace(SMALL, scenario="first-sync")
    async with demo_node(options, size=SIZE) as node:
        settings = demo_settings(node, tmp_path)
        store: Store | None = None
        # with the first start the node is down: there is no store yet, and milestones wait for it
        kept = KeptMilestones(lambda: store)
        async with stack_rig(settings, milestones=kept) as rig:
            await node.act("electrs/advance", to="pass-1")
            await node.act("electrs/advance", hours=4)
            reading = await advanced(rig, Phase.PASS_1)
            state = reading.electrs.detail
            assert state is not None
            began_s = {row.phase: row.started_at_s for row in state.rows}[Phase.PASS_1]
            assert began_s is not None
            store = Store(tmp_path / "data", "regtest")
            while store.note(KEY) is None:
                await asyncio.sleep(0.05)
        # a second console finds the store before the node has answered
        likely = KeptMilestones(lambda: None, lambda: Store(tmp_path / "data", "regtest"))
        async with stack_rig(settings, milestones=likely) as rig:
            reading = await advanced(rig, Phase.PASS_1)
            assert starts(reading)[Phase.PASS_1] == pytest.approx(began_s, abs=0.01)
        # a third one only after it has begun to watch
        late: Store | None = None
        async with stack_rig(settings, milestones=KeptMilestones(lambda: late)) as rig:
            await advanced(rig, Phase.PASS_1)
            late = Store(tmp_path / "data", "regtest")
            await rig.next(lambda reading: starts(reading).get(Phase.PASS_1) == pytest.approx(began_s, abs=0.01))
        # and without any store all goes as well, but for that
        async with stack_rig(settings) as rig:
            reading = await advanced(rig, Phase.PASS_1)
            assert starts(reading)[Phase.PASS_1] > began_s + 0.5


def starts(reading: StackReading) -> dict[Phase, float]:
    state = reading.electrs.detail
    rows = state.rows if state is not None else ()
    return {row.phase: row.started_at_s for row in rows if row.started_at_s is not None}
