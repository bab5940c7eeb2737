"""Keys as an operator has set them, the palette, and a console that is only looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input, Label

from tests.ui.seen import seen
from tests.ui.seen import until as on_screen
from tests.ui.test_dashboard_pictures import UP, Shown
from tests.ui.test_dashboard_pictures import console as dashboard
from utxoracle_tui.config.settings import Screen
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.screens.ask import Ask
from utxoracle_tui.ui.screens.jobs import JobsScreen
from utxoracle_tui.ui.screens.jump import Jump
from utxoracle_tui.ui.screens.range_choice import RangeChoice
from utxoracle_tui.ui.screens.windows import WindowsScreen
from utxoracle_tui.ui.widgets.divergence_table import DivergenceRows
from utxoracle_tui.ui.widgets.header import Header
from utxoracle_tui.ui.widgets.key_line import KeyLine
from utxoracle_tui.ui.widgets.price_chart import PriceChart
from utxoracle_tui.ui.widgets.rows_view import RowsView


def console(store: Store | None = None, **look: object) -> NodeConsole:
    return NodeConsole(dashboard(Shown(node=UP, store=store)).parts, Screen(**look))  # type: ignore[arg-type]


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(400):
        await pilot.pause()
        if holds():
            return
    pytest.fail("it never came")


def keys_of(app: NodeConsole) -> str:
    return str(app.screen.query_one(KeyLine).render())


def heading(app: NodeConsole) -> str:
    return str(app.screen.query_one(Header).query_one("#heading").render())


async def test_keys_of_ones_own_work_and_are_the_ones_that_are_shown(tmp_path: Path) -> None:
    app = console(Store(tmp_path, "main"), remap="windows.backfill=B go.windows=f3 app.quit=ctrl+x")
    async with app.run_test(size=(120, 40)) as pilot:
        assert "f3 Windows" in heading(app)
        assert "^x Quit" in keys_of(app)
        await pilot.press("3")
        assert not isinstance(app.screen, WindowsScreen)
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, WindowsScreen) and "Backfill" in keys_of(app))
        assert "B Backfill" in keys_of(app)
        await until(pilot, lambda: "B works out the days of a range" in app.screen.query_one(RowsView)._empty)
        await pilot.press("b")
        assert isinstance(app.screen, WindowsScreen)
        await pilot.press("B")
        await until(pilot, lambda: isinstance(app.screen, Ask))


async def test_a_colon_has_all_commands_of_the_screen() -> None:
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen) and "Pause" in keys_of(app))
        commands = {command.title: command.help for command in app.get_system_commands(app.screen)}
        assert commands["Pause/resume"] == "key p · jobs.pause"
        assert commands["Dashboard"] == "key 1 · go.dashboard"
        assert {"Quit", "Help", "Sooner", "Later", "Theme light", "Theme ansi"} <= set(commands)
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        app.screen.query_one(Input).value = "Log"
        await pilot.pause(0.5)
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "log")


async def test_a_colon_has_what_other_screens_can_do() -> None:
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(app.focused, PriceChart))
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert "Dashboard: Zoom" not in titles
        assert {"Windows: Backfill", "Jobs: Pause/resume", "Log: Filter", "Stack: Evidence"} <= set(titles)
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        app.screen.query_one(Input).value = "backfill"
        await pilot.pause(0.5)
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "windows" and isinstance(app.screen, Ask))


async def test_who_only_looks_cannot_ask_for_anything() -> None:
    app = console(read_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        assert "READ ONLY" in heading(app)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, WindowsScreen) and "Sort" in keys_of(app))
        assert "Backfill" not in keys_of(app)
        assert "Rerun" not in keys_of(app)
        await pilot.press("b", "r")
        assert isinstance(app.screen, WindowsScreen)
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen) and "Quit" in keys_of(app))
        assert [word for word in ("Pause", "Cancel", "Retry", "Sooner", "Later") if word in keys_of(app)] == []
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        assert "Cancel" not in commands
        commands["Windows: Backfill"].callback()
        await until(pilot, lambda: app.current_mode == "windows" and len(app._notifications) == 1)
        assert [each.message for each in app._notifications] == ["“Windows: Backfill” can't be done there now."]


async def test_who_only_looks_may_export_a_range_and_no_more() -> None:
    app = console(read_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        answers: list[object] = []
        app.push_screen(
            RangeChoice(1_735_700_000.0, 1_735_800_000.0, date(2025, 1, 1), date(2025, 1, 2)), answers.append
        )
        await until(pilot, lambda: isinstance(app.screen, RangeChoice))
        assert "backfill" not in str(app.screen.query_one(Label).render())
        await pilot.press("b", "r")
        assert answers == []
        await pilot.press("c")
        await until(pilot, lambda: answers == ["csv"])


async def test_a_letter_leads_to_each_pane() -> None:
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(app.focused, PriceChart))
        await pilot.press("J")
        await until(pilot, lambda: isinstance(app.screen, Jump) and len(app.screen.query(Label)) == 2)
        labels = {str(label.render()).strip(): label.region for label in app.screen.query(Label)}
        below = app.screen_stack[0].query_one(DivergenceRows)
        assert labels["s"].offset == below.region.offset
        await pilot.press("s")
        await until(pilot, lambda: app.focused is below)
        # any other key changes nothing, not even one that has a meaning of its own
        await pilot.press("J")
        await until(pilot, lambda: isinstance(app.screen, Jump))
        await pilot.press("q")
        await until(pilot, lambda: app.focused is below)
        assert app.is_running


async def test_in_ascii_keys_are_spelt() -> None:
    app = console(ascii=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, WindowsScreen) and "Backfill" in keys_of(app))
        assert " enter  Open" in keys_of(app) or " enter Open" in keys_of(app)
        await pilot.press("question_mark")
        shown = await on_screen(pilot, "Page down")
        assert "up k Up" in shown
        assert "down j Down" in shown


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_escape_closes_the_keys_and_does_nothing_else(size: tuple[int, int]) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.press("5", "slash", "x", "enter")
        await on_screen(pilot, "only /x/ (esc: all)")
        await pilot.press("question_mark")
        shown = await on_screen(pilot, "Page down")
        # on a narrow terminal nothing but the keys is to be seen, on a wide one the log beside them
        assert ("only /x/" in shown) is (size[0] > 80)
        await pilot.press("escape")
        assert "Page down" not in await on_screen(pilot, "only /x/")
        await pilot.press("escape")
        await on_screen(pilot, "all levels")
        assert "only /x/" not in seen(pilot)


async def test_keys_are_named_as_the_operator_has_set_them() -> None:
    app = console(keys="tmux-safe")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5", "slash", "x")
        await on_screen(pilot, "⏎ takes it · esc leaves it")
        await pilot.press("enter")
        await on_screen(pilot, "only /x/ (⌫: all)")
