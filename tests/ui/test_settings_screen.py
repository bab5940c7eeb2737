"""The settings as an operator meets them: by keys, and by what is on the screen and in the file afterwards."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Label, OptionList, Static

from tests.support.config_place import Place, make_place
from tests.ui.seen import seen as on_screen
from tests.ui.test_dashboard_pictures import UP, Shown
from tests.ui.test_dashboard_pictures import console as dashboard
from utxoracle_tui.commands.settings_place import apart, settings_place
from utxoracle_tui.config.changing import SettingsPlace
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.schema import schema
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.screens.dashboard import Dashboard
from utxoracle_tui.ui.screens.setting_dialog import SettingDialog
from utxoracle_tui.ui.screens.settings import SettingRows, SettingsScreen
from utxoracle_tui.ui.settings_words import Row, effect_words, rows_of, rule_words, where
from utxoracle_tui.ui.widgets.header import Header
from utxoracle_tui.ui.widgets.key_line import KeyLine


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return make_place(tmp_path, monkeypatch)


def settings_of(place: Place) -> SettingsPlace:
    return settings_place(Flags(), place.environ, place.cwd)


def console(settings: SettingsPlace) -> NodeConsole:
    parts = replace(dashboard(Shown(node=UP)).parts, settings=settings)
    return NodeConsole(parts, settings.started.settings.screen)


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(1500):
        if holds():
            # and until it is on the screen
            await pilot.pause()
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"it never came:\n{seen(pilot)}")


async def open_settings(pilot: Pilot[None]) -> None:
    await pilot.press("O")
    await until(pilot, lambda: isinstance(pilot.app.screen, SettingsScreen) and "node.url" in seen(pilot))


async def go_to(pilot: Pilot[None], words: str) -> None:
    """Find a setting as an operator does."""
    await pilot.press("slash")
    asked = pilot.app.screen.query_one(Input)
    asked.value = words
    await pilot.press("enter")
    await until(pilot, lambda: detail(pilot).startswith(words))


async def answer(pilot: Pilot[None], text: str) -> None:
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, SettingDialog))
    pilot.app.screen.query_one(Input).value = text
    await pilot.press("enter")


def seen(pilot: Pilot[None]) -> str:
    """The text of the table."""
    tables = pilot.app.screen.query(SettingRows)
    lines = [table.render_line(y).text for table in tables for y in range(table.size.height)]
    return "\n".join(line.lstrip("▶ ").rstrip() for line in lines)


def line(pilot: Pilot[None], key: str) -> str:
    return next((row for row in seen(pilot).splitlines() if key in row.split()), "")


def detail(pilot: Pilot[None]) -> str:
    """The panel about the marked setting; nothing while a dialog is in front of it."""
    return "".join(
        f"{str(panel.border_title).strip()}\n{panel.render()}"
        for panel in pilot.app.screen.query("#setting").results(Static)
    )


def words(pilot: Pilot[None], which: str) -> str:
    return "".join(str(panel.render()) for panel in pilot.app.screen.query(which).results(Static))


def note(pilot: Pilot[None]) -> str:
    return "".join(str(label.render()) for label in pilot.app.screen.query("#setting-note").results(Label))


async def test_all_settings_are_there_with_their_values_and_origins(place: Place) -> None:
    place.write_file("[jobs]\nmax_in_flight = 7\n\n[alerts]\nsecret = 'sesame-open'\n")
    place.write_conf("rpcport=9000\n")
    place.environ["MEMPOOL_API_URL"] = "http://10.0.0.5:8999"
    app = console(settings_of(place))
    async with app.run_test(size=(120, 80)) as pilot:
        await open_settings(pilot)
        assert [row.split()[0] for row in seen(pilot).splitlines()[1 : 1 + len(schema())]] == list(schema())
        assert line(pilot, "jobs.max_in_flight").split()[1:] == ["7", "config.toml", "line", "2"]
        assert line(pilot, "alerts.secret").split()[1:] == ["set", "config.toml", "line", "5"]
        assert line(pilot, "alerts.webhook_url").split()[1:] == ["not", "set", "default"]
        assert line(pilot, "mempool.api_url").split()[1:] == [
            "http://10.0.0.5:8999",
            "environment",
            "MEMPOOL_API_URL",
        ]
        assert "bitcoin.conf" in line(pilot, "node.url")
        assert "sesame" not in app.export_screenshot()
        assert f"2 in {place.file}" in words(pilot, "#where")
        await go_to(pilot, "mempool.api_url")
        assert "The environment wins: MEMPOOL_API_URL; one in the file would not count." in detail(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SettingDialog))
        winner = str(app.screen.query_one("#setting-winner", Label).render())
        assert winner == "▲ The environment wins: MEMPOOL_API_URL. What is set here won't count."
        app.screen.query_one(Input).value = "http://10.0.0.6:8999"
        await pilot.press("enter")
        await until(pilot, lambda: f"what {place.file} line 8 says doesn't count" in detail(pilot))
        assert "http://10.0.0.5:8999" in line(pilot, "mempool.api_url")


async def test_a_number_is_changed_in_the_file_and_counts_from_the_next_start(place: Place) -> None:
    place.write_file("# mine\n[jobs]\nmax_in_flight = 2 # careful\n")
    app = console(settings_of(place))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_settings(pilot)
        await go_to(pilot, "jobs.max_in_flight")
        assert "A whole number from 1 to 64. By default: 3." in detail(pilot)
        assert f"From {place.file} line 3." in detail(pilot)
        await answer(pilot, "99")
        await until(pilot, lambda: "✗" in note(pilot))
        assert "is '99', but must be a whole number from 1 to 64." in note(pilot)
        assert pilot.app.screen.query_one(Input).value == "99"
        assert place.file.read_text() == "# mine\n[jobs]\nmax_in_flight = 2 # careful\n"
        pilot.app.screen.query_one(Input).value = "5"
        await pilot.press("enter")
        await until(pilot, lambda: "next start" in line(pilot, "jobs.max_in_flight"))
        assert place.file.read_text() == "# mine\n[jobs]\nmax_in_flight = 5 # careful\n"
        assert line(pilot, "jobs.max_in_flight").split()[1:3] == ["5", "config.toml"]
        assert "This console still works with the value before." in detail(pilot)
        assert "1 from the next start" in words(pilot, "#where")
        await pilot.press("d")
        await until(pilot, lambda: "default" in line(pilot, "jobs.max_in_flight"))
        assert place.file.read_text() == "# mine\n[jobs]\n"


async def test_theme_keys_and_level_count_at_once(place: Place) -> None:
    app = console(settings_of(place))
    package = logging.getLogger("utxoracle_tui")
    before = package.level
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            await open_settings(pilot)
            await go_to(pilot, "screen.theme")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, SettingDialog))
            options = app.screen.query_one(OptionList)
            assert [str(option.prompt) for option in options.options] == ["● black-and-orange", "○ light", "○ ansi"]
            await pilot.press("down", "enter")
            await until(pilot, lambda: app.theme == "light" and "config.toml" in line(pilot, "screen.theme"))
            assert "next start" not in line(pilot, "screen.theme")
            await pilot.press("escape")
            await go_to(pilot, "screen.remap")
            await answer(pilot, "jobs.pause=c")
            await until(pilot, lambda: "Keys clash: c is both jobs.pause and jobs.cancel." in note(pilot))
            assert "remap" not in place.file.read_text()
            app.screen.query_one(Input).value = "go.windows=f3"
            await pilot.press("enter")
            await until(pilot, lambda: "f3 Windows" in str(app.screen.query_one(Header).query_one("#heading").render()))
            await pilot.press("escape")
            await go_to(pilot, "log.level")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, SettingDialog))
            await pilot.press("up", "enter")
            await until(pilot, lambda: "DEBUG" in line(pilot, "log.level"))
            assert package.level == logging.DEBUG
            await pilot.press("f3")
            await until(pilot, lambda: app.current_mode == "windows")
            # the screens that were open before have it, too
            await pilot.press("1")
            await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
            await pilot.press("1")
            await until(pilot, lambda: isinstance(app.screen, Dashboard))
            assert "f3 Windows" in str(app.screen.query_one(Header).query_one("#heading").render())
    finally:
        package.setLevel(before)


async def test_ascii_counts_at_once_on_every_screen(place: Place) -> None:
    app = console(settings_of(place))
    async with app.run_test(size=(120, 40)) as pilot:
        await open_settings(pilot)
        await go_to(pilot, "screen.ascii")
        assert "─" in app.export_screenshot()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SettingDialog))
        await pilot.press("up", "enter")
        await until(pilot, lambda: "yes" in line(pilot, "screen.ascii"))
        for _ in range(2):
            await pilot.pause()
            picture = app.export_screenshot()
            texts = "".join(part.split("</text>")[0] for part in picture.split("<text")[1:])
            assert texts.isascii()
            await pilot.press("escape", "escape")
            await until(pilot, lambda: isinstance(app.screen, Dashboard))


async def test_a_secret_is_typed_unseen_and_never_shown(place: Place) -> None:
    app = console(settings_of(place))
    async with app.run_test(size=(120, 40)) as pilot:
        await open_settings(pilot)
        await go_to(pilot, "alerts.secret")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SettingDialog))
        await pilot.press(*"sesame-open")
        await pilot.pause()
        assert "sesame" not in app.export_screenshot()
        await pilot.press("enter")
        await until(pilot, lambda: line(pilot, "alerts.secret").split()[1:2] == ["set"])
        assert 'secret = "sesame-open"' in place.file.read_text()
        assert place.file.stat().st_mode & 0o777 == 0o600
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SettingDialog))
        assert app.screen.query_one(Input).value == ""


async def test_a_damaged_file_is_told_and_kept(place: Place) -> None:
    place.write_file("[jobs]\nmax_in_flight = 7\n")
    app = console(settings_of(place))
    place.write_file("[jobs\nmax_in_flight = 7\n")
    async with app.run_test(size=(80, 24)) as pilot:
        await open_settings(pilot)
        trouble = words(pilot, "#trouble")
        assert "A start now would fail. What is shown is from before." in trouble
        assert "is not valid TOML" in trouble
        await go_to(pilot, "jobs.max_in_flight")
        assert line(pilot, "jobs.max_in_flight").split()[1:2] == ["7"]
        await answer(pilot, "5")
        await until(pilot, lambda: "is not changed: it is not valid TOML" in note(pilot))
        assert place.file.read_text() == "[jobs\nmax_in_flight = 7\n"
        await pilot.press("escape")
        place.write_file("[jobs]\nmax_in_flight = 7\n")
        await pilot.press("r")
        await until(pilot, lambda: not app.screen.query_one("#trouble").display)


async def test_a_folder_that_may_not_be_written_to(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write_file("[jobs]\nmax_in_flight = 7\n")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(os, "open", _refusing(os.open))
    app = console(settings_of(place))
    async with app.run_test(size=(120, 40)) as pilot:
        await open_settings(pilot)
        assert "may not be written to by this user" in words(pilot, "#trouble")
        await go_to(pilot, "jobs.max_in_flight")
        await answer(pilot, "5")
        await until(pilot, lambda: "can't be written: permission denied. Nothing in it has changed." in note(pilot))
        assert app.screen.query_one(Input).value == "5"
    assert place.file.read_text() == "[jobs]\nmax_in_flight = 7\n"


def _refusing(really: Callable[..., int]) -> Callable[..., int]:
    def opened(path: object, flags: int, *rest: int, **more: int) -> int:
        if str(path).endswith(".tmp"):
            raise PermissionError(13, "Permission denied")
        return really(path, flags, *rest, **more)

    return opened


async def test_who_only_looks_changes_nothing(place: Place) -> None:
    place.write_file("[screen]\nread_only = true\n")
    app = console(settings_of(place))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_settings(pilot)
        assert "READ ONLY: nothing can be changed here." in words(pilot, "#trouble")
        await go_to(pilot, "screen.read_only")
        await pilot.press("enter", "d", "delete")
        await pilot.pause()
        assert isinstance(app.screen, SettingsScreen)
        keys = str(app.screen.query_one(KeyLine).render())
        assert "Remove" not in keys
        assert "Open" not in keys
    assert place.file.read_text() == "[screen]\nread_only = true\n"


def test_a_demo_changes_a_copy(place: Place, tmp_path: Path) -> None:
    place.write_file("# mine\n[jobs]\nmax_in_flight = 7\n")
    settings = apart(settings_of(place), tmp_path / "demo")
    settings.change("jobs.max_in_flight", "5")
    assert place.file.read_text() == "# mine\n[jobs]\nmax_in_flight = 7\n"
    assert (tmp_path / "demo" / "config.toml").read_text() == "# mine\n[jobs]\nmax_in_flight = 5\n"
    assert settings.started.settings.store.data_dir == tmp_path / "demo"
    shown = where(rows_of(settings.read(), settings.started.settings), settings, "", 0)
    assert f"in a copy for this demo: {tmp_path / 'demo' / 'config.toml'}" in shown


async def test_the_filter_looks_at_all_that_is_shown_and_escape_leads_back(place: Place) -> None:
    place.environ["MEMPOOL_API_URL"] = "http://10.0.0.5:8999"
    app = console(settings_of(place))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_settings(pilot)
        await pilot.press("slash", *"env url")
        await until(pilot, lambda: seen(pilot).count(".") > 0 and "node.url" not in seen(pilot))
        assert "mempool.api_url" in seen(pilot)
        await pilot.press("enter")
        assert f"1 of {len(schema())} settings, /env url" in words(pilot, "#where")
        await pilot.press("escape")
        await until(pilot, lambda: "node.url" in seen(pilot))
        await pilot.press("O")
        await until(pilot, lambda: isinstance(app.screen, Dashboard))


async def test_every_dialog_has_room_on_a_small_terminal(place: Place) -> None:
    app = console(settings_of(place))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_settings(pilot)
        screen = app.screen
        assert isinstance(screen, SettingsScreen)
        rows: list[Row] = screen._rows
        assert len(rows) == len(schema())
        assert all(row.describes for row in rows)
        fullest = sorted(rows, key=lambda row: len(row.describes + rule_words(row.setting) + effect_words(row.setting)))
        for row in fullest[-4:]:
            app.push_screen(dialog := SettingDialog(row, place.file, lambda answer: None))
            await until(pilot, lambda: app.screen is dialog and bool(dialog.query("#setting-note")))
            note, box = dialog.query_one("#setting-note", Label), dialog.query_one("VerticalScroll")
            note.update("\n".join(["✗ what is wrong"] * 4))
            await pilot.pause()
            assert note.region.height == 4, row.key
            assert note.region.bottom < box.region.bottom <= 24, row.key
            app.pop_screen()


async def test_one_sees_what_one_types_on_the_smallest_terminal(place: Place) -> None:
    async with console(settings_of(place)).run_test(size=(40, 12)) as pilot:
        await pilot.press("O")
        await until(pilot, lambda: isinstance(pilot.app.screen, SettingsScreen) and bool(detail(pilot)))
        await go_to(pilot, "price.min_price_usd")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, SettingDialog))
        await pilot.press("end", *"99")
        await until(pilot, lambda: "1000099" in on_screen(pilot))
