"""What stands beside a divergence is what it was worked out with: in the table, at the cursor and in a file."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.support import price_story as story
from tests.support.price_story import ChartApp
from tests.support.records import reading
from tests.ui.test_price_chart import _still_clock, chart, press, settle, text  # noqa: F401  (a fixture)
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.widgets.divergence_table import DivergenceRows

AT_S = story.NOW_S - 1_200.0
HEIGHT = 878_420


def filled(folder: Path) -> Store:
    """A block whose exchange price is another one than its round's, a minute later, and than the window's mean."""
    store = Store(folder, "main")
    block = story.block_price(
        420, AT_S, price_usd=64_995.34, low_usd=64_900.0, high_usd=65_090.0,
        exchange_usd=65_034.36, exchange_time_s=AT_S + 20, divergence_block_pct=-0.06,
    )  # fmt: skip
    made = story.round_of(
        block, 1, onchain_usd=64_800.0, exchange_usd=65_021.0, exchange_time_s=AT_S + 70,
        divergence_spot_pct=-0.34, exchange_mean_usd=64_835.0, divergence_window_pct=-0.05, confidence=0.41,
        valid=False, reason="price_out_of_range",
    )  # fmt: skip
    store.block_prices.put([block])
    store.observations.insert(made)
    store.exchange_readings.put([reading(AT_S + 20, 65_034.36), reading(AT_S + 70, 65_021.0)])
    return store


def row(app: ChartApp, number: int = 1) -> str:
    return "".join(segment.text for segment in app.query_one(DivergenceRows).render_line(number))


async def on_basis(pilot: Pilot[None], basis: str) -> None:
    keys = ("block", "spot", "window").index(basis)
    await press(pilot, *"t" * keys)


@pytest.mark.parametrize(
    ("basis", "price", "exchange", "apart"),
    [
        ("block", "64,995", "65,034", "-0.06 %"),
        ("spot", "64,800", "65,021", "-0.34 %"),
        ("window", "64,800", "64,835", "-0.05 %"),
    ],
)
async def test_table_and_cursor_agree_on_each_basis(
    tmp_path: Path, basis: str, price: str, exchange: str, apart: str
) -> None:
    async with chart(filled(tmp_path), (120, 40)) as (pilot, app):
        await on_basis(pilot, basis)
        # by hand: (64,995.34 − 65,034.36) / 65,034.36 and so on
        words = row(app).split()
        assert f"${exchange}" in words
        assert " ".join(words).index(f"${exchange}") < " ".join(words).index(apart)
        readout = text(app, "#readout")
        assert f"${price}." in readout
        assert f"exchange ${exchange}." in readout
        assert f" {basis} {apart}" in readout


async def test_the_state_and_the_confidence_are_those_of_the_price_that_is_compared(tmp_path: Path) -> None:
    async with chart(filled(tmp_path), (120, 40)) as (pilot, app):
        assert "■ valid" in row(app)
        assert " 0.97 " in row(app)
        await on_basis(pilot, "spot")
        assert "▨ not valid" in row(app)
        assert " 0.41 " in row(app)


async def test_a_block_without_an_exchange_price_of_its_own_has_none_beside_it(tmp_path: Path) -> None:
    store = filled(tmp_path)
    (block,) = store.block_prices.all()
    store.block_prices.put(
        [replace(block, exchange_usd=None, exchange_time_s=None, divergence_block_pct=None)], replace=True
    )
    async with chart(store, (120, 40)) as (_, app):
        assert row(app).split()[4:6] == ["$64,995", "$64,800"]
        assert row(app).split()[6:8] == ["–", "–"]
        assert "exchange none block –" in text(app, "#readout")


async def test_each_column_has_a_name_of_its_own(tmp_path: Path) -> None:
    async with chart(filled(tmp_path), (140, 40)) as (_, app):
        named = re.split(r"  +| (?=exchange|state)", row(app, 0).strip())
        assert len(named) == len(set(named)), named
        assert {"height", "block", "block %", "exchange", "state"} <= set(named)


async def test_a_public_price_is_marked_at_each_block_that_it_stands_beside(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    blocks = [story.block_price(n, AT_S - 600 + n * 300, exchange_usd=64_995.0, exchange_time_s=AT_S) for n in range(4)]
    store.block_prices.put(blocks)
    # the reading comes after the first two blocks
    store.exchange_readings.put([reading(AT_S, 64_995.0, source="public")])
    async with chart(store, (120, 40)) as (_, app):
        assert ["$64,995 P" in row(app, n) for n in (1, 2, 3, 4)] == [True] * 4


async def test_of_two_blocks_at_a_height_the_rounds_own_stands_there(tmp_path: Path) -> None:
    store = filled(tmp_path)
    (block,) = store.block_prices.all()
    store.block_prices.put([replace(block, orphaned=True)], replace=True)
    other = replace(
        block,
        last_hash="ee" * 32,
        price_usd=64_000.0,
        exchange_usd=64_100.0,
        divergence_block_pct=-0.16,
    )
    store.block_prices.put([other])
    async with chart(store, (120, 40)) as (_, app):
        assert "$64,995" in row(app)
        assert "$65,034" in row(app)
        assert "x orphaned" in row(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_is_typed_into_the_filter_is_seen(tmp_path: Path, size: tuple[int, int]) -> None:
    async with chart(filled(tmp_path), size) as (pilot, app):
        app.query_one(DivergenceRows).focus()
        await press(pilot, "slash")
        assert ">0.5" in screen(app)
        await press(pilot, *"-0.1")
        assert "-0.1" in screen(app)
        await press(pilot, "enter")
        await settle(pilot)
        assert "No row matches /-0.1. esc shows all of them again." in screen(app)
        await press(pilot, "escape", "slash", *">0.1", "enter")
        assert "No row matches />0.1." in screen(app)
        await press(pilot, "escape", "slash", *"<-0.01", "enter")
        assert "$64,995" in row(app)


def screen(app: ChartApp) -> str:
    """All that stands on the screen."""
    return "\n".join("".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips())
