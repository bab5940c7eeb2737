"""The Stack screen against a simulated host: what an operator sees of each source."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from tests.support.demo_node import SMALL, DemoNode, demo_node
from tests.support.live import live_jobs, live_rounds, watched_stack
from utxoracle_tui.engine.chart.history import PriceHistory
from utxoracle_tui.engine.live_window import LiveWindow
from utxoracle_tui.engine.node_pricing import NodePricing
from utxoracle_tui.engine.window_list import WindowLists
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.node_access import NodeAccess
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.widgets.steady_text import SteadyText

LOOKS = 1500


@asynccontextmanager
async def stack_screen(node: DemoNode, workers: Workers) -> AsyncIterator[Pilot[None]]:
    access = NodeAccess(node.url, cookie_path=node.folder / ".cookie", connect_timeout_s=1, read_timeout_s=10)
    client = BitcoinCore(access)
    pricing, folder = NodePricing(client, workers), node.folder / "console"
    live, exchange = live_rounds(pricing, node.env["MEMPOOL_API_URL"], folder)

    async def close() -> None:
        await exchange.aclose()
        await client.aclose()

    parts = EngineParts(
        pricing,
        LiveWindow(pricing, 3600),
        watched_stack(node, client, exchange, live),
        live,
        WindowLists(lambda: live.store),
        PriceHistory(lambda: live.store),
        live_jobs(client, workers, live, folder),
        access.host,
        " utxoracle-tui",
        folder,
        close,
    )
    async with NodeConsole(parts).run_test(size=(120, 60)) as pilot:
        await pilot.press("2")
        yield pilot


def panel(pilot: Pilot[None], name: str) -> str:
    found = pilot.app.screen.query(f"#{name}").results(SteadyText)
    return "".join(str(each.render()) for each in found if each.display)


def line_of(pilot: Pilot[None], source: str) -> str:
    lines = panel(pilot, "sources").splitlines()[1:]
    return next((line for line in lines if line[2:].startswith(source)), "")


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(LOOKS):
        if holds():
            return
        await pilot.pause(0.02)
    raise AssertionError(panel(pilot, "sources"))


async def test_a_stack_that_is_ready(workers: Workers) -> None:
    async with demo_node(SMALL) as node, stack_screen(node, workers) as pilot:
        await until(pilot, lambda: "the stack is ready" in panel(pilot, "sources"))
        tip = await node.call("getblockcount")
        assert f"tip {tip}" in panel(pilot, "sources")
        assert "10 peers" in panel(pilot, "node")
        for name in ("mempool-electrs", "mempool-api", "mempool-db", "mempool-web"):
            assert name in panel(pilot, "containers")
        assert "GB free" in panel(pilot, "disks")
        assert next(iter(pilot.app.screen.query(".panel"))).id == "sources"
        assert "✓ pass 1" in panel(pilot, "electrs") or "ready" in panel(pilot, "electrs")


async def test_a_dead_source_blanks_only_itself(workers: Workers) -> None:
    async with demo_node(SMALL) as node, stack_screen(node, workers) as pilot:
        await until(pilot, lambda: "the stack is ready" in panel(pilot, "sources"))
        await node.act("mempool/stop")
        # the exchange price comes from it as well, and may be missed first
        await until(pilot, lambda: line_of(pilot, "backend").startswith(("✗", "▲")))
        assert "something wants attention" in panel(pilot, "sources")
        assert line_of(pilot, "Bitcoin Core").startswith("●")
        assert line_of(pilot, "electrs").startswith("●")
        await node.act("mempool/start")
        await until(pilot, lambda: "the stack is ready" in panel(pilot, "sources"))


@pytest.mark.soak
async def test_a_first_sync_and_its_evidence(workers: Workers) -> None:
    async with demo_node(replace(SMALL, scenario="first-sync")) as node, stack_screen(node, workers) as pilot:
        await node.act("electrs/advance", to="pass-1")
        await until(pilot, lambda: "▶ pass 1" in panel(pilot, "electrs"))
        assert "the stack is on its way" in panel(pilot, "sources")
        assert "Leave it alone" in panel(pilot, "electrs")
        # what takes hours is what one looks for first
        assert next(iter(pilot.app.screen.query(".panel"))).id == "electrs"
        await pilot.press("e")
        await until(pilot, lambda: "evidence" in panel(pilot, "electrs"))
        await node.act("electrs/advance", to="compacting-txstore")
        await until(pilot, lambda: "▶ compact txstore" in panel(pilot, "electrs"))
        assert "✓ pass 1" in panel(pilot, "electrs")
        assert "· pass 2" in panel(pilot, "electrs")
