"""The keys in the last line: what is shown of them in little room, and that they can be clicked."""

from __future__ import annotations

from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType

from utxoracle_tui.ui.widgets.key_line import KeyLine


class Three(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "first", "Alpha"),
        Binding("b", "second", "Beta"),
        Binding("c", "second", "The same again"),
        Binding("h", "hidden", "Hidden", show=False),
        Binding("q", "quit", "Quit"),
        Binding("question_mark", "toggle_help", "Help"),
    ]
    can = True

    def compose(self) -> ComposeResult:
        yield KeyLine()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.can or action != "first"

    def action_second(self) -> None:
        self.can = False
        self.refresh_bindings()


def line(app: App[None]) -> str:
    return str(app.query_one(KeyLine).render()).rstrip()


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (80, " a Alpha  b Beta  q Quit  ? Help"),
        (33, " a Alpha  b Beta  q Quit  ? Help"),
        (32, " a Alpha  q Quit  ? Help"),
        (25, " a Alpha  q Quit  ? Help"),
        (24, " b Beta  q Quit  ? Help"),
        (20, " q Quit  ? Help"),
    ],
)
async def test_as_many_as_have_room_and_the_ways_out_always(columns: int, shown: str) -> None:
    app = Three()
    async with app.run_test(size=(columns, 5)) as pilot:
        await pilot.pause()
        assert line(app) == shown


async def test_a_click_presses_the_key_and_the_line_follows() -> None:
    app = Three()
    async with app.run_test(size=(80, 5)) as pilot:
        await pilot.pause()
        await pilot.click(KeyLine, offset=(11, 0))
        await pilot.pause()
        assert line(app) == " b Beta  q Quit  ? Help"
