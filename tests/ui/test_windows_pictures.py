"""What the windows screen and the jobs screen look like, in the states that matter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.price_story import DAY_S, NOW_S
from tests.support.records import block_window
from tests.ui.test_dashboard_pictures import (
    HOST,
    STORED,
    UP,
    StillRounds,
    StillStack,
    _still_clock,  # noqa: F401  (a fixture)
    nothing_to_close,
)
from tests.ui.test_window_detail_pictures import SIZES, SnapCompare, StillPricing, after
from utxoracle_tui.config.settings import Screen as Look
from utxoracle_tui.engine.chart.history import PriceHistory
from utxoracle_tui.engine.jobs.care import Budget
from utxoracle_tui.engine.jobs.estimate import Estimate, Eta
from utxoracle_tui.engine.jobs.reading import AtHand, JobReading, JobsReading
from utxoracle_tui.engine.jobs.turns import CareReading
from utxoracle_tui.engine.jobs.wanted import Days
from utxoracle_tui.engine.live_window import LiveWindow
from utxoracle_tui.engine.window_list import WindowLists
from utxoracle_tui.store.jobs import JobProgress
from utxoracle_tui.store.records import Job, JobItem, Window, WindowKey
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.node_console import NodeConsole

ALL_SIZES = [*SIZES, (200, 60)]
YESTERDAY = date(2025, 1, 7)


def day_window(number: int, **changes: object) -> Window:
    """The window of a day, so many days before the newest."""
    day = YESTERDAY - timedelta(days=number)
    start_s = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    price, exchange = 95_000.0 - 40 * number, 95_100.0 - 42 * number
    window = block_window(
        878_000 - 144 * number,
        start_s + DAY_S - 60,
        kind="day",
        date=day,
        price_usd=price,
        exchange_usd=exchange,
        exchange_coverage=0.98,
        divergence_window_pct=(price / exchange - 1) * 100,
        confidence=0.93,
        points=31_000 + 7 * number,
        blocks=144,
        elapsed_s=2.4,
    )
    return replace(window, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Ninety days with gaps, and one of each kind that is not as it should be."""
    found = Store(tmp_path_factory.mktemp("days"), "main")
    odd: dict[int, dict[str, object]] = {
        1: {"valid": False, "reason": "low_confidence", "confidence": 0.12},
        3: {"divergence_window_pct": -3.42},
        5: {"orphaned": True},
        6: {"imported": True, "confidence": None, "points": None, "elapsed_s": None},
        8: {"exchange_usd": None, "divergence_window_pct": None},
        9: {"exchange_is_daily": True},
        10: {"price_usd": None, "valid": False, "reason": "no_price", "divergence_window_pct": None},
    }
    missing = {12, 13, 14, 40}
    found.windows.put([day_window(n, **odd.get(n, {})) for n in range(90) if n not in missing])
    found.windows.put([block_window(878_100 + n, NOW_S - 600.0 * (9 - n)) for n in range(9)])
    return found


class StillJobs:
    """In place of the engine's: one reading of the jobs, and silence."""

    def __init__(self, reading: JobsReading, failed: list[JobItem]) -> None:
        self._reading = reading
        self._failed = failed

    async def run(self, on_reading: Callable[[JobsReading], None]) -> None:
        on_reading(self._reading)
        await asyncio.Event().wait()

    async def possible_days(self) -> Days | None:
        return None

    async def items(self, key: str) -> list[JobItem]:
        return self._failed


def console(store: Store | None, jobs: JobsReading | None = None, look: Look | None = None) -> NodeConsole:
    pricing: Any = StillPricing(result=None)
    still: Any = pricing, LiveWindow(pricing, 3600), lambda: StillStack(UP), StillRounds(STORED)
    failed = JobItem(
        job="3",
        number=4,
        window=WindowKey(kind="day", method="utxoracle-9.1", date=date(2024, 2, 4)),
        state="failed",
        tries=3,
        error_kind="damaged",
        error=f"{HOST} sent a block that can't be used: at byte 80, expected a transaction count.",
    )
    still_jobs: Any = StillJobs(jobs or JobsReading(), [failed])
    parts = EngineParts(
        *still,
        WindowLists(lambda: store),
        PriceHistory(lambda: store),
        still_jobs,
        HOST,
        f" utxoracle-tui · {HOST}",
        None,
        nothing_to_close,
    )
    return NodeConsole(parts, look or Look())


def job(key: str, work: str, items: int, **changes: object) -> Job:
    kind = "rerun" if work.startswith("rerun") else "backfill"
    fields: dict[str, object] = {"key": key, "time_s": NOW_S - 7200, "kind": kind, "work": work, "items": items}
    return Job(**(fields | changes))  # type: ignore[arg-type]


def queue() -> JobsReading:
    """A job at work, one that the node holds up, one that waits, and two that are over."""
    at_work = job("1", "backfill days 2022-01-01 2024-12-31 a", 1096, state="running", started_s=NOW_S - 3600)
    held = job(
        "2",
        "rerun not-valid b",
        12,
        state="paused",
        reason=f"Nothing answers at {HOST}: the connection is refused.",
        resume_at_s=NOW_S + 20,
    )
    waiting = job("4", "backfill blocks 870000-877199 step 144 c", 50)
    over = job(
        "3", "backfill days 2024-01-01 2024-02-29 d", 60, state="done", started_s=NOW_S - 5000, ended_s=NOW_S - 4000
    )
    ended = job("5", "rerun failed e", 3, state="cancelled", started_s=NOW_S - 9000, ended_s=NOW_S - 8900)
    hand = WindowKey(kind="day", method="utxoracle-9.1", date=date(2023, 1, 9))
    other = replace(hand, date=date(2023, 1, 10))
    return JobsReading(
        jobs=(
            JobReading(
                at_work,
                JobProgress(1096, 371, 2, 0, 2, 81_300_000_000),
                (AtHand(hand, 96, 151, here=True), AtHand(other, 12, 149, here=False)),
                Estimate(88.5, 131.0, Eta(1180.0, 1050.0, 1400.0)),
            ),
            JobReading(held, JobProgress(12, 3, 0, 0, 0, 0)),
            JobReading(waiting, JobProgress(50, 0, 0, 0, 0, 0)),
            JobReading(over, JobProgress(60, 57, 1, 2, 0, 12_400_000_000)),
            JobReading(ended, JobProgress(3, 1, 0, 0, 0, 230_000_000)),
        ),
        care=CareReading(2, 3, Budget(3, 0.0, None), gives_way=False),
    )


@pytest.mark.parametrize("size", ALL_SIZES)
def test_days(snap_compare: SnapCompare, store: Store, size: tuple[int, int]) -> None:
    assert snap_compare(console(store), terminal_size=size, run_before=after("3", "down", "space"))


def test_block_windows(snap_compare: SnapCompare, store: Store) -> None:
    assert snap_compare(console(store), terminal_size=(80, 24), run_before=after("3", "t"))


@pytest.mark.parametrize("size", SIZES)
def test_an_empty_store(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    empty = Store(tmp_path, "main")
    assert snap_compare(console(empty), terminal_size=size, run_before=after("3"))


@pytest.mark.parametrize("size", SIZES)
def test_which_days(snap_compare: SnapCompare, store: Store, size: tuple[int, int]) -> None:
    assert snap_compare(console(store), terminal_size=size, run_before=after("3", "b"))


@pytest.mark.parametrize("size", SIZES)
def test_whether_to_do_them_again(snap_compare: SnapCompare, store: Store, size: tuple[int, int]) -> None:
    assert snap_compare(console(store), terminal_size=size, run_before=after("3", "space", "down", "x", "r"))


@pytest.mark.parametrize("size", ALL_SIZES)
def test_jobs(snap_compare: SnapCompare, store: Store, size: tuple[int, int]) -> None:
    assert snap_compare(console(store, queue()), terminal_size=size, run_before=after("4"))


def test_a_job_with_failures(snap_compare: SnapCompare, store: Store) -> None:
    assert snap_compare(console(store, queue()), terminal_size=(80, 24), run_before=after("4", "down", "down", "down"))


@pytest.mark.parametrize("theme", ["light", "ansi"])
def test_other_colours(snap_compare: SnapCompare, store: Store, theme: str) -> None:
    shown = console(store, queue(), Look(theme=theme))  # type: ignore[arg-type]
    assert snap_compare(shown, terminal_size=(120, 40), run_before=after("3"))


def test_no_jobs(snap_compare: SnapCompare, store: Store) -> None:
    assert snap_compare(console(store), terminal_size=(80, 24), run_before=after("4"))
