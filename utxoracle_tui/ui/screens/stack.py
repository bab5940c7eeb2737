"""Bitcoin Core, electrs, the backend, containers and disks: what each is doing, and how long it will take."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.ui import electrs_words, stack_words
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.returning import Returning
from utxoracle_tui.ui.widgets.header import Header
from utxoracle_tui.ui.widgets.key_line import KeyLine
from utxoracle_tui.ui.widgets.steady_text import SteadyText

if TYPE_CHECKING:
    from utxoracle_tui.ui.node_console import NodeConsole

_PANELS = ("sources", "electrs", "node", "containers", "disks")
_AGES_EVERY_S = 1.0
_FRAME_COLUMNS = 4
"""Border and padding of a panel."""
_LEAST_COLUMNS = 40
"""Also before the screen is laid out for the first time."""


class StackScreen(Returning[None]):
    """A panel for each; one that is not there is not shown."""

    CSS = """
    StackScreen VerticalScroll { scrollbar-gutter: stable; }
    StackScreen .panel { height: auto; border: round $border; border-title-color: $primary; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "evidence", "Evidence", id="stack.evidence"),
        Binding("down,j", "scroll(1)", "Down", id="stack.down", show=False),
        Binding("up,k", "scroll(-1)", "Up", id="stack.up", show=False),
        Binding("pagedown", "scroll(10)", "Page down", id="stack.page_down", show=False),
        Binding("pageup", "scroll(-10)", "Page up", id="stack.page_up", show=False),
    ]

    def __init__(self, parts: EngineParts) -> None:
        super().__init__()
        self._parts = parts
        self._reading: StackReading | None = None
        self._evidence = False

    def compose(self) -> ComposeResult:
        """Header and panels."""
        yield Header(self._parts, "stack")
        with VerticalScroll(can_focus=False):
            for name in _PANELS:
                yield SteadyText(id=name, classes="panel")
        yield KeyLine()

    def on_mount(self) -> None:
        """Follow the stack."""
        titles = {"sources": "stack", "node": "Bitcoin Core"}
        for name in _PANELS:
            panel = self.query_one(f"#{name}.panel", SteadyText)
            panel.border_title = titles.get(name, name)
            panel.display = False
        console = cast("NodeConsole", self.app)
        console.stack_signal.subscribe(self, self._show)
        if console.stack is not None:
            self._show(console.stack)
        self.set_interval(_AGES_EVERY_S, self._refresh)

    def _show(self, reading: StackReading) -> None:
        self._reading = reading
        self._refresh()

    def _refresh(self) -> None:
        reading = self._reading
        if reading is None:
            return
        found = reading.containers.detail
        disks = reading.disks.detail
        shown = {
            "sources": stack_words.sources(reading, self._width),
            "electrs": electrs_words.electrs(reading.electrs, self._width, evidence=self._evidence),
            "node": stack_words.node(reading.node),
            "containers": stack_words.containers(found.present) if found is not None and found.present else None,
            "disks": stack_words.disks(disks.disks) if disks is not None and disks.disks else None,
        }
        for name, text in shown.items():
            panel = self.query_one(f"#{name}.panel", SteadyText)
            panel.display = text is not None
            if text is not None:
                panel.update(text)
        self._put_first("electrs" if electrs_words.has_most_to_say(reading.electrs) else "sources")

    @property
    def _width(self) -> int:
        """Columns within a panel."""
        laid_out = self.query_one(VerticalScroll).scrollable_content_region.width
        return max(laid_out - _FRAME_COLUMNS, _LEAST_COLUMNS)

    def _put_first(self, name: str) -> None:
        """Let a panel be the first."""
        first = next(iter(self.query(".panel").results(SteadyText)))
        if first.id != name:
            self.query_one(VerticalScroll).move_child(self.query_one(f"#{name}.panel"), before=first)

    def on_resize(self) -> None:
        """Fit the lines to the width."""
        self.call_after_refresh(self._refresh)

    def action_evidence(self) -> None:
        """Show what the figures of electrs rest on, or no longer."""
        self._evidence = not self._evidence
        self._refresh()

    def action_scroll(self, lines: int) -> None:
        """Scroll what doesn't fit."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
