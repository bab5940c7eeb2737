"""Pictures of the dashboard in the states of a node, at a moment that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support import price_story as story
from tests.support.live import NoJobs, StillRounds
from tests.ui.results import recorded_day
from tests.ui.test_window_detail_pictures import SIZES, SnapCompare, StillPricing, after
from utxoracle_tui import clock
from utxoracle_tui.config.settings import Screen as Look
from utxoracle_tui.engine.chart.history import PriceHistory
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.live_window import LiveWindow
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.pricing import PricedWindow
from utxoracle_tui.engine.request import BLOCK_WINDOW_PRICE
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.engine.window_list import WindowLists
from utxoracle_tui.sources.node_errors import WrongPassword
from utxoracle_tui.sources.node_replies import ChainInfo
from utxoracle_tui.store.records import Observation
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.node_console import NodeConsole

NOW_S = story.NOW_S
ALL_SIZES = [*SIZES, (200, 60)]
HOST = "127.0.0.1:8332"
CHAIN = ChainInfo(
    network="main",
    blocks=878_287,
    headers=878_287,
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
        onchain_usd=94_960.0,
        exchange_usd=95_106.0,
        exchange_time_s=NOW_S - 400,
        exchange_source="own",
        divergence_spot_pct=-0.13,
        divergence_window_pct=0.04,
        divergence_block_pct=-0.11,
        block_usd=95_001.5,
        block_low_usd=94_745.0,
        block_high_usd=95_255.0,
        block_confidence=0.96,
        block_height=878_287,
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


@dataclass(frozen=True)
class Shown:
    """What a console stands still on."""

    node: NodeReading = UP
    store: Store | None = None
    result: PricedWindow | None = None
    look: Look = Look()  # noqa: RUF009  (frozen)


def console(shown: Shown) -> NodeConsole:
    pricing: Any = StillPricing(result=shown.result)
    still: Any = pricing, LiveWindow(pricing, 3600), lambda: StillStack(shown.node), StillRounds(STORED)
    jobs: Any = NoJobs()
    parts = EngineParts(
        *still,
        WindowLists(lambda: shown.store),
        PriceHistory(lambda: shown.store),
        jobs,
        HOST,
        f" utxoracle-tui · {HOST}",
        None,
        nothing_to_close,
    )
    return NodeConsole(parts, shown.look)


async def nothing_to_close() -> None:
    pass


def block_window() -> PricedWindow:
    day = recorded_day("sel_year_end_rb", date(2024, 12, 31), None)
    return replace(day, window=replace(day.window, kind="blocks", name=BLOCK_WINDOW_PRICE, day=None))


@pytest.fixture(scope="module")
def normal(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return story.normal(tmp_path_factory.mktemp("normal"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return story.large(tmp_path_factory.mktemp("large"))


@pytest.mark.parametrize("size", SIZES)
def test_all_is_well(snap_compare: SnapCompare, normal: Store, size: tuple[int, int]) -> None:
    shown = Shown(store=normal, result=block_window())
    assert snap_compare(console(shown), terminal_size=size, run_before=after())


@pytest.mark.parametrize("size", ALL_SIZES)
def test_a_large_divergence(snap_compare: SnapCompare, large: Store, size: tuple[int, int]) -> None:
    shown = Shown(store=large, result=block_window())
    assert snap_compare(console(shown), terminal_size=size, run_before=after())


@pytest.mark.parametrize("keys", [("v",), ("v", "v")])
def test_the_other_views_of_a_low_terminal(snap_compare: SnapCompare, large: Store, keys: tuple[str, ...]) -> None:
    shown = Shown(store=large, result=block_window())
    assert snap_compare(console(shown), terminal_size=(80, 24), run_before=after(*keys))


@pytest.mark.parametrize("size", SIZES)
def test_what_to_do_with_a_marked_range(snap_compare: SnapCompare, normal: Store, size: tuple[int, int]) -> None:
    shown = Shown(store=normal, result=block_window())
    keys = ("A", "home", "m", "end", "m")
    assert snap_compare(console(shown), terminal_size=size, run_before=after(*keys))


@pytest.mark.parametrize("theme", ["light", "ansi"])
def test_other_colours(snap_compare: SnapCompare, large: Store, theme: str) -> None:
    shown = Shown(store=large, result=block_window(), look=Look(theme=theme))
    assert snap_compare(console(shown), terminal_size=(120, 40), run_before=after())


def test_no_colour(snap_compare: SnapCompare, large: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = Shown(store=large, result=block_window())
    assert snap_compare(console(shown), terminal_size=(120, 40), run_before=after())


def test_nothing_but_ascii(snap_compare: SnapCompare, large: Store) -> None:
    shown = Shown(store=large, result=block_window(), look=Look(ascii=True))
    assert snap_compare(console(shown), terminal_size=(120, 40), run_before=after())


def test_the_first_run(snap_compare: SnapCompare, tmp_path: Path) -> None:
    shown = Shown(store=Store(tmp_path, "main"), result=block_window())
    assert snap_compare(console(shown), terminal_size=(80, 24), run_before=after())


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
def test_the_newest_window(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(console(Shown(result=block_window())), terminal_size=size, run_before=after("w"))


@pytest.mark.parametrize("size", SIZES)
def test_a_node_that_refuses_the_password(snap_compare: SnapCompare, large: Store, size: tuple[int, int]) -> None:
    error = WrongPassword(HOST, None)
    reading = NodeReading(HOST, NOW_S, 0.25, CHAIN, NOW_S - 400, error.kind, error.message)
    assert snap_compare(console(Shown(reading, large)), terminal_size=size, run_before=after())


@pytest.mark.parametrize("size", SIZES)
def test_a_node_that_syncs_and_warns(snap_compare: SnapCompare, large: Store, size: tuple[int, int]) -> None:
    chain = replace(
        CHAIN, blocks=700_000, initial_download=True, progress=0.61, warnings=("Unknown new rules activated",)
    )
    reading = replace(UP, chain=chain, latency_s=1.3)
    assert snap_compare(console(Shown(reading, large)), terminal_size=size, run_before=after())
