"""A range marked on the chart: what the dialog says of it, and that its export holds what lies between the marks."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Label, Static

from tests.support import price_story as story
from tests.ui.test_dashboard_pictures import Shown, console
from tests.ui.test_window_detail_pictures import settle
from utxoracle_tui import clock
from utxoracle_tui.engine.screen_export import ScreenExport
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.screens.range_choice import RangeChoice


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_s", lambda: story.NOW_S)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    yield story.broken(tmp_path_factory.mktemp("broken"))


def app_on(store: Store, folder: Path) -> NodeConsole:
    return NodeConsole(replace(console(Shown(store=store)).parts, exports=ScreenExport(lambda: store, folder, "TEST")))


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


def readout_minute(pilot: Pilot[None]) -> str:
    words = str(pilot.app.screen.query_one("#readout", Static).render())
    assert words.startswith("at ")
    return words[3:19]


async def mark_within_a_day(pilot: Pilot[None], pages: int) -> tuple[str, str]:
    """Two marks with keys; the minutes that the chart gives for them, the earlier one first."""
    await settle(pilot)
    await press(pilot, "end", "m")
    later = readout_minute(pilot)
    await press(pilot, *["pageup"] * pages)
    earlier = readout_minute(pilot)
    await press(pilot, "m")
    assert isinstance(pilot.app.screen, RangeChoice)
    assert earlier[:10] == later[:10]
    return earlier, later


def dialog(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one(Label).render())


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError


def seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


async def test_the_dialog_says_the_marks_and_comes_back(store: Store, tmp_path: Path) -> None:
    async with app_on(store, tmp_path).run_test(size=(80, 24)) as pilot:
        earlier, later = await mark_within_a_day(pilot, 2)
        said = dialog(pilot)
        assert said.startswith(f"{earlier} – {later[11:]} UTC\nin 1 day: {earlier[:10]}\n")
        assert "backfill the whole day, if it is missing" in said
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, RangeChoice)
        (again,) = [line for line in said.split("\n") if "the marks stay" in line]
        assert "⏎ asks again" in again
        await press(pilot, "enter")
        assert dialog(pilot) == said


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_the_export_is_what_lies_between_the_marks(store: Store, tmp_path: Path, form: str) -> None:
    async with app_on(store, tmp_path).run_test(size=(120, 40)) as pilot:
        earlier, later = await mark_within_a_day(pilot, 5)
        await press(pilot, form[0])
        await until(lambda: any(tmp_path.glob("range-*.csv" if form == "csv" else "range-*.jsonl")))
    (written,) = tmp_path.iterdir()
    head, rows = read_csv(written) if form == "csv" else read_json(written)
    assert head["what"] == "a marked range of the price chart"
    assert head["label"] == "TEST"
    assert (head["from"][:16], head["to"][:16]) == (earlier.replace(" ", "T"), later.replace(" ", "T"))
    from_s, end_s = seconds(head["from"]), seconds(head["to"]) + 1
    blocks = store.block_prices.between(from_s, end_s)
    rounds = store.observations.between(from_s, end_s)
    readings = store.exchange_readings.between(from_s, end_s)
    assert len(rows) == int(head["count"]) == len(blocks) + len(rounds) + len(readings)
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    of_blocks = [row for row in rows if row["figure"] == "block price"]
    assert [
        (int(row["height"]), *(number(row[name]) for name in ("price_usd", "low_usd", "high_usd", "exchange_usd")))
        for row in of_blocks
    ] == [(block.last_height, block.price_usd, block.low_usd, block.high_usd, block.exchange_usd) for block in blocks]
    assert [number(row["divergence_block_pct"]) for row in of_blocks] == [b.divergence_block_pct for b in blocks]
    of_rounds = [row for row in rows if row["figure"] == "window price"]
    assert [
        (number(row["price_usd"]), number(row["divergence_spot_pct"]), number(row["divergence_window_pct"]))
        for row in of_rounds
    ] == [(seen.onchain_usd, seen.divergence_spot_pct, seen.divergence_window_pct) for seen in rounds]
    exchange = [row for row in rows if row["figure"] == "exchange price"]
    assert [(number(row["price_usd"]), row["exchange_source"]) for row in exchange] == [
        (reading.price_usd, reading.source) for reading in readings
    ]
    assert int(head["first_height"]) == blocks[0].last_height
    assert "block-grid-1" in head["methods"]
    assert head["exchange_sources"] == ("own, public" if form == "csv" else ["own", "public"])
    # what is not valid, weak or missing says so
    assert {row["state"] for row in of_blocks} >= {"valid", "low confidence", "orphaned"}
    assert {row["state"] for row in of_rounds} >= {"valid", "not valid"}


def number(cell: str | float | None) -> float | None:
    return None if cell in {"", None} else float(cell)


def read_csv(path: Path) -> tuple[dict[str, str], list[dict[str, str]]]:
    lines = path.read_text().splitlines()
    head = dict(line.removeprefix("# ").split(": ", 1) for line in lines if line.startswith("#"))
    return head, list(csv.DictReader(line for line in lines if not line.startswith("#")))


def read_json(path: Path) -> tuple[dict[str, str], list[dict[str, str]]]:
    first, *rows = [json.loads(line) for line in path.read_text().splitlines()]
    return first["export"], rows
