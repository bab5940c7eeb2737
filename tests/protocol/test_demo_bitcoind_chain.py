"""The chain that the simulated node serves: its blocks, its days, its price, and how it changes."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.demo_node import SMALL, DemoNode, demo_node
from tests.support.scripted_http import recorded
from utxoracle_core import WindowPrice, assemble, digest_block, price_window, select_day
from utxoracle_tui import clock
from utxoracle_tui.demo.host.history import median_time_past
from utxoracle_tui.demo.host.options import HostOptions

MIDNIGHT_S = 1_795_305_600
DAY_S = 86_400


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[DemoNode]:
    async with demo_node() as node:
        yield node


async def test_blocks_are_whole_linked_and_of_rising_median_time(shared: DemoNode) -> None:
    previous, sizes = bytes(32), 0
    for height, block_hash in enumerate(await shared.hashes()):
        raw = (await shared.get(f"block/{block_hash}.bin")).content
        digest = digest_block(raw, height, expected_hash=block_hash, check_witness=True)
        assert digest.header.previous_hash == previous
        previous, sizes = digest.header.block_hash, sizes + 8 + len(raw)
    times = list((await shared.header_times()).values())
    assert all(times[n] > median_time_past(times[:n]) for n in range(1, len(times)))
    assert (await shared.call("getblockchaininfo"))["size_on_disk"] == sizes
    files = (shared.folder / "blocks").glob("blk*.dat")
    assert sum(path.stat().st_size for path in files) == sizes


async def test_genesis_block_is_that_of_regtest(shared: DemoNode) -> None:
    genesis = await shared.call("getblock", await shared.call("getblockhash", 0), 0)
    real_disk_bytes = 293
    assert recorded("cookie_genesis_only").body.count(b'"size_on_disk":%d' % real_disk_bytes) == 1
    assert len(bytes.fromhex(genesis)) == real_disk_bytes - 8


@pytest.mark.soak
async def test_price_of_each_day_comes_out_of_its_blocks() -> None:
    """From 60,000 to 80,000 over two days: 65,000 in the middle of the first, 75,000 of the second."""
    async with demo_node(HostOptions(days=2, tx_per_block=110, price="60000:80000", speed=0)) as node:
        times = await node.header_times()
        yesterday = select_day(None, times, max(times)).day
        assert yesterday == datetime.fromtimestamp(clock.now_s(), UTC).date() - timedelta(days=1)
        for day, expected in ((yesterday - timedelta(days=1), 65_000), (yesterday, 75_000)):
            price = await priced(node, select_day(day, times, max(times)).blocks.heights)
            assert price.price_usd == pytest.approx(expected, rel=0.03)


async def priced(node: DemoNode, heights: range) -> WindowPrice:
    digests, hashes = [], await node.hashes()
    for height in heights:
        raw = (await node.get(f"block/{hashes[height]}.bin")).content
        digests.append(digest_block(raw, height))
    return price_window(assemble(digests))


async def test_mined_blocks_are_of_now_and_grow_the_chain(shared: DemoNode) -> None:
    before = await shared.hashes()
    mined = (await shared.act("mine", count=3))["hashes"]
    assert await shared.hashes() == before + mined
    tip = await shared.call("getblockheader", mined[-1])
    assert abs(tip["time"] - clock.now_s()) < 5
    assert tip["nTx"] == SMALL.tx_per_block


async def test_blocks_arrive_at_speed() -> None:
    seed = min(range(50), key=lambda seed: random.Random(seed).expovariate(1))
    async with demo_node(replace(SMALL, seed=seed, speed=600)) as node:
        height = await node.call("getblockcount")
        for _ in range(200):
            if await node.call("getblockcount") > height:
                break
            await asyncio.sleep(0.02)
        else:
            pytest.fail("no block came in four seconds")


async def test_reorg_puts_a_longer_branch_in_the_place_of_blocks(shared: DemoNode) -> None:
    before = await shared.hashes()
    stale_raw = await shared.call("getblock", before[-1], 0)
    branch = (await shared.act("reorg", depth=2, length=3))["hashes"]
    assert await shared.hashes() == before[:-2] + branch
    assert await shared.call("getbestblockhash") == branch[-1]
    stale = await shared.call("getblockheader", before[-1])
    assert stale["confirmations"] == -1
    assert "nextblockhash" not in stale
    assert await shared.call("getblock", before[-1], 0) == stale_raw
    assert (await shared.get(f"headers/{before[-1]}.json")).json() == []
    tips = await shared.call("getchaintips")
    assert tips[0] == {"height": len(before), "hash": branch[-1], "branchlen": 0, "status": "active"}
    assert {"height": len(before) - 1, "hash": before[-1], "branchlen": 2, "status": "valid-fork"} in tips
    for height, block_hash in enumerate(branch, start=len(before) - 2):
        raw = (await shared.get(f"block/{block_hash}.bin")).content
        digest_block(raw, height, expected_hash=block_hash, check_witness=True)
    again = (await shared.act("reorg", depth=1, length=2))["hashes"]
    following = (await shared.act("mine"))["hashes"]
    assert await shared.hashes() == before[:-2] + branch[:-1] + again + following


async def test_pruned_node_has_headers_but_no_blocks(shared: DemoNode) -> None:
    all_hashes = await shared.hashes()
    size = (await shared.call("getblockchaininfo"))["size_on_disk"]
    await shared.act("prune", below=0)
    assert (await shared.call("getblockchaininfo"))["pruneheight"] == 0
    await shared.act("prune", below=100)
    info = await shared.call("getblockchaininfo")
    assert list(info) == list(json.loads(recorded("prune_blockchaininfo_after").body)["result"])
    assert (info["pruned"], info["pruneheight"], info["automatic_pruning"]) == (True, 100, False)
    assert 0 < info["size_on_disk"] < size
    gone, kept = all_hashes[99], all_hashes[100]
    rpc = await shared.post({"id": 1, "method": "getblock", "params": [gone, 0]})
    assert (rpc.status_code, rpc.content) == (500, recorded("prune_err_getblock").body)
    rest = await shared.get(f"block/{gone}.bin")
    assert (rest.status_code, rest.text) == (404, f"{gone} not available (pruned data)\r\n")
    assert (await shared.call("getblockheader", gone))["height"] == 99
    assert (await shared.get(f"block/{kept}.bin")).status_code == 200
    await shared.act("prune", below=None)
    assert (await shared.get(f"block/{gone}.bin")).status_code == 200
    assert (await shared.call("getblockchaininfo"))["size_on_disk"] == size
