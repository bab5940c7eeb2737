"""The price chart and its strip as cells: which of the figures in a cell is seen, and what the price axis is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import price_story as story
from utxoracle_tui.engine.chart.reading import read_series
from utxoracle_tui.store.records import BlockPrice
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.cells import CellPicture
from utxoracle_tui.ui.price_glyphs import Style
from utxoracle_tui.ui.price_pictures import Frame, Marks, divergence_picture, price_picture

NOW_S, DAY_S = story.NOW_S, story.DAY_S
COLUMNS, ROWS = 80, 12
USD = 95_000.0


def flat_block(number: int, time_s: float, **changes: object) -> BlockPrice:
    """A block priced at 95,000 dollars, 0.4 % to and fro, as the exchange has it."""
    fields: dict[str, object] = {
        "price_usd": USD,
        "low_usd": USD * 0.996,
        "high_usd": USD * 1.004,
        "exchange_usd": USD,
        "divergence_block_pct": 0.0,
    }
    return story.block_price(number, time_s, **(fields | changes))


def blocks_up_to_now(count: int) -> list[BlockPrice]:
    return [flat_block(n, NOW_S - (count - n) * 600.0) for n in range(count)]


def frame(folder: Path, blocks: Sequence[BlockPrice], days: float = 1.0, style: Style = Style.COLOUR) -> Frame:
    store = Store(folder, "main")
    store.block_prices.put(blocks)
    series = read_series(store, NOW_S - days * DAY_S, NOW_S + 300, NOW_S)
    return Frame(series, NOW_S - days * DAY_S, NOW_S + 300, "block", style, Marks())


def drawn(picture: CellPicture | None) -> list[str]:
    """The rows of a picture, the highest first."""
    assert picture is not None
    return ["".join(row) for row in picture.glyphs[::-1]]


def test_a_replaced_block_does_not_cover_the_price_that_holds_now(tmp_path: Path) -> None:
    blocks = blocks_up_to_now(144)
    orphans = [
        replace(block, last_hash=f"{n:064x}", time_s=block.time_s + 30, orphaned=True)
        for n, block in enumerate(blocks[-2:], 5000)
    ]
    found = frame(tmp_path, [*blocks, *orphans])
    for picture in (price_picture(found, COLUMNS, ROWS), divergence_picture(found, COLUMNS, 7)):
        assert "x" not in "".join(drawn(picture))


def test_a_replaced_block_is_marked_where_it_stands_alone(tmp_path: Path) -> None:
    blocks = blocks_up_to_now(144)
    lone = flat_block(5000, blocks[-1].time_s + 30, price_usd=USD * 1.03, divergence_block_pct=3.0, orphaned=True)
    found = frame(tmp_path, [*blocks, lone])
    for picture in (price_picture(found, COLUMNS, ROWS), divergence_picture(found, COLUMNS, 7)):
        assert "".join(drawn(picture)).count("x") == 1


def test_few_weak_blocks_among_many_are_not_all_that_is_seen(tmp_path: Path) -> None:
    blocks = blocks_up_to_now(149)
    for n in (40, 90):
        blocks[n] = replace(blocks[n], confidence=0.6)
    # over 90 days all of them lie in two columns; in four hours each has some of its own
    wide = frame(tmp_path / "wide", blocks, 90)
    for picture in (price_picture(wide, COLUMNS, ROWS), divergence_picture(wide, COLUMNS, 7)):
        assert "○" not in "".join(drawn(picture))
    blocks[-10] = replace(blocks[-10], confidence=0.6)
    near = frame(tmp_path / "near", blocks, 1 / 6)
    for picture in (price_picture(near, COLUMNS, ROWS), divergence_picture(near, COLUMNS, 7)):
        assert "".join(drawn(picture)).count("○") == 1


def test_the_newest_price_is_marked_as_weak_where_it_is(tmp_path: Path) -> None:
    blocks = blocks_up_to_now(144)
    blocks[-1] = replace(blocks[-1], confidence=0.6, price_usd=USD * 1.01, divergence_block_pct=1.0)
    assert "".join(drawn(price_picture(frame(tmp_path, blocks), COLUMNS, ROWS))).count("○") == 1


@pytest.mark.parametrize("rows", [9, 12, 30])
def test_the_band_runs_above_and_below_the_line(tmp_path: Path, rows: int) -> None:
    picture = price_picture(frame(tmp_path, blocks_up_to_now(144), style=Style.ASCII), COLUMNS, rows)
    lines = drawn(picture)
    (price,) = {n for n, line in enumerate(lines) if "B" in line}
    edges = [n for n, line in enumerate(lines) if line.count(".") > 60]
    assert len(edges) == 2
    assert edges[0] < price < edges[1]


def test_a_single_wide_band_does_not_press_the_others_together(tmp_path: Path) -> None:
    blocks = blocks_up_to_now(144)
    blocks[70] = replace(blocks[70], low_usd=USD * 0.7, high_usd=USD * 1.3)
    picture = price_picture(frame(tmp_path, blocks, style=Style.ASCII), COLUMNS, 20)
    assert picture is not None
    # three times the usual 380 dollars, and a little room
    ends = [float(tick.label.replace("$", "").replace(",", "")) for tick in picture.y_ticks]
    assert min(ends) >= USD - 1_600
    assert max(ends) <= USD + 1_600
    edges = [n for n, line in enumerate(drawn(picture)) if line.count(".") > 60]
    assert len(edges) == 2
    assert edges[1] - edges[0] >= 4
