"""Pictures of the dialogs, each over the screen that it belongs to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

import pytest
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList

from tests.support import price_story as story
from tests.ui.test_alerts import APART, DOWN, TIME_S, Answering
from tests.ui.test_alerts import console as alerting
from tests.ui.test_dashboard_pictures import Shown, _still_clock, block_window, console  # noqa: F401  (a fixture)
from tests.ui.test_log_pictures import a_busy_hour, pressed
from tests.ui.test_log_pictures import console_of as logging
from tests.ui.test_settings_pictures import _some_sections, down  # noqa: F401  (a fixture)
from tests.ui.test_settings_pictures import shown as settings
from tests.ui.test_window_detail_pictures import SIZES, SnapCompare, after, settle
from utxoracle_tui import clock
from utxoracle_tui.config.schema import schema
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.widgets.rows_view import RowsView

Steps: TypeAlias = Callable[[Pilot[None]], Awaitable[None]]
pytestmark = pytest.mark.parametrize("size", SIZES)


@pytest.fixture(scope="module")
def normal(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return story.normal(tmp_path_factory.mktemp("normal"))


@pytest.fixture
def priced(normal: Store) -> Shown:
    return Shown(store=normal, result=block_window())


def and_then(steps: Steps, key: str) -> Steps:
    """What a key opens after some steps."""

    async def run(pilot: Pilot[None]) -> None:
        await steps(pilot)
        await pilot.press(key)
        while not isinstance(pilot.app.screen, ModalScreen):
            await pilot.pause(0.01)
        for asked in pilot.app.screen.query(Input):
            asked.cursor_blink = False
        for _ in range(3):
            await pilot.pause()

    return run


def test_where_to_jump_to(snap_compare: SnapCompare, priced: Shown, size: tuple[int, int]) -> None:
    assert snap_compare(console(priced), terminal_size=size, run_before=after("J"))


def test_in_which_form_to_export(snap_compare: SnapCompare, priced: Shown, size: tuple[int, int]) -> None:
    assert snap_compare(console(priced), terminal_size=size, run_before=after("e"))


def test_the_summary_in_words(snap_compare: SnapCompare, priced: Shown, size: tuple[int, int]) -> None:
    assert snap_compare(console(priced), terminal_size=size, run_before=after("i"))


def test_the_keys(snap_compare: SnapCompare, priced: Shown, size: tuple[int, int]) -> None:
    assert snap_compare(console(priced), terminal_size=size, run_before=after("question_mark"))


def test_the_commands(snap_compare: SnapCompare, priced: Shown, size: tuple[int, int]) -> None:
    async def typed(pilot: Pilot[None]) -> None:
        await after("colon")(pilot)
        await pilot.press(*"back")
        while not any(found.option_count for found in pilot.app.screen.query(OptionList)):
            await pilot.pause(0.01)
        # what matches comes by and by
        await pilot.pause(0.5)
        for asked in pilot.app.screen.query(Input):
            asked.cursor_blink = False
        await settle(pilot)

    assert snap_compare(console(priced), terminal_size=size, run_before=typed)


def test_alerts(snap_compare: SnapCompare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.setattr(clock, "now_s", lambda: TIME_S + 600)
    alerts = Answering()
    alerts.alerts = (DOWN, APART, replace(APART, key="divergence.spot.1", acknowledged_s=TIME_S + 60))

    async def opened(pilot: Pilot[None]) -> None:
        pilot.app.animation_level = "none"
        await settle(pilot)
        pilot.app.clear_notifications()
        await pilot.press("exclamation_mark")
        while not any(rows.row is not None for rows in pilot.app.screen.query(RowsView)):
            await pilot.pause(0.01)
        alerts.say("The webhook at hooks.example answers 500. 2 to be told of wait, and nothing is lost.")
        await settle(pilot)

    assert snap_compare(alerting(alerts), terminal_size=size, run_before=opened)


def test_a_line_of_a_log(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(
        logging(a_busy_hour()), terminal_size=size, run_before=and_then(pressed("5", "k", "k"), "enter")
    )


def test_which_logs(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(logging(a_busy_hour()), terminal_size=size, run_before=and_then(pressed("5"), "s"))


def test_a_setting(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    steps = down(list(schema()).index("node.max_in_flight"))
    assert snap_compare(settings(), terminal_size=size, run_before=and_then(steps, "enter"))
