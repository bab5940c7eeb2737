"""A console that is arranged, closed and opened again: everything is where it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.ui.logs import WrittenLogs, console_of, line
from tests.ui.test_dashboard_pictures import HOST, UP, Shown, _still_clock, large  # noqa: F401  (fixtures)
from tests.ui.test_dashboard_pictures import console as dashboard
from utxoracle_tui.config.settings import Screen
from utxoracle_tui.engine.logs.line import Level, Origin
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.remembered import ChosenTheme, Remembering
from utxoracle_tui.ui.widgets.log_lines import LogLines


def opened(console: NodeConsole, folder: Path, look: Screen | None = None) -> NodeConsole:
    """The same console, with what is remembered in a folder."""
    remembering = Remembering(folder / "console.json", HOST)
    return NodeConsole(replace(console.parts, remembering=remembering), look or console.look)


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(1500):
        if holds():
            await pilot.pause()
            return
        await asyncio.sleep(0.02)
    pytest.fail("it never came")


def words(app: NodeConsole, which: str) -> str:
    return "".join(str(found.render()) for found in app.screen.query(which).results(Static))


async def test_the_dashboard(tmp_path: Path, large: Store) -> None:  # noqa: F811
    console = dashboard(Shown(node=UP, store=large))
    async with opened(console, tmp_path).run_test(size=(80, 24)) as pilot:
        app = pilot.app
        assert isinstance(app, NodeConsole)
        await until(pilot, lambda: "1 day · live" in words(app, "#chart-heading"))
        await pilot.press("W", "plus", "t", "v")
        await until(pilot, lambda: "by time" in words(app, "#rows-where"))
        await pilot.press("s", "S", "slash", "a", "l", "e", "enter")
        await until(pilot, lambda: "/ale" in words(app, "#rows-where"))
        before = words(app, "#rows-where")
        (light,) = [each for each in app.get_system_commands(app.screen) if each.title == "Theme light"]
        assert light.help == "there again at the next start"
        light.callback()
        await pilot.pause()
        assert app.theme == "light"
    async with opened(console, tmp_path).run_test(size=(80, 24)) as pilot:
        app = pilot.app
        assert isinstance(app, NodeConsole)
        # the view of the figures, with their order and their filter
        await until(pilot, lambda: words(app, "#rows-where") == before)
        assert "by height, least first" in before
        assert app.screen.query_one("#rows-where").region.area
        await pilot.press("v", "v")
        await until(pilot, lambda: "3.5 days · live" in words(app, "#chart-heading"))
        assert "divergence: spot" in words(app, "#chart-heading")
        assert app.theme == "light"


async def test_a_theme_from_the_palette_holds_until_the_setting_is_another(tmp_path: Path) -> None:
    remembering = Remembering(tmp_path / "console.json", HOST)
    remembering.change({"theme": ChosenTheme("light", "black-and-orange")})
    remembering.start_writing().join()
    console = opened(dashboard(Shown(node=UP)), tmp_path, Screen(theme="ansi"))
    async with console.run_test(size=(80, 24)) as pilot:
        assert pilot.app.theme == "ansi-dark"


async def test_windows_and_log(tmp_path: Path) -> None:
    logs = WrittenLogs()
    origins = [Origin.NODE, Origin.OWN, Origin.ELECTRS]
    levels = [Level.DEBUG, Level.INFO, Level.WARNING]
    logs.write(
        [line(logs, f"line {n} " * 20, after_s=n, origin=origins[n % 3], level=levels[n // 3 % 3]) for n in range(90)]
    )
    console = console_of(logs)
    async with opened(console, tmp_path).run_test(size=(80, 24)) as pilot:
        app = pilot.app
        assert isinstance(app, NodeConsole)
        await pilot.press("3")
        await until(pilot, lambda: app.current_mode == "windows")
        await pilot.press("t", "s", "f")
        await pilot.press("5")
        await until(pilot, lambda: "90 lines" in words(app, "#where"))
        await pilot.press("l", "z", "s", "space", "escape", "slash", "5", "enter", "f")
        await until(pilot, lambda: "‖ stopped" in words(app, "#where") and "/5/" in words(app, "#filters"))
        before = words(app, "#filters")
        assert "info and above · only" in before
    async with opened(console, tmp_path).run_test(size=(80, 24)) as pilot:
        app = pilot.app
        assert isinstance(app, NodeConsole)
        await pilot.press("3")
        await until(pilot, lambda: app.current_mode == "windows")
        await pilot.press("s")
        where = "block windows: 0 of 0 · least confidence first · only doubtful ones, of 0"
        await until(pilot, lambda: words(app, "#where") == where)
        await pilot.press("5")
        await until(pilot, lambda: "‖ stopped" in words(app, "#where"))
        assert words(app, "#filters") == before
        assert app.screen.query_one(LogLines).wraps


async def test_keys_in_a_burst_are_one_write_a_moment_later(tmp_path: Path) -> None:
    app = opened(dashboard(Shown(node=UP)), tmp_path)
    written: list[int] = []
    really = app.remembering.start_writing
    app.remembering.start_writing = lambda: (written.append(1), really())[1]  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"WMQYWMQY")
        assert written == []
        await until(pilot, (tmp_path / "console.json").exists)
        assert written == [1]
        saved = json.loads((tmp_path / "console.json").read_text())
        assert saved["nodes"][HOST]["chart"]["preset"] == "year"
        # and at the end without waiting for it
        await pilot.press("D")
    assert json.loads((tmp_path / "console.json").read_text())["nodes"][HOST]["chart"]["preset"] == "day"
