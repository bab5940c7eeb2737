"""A table of any length: only the lines on the screen are drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column: its title, how wide it is, and what stands in it."""

    title: str
    width: int
    cell: Callable[[T], str | Text]
    align: Literal["left", "right"] = "left"
    least_width: int = 0
    """The width of the table from which on the column is shown."""
    below_width: int | None = None
    """The width from which on it is not: another one says more."""


class RowsView(ScrollView, Generic[T], can_focus=True):
    """Rows with a cursor and marks. A row is known by its key, so that the cursor stays on it when others come."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--header", "rows--cursor", "rows--marked"}
    DEFAULT_CSS = """
    RowsView { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    RowsView > .rows--header { text-style: bold; color: $primary; }
    RowsView > .rows--cursor { text-style: reverse; }
    RowsView > .rows--marked { text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", id="rows.up", show=False),
        Binding("down,j", "move(1)", "Down", id="rows.down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="rows.page_up", show=False),
        Binding("pagedown", "page(1)", "Page down", id="rows.page_down", show=False),
        Binding("home,g", "move_to(0)", "First", id="rows.first", show=False),
        Binding("end,G", "move_to(-1)", "Last", id="rows.last", show=False),
        Binding("enter", "open", "Open", id="rows.open"),
        Binding("space", "mark", "Mark", id="rows.mark"),
        Binding("x", "mark_range", "Range", id="rows.range", show=False),
    ]

    class Moved(Message):
        """The cursor is on another row."""

    class Opened(Message):
        """The row under the cursor is to be opened."""

    class Marked(Message):
        """The marks are others."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        key: Callable[[T], str],
        *,
        empty: str,
        id: str | None = None,
        picks: bool = True,
    ) -> None:
        """`empty` is the sentence for a table without rows; without `picks` none is opened or marked."""
        super().__init__()
        self._picks = picks
        self._columns = columns
        self._key = key
        self._empty = empty
        self._rows: Sequence[T] = ()
        self._cursor = 0
        self._marks: set[str] = set()
        self._last_mark: int | None = None

    @property
    def row(self) -> T | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    @property
    def rows(self) -> Sequence[T]:
        """All rows, in the order of the table."""
        return self._rows

    @property
    def position(self) -> tuple[int, int]:
        """Which row that is, from 1, of how many."""
        return (self._cursor + 1 if self._rows else 0), len(self._rows)

    @property
    def mark_count(self) -> int:
        """How many rows are marked."""
        return len(self._marks)

    @property
    def marked(self) -> list[T]:
        """The marked rows, as they stand in the table."""
        return [row for row in self._rows if self._key(row) in self._marks]

    def show(self, rows: Sequence[T]) -> None:
        """Show other rows; cursor and marks stay on the rows that are still there."""
        # on the first row one sees what is new; further down one reads
        current = self._key(self._rows[self._cursor]) if self._rows and self._cursor else None
        self._rows = rows
        self._cursor = next((n for n, row in enumerate(rows) if self._key(row) == current), 0) if current else 0
        self._cursor = min(self._cursor, max(len(rows) - 1, 0))
        if self._marks:
            self._marks &= {self._key(row) for row in rows}
        self.virtual_size = Size(self.size.width, len(rows) + 1)
        self._follow()
        self.refresh()

    def say_when_empty(self, sentence: str) -> None:
        """What stands there when there are no rows."""
        if sentence != self._empty:
            self._empty = sentence
            self.refresh()

    def clear_marks(self) -> None:
        """Mark nothing."""
        self._marks.clear()
        self._last_mark = None
        self.refresh()
        self.post_message(self.Marked())

    def mark_all(self, wanted: Callable[[T], bool]) -> None:
        """Mark all rows of which `wanted` holds, besides those that are."""
        self._marks |= {self._key(row) for row in self._rows if wanted(row)}
        self.refresh()
        self.post_message(self.Marked())

    def render_line(self, y: int) -> Strip:
        """One line of the screen: the titles, then the rows from where the table is scrolled to."""
        width = self.scrollable_content_region.width
        if y == 0:
            return self._strip([column.title for column in self._shown(width)], width, "rows--header", " ")
        index = int(self.scroll_offset.y) + y - 1
        if not self._rows and index < len(lines := textwrap.wrap(self._empty, max(width - 2, 1))):
            return Strip([Segment(f"  {lines[index]}", Style(dim=True))]).adjust_cell_length(width, self.rich_style)
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._rows[index]
        is_marked = self._key(row) in self._marks
        part = "rows--cursor" if index == self._cursor and self.has_focus else "rows--marked" if is_marked else ""
        pointer = "▶" if index == self._cursor else " "
        cells = [column.cell(row) for column in self._shown(width)]
        return self._strip(cells, width, part, "●" if is_marked else pointer)

    def _shown(self, width: int) -> list[Column[T]]:
        return [
            column
            for column in self._columns
            if column.least_width <= width and (column.below_width is None or width < column.below_width)
        ]

    def _strip(self, cells: Sequence[str | Text], width: int, part: str, lead: str) -> Strip:
        base = self.get_component_rich_style(part) if part else self.rich_style
        line = Text(f"{lead} ", no_wrap=True)
        for column, cell in zip(self._shown(width), cells, strict=True):
            text = cell.copy() if isinstance(cell, Text) else Text(cell)
            # what is cut is to look it, at the end of the screen as well
            room = min(column.width, max(width - line.cell_len, 0))
            text.truncate(room, overflow="ellipsis")
            text.align(column.align, room)
            line.append_text(text)
            line.append(" ")
        line.truncate(width)
        segments = line.render(self.app.console)
        return Strip(Segment.apply_style(segments, base)).adjust_cell_length(width, base)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys of what can't be done."""
        return action not in {"open", "mark", "mark_range"} or self._picks

    def watch_has_focus(self, has_focus: bool) -> None:
        """The cursor looks different with the focus."""
        super().watch_has_focus(has_focus)
        self.refresh()

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._go_to(self._cursor + by)

    def action_page(self, pages: int) -> None:
        """Move the cursor by what fits on the screen."""
        self._go_to(self._cursor + pages * max(self.size.height - 2, 1))

    def action_move_to(self, index: int) -> None:
        """Move the cursor to the first row, or with -1 to the last."""
        self._go_to(index if index >= 0 else len(self._rows) + index)

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self._rows:
            self.post_message(self.Opened())

    def action_mark(self) -> None:
        """Mark the row under the cursor, or unmark it, and go on to the next."""
        if not self._rows:
            return
        key = self._key(self._rows[self._cursor])
        self._marks ^= {key}
        self._last_mark = self._cursor
        self.post_message(self.Marked())
        self._go_to(self._cursor + 1)
        self.refresh()

    def action_mark_range(self) -> None:
        """Mark all rows from the one that was marked last to the cursor."""
        if self._last_mark is None or not self._rows:
            return
        low, high = sorted((min(self._last_mark, len(self._rows) - 1), self._cursor))
        self._marks |= {self._key(row) for row in self._rows[low : high + 1]}
        self.refresh()
        self.post_message(self.Marked())

    def _go_to(self, index: int) -> None:
        index = min(max(index, 0), max(len(self._rows) - 1, 0))
        if index != self._cursor:
            self._cursor = index
            self._follow()
            self.refresh()
            self.post_message(self.Moved())

    def _follow(self) -> None:
        """Keep the cursor below the titles and on the screen."""
        height = max(self.size.height - 1, 1)
        top = int(self.scroll_offset.y)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, force=True)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, force=True)

    def on_resize(self) -> None:
        """Another size shows other columns."""
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        self._follow()
