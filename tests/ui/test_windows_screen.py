"""The windows screen by keys: what it says where there is nothing to show, and what it opens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.ui.seen import until
from tests.ui.test_dashboard_pictures import _still_clock  # noqa: F401  (a fixture)
from tests.ui.test_window_detail_pictures import StillPricing
from tests.ui.test_windows_pictures import StillJobs, console, day_window
from utxoracle_tui.engine.jobs.reading import JobsReading
from utxoracle_tui.engine.jobs.wanted import Days
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.node_console import NodeConsole

REFUSED = OperatorError("blocks_missing", "2025-01-05 can't be priced: the chain is too short.", Exit.USAGE)


def failing(app: NodeConsole, error: OperatorError) -> NodeConsole:
    """The same console, where no window can be worked out."""
    pricing: Any = StillPricing(error=error)
    return NodeConsole(replace(app.parts, pricing=pricing), app.look)


async def at_windows(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press("3")
    await until(pilot, "days: ")
    await pilot.press(*keys)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_that_none_is_doubtful_is_said_with_the_way_back(tmp_path: Path, size: tuple[int, int]) -> None:
    store = Store(tmp_path, "main")
    store.windows.put([day_window(number) for number in range(23)])
    async with console(store).run_test(size=size) as pilot:
        await at_windows(pilot, "f")
        shown = await until(pilot, "Not one of 23 days is doubtful. f shows all of them.")
        assert "only doubtful ones, of 23" in shown
        assert "stored yet" not in shown
        await pilot.press("f")
        await until(pilot, "1 of 23")


async def test_an_imported_day_shows_what_is_stored_where_its_blocks_cannot_be_had(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    imported: dict[str, Any] = {
        "imported": True,
        "price_usd": 68_591.73,
        "exchange_usd": 68_000.0,
        "exchange_coverage": 0.0,
        "exchange_is_daily": True,
        "divergence_window_pct": 0.87,
        "confidence": None,
        "valid": None,
        "name": "UTXOracle Consensus Price",
        "stored_s": datetime(2025, 1, 7, 20, 12, tzinfo=UTC).timestamp(),
    }
    store.windows.put([day_window(0), day_window(2, **imported)])
    async with failing(console(store), REFUSED).run_test(size=(120, 40)) as pilot:
        await at_windows(pilot, "down", "enter")
        shown = await until(pilot, "as it is stored")
        assert "$68,591.73 per BTC   ◇ imported" in shown
        assert "published by others, imported 2025-01-07 20:12 UTC" in shown
        assert "exchange $68,000.00 (daily close) · divergence +0.87 %" in shown
        assert "It can't be worked out here: 2025-01-05 can't be priced: the chain is too short." in shown
        shown = await until(pilot, "the blocks are needed from the node")
        assert "no price" not in shown
        # another day has nothing of this one
        await pilot.press("left_square_bracket")
        assert "$68,591.73" not in await until(pilot, "2025-01-04 UTC: no price")


class ShortChain(StillJobs):
    """In place of the engine's: the node has the blocks of three days."""

    def __init__(self) -> None:
        super().__init__(JobsReading(), [])

    async def possible_days(self) -> Days:
        return Days(date(2025, 1, 4), date(2025, 1, 6))


async def test_only_days_that_can_be_priced_are_offered(tmp_path: Path) -> None:
    jobs: Any = ShortChain()
    app = console(Store(tmp_path, "main"))
    async with NodeConsole(replace(app.parts, jobs=jobs), app.look).run_test(size=(80, 24)) as pilot:
        await at_windows(pilot, "b")
        await until(pilot, "2025-01-04..2025-01-06")
