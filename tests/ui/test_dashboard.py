"""The dashboard against a simulated node on real sockets: what an operator sees, and what the node is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.support.demo_node import DemoNode, demo_node
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.engine.node_pricing import NodePricing
from utxoracle_tui.engine.node_watch import NodeWatch
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.node_access import NodeAccess
from utxoracle_tui.ui.app import Console
from utxoracle_tui.ui.screens.dashboard import Dashboard
from utxoracle_tui.ui.widgets.node_line import NodeLine
from utxoracle_tui.ui.widgets.progress_line import ProgressLine
from utxoracle_tui.ui.widgets.summary import PriceSummary

PLANTED_USD = 65_000
OPTIONS = HostOptions(days=1, tx_per_block=60, speed=0, price=str(PLANTED_USD))
LOOKS = 1500


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> object:
    pool = Workers(tmp_path_factory.mktemp("cache"), 1)
    pool.start()
    yield pool
    pool.stop()


@asynccontextmanager
async def dashboard(node: DemoNode, workers: Workers) -> AsyncIterator[Pilot[None]]:
    access = NodeAccess(node.url, cookie_path=node.folder / ".cookie", connect_timeout_s=1, read_timeout_s=10)
    client = BitcoinCore(access)
    screen = Dashboard(NodePricing(client, workers), NodeWatch(client), access.host, f" utxoracle-tui · {access.host}")
    async with Console(screen, client.aclose).run_test(size=(120, 40)) as pilot:
        yield pilot


def shown(pilot: Pilot[None], kind: type[Static]) -> str:
    return str(pilot.app.screen.query_one(kind).render())


def progress(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one(ProgressLine).query_one("#progress-words", Static).render())


def notice(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#notice", Static).render())


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Look again and again, until it is so or the test is given up."""
    for _ in range(LOOKS):
        if holds():
            return
        await pilot.pause(0.02)
    raise AssertionError(f"{shown(pilot, NodeLine)!r} {progress(pilot)!r} {shown(pilot, PriceSummary)!r}")


def price_of(summary: str) -> float:
    return float(summary.split("$")[1].split(maxsplit=1)[0].replace(",", ""))


async def test_the_block_window_is_priced_and_follows_the_tip(workers: Workers) -> None:
    async with demo_node(OPTIONS) as node, dashboard(node, workers) as pilot:
        tip = await node.call("getblockcount")
        await until(pilot, lambda: f"blocks {tip - 144}–{tip - 1}" in shown(pilot, PriceSummary))
        assert price_of(shown(pilot, PriceSummary)) == pytest.approx(PLANTED_USD, rel=0.01)
        assert f"tip {tip:,}" in shown(pilot, NodeLine)
        before = await node.read("statistics")
        assert set(before["blocks_served"].values()) == {1}
        await node.act("mine", count=1)
        await until(pilot, lambda: f"blocks {tip - 143}–{tip}" in shown(pilot, PriceSummary))
        after = await node.read("statistics")
        assert len(after["blocks_served"]) == len(before["blocks_served"]) + 1
        assert set(after["blocks_served"].values()) == {1}
        assert not [call for call in after["calls"] if call.startswith("getblock ")]


async def test_yesterday_by_key(workers: Workers) -> None:
    async with demo_node(OPTIONS) as node, dashboard(node, workers) as pilot:
        await until(pilot, lambda: "done in" in progress(pilot))
        await pilot.press("y")
        yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
        await until(pilot, lambda: f"Price of {yesterday} UTC" in shown(pilot, PriceSummary))
        assert price_of(shown(pilot, PriceSummary)) == pytest.approx(PLANTED_USD, rel=0.01)
        # a network for tests gets no canonical name
        assert "Consensus" not in shown(pilot, PriceSummary)


async def test_a_node_that_goes_and_comes_back(workers: Workers) -> None:
    async with demo_node(OPTIONS) as node, dashboard(node, workers) as pilot:
        await until(pilot, lambda: "done in" in progress(pilot))
        await node.act("stop", clean=True)
        await until(pilot, lambda: "seems to be down" in shown(pilot, NodeLine))
        assert "last known" in shown(pilot, NodeLine)
        await node.act("start", warm_up_s=2)
        await until(pilot, lambda: "● up" in shown(pilot, NodeLine))
        await node.act("mine", count=1)
        tip = await node.call("getblockcount")
        await until(pilot, lambda: f"–{tip - 1}" in shown(pilot, PriceSummary))


async def test_a_wrong_password(workers: Workers, tmp_path: Path) -> None:
    async with demo_node(OPTIONS) as node:
        cookie = tmp_path / "cookie"
        cookie.write_text("__cookie__:" + "ab" * 32)
        access = NodeAccess(node.url, cookie_path=cookie)
        client = BitcoinCore(access)
        screen = Dashboard(NodePricing(client, workers), NodeWatch(client), access.host, " utxoracle-tui")
        async with Console(screen, client.aclose).run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "✗" in shown(pilot, NodeLine))
            assert str(cookie) in shown(pilot, NodeLine)
            assert "abab" not in pilot.app.export_screenshot()


async def test_a_pruned_block_is_said_before_anything_is_fetched(workers: Workers) -> None:
    async with demo_node(OPTIONS) as node, dashboard(node, workers) as pilot:
        tip = await node.call("getblockcount")
        await node.act("prune", below=tip - 50)
        await until(pilot, lambda: "✗" in notice(pilot) or "done in" in progress(pilot))
        await node.act("clear-statistics")
        await pilot.press("y")
        await until(pilot, lambda: "pruned" in notice(pilot))
        assert "/rest/block.bin" not in (await node.read("statistics"))["calls"]


async def test_a_reorg_is_followed(workers: Workers) -> None:
    async with demo_node(OPTIONS) as node, dashboard(node, workers) as pilot:
        await until(pilot, lambda: "done in" in progress(pilot))
        await node.act("reorg", depth=3, length=4)
        tip = await node.call("getblockcount")
        await until(pilot, lambda: f"–{tip - 1}" in shown(pilot, PriceSummary) and "done in" in progress(pilot))
        assert "✗" not in notice(pilot)
