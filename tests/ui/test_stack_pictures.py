"""Pictures of the stack's screen, and of the dashboard beside a stack, in the states that matter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.support import stack_looks as made
from tests.support.electrs_sync import Sync
from tests.support.live import StillRounds
from tests.support.price_story import NOW_S
from tests.ui.test_dashboard_pictures import STORED, Shown
from tests.ui.test_dashboard_pictures import console as dashboard
from tests.ui.test_window_detail_pictures import SIZES, SnapCompare, settle
from utxoracle_tui import clock
from utxoracle_tui.config.settings import Screen as Look
from utxoracle_tui.engine.electrs.machine import step
from utxoracle_tui.engine.electrs.phases import Phase
from utxoracle_tui.engine.electrs.state import State
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.stack.disks import DisksStatus
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.widgets.steady_text import SteadyText

ALL_SIZES = [*SIZES, (200, 60)]
NODE = NodeReading(made.HOST, made.NOON_S, 0.002, made.chain(), made.NOON_S - 3)
REFUSED = f"Bitcoin Core at {made.HOST} refuses the connection. It is asked again soon. Is it running?"
DOWN = replace(NODE, chain_at_s=made.NOON_S - 340, trouble_kind="refused", trouble=REFUSED)


class Still:
    """In place of the watch of the stack: one reading, and silence."""

    def __init__(self, reading: StackReading, node: NodeReading) -> None:
        self._reading = reading
        self._node = node

    async def run(self, on_reading: Callable[[StackReading], None], on_node: Callable[[NodeReading], None]) -> None:
        on_node(self._node)
        on_reading(self._reading)
        await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_s", lambda: made.NOON_S)
    monkeypatch.setattr(clock, "elapsed_s", lambda: made.SPAN_S)


def console(reading: StackReading, store: Store, node: NodeReading = NODE, look: Look | None = None) -> NodeConsole:
    still: Any = Still(reading, node)
    assert STORED.newest is not None
    later_s = made.NOON_S - NOW_S
    newest = replace(
        STORED.newest,
        time_s=STORED.newest.time_s + later_s,
        exchange_time_s=made.NOON_S - 400,
        block_height=made.TIP,
        block_time_s=int(made.NOON_S) - 300,
    )
    live: Any = StillRounds(StoreReading(newest=newest))
    parts = replace(dashboard(Shown(store=store)).parts, stack=lambda: still, live=live)
    return NodeConsole(parts, look or Look())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Nothing is stored yet."""
    return Store(tmp_path, "main")


def seen(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Press keys, and wait until the stack is shown."""

    async def run(pilot: Pilot[None]) -> None:
        pilot.app.animation_level = "none"
        await settle(pilot)
        for key in keys:
            await pilot.press(key)
            await settle(pilot)
        while not any(str(panel.render()) for panel in pilot.app.screen.query(SteadyText)):
            await pilot.pause(0.01)
        await settle(pilot)

    return run


def in_phase(phase: Phase) -> State:
    """What is known of an electrs in the middle of a phase of its first sync, as of now."""
    state, found = State(), []
    for evidence, _, _ in Sync(step_s=600, noise=0.2).course():
        state = step(state, evidence)
        if state.phase is phase:
            found.append(state)
        elif found:
            break
    return found[len(found) // 2]


def a_ready_stack() -> StackReading:
    return made.reading()


def a_first_sync(phase: Phase = Phase.PASS_1) -> StackReading:
    return made.reading(
        electrs=made.heard(in_phase(phase)),
        backend=made.failed(
            "refused", "The backend at 127.0.0.1:8999 refuses the connection, as it does without electrs."
        ),
        exchange=made.heard(made.price(age_s=40_000.0)),
    )


def a_node_that_is_down() -> StackReading:
    return made.reading(
        node=made.failed(
            "refused",
            REFUSED,
            made.heard(made.node().detail, ago_s=340.0),
        ),
        disks=made.heard(DisksStatus((made.disk(free_bytes=9 * 10**9),))),
    )


@pytest.mark.parametrize("size", ALL_SIZES)
def test_a_ready_stack(snap_compare: SnapCompare, store: Store, size: tuple[int, int]) -> None:
    assert snap_compare(console(a_ready_stack(), store), terminal_size=size, run_before=seen("2"))


@pytest.mark.parametrize("size", ALL_SIZES)
def test_a_first_sync(snap_compare: SnapCompare, store: Store, size: tuple[int, int]) -> None:
    assert snap_compare(console(a_first_sync(), store), terminal_size=size, run_before=seen("2"))


@pytest.mark.parametrize("size", SIZES)
def test_a_compaction(snap_compare: SnapCompare, store: Store, size: tuple[int, int]) -> None:
    reading = a_first_sync(Phase.COMPACTING_TXSTORE)
    assert snap_compare(console(reading, store), terminal_size=size, run_before=seen("2", "e"))


@pytest.mark.parametrize("size", SIZES)
def test_a_node_that_is_down(snap_compare: SnapCompare, store: Store, size: tuple[int, int]) -> None:
    assert snap_compare(console(a_node_that_is_down(), store, DOWN), terminal_size=size, run_before=seen("2"))


@pytest.mark.parametrize("theme", ["light", "ansi"])
def test_other_colours(snap_compare: SnapCompare, store: Store, theme: str) -> None:
    app = console(a_node_that_is_down(), store, DOWN, look=Look(theme=theme))
    assert snap_compare(app, terminal_size=(120, 40), run_before=seen("2"))


def test_no_colour(snap_compare: SnapCompare, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(console(a_node_that_is_down(), store, DOWN), terminal_size=(120, 40), run_before=seen("2"))


@pytest.mark.parametrize("size", ALL_SIZES)
def test_a_dashboard_beside_a_first_sync(snap_compare: SnapCompare, store: Store, size: tuple[int, int]) -> None:
    assert snap_compare(console(a_first_sync(), store), terminal_size=size, run_before=seen())


def test_who_only_looks(snap_compare: SnapCompare, store: Store) -> None:
    app = console(a_node_that_is_down(), store, DOWN, look=Look(read_only=True))
    assert snap_compare(app, terminal_size=(80, 24), run_before=seen())
