"""Pictures of the dashboard in the states of a node, at a moment that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.support.live import StillRounds
from tests.ui.results import real_window, recorded_day
from tests.ui.test_window_detail_pictures import SIZES, SnapCompare, StillPricing, after
from utxoracle_tui import clock
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.pricing import PricedWindow
from utxoracle_tui.engine.request import BLOCK_WINDOW_PRICE
from utxoracle_tui.engine.stack.stack import StackReading
from utxoracle_tui.engine.window_list import WindowLists
from utxoracle_tui.sources.node_errors import WrongPassword
from utxoracle_tui.sources.node_replies import ChainInfo
from utxoracle_tui.store.records import Observation
from utxoracle_tui.ui.app import Console
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.node_console import NodeConsole

NOW_S = 1_795_400_000.0
HOST = "127.0.0.1:8332"
CHAIN = ChainInfo(
    network="main",
    blocks=975_123,
    headers=975_123,
    best_hash="00" * 32,
    difficulty=1e14,
    time_s=int(NOW_S) - 250,
    median_time_s=None,
    progress=0.99999,
    initial_download=False,
    size_on_disk_bytes=None,
    pruned=False,
    prune_height=None,
    automatic_pruning=None,
    prune_target_bytes=None,
    warnings=(),
)
STORED = StoreReading(
    newest=Observation(
        key="1",
        time_s=NOW_S - 130,
        window_kind="blocks",
        onchain_usd=94_000.0,
        exchange_usd=94_120.0,
        exchange_time_s=NOW_S - 400,
        exchange_source="own",
        divergence_spot_pct=-0.13,
        divergence_window_pct=0.04,
        divergence_block_pct=-0.11,
        block_usd=94_016.5,
        block_low_usd=93_760.0,
        block_high_usd=94_260.0,
        block_confidence=0.96,
        block_height=975_123,
        block_time_s=int(NOW_S) - 150,
        valid=True,
    )
)
UP = NodeReading(HOST, NOW_S, 0.002, CHAIN, NOW_S - 3)


class StillStack:
    """In place of the engine's watch: one reading of the node, and silence."""

    def __init__(self, reading: NodeReading) -> None:
        self._reading = reading

    async def run(self, on_reading: Callable[[StackReading], None], on_node: Callable[[NodeReading], None]) -> None:
        on_node(self._reading)
        await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_s", lambda: NOW_S)


def dashboard(reading: NodeReading, result: PricedWindow | None) -> Console:
    still: Any = StillPricing(result=result), StillStack(reading), StillRounds(STORED)
    jobs: Any = StillRounds()
    parts = EngineParts(
        *still, WindowLists(lambda: None), jobs, HOST, f" utxoracle-tui · {HOST}", None, nothing_to_close
    )
    return NodeConsole(parts)


async def nothing_to_close() -> None:
    pass


def block_window() -> PricedWindow:
    day = recorded_day("sel_year_end_rb", date(2024, 12, 31), None)
    return replace(day, window=replace(day.window, kind="blocks", name=BLOCK_WINDOW_PRICE, day=None))


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
def test_a_node_that_is_up(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(dashboard(UP, block_window()), terminal_size=size, run_before=after())


@pytest.mark.parametrize("size", SIZES)
def test_a_node_that_refuses_the_password(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    error = WrongPassword(HOST, None)
    reading = NodeReading(HOST, NOW_S, 0.25, CHAIN, NOW_S - 400, error.kind, error.message)
    assert snap_compare(dashboard(reading, real_window()), terminal_size=size, run_before=after())


@pytest.mark.parametrize("size", SIZES)
def test_a_node_that_syncs_and_warns(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    chain = replace(
        CHAIN, blocks=700_000, initial_download=True, progress=0.61, warnings=("Unknown new rules activated",)
    )
    reading = replace(UP, chain=chain, latency_s=1.3)
    assert snap_compare(dashboard(reading, real_window()), terminal_size=size, run_before=after())
