"""The price chart by keys: what an operator sees, and what the screen is told."""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static
from textual_plotext.plot import Plot

from tests.support import price_story as story
from tests.support.price_story import ChartApp
from utxoracle_tui import clock
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.widgets import divergence_table
from utxoracle_tui.ui.widgets.chart import Chart
from utxoracle_tui.ui.widgets.divergence_cards import DivergenceCards
from utxoracle_tui.ui.widgets.divergence_table import DivergenceRows, DivergenceTable
from utxoracle_tui.ui.widgets.price_chart import PriceChart

DAY_S = story.DAY_S


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_s", lambda: story.NOW_S)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    yield story.large(tmp_path_factory.mktemp("large"))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    yield story.history(tmp_path_factory.mktemp("history"))


@asynccontextmanager
async def chart(store: Store | None, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Pilot[None], ChartApp]]:
    app = ChartApp(store)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        yield pilot, app


async def settle(pilot: Pilot[None]) -> None:
    """Until two looks in a row find nothing being read or drawn."""
    quiet = 0
    while quiet < 2:
        await pilot.pause()
        at_work = list(pilot.app.workers)
        if at_work:
            await pilot.app.workers.wait_for_complete(at_work)
        quiet = 0 if at_work else quiet + 1


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settle(pilot)


def text(app: ChartApp, where: str) -> str:
    return str(app.query_one(where, Static).render())


def drawn(app: ChartApp, which: str) -> str:
    return str(app.query_one(which, Chart).render())


async def test_ranges_zoom_and_pan_by_keys(history: Store) -> None:
    async with chart(history, (100, 24)) as (pilot, app):
        assert text(app, "#chart-heading").startswith("1 day · live · divergence: block")
        for key, title, days in (("W", "7 days", 7), ("M", "30 days", 30), ("Q", "90 days", 90), ("Y", "a year", 365)):
            await press(pilot, key)
            assert text(app, "#chart-heading").startswith(f"{title} · live")
            assert app.wanted[-1][1] - app.wanted[-1][0] == days * DAY_S
        await press(pilot, "A")
        assert app.wanted[-1][0] == 0.0
        assert "all · live" in text(app, "#chart-heading")
        # the first of the 57 stored days stands at the left
        assert "2024-11-10 00:00 –" in text(app, "#chart-heading")
        await press(pilot, "D", "plus")
        assert text(app, "#chart-heading").startswith("12 hours · live")
        await press(pilot, "comma")
        assert "still (n: live)" in text(app, "#chart-heading")
        assert app.wanted[-1][1] < story.NOW_S
        await press(pilot, "n")
        assert "· live ·" in text(app, "#chart-heading")
        await press(pilot, "minus")
        assert text(app, "#chart-heading").startswith("24 hours · live")


async def test_zooming_out_ends_with_all_there_is(history: Store) -> None:
    async with chart(history, (100, 24)) as (pilot, app):
        await press(pilot, *["minus"] * 12)
        heading = text(app, "#chart-heading")
        # the first of the stored days, and now, which is midnight
        assert heading.startswith("all · live")
        assert "2024-11-10 00:00 – 2025-01-08 00:0" in heading
        before = app.wanted[-1]
        await press(pilot, "minus")
        assert (text(app, "#chart-heading"), app.wanted[-1]) == (heading, before)
        await press(pilot, *["plus"] * 12)
        assert text(app, "#chart-heading").startswith("1 hour · live")


async def test_a_cursor_reads_what_is_stored(large: Store) -> None:
    async with chart(large) as (pilot, app):
        records = {record.last_height: record for record in large.block_prices.all()}
        assert text(app, "#readout").startswith("last ")
        await press(pilot, "home")
        words = text(app, "#readout")
        assert words.startswith("at 2025-01-07 00:10")
        seen = []
        for _ in range(3):
            await press(pilot, "pagedown")
            words = text(app, "#readout")
            record = records[int(words.split("#")[1].split()[0])]
            seen.append(record.last_height)
            assert f"block ${record.price_usd:,.2f}" in words
            assert f"exch ${record.exchange_usd:,.2f}" in words
            assert f"{record.divergence_block_pct:+.2f} %" in words
        assert seen == sorted(set(seen))
        for which in ("#prices", "#divergence"):
            columns = {line.index("│", 10) for line in drawn(app, which).split("\n") if "│" in line[10:]}
            assert len(columns) == 1
        await press(pilot, "end")
        assert words != text(app, "#readout")
        assert "878287" in text(app, "#readout")
        # past the right end it stays; past the left end the span goes with it
        await press(pilot, "right")
        assert "878287" in text(app, "#readout")
        await press(pilot, "home", "left")
        assert app.wanted[-1][0] < story.NOW_S - DAY_S
        assert "at 2025-01-0" in text(app, "#readout")


async def test_a_marked_range_is_told_and_fitted(large: Store) -> None:
    async with chart(large) as (pilot, app):
        await press(pilot, "home", "m", "pagedown", "m")
        ((first_s, last_s),) = app.marked
        times = {record.time_s for record in large.block_prices.all()}
        times |= {record.time_s for record in large.observations.all()}
        times |= {record.time_s for record in large.exchange_readings.all()}
        assert first_s < last_s
        assert {first_s, last_s} <= times
        await press(pilot, "f")
        view = app.query_one(PriceChart).view
        assert view.start_s < first_s < last_s < view.end_s < first_s + 2 * (last_s - first_s)
        assert "┊" in drawn(app, "#prices")
        await press(pilot, "escape")
        assert "┊" not in drawn(app, "#prices")
        assert text(app, "#readout").startswith("last ")


async def test_the_basis_goes_round_everywhere(large: Store) -> None:
    async with chart(large) as (pilot, app):
        for basis in ("spot", "window", "block"):
            await press(pilot, "t")
            assert f"divergence: {basis}" in text(app, "#chart-heading")
            assert f"{basis}, 14" in str(app.query_one(DivergenceCards).render())


async def test_all_of_it_in_words(large: Store) -> None:
    async with chart(large) as (pilot, app):
        await press(pilot, "i")
        words = text(app, "#chart-words")
        assert "The divergence on the basis block is" in words
        assert "6 over 5 %" in words
        assert not app.query_one("#prices").display
        await press(pilot, "i")
        assert app.query_one("#prices").display


async def test_an_empty_store_says_so(tmp_path: Path) -> None:
    async with chart(Store(tmp_path, "main")) as (pilot, app):
        assert "No price is stored from 2025-01-07" in drawn(app, "#prices")
        await press(pilot, "A")
        assert "Nothing is stored yet" in drawn(app, "#prices")
        # no key does any harm
        await press(pilot, "left", "right", "home", "end", "pageup", "m", "f", "plus", "minus", "comma", "n", "t", "i")


async def test_before_a_store_is_open() -> None:
    async with chart(None) as (_, app):
        assert "Reading the store" in drawn(app, "#prices")
        app.query_one(PriceChart).show_trouble("The disk is full.")
        await app.workers.wait_for_complete()
        assert "The disk is full." in drawn(app, "#prices")


async def test_late_series_are_dropped(large: Store) -> None:
    async with chart(large) as (pilot, app):
        late = app.found
        await press(pilot, "W")
        before = text(app, "#chart-legend")
        app.query_one(PriceChart).show(late)
        await settle(pilot)
        assert text(app, "#chart-legend") == before


async def test_new_rows_change_the_chart_and_the_same_ones_nothing(tmp_path: Path) -> None:
    store = story.normal(tmp_path)
    async with chart(store) as (pilot, app):
        price_chart, prices = app.query_one(PriceChart), app.query_one("#prices", Chart)
        before = prices.render()
        price_chart.reload()
        await settle(pilot)
        # the very same drawing: nothing was sent to the terminal
        assert prices.render() is before
        store.block_prices.put([story.block_price(288, story.NOW_S - 1, 4.0)])
        price_chart.reload()
        await settle(pilot)
        assert prices.render() is not before
        assert "over 2 %: 1" in text(app, "#chart-legend")
        left = {line.find("┤") for line in str(prices.render()).split("\n") if "┤" in line}
        assert left == {8}


async def test_ascii_alone(large: Store) -> None:
    async with chart(large) as (pilot, app):
        app.query_one(PriceChart).use_ascii(True)
        await settle(pilot)
        for shown in (drawn(app, "#prices"), drawn(app, "#divergence"), text(app, "#chart-legend")):
            assert shown.isascii()
        assert "B" in drawn(app, "#prices")
        assert "E" in drawn(app, "#prices")


async def test_the_table_sorts_filters_and_pages(large: Store) -> None:
    async with chart(large) as (pilot, app):
        rows = app.query_one(DivergenceRows)
        rows.focus()
        where = "#rows-where"
        assert "1 of 143 · by time, newest first" in text(app, where)
        await press(pilot, *"sssss")
        assert "by divergence, greatest first" in text(app, where)
        worst = max(
            large.block_prices.between(*app.wanted[-1]), key=lambda record: abs(record.divergence_block_pct or 0)
        )
        assert rows.row is not None
        assert rows.row.pct["block"] == worst.divergence_block_pct
        line = "".join(segment.text for segment in rows.render_line(1))
        assert f"! ALERT {worst.divergence_block_pct:+.2f} %" in line
        await press(pilot, "S")
        assert "least first" in text(app, where)
        await press(pilot, "slash", *"alert low", "enter")
        assert "6 of 143" in text(app, where)
        assert rows.has_focus
        await press(pilot, "escape", "pagedown")
        assert "of 143 · by divergence, least first" in text(app, where)
        assert not text(app, where).startswith("1 ")
        chosen = rows.row
        assert chosen is not None
        # the cursor stays on its row when the same rows come in another order
        await press(pilot, "S")
        assert rows.row is not None
        assert rows.row.key == chosen.key
        await press(pilot, "slash", "escape")
        assert rows.has_focus


async def test_what_was_drawn_with_goes_without_being_looked_for(history: Store) -> None:
    def plots() -> int:
        return sum(isinstance(each, Plot) for each in gc.get_objects())

    async with chart(history) as (pilot, _):
        gc.disable()
        try:
            before = plots()
            await press(pilot, "plus", "minus", "b")
            assert plots() == before
        finally:
            gc.enable()


async def test_the_same_figures_read_again_while_they_are_drawn(large: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async with chart(large) as (pilot, app):
        assert app.found is not None
        table, rows = app.query_one(DivergenceTable), app.found.series.rows
        table.show_nothing("nothing yet")
        goes_on = threading.Event()
        original = divergence_table.ordered

        def slowly(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            assert goes_on.wait(10.0)
            return original(*args, **kwargs)

        monkeypatch.setattr(divergence_table, "ordered", slowly)
        table.show(rows, "block")
        await pilot.pause()
        table.show(replace(rows), "block")
        goes_on.set()
        await settle(pilot)
        assert text(app, "#rows-where").startswith(f"1 of {len(rows):,} · by time")
