"""The keys of the dashboard reach what is on the screen, whatever was on it before."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.ui.test_arrangement import opened, until, words
from tests.ui.test_dashboard_pictures import UP, Shown, _still_clock, large  # noqa: F401  (fixtures)
from tests.ui.test_dashboard_pictures import console as dashboard
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.widgets.key_line import KeyLine


def footer(app: NodeConsole) -> str:
    return str(app.screen.query_one(KeyLine).render())


async def sorts_and_filters(pilot: Pilot[None], app: NodeConsole) -> None:
    """The keys of the table are shown and do what they say."""
    await until(pilot, lambda: "s Sort" in footer(app) and "/ Filter" in footer(app))
    await pilot.press("s")
    await until(pilot, lambda: "by height" in words(app, "#rows-where"))
    await pilot.press("slash", *"alert", "enter")
    await until(pilot, lambda: "/alert: 6 of" in words(app, "#rows-where"))
    assert len(app.screen_stack) == 1


async def test_a_terminal_that_is_made_lower(tmp_path: Path, large: Store) -> None:  # noqa: F811
    console = dashboard(Shown(node=UP, store=large))
    async with opened(console, tmp_path).run_test(size=(80, 24)) as pilot:
        app = pilot.app
        assert isinstance(app, NodeConsole)
        await pilot.press("v")
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: "by time" in words(app, "#rows-where"))
        await pilot.press("shift+tab")
        await until(pilot, lambda: "m Mark" in footer(app))
        await pilot.resize_terminal(80, 24)
        await sorts_and_filters(pilot, app)


async def test_figures_are_what_was_looked_at_last(tmp_path: Path, large: Store) -> None:  # noqa: F811
    console = dashboard(Shown(node=UP, store=large))
    async with opened(console, tmp_path).run_test(size=(80, 24)) as pilot:
        await pilot.press("v")
    async with opened(console, tmp_path).run_test(size=(80, 24)) as pilot:
        app = pilot.app
        assert isinstance(app, NodeConsole)
        await until(pilot, lambda: "by time" in words(app, "#rows-where"))
        await sorts_and_filters(pilot, app)


async def test_from_the_stack_the_key_for_views_leads_to_a_chart_that_answers(large: Store) -> None:  # noqa: F811
    async with dashboard(Shown(node=UP, store=large)).run_test(size=(80, 24)) as pilot:
        app = pilot.app
        assert isinstance(app, NodeConsole)
        await until(pilot, lambda: "1 day · live" in words(app, "#chart-heading"))
        await pilot.press("v", "v", "v")
        await until(pilot, lambda: "m Mark" in footer(app))
        await pilot.press("right")
        await until(pilot, lambda: words(app, "#readout").startswith("at "))


@pytest.mark.parametrize(
    ("keys", "heading"),
    [
        ("W", "7 days · live"),
        ("M", "30 days · live"),
        ("+", "12 hours · live"),
        ("-", "2 days · live"),
        ("t", "divergence: spot"),
        (",", "still"),
        (",n", "· live ·"),
        ("WD", "1 day · live"),
    ],
)
async def test_the_span_is_changed_from_the_table_too(large: Store, keys: str, heading: str) -> None:  # noqa: F811
    async with dashboard(Shown(node=UP, store=large)).run_test(size=(120, 40)) as pilot:
        app = pilot.app
        assert isinstance(app, NodeConsole)
        await until(pilot, lambda: "by time" in words(app, "#rows-where"))
        await pilot.press("tab")
        await until(pilot, lambda: "s Sort" in footer(app))
        await pilot.press(*keys)
        await until(pilot, lambda: heading in words(app, "#chart-heading"))
        assert "s Sort" in footer(app)
