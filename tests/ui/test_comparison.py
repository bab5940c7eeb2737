"""Two windows side by side, and a window kept in a file, by keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest
from textual.pilot import Pilot
from textual.widgets import Label, Static

from tests.ui.results import recorded_day
from tests.ui.test_window_detail_pictures import StillPricing, after
from utxoracle_core import BlockReading
from utxoracle_tui.engine.pricing import PricedWindow, ProgressCallback
from utxoracle_tui.engine.request import Day, Heights, Last, Request
from utxoracle_tui.engine.validation import DEFAULT_LIMITS, Limits
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.ui.app import Console
from utxoracle_tui.ui.screens.ask import Ask
from utxoracle_tui.ui.screens.export_choice import ExportChoice
from utxoracle_tui.ui.screens.window_comparison import WindowComparison, read_window
from utxoracle_tui.ui.screens.window_detail import of_folder
from utxoracle_tui.ui.widgets.summary import PriceSummary

SnapCompare = Callable[..., bool]
DAYS = {date(2024, 5, 5): "sel_tip7_ok", date(2024, 10, 1): "mediocre60"}


class TwoDays(StillPricing):
    """In place of the engine: a day for the window that is shown first, and another one."""

    async def price(self, request: Request, on_progress: ProgressCallback) -> PricedWindow:
        day = request.day if isinstance(request, Day) and request.day else date(2024, 5, 5)
        if day not in DAYS:
            raise OperatorError("blocks_missing", f"There are no blocks of {day}.", Exit.USAGE)
        return recorded_day(DAYS[day], day, None)

    async def block_line(self, result: PricedWindow) -> list[BlockReading]:
        return []


def console(limits: Limits = DEFAULT_LIMITS) -> Console:
    return Console(of_folder(TwoDays(), limits))  # type: ignore[arg-type]


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(1500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError


def figures(pilot: Pilot[None], name: str = "figures") -> str:
    """The table as it stands on the screen."""
    table = pilot.app.screen.query_one(f"#{name}", Static)
    return "\n".join(strip.text for strip in table.render_lines(table.region.reset_offset))


async def compared(pilot: Pilot[None], other: str) -> None:
    await until(lambda: "done in" in str(pilot.app.screen.query_one("#progress-words", Static).render()))
    await pilot.press("c")
    await until(lambda: isinstance(pilot.app.screen, Ask))
    await pilot.press(*other, "enter")
    await until(lambda: isinstance(pilot.app.screen, WindowComparison))
    await until(lambda: " against " in str(pilot.app.screen.query_one("#progress-words", Static).render()))


async def test_a_day_against_another() -> None:
    first, second = (recorded_day(case, day, None).price.price_usd for day, case in DAYS.items())
    assert first is not None
    assert second is not None
    async with console().run_test(size=(120, 40)) as pilot:
        await compared(pilot, "2024-10-01")
        await pilot.pause()
        shown = figures(pilot)
        assert "A  2024-05-05 UTC" in shown
        assert "B  2024-10-01 UTC" in shown
        assert f"${first:,.2f}" in shown
        assert f"${second:,.2f}" in shown
        assert f"({(second - first) / first * 100:+.2f} %)" in shown
        await pilot.press("x")
        await pilot.pause()
        assert "A  2024-10-01 UTC" in figures(pilot)
        assert f"({(first - second) / second * 100:+.2f} %)" in figures(pilot)
        await pilot.press("v", "v")
        await pilot.pause()
        assert "OP_RETURN" in figures(pilot, "filters")
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, WindowComparison)


async def test_one_that_can_t_be_had_is_said_and_the_other_is_there() -> None:
    async with console().run_test(size=(80, 24)) as pilot:
        await compared(pilot, "2020-01-01")
        await pilot.pause()
        notice = pilot.app.screen.query_one("#notice", Static)
        assert "There are no blocks of 2020-01-01." in str(notice.render())
        assert "no price: 2020-01-01" in figures(pilot)
        assert "A  2024-05-05 UTC" in figures(pilot)


async def test_no_figure_is_cut_on_a_narrow_terminal() -> None:
    async with console().run_test(size=(80, 24)) as pilot:
        await compared(pilot, "2024-10-01")
        await pilot.pause()
        shown = figures(pilot)
        # 64627.71 is 586.72 above 64040.99, which is 0.92 %
        assert "+$586.72 (+0.92 %)" in shown
        assert "05-05 00:05 – 23:31" in shown
        assert "…" not in shown


async def test_what_is_valid_goes_by_the_operators_limits() -> None:
    # the reference program's price of the first day is $64,040.99, and there is nothing else against it
    async with console(Limits(min_price_usd=64_500.0)).run_test(size=(120, 40)) as pilot:
        await until(lambda: "done in" in str(pilot.app.screen.query_one("#progress-words", Static).render()))
        summary = str(pilot.app.screen.query_one(PriceSummary).render())
        assert "$64,040.99 per BTC   ▨ not valid" in summary
        assert "The figure lies outside $64,500 to $500,000." in summary
        await compared(pilot, "2024-10-01")
        await pilot.pause()
        assert "$64,040.99  ▨ not valid" in figures(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_side_by_side(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    async def run(pilot: Pilot[None]) -> None:
        await compared(pilot, "2024-10-01")
        await after()(pilot)

    assert snap_compare(console(), terminal_size=size, run_before=run)


@pytest.mark.parametrize(
    ("typed", "request_"),
    [("2024-10-01", Day(date(2024, 10, 1))), ("144", Last(144)), ("799990-800000", Heights(799_990, 800_000))],
)
def test_a_window_as_it_is_typed(typed: str, request_: Request) -> None:
    assert read_window(typed) == request_


def test_what_is_no_window() -> None:
    with pytest.raises(OperatorError, match="'yesterday' is no window; write a day"):
        read_window("yesterday")


async def test_a_window_is_kept_as_text_and_as_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = recorded_day("sel_tip7_ok", date(2024, 5, 5), None)
    outputs, price_usd = result.price.outputs, result.price.price_usd
    async with console().run_test(size=(120, 40)) as pilot:
        await after()(pilot)
        for key in "ts":
            await pilot.press("e")
            await until(lambda: isinstance(pilot.app.screen, ExportChoice))
            assert "CSV" not in str(pilot.app.screen.query_one(Label).render())
            await pilot.press(key)
            ending = {"t": "txt", "s": "svg"}[key]
            await until(lambda ending=ending: pilot.app.clipboard.endswith(ending))
    (text,), (picture,) = (list(tmp_path.glob(f"window-2024-05-05-*.{ending}")) for ending in ("txt", "svg"))
    words = text.read_text()
    for head in (
        f"first_height: {outputs.first_height}",
        f"last_height: {outputs.last_height}",
        "method: utxoracle-9.1",
        "made: 20",
        f"${price_usd:,.2f} per BTC",
        "▼ round USD",
    ):
        assert head in words
    drawn = "".join(ElementTree.fromstring(picture.read_text()).itertext()).replace("\xa0", " ")
    assert f"${price_usd:,.2f} per BTC" in drawn
    assert f"last_height: {outputs.last_height}" in drawn
