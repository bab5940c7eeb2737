"""That the price at a block depends on the blocks up to it alone: not on how they came in, on blocks that are no longer
on the chain, or on when a console was up. On simulated hosts, through the engine, on real sockets.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.block_line import ARRIVES_AFTER_S, Console, Stage, stage
from tests.support.demo_node import demo_node
from utxoracle_core import RUN_BLOCKS
from utxoracle_tui.demo.chain.builder import GeneratedBlock
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.engine.pricing import SETTLED_AFTER
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.store.records import BlockPrice, ExchangeReading

OPTIONS = HostOptions(days=1, tx_per_block=100, speed=0, price="65000")
BLOCKS = 5
SAME = 1e-4


def alone(prices: Sequence[BlockPrice]) -> list[BlockPrice]:
    """Without the exchange price, which depends on when a console looked."""
    return [replace(price, exchange_usd=None, exchange_time_s=None, divergence_block_pct=None) for price in prices]


def furthest_apart(some: Sequence[BlockPrice], others: Sequence[BlockPrice]) -> float:
    """The largest difference of anything in USD, as a share. Shown at the same blocks, for the same reason or none."""
    differences = []
    for one, other in zip(some, others, strict=True):
        assert (one.last_hash, one.reason) == (other.last_hash, other.reason)
        for name in ("price_usd", "low_usd", "high_usd"):
            usd, other_usd = getattr(one, name), getattr(other, name)
            assert (usd is None) == (other_usd is None), one.last_height
            differences.append(0.0 if usd is None else abs(usd / other_usd - 1))
    return max(differences)


@pytest.mark.soak
async def test_the_line_does_not_depend_on_how_the_blocks_came_in(workers: Workers, tmp_path: Path) -> None:
    async with stage(OPTIONS) as host:
        await host.arrived()
        await host.act("price-step", percent=10, over_s=3600)
        at_the_time = []
        folders = [tmp_path / name for name in ("each", "some", "once", "away")]
        async with host.console(workers, folders[0]) as each, host.console(workers, folders[1]) as some:
            for place in range(BLOCKS):
                await host.mine()
                made = await each.round()
                at_the_time.append(made.blocks[-1])
                # the backend was asked when the block came, and had looked at the exchanges since its header
                assert at_the_time[-1].exchange_time_s == at_the_time[-1].time_s + ARRIVES_AFTER_S
                if place == 0:
                    for folder in folders[1:]:
                        shutil.copytree(digests_in(folders[0]), digests_in(folder))
                if place in {0, BLOCKS - 1}:
                    batched = await some.round()
            assert stored_in(each).keys() == stored_in(some).keys()
            assert furthest_apart(in_order(each), in_order(some)) < SAME
        async with host.console(workers, folders[2]) as once:
            at_once = await once.round()
        assert len(made.blocks) == RUN_BLOCKS - SETTLED_AFTER
        assert alone(made.blocks) == alone(batched.blocks) == alone(at_once.blocks)
        seen = [one.observation for one in (made, batched, at_once)]
        assert len({(one.block_low_usd, one.block_high_usd, one.onchain_usd) for one in seen}) == 1

        # the first settled blocks of a line have the shortest windows of spends: beside those that were the newest
        await host.act("mine", count=RUN_BLOCKS - SETTLED_AFTER - BLOCKS, spacing_s=600)
        await host.arrived()
        async with host.console(workers, folders[3]) as away:
            line = (await away.round()).blocks
            # what is stored is by windows of spends that are whole
            filled_in = stored_in(away)
        assert [price.last_hash for price in line[:BLOCKS]] == [price.last_hash for price in at_the_time]
        assert furthest_apart(line[:BLOCKS], at_the_time) < SAME
        assert len(filled_in) == RUN_BLOCKS
        assert furthest_apart([filled_in[price.last_hash] for price in at_the_time], at_the_time) < SAME
        assert any(price.reason for price in at_the_time)
        # one that comes back to its own store leaves what is there as it was, and adds the rest
        shutil.copytree(digests_in(folders[3]), digests_in(folders[0]), dirs_exist_ok=True)
        async with host.console(workers, folders[0]) as back:
            # exchange prices that weren't known at the time
            moments = [price.time_s - 1 for price in at_the_time]
            back.store.exchange_readings.put([ExchangeReading(time_s=s, price_usd=1.0, source="own") for s in moments])
            await back.round()
            kept = stored_in(back)
        assert [kept[price.last_hash] for price in at_the_time] == at_the_time
        assert kept.keys() >= {price.last_hash for price in line}


@pytest.mark.soak
async def test_after_a_reorg_of_six_blocks_it_is_as_if_the_stale_ones_had_never_been(
    workers: Workers, tmp_path: Path
) -> None:
    async with stage(OPTIONS) as host, demo_node(OPTIONS) as spared:
        await host.arrived()
        async with host.console(workers, tmp_path / "one") as console:
            stale = [(await host.mine()).hash for _ in range(6)]
            before = await console.round()
            branch = (await host.act("reorg", depth=6, length=7, spacing_s=600))["hashes"]
            await host.arrived()
            after = await console.round()
            everything = stored_in(console)
        for block_hash in branch:
            spared.host.chain.connect(await served(host, block_hash))
        assert await spared.hashes() == await host.node.hashes()
        assert len(await spared.call("getchaintips")) == 1
        never = Stage(spared, host.hands)
        await never.arrived()
        async with never.console(workers, tmp_path / "other") as console:
            spared_round = await console.round()
            line = in_order(console)
    assert [price.last_hash for price in before.blocks[-6:]] == stale
    assert [price.last_hash for price in after.blocks[-7:]] == branch
    assert alone(after.blocks) == alone(spared_round.blocks)
    assert after.observation.onchain_usd == spared_round.observation.onchain_usd
    # and what is left in the store is what the other one has there
    assert {block_hash for block_hash, price in everything.items() if price.orphaned} == set(stale)
    kept = [everything[price.last_hash] for price in line]
    assert furthest_apart(kept, line) < SAME


def digests_in(folder: Path) -> Path:
    return folder / "regtest" / "digests"


def stored_in(console: Console) -> dict[str, BlockPrice]:
    return {price.last_hash: price for price in console.store.block_prices.all()}


def in_order(console: Console) -> list[BlockPrice]:
    return sorted(console.store.block_prices.all(), key=lambda price: price.last_height)


async def served(host: Stage, block_hash: str) -> GeneratedBlock:
    """A block as the node serves it."""
    content = (await host.node.get(f"block/{block_hash}.bin")).content
    header = await host.node.call("getblockheader", block_hash)
    return GeneratedBlock(header["height"], bytes.fromhex(block_hash)[::-1], header["time"], header["nTx"], content)
