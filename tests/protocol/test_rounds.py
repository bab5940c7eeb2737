"""Rounds against a simulated host on real sockets: what is stored, and what a reorg does to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.demo_node import DemoNode, demo_node
from tests.support.job_place import until
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.engine.exchange import Exchange
from utxoracle_tui.engine.live_rounds import LiveRounds, StoreReading
from utxoracle_tui.engine.node_pricing import NodePricing
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import Last
from utxoracle_tui.engine.rounds import Round, Rounds
from utxoracle_tui.engine.validation import DEFAULT_LIMITS
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.mempool import MempoolBackend
from utxoracle_tui.sources.mempool_session import MempoolAccess
from utxoracle_tui.sources.node_access import NodeAccess
from utxoracle_tui.store.records import ExchangeReading
from utxoracle_tui.store.store import Retention, Store, digests_of
from utxoracle_tui.store.troubles import StoreTrouble

PLANTED_USD = 65_000
OPTIONS = HostOptions(days=1, tx_per_block=40, speed=0, price=str(PLANTED_USD))


@dataclass
class Engine:
    """Rounds with all that they work with."""

    pricing: NodePricing
    exchange: Exchange
    rounds: Rounds
    store: Store

    async def round(self) -> Round:
        made = await self.rounds.keep(await self.rounds.make(_quiet))
        await self.rounds.fill_in(made)
        return made


def _quiet(progress: Progress) -> None:
    pass


@asynccontextmanager
async def engine(workers: Workers, folder: Path, node: DemoNode) -> AsyncIterator[Engine]:
    access = NodeAccess(node.url, cookie_path=node.folder / ".cookie")
    backend = MempoolBackend(MempoolAccess(node.env["MEMPOOL_API_URL"]))
    async with BitcoinCore(access) as client, Exchange((backend,)) as exchange:
        digests = digests_of(folder, "regtest", Retention())
        pricing, store = NodePricing(client, workers, lambda network: digests), Store(folder, "regtest")
        yield Engine(pricing, exchange, Rounds(pricing, exchange, store, DEFAULT_LIMITS), store)


async def test_a_round(workers: Workers, tmp_path: Path) -> None:
    async with demo_node(OPTIONS) as node, engine(workers, tmp_path, node) as running:
        made = await running.round()
        seen, tip = made.observation, await node.call("getblockcount")
        assert made.kept
        assert running.store.observations.newest() == [seen]
        assert (seen.first_height, seen.last_height) == (tip - 144, tip - 1)
        assert seen.last_hash == (await node.hashes())[tip - 1]
        assert seen.onchain_usd == pytest.approx(PLANTED_USD, rel=0.01)
        assert seen.exchange_usd is not None
        assert seen.onchain_usd is not None
        assert seen.divergence_spot_pct == pytest.approx((seen.onchain_usd / seen.exchange_usd - 1) * 100)
        # the price at the tip itself, and those of the blocks before it, for which more blocks were got
        assert seen.block_height == tip
        kept = running.store.block_prices.all()
        # blocks of forty transactions may say too little, and that of the tip is one of them
        assert seen.block_usd == kept[-1].price_usd
        assert seen.block_usd is None or seen.block_usd == pytest.approx(PLANTED_USD, rel=0.005)
        assert [price.last_height for price in kept] == list(range(tip - 143, tip + 1))
        hashes = await node.hashes()
        assert all(price.last_hash == hashes[price.last_height] for price in kept)
        shown = [price.price_usd for price in kept if price.price_usd is not None]
        # with forty transactions a block some days have many blocks that say too little
        assert len(shown) > 60
        assert shown == pytest.approx([PLANTED_USD] * len(shown), rel=0.015)
        *earlier, stored = running.store.exchange_readings.all()
        assert (stored.price_usd, stored.source) == (seen.exchange_usd, "own")
        # those of the window before anybody watched, an hour apart, come from the backend's table
        assert len(earlier) > 20
        assert {after.time_s - before.time_s for before, after in pairwise(earlier)} == {3600.0}
        points = running.store.points.get(made.window)
        assert points is not None
        assert len(points.usd) == made.window.points


async def test_the_divergence_of_the_window(workers: Workers, tmp_path: Path) -> None:
    async with demo_node(OPTIONS) as node, engine(workers, tmp_path, node) as running:
        tip = await node.call("getblockcount")
        times = await node.header_times()
        first_s, last_s = times[tip - 144], times[tip - 1]
        # readings an hour apart that hold the whole span, the second half 2 % higher
        middle_s = (first_s + last_s) / 2
        readings = [
            ExchangeReading(time_s=float(at), price_usd=60_000.0 if at < middle_s else 61_200.0, source="own")
            for at in range(first_s - 60, last_s, 3600)
        ]
        running.store.exchange_readings.put(readings)
        made = await running.round()
        # each block against the reading nearest to its header time, that of the round included
        for price in running.store.block_prices.all():
            around = [r for r in running.store.exchange_readings.all() if -7200 <= r.time_s - price.time_s <= 600]
            nearest = min(around, key=lambda reading: abs(reading.time_s - price.time_s))
            assert (price.exchange_usd, price.exchange_time_s) == (nearest.price_usd, nearest.time_s)
        ends = [*(reading.time_s for reading in readings[1:]), float(last_s)]
        spans = [end - max(r.time_s, first_s) for r, end in zip(readings, ends, strict=True)]
        mean = sum(r.price_usd * span for r, span in zip(readings, spans, strict=True)) / (last_s - first_s)
        seen = made.observation
        assert seen.exchange_mean_usd == pytest.approx(mean)
        assert seen.exchange_coverage == pytest.approx(1.0)
        assert seen.onchain_usd is not None
        assert seen.divergence_window_pct == pytest.approx((seen.onchain_usd - mean) / mean * 100)


async def test_without_the_exchange(workers: Workers, tmp_path: Path) -> None:
    async with demo_node(OPTIONS) as node:
        node.env = {**node.env, "MEMPOOL_API_URL": "http://127.0.0.1:1"}
        async with engine(workers, tmp_path, node) as running:
            made = await running.round()
            assert made.exchange.unreachable
            assert "127.0.0.1" in made.exchange.troubles[0]
            seen = made.observation
            assert seen.valid
            assert (seen.exchange_usd, seen.divergence_spot_pct) == (None, None)
            assert running.store.observations.newest() == [seen]


@pytest.mark.soak
async def test_digests_outlive_the_process(workers: Workers, tmp_path: Path) -> None:
    async with demo_node(OPTIONS) as node:
        async with engine(workers, tmp_path, node) as running:
            first = await running.round()
        await node.act("clear-statistics")
        async with engine(workers, tmp_path, node) as running:
            again = await running.round()
        assert (await node.read("statistics"))["blocks_served"] == {}
        assert again.observation.onchain_usd == first.observation.onchain_usd
        # some are gone: those of them that this round needs are asked for, and nothing else
        needed = set((await node.hashes())[-145:])
        files = (path for path in (tmp_path / "regtest" / "digests").rglob("*") if path.is_file())
        gone = sorted(path for path in files if path.name.split(".")[0] in needed)[:3]
        gone[0].unlink()
        gone[1].write_bytes(gone[1].read_bytes()[:-5])
        async with engine(workers, tmp_path, node) as running:
            mended = await running.round()
        served = (await node.read("statistics"))["blocks_served"]
        assert sorted(served) == sorted(path.name.split(".")[0] for path in gone[:2])
        assert mended.observation.onchain_usd == first.observation.onchain_usd


async def test_a_reorg_orphans_what_ended_in_stale_blocks(workers: Workers, tmp_path: Path) -> None:
    async with demo_node(OPTIONS) as node, engine(workers, tmp_path, node) as running:
        rounds = [await running.round()]
        for _ in range(3):
            await node.act("mine", count=1)
            rounds.append(await running.round())
        await node.act("reorg", depth=3, length=4)
        after = await running.round()
        hashes = await node.hashes()
        windows = running.store.windows.newest("blocks", 10)
        assert len(windows) == len({window.key for window in windows})
        for window in windows:
            assert window.last_height is not None
            assert window.orphaned == (hashes[window.last_height] != window.last_hash), window.last_height
        seen = running.store.observations.newest(10)
        assert len(seen) == len(rounds) + 1
        assert {observation.key for observation in seen if observation.orphaned} == {
            made.observation.key
            for made in rounds
            if made.window.last_height is not None and hashes[made.window.last_height] != made.window.last_hash
        }
        assert after.orphaned > 0
        prices = running.store.block_prices.all()
        assert {price.last_hash for price in prices if not price.orphaned} <= set(hashes)
        stale = {price.last_hash for price in prices if price.orphaned}
        assert len(stale) == 3
        assert not stale & set(hashes)


async def test_a_round_is_kept_once_and_in_its_own_network(workers: Workers, tmp_path: Path) -> None:
    async with demo_node(OPTIONS) as node, engine(workers, tmp_path, node) as running:
        made = await running.rounds.make(_quiet)
        assert running.store.observations.count() == 0
        elsewhere = Rounds(running.pricing, running.exchange, Store(tmp_path, "main"), DEFAULT_LIMITS)
        with pytest.raises(StoreTrouble, match="is on regtest now"):
            await elsewhere.keep(made)
        for _ in range(2):
            await running.rounds.keep(made)
        assert running.store.observations.count() == 1


@pytest.mark.soak
async def test_the_first_price_does_not_wait_for_the_blocks_of_the_past(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with demo_node(OPTIONS) as node, engine(workers, tmp_path, node) as running:

        async def opened() -> Store:
            return running.store

        told: list[StoreReading] = []
        served_when_kept: list[int] = []
        keep = running.rounds.keep

        async def keeping(made: Round) -> Round:
            kept = await keep(made)
            served_when_kept.append(len(node.host.node.state.statistics.blocks_served))
            return kept

        monkeypatch.setattr(running.rounds, "keep", keeping)
        live = LiveRounds(opened, lambda store: running.rounds)
        task = asyncio.create_task(live.run(told.append))
        try:
            result = await running.pricing.price(Last(), _quiet)
            live.priced(result)
            await until(lambda: running.store.block_prices.count() == 144)
            await until(lambda: told[-1].newest is not None)
            served = (await node.read("statistics"))["blocks_served"]
            # each block once: 144 of the window, the tip, and as many before as there are
            tip = await node.call("getblockcount")
            first = max(tip - 286, 0)
            assert (len(served), set(served.values())) == (tip - first + 1, {1})
            # the next block costs one block
            await node.act("mine", count=1)
            live.priced(await running.pricing.price(Last(), _quiet))
            await until(lambda: running.store.block_prices.count() == 145)
            served = (await node.read("statistics"))["blocks_served"]
            assert (len(served), set(served.values())) == (tip - first + 2, {1})
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert served_when_kept[0] == 145
