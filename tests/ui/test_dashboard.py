"""The dashboard against a simulated node on real sockets: what an operator sees, and what the node is asked for."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Label, Static

from tests.support.demo_node import DemoNode, demo_node
from tests.support.live import StillRounds, live_jobs, live_rounds, watched_stack
from utxoracle_tui import durable
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.engine import keeper
from utxoracle_tui.engine.chart.history import PriceHistory
from utxoracle_tui.engine.exchange import Exchange
from utxoracle_tui.engine.live_window import LiveWindow
from utxoracle_tui.engine.node_pricing import NodePricing
from utxoracle_tui.engine.screen_export import ScreenExport
from utxoracle_tui.engine.window_list import WindowLists
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.node_access import NodeAccess
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.screens.ask import Ask
from utxoracle_tui.ui.screens.confirm import Confirm
from utxoracle_tui.ui.screens.dashboard import Dashboard
from utxoracle_tui.ui.screens.jobs import JobsScreen
from utxoracle_tui.ui.screens.node_window import NodeWindow
from utxoracle_tui.ui.screens.opened_window import OpenedWindow
from utxoracle_tui.ui.screens.range_choice import RangeChoice
from utxoracle_tui.ui.screens.windows import WindowsScreen
from utxoracle_tui.ui.widgets.calendar_strip import CalendarStrip
from utxoracle_tui.ui.widgets.node_line import NodeLine
from utxoracle_tui.ui.widgets.progress_line import ProgressLine
from utxoracle_tui.ui.widgets.round_line import RoundLine
from utxoracle_tui.ui.widgets.summary import PriceSummary

PLANTED_USD = 65_000
OPTIONS = HostOptions(days=1, tx_per_block=60, speed=0, price=str(PLANTED_USD))
LOOKS = 1500


@asynccontextmanager
async def dashboard(node: DemoNode, workers: Workers, read_timeout_s: float = 10) -> AsyncIterator[Pilot[None]]:
    cookie = node.folder / ".cookie"
    access = NodeAccess(node.url, cookie_path=cookie, connect_timeout_s=1, read_timeout_s=read_timeout_s)
    client = BitcoinCore(access)
    pricing = NodePricing(client, workers)
    live, exchange = live_rounds(pricing, node.env["MEMPOOL_API_URL"], node.folder / "console")

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
        live_jobs(client, workers, live, node.folder / "console"),
        access.host,
        f" utxoracle-tui · {access.host}",
        node.folder / "console",
        close,
        exports=ScreenExport(lambda: live.store, node.folder / "console" / "exports"),
    )
    async with NodeConsole(parts).run_test(size=(120, 40)) as pilot:
        await pilot.press("w")
        yield pilot


def shown(pilot: Pilot[None], kind: type[Static]) -> str:
    return str(pilot.app.screen.query_one(kind).render())


def progress(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one(ProgressLine).query_one("#progress-words", Static).render())


def notice(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#notice", Static).render())


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Look again and again, until it is so or the test is given up.

    Without a pause of the pilot's, which has every widget answer before each look.
    """
    for _ in range(LOOKS):
        if holds():
            return
        await asyncio.sleep(0.02)
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
        assert await node.call("getblockhash", tip) in after["blocks_served"]
        assert set(after["blocks_served"].values()) == {1}
        assert not [call for call in after["calls"] if call.startswith("getblock ")]


async def test_a_round_is_stored_and_shown(workers: Workers) -> None:
    async with demo_node(OPTIONS) as node:
        async with dashboard(node, workers) as pilot:
            await until(pilot, lambda: "spot" in shown(pilot, RoundLine))
        store = Store(node.folder / "console", "regtest")
        (seen,) = store.observations.newest(5)
        tip = await node.call("getblockcount")
        assert (seen.last_height, seen.valid) == (tip - 1, True)
        assert seen.onchain_usd == pytest.approx(PLANTED_USD, rel=0.01)
        assert seen.exchange_usd == pytest.approx(PLANTED_USD, rel=0.01)
        assert store.windows.newest("blocks")[0].last_height == tip - 1
        # the next console shows it before it has priced anything, and what others store
        async with dashboard(node, workers) as pilot:
            await until(pilot, lambda: f"exchange    ${seen.exchange_usd:,.2f}" in shown(pilot, RoundLine))
            assert f"block price ${seen.block_usd:,.2f}" in shown(pilot, RoundLine)
            assert f"block {tip}," in shown(pilot, RoundLine)
            other = replace(seen, key="other", last_hash="ff" * 32, time_s=seen.time_s + 600)
            other = replace(other, exchange_usd=71_717.0, orphaned=True)
            store.observations.insert(other)
            await until(pilot, lambda: "exchange    $71,717.00" in shown(pilot, RoundLine))
            assert "orphaned" in shown(pilot, RoundLine)


@pytest.mark.soak
async def test_a_store_that_cannot_be_written_is_said_and_tried_again(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "RETRY_S", 0.1)
    write, full = durable.write_new, [True]

    def fail(path: Path, data: bytes) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, data)

    monkeypatch.setattr(durable, "write_new", fail)
    async with demo_node(OPTIONS) as node, dashboard(node, workers) as pilot:
        await until(pilot, lambda: "✗ not stored (1 round waiting)" in shown(pilot, RoundLine))
        assert "is full. Nothing that was stored is lost" in shown(pilot, RoundLine)
        assert price_of(shown(pilot, PriceSummary)) == pytest.approx(PLANTED_USD, rel=0.01)
        full[0] = False
        await until(pilot, lambda: "spot" in shown(pilot, RoundLine))
        assert "✗" not in shown(pilot, RoundLine)


async def test_the_windows_screen_by_keys(workers: Workers) -> None:
    async with demo_node(OPTIONS) as node, dashboard(node, workers) as pilot:
        await until(pilot, lambda: "spot" in shown(pilot, RoundLine))
        await pilot.press("3")
        await until(pilot, lambda: isinstance(pilot.app.screen, WindowsScreen))
        assert "no day is stored yet" in shown(pilot, CalendarStrip)
        await pilot.press("t")
        await until(pilot, lambda: "block windows: 1 of 1" in where(pilot))
        # a day that another process stores, and a gap before it
        store = Store(node.folder / "console", "regtest")
        (window,) = store.windows.newest("blocks")
        days = [
            replace(window, kind="day", date=date(2026, 10, number), first_height=None, last_height=None)
            for number in (1, 2, 5)
        ]
        store.windows.put(days)
        await pilot.press("t")
        await until(pilot, lambda: "days: 1 of 3" in where(pilot))
        assert "2 days missing" in where(pilot)
        assert "missing (2)" in shown(pilot, CalendarStrip)
        await pilot.press("space", "down", "x")
        await until(pilot, lambda: "3 marked" in where(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "marked" not in where(pilot))
        # a block window opens to its scatter, and Esc leads back
        await pilot.press("t", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenedWindow) and "done in" in progress(pilot))
        assert price_of(shown(pilot, PriceSummary)) == pytest.approx(PLANTED_USD, rel=0.01)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, WindowsScreen))
        # the dashboard's key leads to the window that was open there, and once more to the dashboard itself
        await pilot.press("1")
        await until(pilot, lambda: isinstance(pilot.app.screen, NodeWindow))
        await pilot.press("1")
        await until(pilot, lambda: isinstance(pilot.app.screen, Dashboard))
        # a range that is marked on the chart can be written to a file, whose path goes to the clipboard
        await pilot.press("A", "home", "m", "end", "m")
        await until(pilot, lambda: isinstance(pilot.app.screen, RangeChoice))
        assert str(pilot.app.screen.query_one(Label).render()).startswith(f"{days[0].date} 00:00 – ")
        await pilot.press("c")
        exports = node.folder / "console" / "exports"
        await until(pilot, lambda: exports.is_dir() and any(exports.glob("*.csv")))
        (written,) = exports.iterdir()
        await until(pilot, lambda: pilot.app.clipboard == str(written))
        rows = [line for line in written.read_text().splitlines() if not line.startswith("#")]
        assert sum(",window price of a day," in row for row in rows) == len(store.windows.newest("day", 9))
        assert sum(",window price," in row for row in rows) == len(store.observations.newest(9))
        # as can be what is shown: the figures, the chart, and the rows of the windows
        for keys, name in (("ec", "figures-*.csv"), ("es", "prices-all-*.svg"), ("3ej", "windows-shown-*.jsonl")):
            await pilot.press(*keys)
            await until(pilot, lambda name=name: any(exports.glob(name)))
            (written,) = exports.glob(name)
            await until(pilot, lambda written=written: pilot.app.clipboard == str(written))
        assert len(written.read_text().splitlines()) == 1 + len(store.windows.newest("blocks", 9))
        await pilot.press("1")
        # or worked out
        await pilot.press("m", "m")
        await until(pilot, lambda: isinstance(pilot.app.screen, RangeChoice))
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        assert "anew?" in str(pilot.app.screen.query(Label).first().render())


@pytest.mark.soak
async def test_from_a_gap_to_a_filled_gap_by_keys(workers: Workers) -> None:
    options = replace(OPTIONS, days=2, tx_per_block=25)
    async with demo_node(options) as node, dashboard(node, workers) as pilot:
        await until(pilot, lambda: "spot" in shown(pilot, RoundLine))
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        await pilot.press("3", "b")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press(*f"{yesterday - timedelta(days=1)}..{yesterday}", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        assert "Backfill 2 days" in str(pilot.app.screen.query(Label).first().render())
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, WindowsScreen) and "of 2" in where(pilot))
        assert "missing (0)" in shown(pilot, CalendarStrip)
        store = Store(node.folder / "console", "regtest")
        prices = [window.price_usd for window in store.windows.newest("day", 5)]
        assert prices == pytest.approx([PLANTED_USD] * 2, rel=0.01)
        await pilot.press("4")
        await until(pilot, lambda: isinstance(pilot.app.screen, JobsScreen) and "2 done" in words(pilot))
        # a rerun of one of them is a job of its own
        await pilot.press("3", "r")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("y")
        await pilot.press("4")
        await until(pilot, lambda: isinstance(pilot.app.screen, JobsScreen) and jobs_done(pilot) == 2)


def jobs_done(pilot: Pilot[None]) -> int:
    assert isinstance(pilot.app, NodeConsole)
    return sum(reading.job.state == "done" for reading in pilot.app.jobs.jobs) if pilot.app.jobs else 0


def words(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#job", Static).render())


def where(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#where", Static).render())


@pytest.mark.soak
async def test_yesterday_by_key(workers: Workers) -> None:
    async with demo_node(OPTIONS) as node, dashboard(node, workers) as pilot:
        await until(pilot, lambda: "done in" in progress(pilot))
        await pilot.press("y")
        yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
        await until(pilot, lambda: f"Price of {yesterday} UTC" in shown(pilot, PriceSummary))
        assert price_of(shown(pilot, PriceSummary)) == pytest.approx(PLANTED_USD, rel=0.01)
        # a network for tests gets no canonical name
        assert "Consensus" not in shown(pilot, PriceSummary)


@pytest.mark.soak
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


@pytest.mark.soak
async def test_a_window_that_failed_is_tried_again(workers: Workers) -> None:
    async with demo_node(OPTIONS) as node:
        await node.act("hang", path="/rest/block/")
        async with dashboard(node, workers, read_timeout_s=0.5) as pilot:
            await until(pilot, lambda: "It is tried again in 5 s." in notice(pilot))
            await node.act("hang", on=False)
            # no block comes meanwhile
            await until(pilot, lambda: "done in" in progress(pilot))
            assert notice(pilot) == ""


async def test_a_wrong_password(workers: Workers, tmp_path: Path) -> None:
    async with demo_node(OPTIONS) as node:
        cookie = tmp_path / "cookie"
        cookie.write_text("__cookie__:" + "ab" * 32)
        access = NodeAccess(node.url, cookie_path=cookie)
        client = BitcoinCore(access)
        still: Any = StillRounds()
        pricing = NodePricing(client, workers)
        parts = EngineParts(
            pricing,
            LiveWindow(pricing, 3600),
            watched_stack(node, client, Exchange(()), still),
            still,
            WindowLists(lambda: None),
            PriceHistory(lambda: None),
            still,
            access.host,
            " utxoracle-tui",
            tmp_path,
            client.aclose,
        )
        async with NodeConsole(parts).run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "✗" in shown(pilot, NodeLine))
            assert str(cookie) in shown(pilot, NodeLine)
            assert "abab" not in pilot.app.export_screenshot()


@pytest.mark.soak
async def test_a_pruned_block_is_said_before_anything_is_fetched(workers: Workers) -> None:
    async with demo_node(OPTIONS) as node, dashboard(node, workers) as pilot:
        tip = await node.call("getblockcount")
        await node.act("prune", below=tip - 50)
        await until(pilot, lambda: "✗" in notice(pilot) or "done in" in progress(pilot))
        await node.act("clear-statistics")
        await pilot.press("y")
        await until(pilot, lambda: "pruned" in notice(pilot))
        # but for one that was wanted for the block prices before the newest window
        assert (await node.read("statistics"))["calls"].get("/rest/block.bin", 0) <= 1


@pytest.mark.soak
async def test_a_reorg_is_followed(workers: Workers) -> None:
    async with demo_node(OPTIONS) as node, dashboard(node, workers) as pilot:
        await until(pilot, lambda: "done in" in progress(pilot))
        await node.act("reorg", depth=3, length=4)
        tip = await node.call("getblockcount")
        await until(pilot, lambda: f"–{tip - 1}" in shown(pilot, PriceSummary) and "done in" in progress(pilot))
        assert "✗" not in notice(pilot)


async def test_a_fault_is_told_and_written_down(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(lists: WindowLists) -> None:
        raise KeyError("nobody foresaw this")

    monkeypatch.setattr(WindowLists, "load", broken)
    async with demo_node(OPTIONS) as node, dashboard(node, workers) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: bool(pilot.app._notifications))
        notice = next(iter(pilot.app._notifications))
        assert "KeyError" in notice.message
        assert "last-fault.txt" in notice.message
        assert "nobody foresaw this" in (node.folder / "console" / "state" / "last-fault.txt").read_text()
