"""Text of which only what changes goes out."""

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


async def test_only_what_changes_is_drawn() -> None:
    async with Shown().run_test() as pilot:
        text = pilot.app.query_one(SteadyText)
        before = Text.assemble("one\nnow ", ("5 s", "green"), " ago\nthree")
        text.update(before)
        await pilot.pause()
        assert isinstance(pilot.app, Shown)
        assert lines(pilot.app) == ["one", "now 5 s ago", "three"]
        for after, drawn, shown in (
            (Text.assemble("one\nnow ", ("5 s", "green"), " ago\nthree"), [], "now 5 s ago"),
            (Text.assemble("one\nnow ", ("6 s", "green"), " ago\nthree"), [Region(4, 1, 1, 1)], "now 6 s ago"),
            (Text.assemble("one\nnow ", ("15 s", "green"), " ago\nthree"), [Region(4, 1, 8, 1)], "now 15 s ago"),
            (Text.assemble("one\nnow ", ("15 s", "red"), " ago\nthree"), [Region(4, 1, 4, 1)], "now 15 s ago"),
            (
                Text.assemble("One\nnow ", ("15 s", "red"), "\nthree"),
                [Region(0, 0, 1, 1), Region(8, 1, 4, 1)],
                "now 15 s",
            ),
            (Text.assemble("One\nnow ", ("界 s", "red"), "\nthree"), [Region(4, 1, 2, 1)], "now 界 s"),
        ):
            pilot.app.drawn.clear()
            text.update(after)
            await pilot.pause()
            assert pilot.app.drawn == drawn
            assert lines(pilot.app)[1] == shown


async def test_a_line_that_is_cut_shows_where() -> None:
    async with Shown().run_test() as pilot:
        assert isinstance(pilot.app, Shown)
        text = pilot.app.query_one(SteadyText)
        text.styles.text_wrap, text.styles.text_overflow = "nowrap", "ellipsis"
        for words, shown in (
            ("sixteen in a row", "sixteen in a row"),
            ("sixteen in a row and more", "sixteen in a ro…"),
            ("sixteen in a row and less", "sixteen in a ro…"),
            ("sixteen in a rov", "sixteen in a rov"),
        ):
            pilot.app.drawn.clear()
            text.update(Text(words))
            await pilot.pause()
            assert lines(pilot.app) == [shown]
        assert pilot.app.drawn == [Region(15, 0, 1, 1)]


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
