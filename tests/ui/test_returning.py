"""Going to and fro between screens: at once, in one picture, and looking as the console does by then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.color import Color
from textual.pilot import Pilot

from tests.ui.test_dashboard_pictures import UP, Shown, console
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.widgets.key_line import KeyLine
from utxoracle_tui.ui.widgets.steady_text import SteadyText


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(400):
        await pilot.pause()
        if holds():
            return
    pytest.fail("it never came")


async def go_to(pilot: Pilot[None], app: NodeConsole, mode: str) -> None:
    await pilot.press({"dashboard": "1", "stack": "2", "windows": "3", "jobs": "4", "log": "5"}[mode])
    await until(pilot, lambda: app.current_mode == mode and bool(app.screen.query(KeyLine)))
    await pilot.pause()


def background(app: NodeConsole) -> Color:
    return app.screen.query_one(KeyLine).styles.background


async def test_nothing_is_styled_anew_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    app = console(Shown(node=UP))
    async with app.run_test(size=(120, 40)) as pilot:
        for mode in ("stack", "windows", "jobs", "log", "dashboard"):
            await go_to(pilot, app, mode)
        styled: list[object] = []
        monkeypatch.setattr(app, "update_styles", lambda node, animate=True: styled.append(node))
        for mode in ("windows", "log", "jobs", "stack", "dashboard"):
            await go_to(pilot, app, mode)
        assert [each for each in styled if each in {stack[0] for stack in app._screen_stacks.values()}] == []


async def test_another_theme_is_on_the_screens_that_were_out_of_sight() -> None:
    app = console(Shown(node=UP))
    async with app.run_test(size=(120, 40)) as pilot:
        await go_to(pilot, app, "jobs")
        dark = background(app)
        await go_to(pilot, app, "dashboard")
        app._choose_theme("light")
        await until(pilot, lambda: background(app) != dark)
        light = background(app)
        await go_to(pilot, app, "jobs")
        assert background(app) == light


async def test_another_size_is_that_of_the_screens_that_were_out_of_sight() -> None:
    app = console(Shown(node=UP))
    async with app.run_test(size=(120, 40)) as pilot:
        stack = app.screen.query_one("#stack", SteadyText)
        await until(pilot, lambda: stack.region.width > 0)
        for size in ((80, 24), (120, 40)):
            await go_to(pilot, app, "jobs")
            await pilot.resize_terminal(*size)
            await asyncio.sleep(0.1)
            assert app.screen.size == size
            await go_to(pilot, app, "dashboard")
            await until(pilot, lambda size=size: (app.screen.query_one("#stack").region.width > 0) is (size[0] == 120))
