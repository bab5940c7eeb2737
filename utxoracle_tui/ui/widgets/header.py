"""The top of every screen: where one is, the node, and the two prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Static

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.jobs.reading import JobsReading
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.key_names import key_of, may_change
from utxoracle_tui.ui.widgets.coming_width import coming_width
from utxoracle_tui.ui.widgets.node_line import NodeLine
from utxoracle_tui.ui.widgets.round_line import RoundLine
from utxoracle_tui.ui.widgets.sources_line import SourcesLine

if TYPE_CHECKING:
    from utxoracle_tui.ui.node_console import NodeConsole

SCREENS = ("dashboard", "stack", "windows", "jobs", "log")

_WIDE_COLUMNS = 150


def _without_name(heading: str, room: int) -> str:
    """A heading without the program's name where there is no room for all: what it is of is what must be seen."""
    _, dot, rest = heading.partition(" · ")
    return f" {rest}" if dot and len(heading) > room else heading


class Header(Vertical):
    """Follows what the engine says for as long as its screen is there."""

    DEFAULT_CSS = """
    Header { height: auto; }
    Header > #heading { height: 1; background: $panel; color: $primary; text-style: bold; }
    Header > #sources { height: auto; }
    Header.-wide > #sources { layout: horizontal; }
    Header.-wide NodeLine { width: auto; max-width: 60%; }
    Header.-wide SourcesLine { width: 1fr; text-align: right; }
    """

    def __init__(self, parts: EngineParts, here: str) -> None:
        """`here` is the name of the screen that it stands on."""
        super().__init__()
        self._parts = parts
        self._here = here

    def compose(self) -> ComposeResult:
        """The heading with the screens and their keys, then a line or two of each source."""
        yield Static(id="heading")
        with Container(id="sources"):
            yield NodeLine(self._parts.host)
            yield SourcesLine()
        yield RoundLine()

    def on_mount(self) -> None:
        """Show what is known already, and what comes."""
        console = cast("NodeConsole", self.app)
        console.node_signal.subscribe(self, self._node_read)
        console.store_signal.subscribe(self, self._store_read)
        console.stack_signal.subscribe(self, self._stack_read)
        console.jobs_signal.subscribe(self, self._jobs_read)
        console.alerts_signal.subscribe(self, lambda _: self._draw_heading())
        console.look_signal.subscribe(self, lambda _: self._draw_heading())
        if console.node is not None:
            self._node_read(console.node)
        if console.stored is not None:
            self._store_read(console.stored)
        if console.stack is not None:
            self._stack_read(console.stack)
        if console.jobs is not None:
            self._jobs_read(console.jobs)
        self._draw_heading()

    def on_resize(self) -> None:
        """The screens stand at the right end; where there is room, all sources share a line."""
        self._share_a_line()
        self._draw_heading()

    def _share_a_line(self) -> None:
        """Node and sources share a line where there is room for all that both say."""
        needed = self.query_one(NodeLine).columns + self.query_one(SourcesLine).columns
        self.set_class(self.size.width >= max(_WIDE_COLUMNS, needed), "-wide")

    def _draw_heading(self) -> None:
        tabs = Text(no_wrap=True)
        for name in SCREENS:
            tabs.append(f" {key_of(self, f'go.{name}')} {name.capitalize()} ", "reverse" if name == self._here else "")
        heading = Text(no_wrap=True)
        wanting = len(cast("NodeConsole", self.app).alerts.wanting(clock.now_s()))
        if wanting:
            heading.append(f" {key_of(self, 'app.alerts')} {formats.plural(wanting, 'alert')} ", "bold reverse red")
        if not may_change(self):
            # before what may be cut off
            heading.append(" READ ONLY ·")
        width = coming_width(self)
        room = max(width - tabs.cell_len - 1, 0)
        heading.append(_without_name(self._parts.heading, room - heading.cell_len))
        heading.truncate(room, overflow="ellipsis")
        heading.pad_right(max(width - heading.cell_len - tabs.cell_len, 0))
        self.query_one("#heading", Static).update(heading + tabs)

    def _node_read(self, reading: NodeReading) -> None:
        self.query_one(NodeLine).show(reading)
        self._share_a_line()

    def _store_read(self, reading: StoreReading) -> None:
        self.query_one(RoundLine).show(reading)

    def _stack_read(self, reading: StackReading) -> None:
        self.query_one(SourcesLine).show_stack(reading)
        self._share_a_line()
        status = reading.exchange.detail
        self.query_one(RoundLine).show_exchange(status.reading if status is not None else None)

    def _jobs_read(self, reading: JobsReading) -> None:
        self.query_one(SourcesLine).show_jobs(reading)
        self._share_a_line()
