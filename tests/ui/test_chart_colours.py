"""The charts in the colours of the terminal: they can be read, whatever its background is."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import ColorType
from rich.style import Style
from textual.app import App
from textual.widgets import Static

from tests.support import price_story as story
from tests.support.price_story import ChartApp
from tests.ui.results import real_window
from tests.ui.test_window_detail_pictures import StillPricing, settle
from utxoracle_tui import clock
from utxoracle_tui.engine.validation import Limits
from utxoracle_tui.ui.app import Console
from utxoracle_tui.ui.screens.window_detail import of_folder
from utxoracle_tui.ui.theme import OF_THE_TERMINAL
from utxoracle_tui.ui.widgets.chart import Chart

BLUE = 4


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_s", lambda: story.NOW_S)


def styles_of(chart: Chart) -> dict[str, set[Style]]:
    """The styles that each character of a chart is written in."""
    found: dict[str, set[Style]] = {}
    for y in range(chart.size.height):
        for text, style, _ in chart.render_line(y):
            for character in text.replace(" ", ""):
                found.setdefault(character, set()).add(style or Style.null())
    return found


def of_the_terminal(style: Style) -> bool:
    """Whether a style leaves to the terminal what it looks like."""
    own = {ColorType.DEFAULT, ColorType.STANDARD}
    return all(colour is None or colour.type in own for colour in (style.color, style.bgcolor))


async def test_prices_and_divergence_in_the_colours_of_the_terminal(tmp_path: Path) -> None:
    app = ChartApp(story.broken(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        app.theme = OF_THE_TERMINAL
        await settle(pilot)
        for which in ("#prices", "#divergence"):
            found = styles_of(app.query_one(which, Chart))
            assert all(of_the_terminal(style) for styles in found.values() for style in styles)
            # labels and axes are written as the terminal writes by itself
            for character in ("┤", "0"):
                (style,) = found[character]
                assert style.color is None or style.color.is_default
                assert not style.dim


async def test_the_points_of_a_window_in_the_colours_of_the_terminal() -> None:
    app: App[None] = Console(of_folder(StillPricing(result=real_window()), Limits()))  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = OF_THE_TERMINAL
        await settle(pilot)
        scatter = app.screen.query_one("#scatter")
        assert "shown" in str(scatter.query_one(".legend", Static).render())
        found = styles_of(scatter.query_one(Chart))
        assert {"━", "┤", "┬"} <= set(found)
        for styles in found.values():
            for style in styles:
                assert of_the_terminal(style)
                assert style.color is None or style.color.number != BLUE
