"""The labels beside the points of a window: each is that of its row, however few rows there are."""

from __future__ import annotations

from datetime import date

import pytest
from textual.app import App

from tests.ui.results import recorded_day
from tests.ui.test_window_detail_pictures import StillPricing, settle
from utxoracle_tui.engine.validation import Limits
from utxoracle_tui.ui.app import Console
from utxoracle_tui.ui.screens.window_detail import of_folder
from utxoracle_tui.ui.widgets.chart import Chart


async def plot_at(height: int) -> list[str]:
    """The lines of the scatter on a terminal of this height."""
    result = recorded_day("sel_tip7_ok", date(2024, 5, 5), None)
    app: App[None] = Console(of_folder(StillPricing(result=result), Limits()))  # type: ignore[arg-type]
    async with app.run_test(size=(80, height)) as pilot:
        await settle(pilot)
        return str(app.screen.query_one("#scatter").query_one(Chart).render()).split("\n")


@pytest.mark.parametrize("height", range(13, 31))
async def test_each_label_is_that_of_its_row(height: int) -> None:
    lines = await plot_at(height)
    if "There is no room" in lines[0]:
        assert height < 19
        return
    rows = [line for line in lines if line.endswith("│")][::-1]
    assert len(rows) >= 3
    labelled = {
        n: float(row.split("┤")[0].replace("$", "").replace(",", "")) for n, row in enumerate(rows) if "┤" in row
    }
    # the plot shows 5 % on both sides of the price, $64,040.99
    low, high = 64_040.986 * 0.95, 64_040.986 * 1.05
    for n, usd in labelled.items():
        # half a row, and what the label is rounded by
        assert abs((usd - low) / (high - low) * (len(rows) - 1) - n) < 0.51
    (level,) = [n for n, row in enumerate(rows) if "━" in row]
    assert labelled[level] == 64_041
    assert {0, len(rows) - 1} <= set(labelled)


async def test_without_room_it_says_so() -> None:
    assert "There is no room to draw" in (await plot_at(13))[0]
