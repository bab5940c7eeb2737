"""The two lines of prices in the header, as they stand on the screen: figures, their ages, and what is large."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.ui.test_dashboard_pictures import NOW_S, STORED, Shown, _still_clock, console  # noqa: F401  (a fixture)
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.store.records import ExchangeReading, Observation
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.widgets.round_line import RoundLine

assert STORED.newest is not None
SEEN = replace(
    STORED.newest, block_usd=64_995.34, block_low_usd=64_900.0, block_high_usd=65_090.0, divergence_block_pct=-0.06,
    onchain_usd=64_800.0, exchange_usd=65_021.0, divergence_spot_pct=-0.34, exchange_mean_usd=64_835.0,
    divergence_window_pct=-0.05,
)  # fmt: skip
SIZES = [(80, 24), (120, 40), (200, 60)]


async def header(
    seen: Observation,
    size: tuple[int, int],
    *,
    asked: ExchangeReading | None = None,
    exchange: ExchangeReading | None = None,
) -> list[str]:
    """The lines of the prices."""
    app = console(Shown())
    async with app.run_test(size=size) as pilot:
        assert isinstance(app, NodeConsole)
        line = app.screen.query_one(RoundLine)
        line.show(StoreReading(newest=seen, exchange=exchange))
        line.show_exchange(asked)
        await pilot.pause()
        top, bottom = line.region.y, line.region.bottom
        strips = app.screen._compositor.render_strips()[top:bottom]
        return ["".join(segment.text for segment in strip).strip() for strip in strips]


@pytest.mark.parametrize("size", SIZES)
async def test_each_divergence_stands_with_the_exchange_price_behind_it(size: tuple[int, int]) -> None:
    block, exchange = await header(SEEN, size)
    # by hand: 64,995.34 / (1 − 0.0006) = 65,034.36
    whole, cents = ("$65,034", "") if size[0] == 80 else ("$65,034.36", "")
    assert block.startswith("block price $64,995.34 ± 0.1 %")
    assert f"-0.06 % of {whole}{cents}" in block
    # the price behind spot is the one that stands there
    assert exchange.startswith("exchange    $65,021.00, ")
    assert "spot -0.34 %" in exchange
    assert "window -0.05 % of mean" in exchange


@pytest.mark.parametrize("size", SIZES)
async def test_the_last_exchange_price_ages_when_no_newer_one_can_be_had(size: tuple[int, int]) -> None:
    without = replace(SEEN, exchange_usd=None, exchange_time_s=None, exchange_source=None, divergence_spot_pct=None)
    for age_s, words in (
        (45, "$65,009.00, < 2 min ago"),
        (130, "$65,009.00, 2 min ago"),
        (4_000, "$65,009.00 late, 1 h ago"),
        (8_000, "stale, 2 h ago"),
    ):
        last = ExchangeReading(time_s=NOW_S - age_s, price_usd=65_009.0, source="own")
        lines = await header(without, size, exchange=last)
        assert words in lines[1], lines
        assert "not known" not in lines[1]
    assert "exchange    not known" in (await header(without, size))[1]


@pytest.mark.parametrize("size", SIZES)
async def test_the_newest_exchange_price_is_shown_and_the_older_one_behind_spot_beside_it(
    size: tuple[int, int],
) -> None:
    asked = ExchangeReading(time_s=NOW_S - 10, price_usd=65_100.0, source="public")
    _, exchange = await header(SEEN, size, asked=asked)
    assert exchange.startswith("exchange    $65,100.00 PUBLIC, < 2 min ago")
    assert "spot -0.34 % of $65,021" in exchange


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("pct", "long", "short"),
    [
        (-6.65, "! ALERT -6.65 %", "! -6.65 %"),
        (6.65, "! ALERT +6.65 %", "! +6.65 %"),
        (-3.5, "▼ -3.50 % low", "▼ -3.50 %"),
        (2.01, "▲ +2.01 % high", "▲ +2.01 %"),
    ],
)
async def test_what_is_large_has_its_sign_and_word(size: tuple[int, int], pct: float, long: str, short: str) -> None:
    seen = replace(SEEN, divergence_block_pct=pct, divergence_spot_pct=pct, divergence_window_pct=pct)
    lines = await header(seen, size)
    words = " ".join(lines)
    assert words.count(short if size[0] == 80 else long) == 3
    assert len(lines) <= 3


@pytest.mark.parametrize("size", SIZES)
async def test_a_reason_is_said_in_words(size: tuple[int, int]) -> None:
    seen = replace(SEEN, valid=False, reason="price_out_of_range")
    words = " ".join(await header(seen, size))
    assert "window price not valid: the figure lies outside the limits" in words
    assert "_" not in words


async def test_colour_is_that_of_the_table() -> None:
    app = console(Shown())
    async with app.run_test(size=(120, 40)) as pilot:
        line = app.screen.query_one(RoundLine)
        line.show(StoreReading(newest=replace(SEEN, divergence_block_pct=-6.65)))
        await pilot.pause()
        text = line.render()
        (style,) = {str(span.style) for span in text.spans if "ALERT" in text.plain[span.start : span.end]}
        assert style == "bold red"
