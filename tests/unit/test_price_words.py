"""What the chart says in words: figures from the records that it was made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import price_story as story
from utxoracle_tui import formats
from utxoracle_tui.engine.chart.cursor import read_at
from utxoracle_tui.engine.chart.history import PriceRange, price_range
from utxoracle_tui.engine.chart.reading import read_series
from utxoracle_tui.store.statistics import Basis
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui import price_words
from utxoracle_tui.ui.chart_view import ChartView
from utxoracle_tui.ui.price_glyphs import Style
from utxoracle_tui.ui.price_pictures import Frame, Marks
from utxoracle_tui.ui.widgets.divergence_cards import describe

NOW_S = story.NOW_S
START_S, END_S = NOW_S - story.DAY_S, NOW_S


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Store]]:
    yield {made.__name__: made(tmp_path_factory.mktemp(made.__name__)) for made in (story.broken, story.large)}


def found_in(store: Store) -> PriceRange:
    return price_range(read_series(store, START_S, END_S, story.NOW_S))


def frame_of(found: PriceRange, style: Style = Style.COLOUR) -> Frame:
    return Frame(found.series, START_S, END_S, "block", style, Marks())


@pytest.mark.parametrize(
    ("pct", "words"),
    [
        (None, "–"),
        (-0.14, "-0.14 %"),
        (-0.004, "0.00 %"),
        (0.0, "0.00 %"),
        (-0.005001, "-0.01 %"),
        (2.4, "▲ +2.40 % high"),
        (-2.4, "▼ -2.40 % low"),
        (6.2, "! ALERT +6.20 %"),
        (-6.2, "! ALERT -6.20 %"),
    ],
)
def test_a_divergence_in_words(pct: float | None, words: str) -> None:
    assert price_words.divergence(pct).plain == words
    ascii_words = price_words.divergence(pct, Style.ASCII).plain
    assert ascii_words.isascii()


def test_the_legend_counts_what_is_there(stores: dict[str, Store]) -> None:
    words = price_words.legend(frame_of(found_in(stores["broken"])), 200, 1).plain
    blocks = stores["broken"].block_prices.between(START_S, END_S)
    priced = sum(block.price_usd is not None and not block.orphaned for block in blocks)
    assert f"block {priced} " in words
    for part in (
        "no price 14",
        "weak 12",
        "not valid 6",
        "low confidence 6",
        "orphaned 2",
        "PUBLIC 48",
        "exchange 156",
    ):
        assert part in words
    assert "over" not in words
    assert "imported" not in words


def test_a_legend_that_does_not_fit_says_how_much_is_left_out(stores: dict[str, Store]) -> None:
    found = frame_of(found_in(stores["broken"]))
    words = price_words.legend(found, 60, 1).plain
    assert len(words) <= 62
    left_out = int(words.rsplit("+", 1)[1])
    assert left_out + words.rsplit("+", 1)[0].strip().count("  ") + 1 == 10
    assert price_words.legend(found, 80, 2).plain.count("\n") == 1


def test_marks_are_told_apart_without_colour(stores: dict[str, Store]) -> None:
    for style in (Style.LETTERS, Style.ASCII):
        words = price_words.legend(frame_of(found_in(stores["broken"]), style), 200, 1).plain
        marks = [part.split()[0] for part in re.split(r"\s{2,}", words.strip())]
        assert len(marks) == len(set(marks)) == 10
        assert style is not Style.ASCII or words.isascii()


def test_the_paragraph_has_the_figures(stores: dict[str, Store]) -> None:
    found = found_in(stores["large"])
    words = price_words.summary(frame_of(found), found.statistics["block"])
    blocks = stores["large"].block_prices.between(START_S, END_S)
    prices = [block.price_usd or 0 for block in blocks]
    for price in (prices[0], prices[-1], min(prices), max(prices)):
        assert f"${price:,.2f}" in words
    values = [block.divergence_block_pct or 0 for block in blocks]
    assert f"from {min(values):+.2f} %" in words
    assert f"to {max(values):+.2f} %" in words
    assert "36 of 144 over 2 %, 6 over 5 %" in words
    assert "No stored block is without a price" in words
    broken = found_in(stores["broken"])
    words = price_words.summary(frame_of(broken), broken.statistics["block"])
    assert "14 blocks have no price (12 uncertain, 1 rival, 1 octave)" in words


def test_the_legend_and_the_paragraph_count_the_same(stores: dict[str, Store]) -> None:
    found = found_in(stores["large"])
    # 30 blocks are 3.5 % above the exchange, and 6 are 6.4 % below it
    words = price_words.legend(frame_of(found), 200, 1).plain
    assert "over 2 %: 36 " in words
    assert "over 5 %: 6 " in words
    assert "36 of 144 over 2 %, 6 over 5 %" in price_words.summary(frame_of(found), found.statistics["block"])


def test_the_paragraph_names_what_is_not_plain(stores: dict[str, Store]) -> None:
    found = found_in(stores["broken"])
    words = price_words.summary(frame_of(found), found.statistics["block"])
    # of 144 blocks 24 are not stored, 14 have no price and one is orphaned; of the 120 rounds one is orphaned
    assert "(105 figures, of which 12 weak)" in words
    assert "(119 figures, of which 6 low confidence, 6 not valid)" in words
    assert "(204 figures, of which 48 public (fallback))" in words


def test_the_paragraph_of_a_single_figure_has_it_once(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    block = story.block_price(0, END_S - 600, price_usd=95_000.0)
    store.block_prices.put([block])
    store.observations.put([story.round_of(block, 0, onchain_usd=64_985.7)])
    store.exchange_readings.put(story.readings(END_S - 900, END_S))  # type: ignore[arg-type]
    found = found_in(store)
    words = price_words.summary(frame_of(found), found.statistics["block"])
    assert "The block price was $95,000.00 on 2025-01-07 23:50 (1 figure)." in words
    assert "The window price was $64,985.70 on 2025-01-07 23:50 (1 figure)." in words
    assert "(3 figures)" in words
    assert "on 2025-01-07 23:50, its only figure; " in words


@pytest.mark.parametrize("start_s", [NOW_S - story.DAY_S, NOW_S - 3600, NOW_S - 30 * story.DAY_S])
@pytest.mark.parametrize("follows", [True, False])
@pytest.mark.parametrize("basis", ["block", "window"])
def test_a_narrow_heading_has_both_ends(start_s: float, follows: bool, basis: Basis) -> None:
    # within a day, from one to the next, and over the turn of the year
    view = ChartView(start_s - 4740, NOW_S - 4740, follows=follows)
    words = price_words.heading(view, basis, 80).plain
    assert len(words) <= 80
    assert "…" not in words
    assert ("live" if follows else "still") in words
    assert basis in words
    assert words.endswith("22:41 UTC")
    assert formats.utc_minute(view.start_s) in words


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_figures_at_the_cursor_fit(stores: dict[str, Store], width: int) -> None:
    found = found_in(stores["large"])
    block = stores["large"].block_prices.between(START_S, END_S)[92]
    reading = read_at(found.series, "block", block.time_s, 60.0)
    words = price_words.readout(reading, "block", width, Style.COLOUR, is_cursor=True)
    assert words.cell_len <= width
    assert f"${block.price_usd:,.2f}" in words.plain
    assert f"${block.exchange_usd:,.2f}" in words.plain
    assert f"! ALERT {block.divergence_block_pct:+.2f} %" in words.plain
    assert str(block.last_height) in words.plain


@pytest.mark.parametrize("width", [78, 118, 198])
def test_cards_fit_and_are_whole(stores: dict[str, Store], width: int) -> None:
    words = describe(found_in(stores["large"]).statistics["block"], width)
    lines = words.plain.split("\n")
    assert len(lines) == (2 if width > 150 else 4)
    assert all(len(line) <= width for line in lines)
    assert "…" not in words.plain
    for part in ("mean", "highest ▲ +3.6", "lowest ! ALERT -6.", "correlation 0.", "valid 100.0 %", "covered 100.0 %"):
        assert part in words.plain
