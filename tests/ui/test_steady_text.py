"""Text of which only the lines that change go out."""

from __future__ import annotations

from typing import Self

from rich.text import Text
from textual.app import App, ComposeResult
from textual.geometry import Region

from utxoracle_tui.ui.widgets.steady_text import SteadyText


class Shown(App[None]):
    CSS = "SteadyText { width: 20; border: round white; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[Region] = []
        """What the text said has to go out again."""

    def compose(self) -> ComposeResult:
        drawn = self.drawn

        class Watched(SteadyText):
            def refresh(
                self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
            ) -> Self:
                drawn.extend(regions or [self.outer_size.region])
                return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

        yield Watched()


def lines(app: Shown) -> list[str]:
    text = app.query_one(SteadyText)
    strips = text.render_lines(text.outer_size.region)
    return [strip.text.strip(" │") for strip in strips][1:-1]


async def test_only_the_line_that_changes_is_drawn() -> None:
    async with Shown().run_test() as pilot:
        text = pilot.app.query_one(SteadyText)
        text.update(Text("one\ntwo\nthree"))
        await pilot.pause()
        assert isinstance(pilot.app, Shown)
        assert lines(pilot.app) == ["one", "two", "three"]
        pilot.app.drawn.clear()
        text.update(Text("one\nTWO\nthree"))
        await pilot.pause()
        assert pilot.app.drawn == [Region(0, 1, 16, 1)]
        assert lines(pilot.app) == ["one", "TWO", "three"]
        pilot.app.drawn.clear()
        text.update(Text("one\nTWO\nthree"))
        await pilot.pause()
        assert pilot.app.drawn == []


async def test_more_lines_and_long_ones_take_their_room() -> None:
    async with Shown().run_test() as pilot:
        assert isinstance(pilot.app, Shown)
        text = pilot.app.query_one(SteadyText)
        for words, shown in (
            ("one", ["one"]),
            ("one\ntwo", ["one", "two"]),
            ("one\na line that is too long", ["one", "a line that is", "too long"]),
            ("one\nnot long", ["one", "not long"]),
        ):
            text.update(Text(words))
            await pilot.pause()
            assert lines(pilot.app) == shown
