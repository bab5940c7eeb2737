"""Lines of logs on the screen: at their end, where new ones come, or standing still for who reads."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from utxoracle_tui.engine.logs.line import Level, LogLine

_MOST_ROWS = 8
"""Of one line; the rest is seen when the line is opened."""
_WITH_DATE_COLUMNS = 110
_LEAST_TEXT_COLUMNS = 10
_TAG_COLUMNS, _LEVEL_COLUMNS = 7, 5
_WHEEL_LINES = 3

_Row = tuple[int, int]
"""The number of a line, and which of its rows."""


class LogLines(Widget, can_focus=True):
    """A cursor on lines that are in order. While it follows, the cursor is on the last one.

    The widget draws nothing anew as long as what is on the screen stays the same, whatever comes below or above.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log--time",
        "log--debug",
        "log--info",
        "log--warn",
        "log--error",
        "log--own",
        "log--other",
        "log--cursor",
    }
    DEFAULT_CSS = """
    LogLines { height: 1fr; }
    LogLines > .log--time { text-style: dim; }
    LogLines > .log--debug { text-style: dim; }
    LogLines > .log--warn { color: $warning; text-style: bold; }
    LogLines > .log--error { color: $error; text-style: bold; }
    LogLines > .log--own { color: $primary; }
    LogLines > .log--other { color: $accent; }
    LogLines > .log--cursor { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", id="log.up", show=False),
        Binding("down,j", "move(1)", "Down", id="log.down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="log.page_up", show=False),
        Binding("pagedown", "page(1)", "Page down", id="log.page_down", show=False),
        Binding("home,g", "first", "First", id="log.first", show=False),
        Binding("end,G", "follow", "Last", id="log.last", show=False),
        Binding("enter", "open", "Line", id="log.line"),
    ]

    class Moved(Message):
        """The cursor is on another line, or follows now, or no longer."""

    class Opened(Message):
        """The line under the cursor is to be seen whole."""

    def __init__(self, *, empty: str) -> None:
        """`empty` is the sentence where there are no lines."""
        super().__init__()
        self.empty = empty
        self.follows = True
        self.wraps = False
        self._lines: Sequence[LogLine] = ()
        self._cursor = 0
        self._top = 0
        """The first line on the screen while it doesn't follow."""
        self._rows: list[_Row] = []
        self._drawn: object = None

    @property
    def line(self) -> LogLine | None:
        """The line under the cursor."""
        return self._lines[self._cursor] if self._lines else None

    @property
    def position(self) -> tuple[int, int]:
        """Which line that is, from 1, of how many."""
        return (self._cursor + 1 if self._lines else 0), len(self._lines)

    def show(self, lines: Sequence[LogLine]) -> None:
        """Show other lines; while it doesn't follow, those on the screen stay where they are, or else their place."""
        cursor, top = self.line, self._lines[self._top] if self._lines else None
        self._lines = lines
        self._cursor, self._top = self._index(cursor), self._index(top)
        if self.follows:
            self._cursor = max(len(lines) - 1, 0)
        self._lay_out()

    def wrap(self, wraps: bool) -> None:
        """Show long lines on several rows, or cut them off."""
        self.wraps = wraps
        self._lay_out()

    def action_move(self, by: int) -> None:
        """Move the cursor; down from the last line, follow again."""
        if by > 0 and self._cursor + by >= len(self._lines) and self._cursor == len(self._lines) - 1:
            self.action_follow()
            return
        self._go_to(self._cursor + by)

    def action_page(self, pages: int) -> None:
        """Move the cursor by as many lines as there are on the screen."""
        on_screen = len({number for number, _ in self._rows})
        self.action_move(pages * max(on_screen - 1, 1))

    def action_first(self) -> None:
        """Go to the oldest line."""
        self._go_to(0)

    def action_follow(self) -> None:
        """Go to the newest line, and stay with the newest."""
        self.follows = True
        self._cursor = max(len(self._lines) - 1, 0)
        self._lay_out()
        self.post_message(self.Moved())

    def stop(self) -> None:
        """Stand still."""
        if self.follows and self._rows:
            self._top = self._rows[0][0]
            self.follows = False
            self._lay_out()
            self.post_message(self.Moved())

    def action_open(self) -> None:
        """See the line under the cursor whole."""
        if self._lines:
            self.post_message(self.Opened())

    def render_line(self, y: int) -> Strip:
        """One row."""
        width = self.size.width
        if not self._lines and y == 0:
            return Strip([Segment(self.empty, Style(dim=True))]).adjust_cell_length(width, self.rich_style)
        if y >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        number, part = self._rows[y]
        return self._strip(self._lines[number], part, is_cursor=number == self._cursor)

    def on_resize(self) -> None:
        """Another size has room for other rows."""
        self._lay_out()

    def on_focus(self) -> None:
        """The cursor is seen with the focus only."""
        self._lay_out()

    def on_blur(self) -> None:
        """The cursor is seen with the focus only."""
        self._lay_out()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Go back a few lines."""
        event.stop()
        self.action_move(-_WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Go on a few lines."""
        event.stop()
        self.action_move(_WHEEL_LINES)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there."""
        if event.y < len(self._rows):
            self._go_to(self._rows[event.y][0])

    def _go_to(self, index: int) -> None:
        if not self._lines:
            return
        if self.follows:
            self._top = self._rows[0][0] if self._rows else 0
        self.follows = False
        self._cursor = min(max(index, 0), len(self._lines) - 1)
        self._lay_out()
        self.post_message(self.Moved())

    def _index(self, line: LogLine | None) -> int:
        """Where a line is now; where it is gone, the one that has its place."""
        if line is None:
            return 0
        index = bisect_left(self._lines, line.place, key=lambda each: each.place)
        return min(index, max(len(self._lines) - 1, 0))

    def _lay_out(self) -> None:
        """Find the rows that are on the screen, and draw them if they are others than before."""
        height = self.size.height
        if self.follows:
            self._rows = self._rows_up_to(len(self._lines) - 1, height)
        else:
            self._top = min(self._top, self._cursor)
            self._rows = self._rows_from(self._top, height)
            if self._rows and self._last_whole() < self._cursor:
                self._rows = self._rows_up_to(self._cursor, height)
                self._top = self._rows[0][0]
                if self._rows[0][1]:
                    # the top is a whole line, but for one that fills the screen
                    self._top = min(self._top + 1, self._cursor)
                    self._rows = self._rows_from(self._top, height)
        rows = [(self._lines[number], part) for number, part in self._rows]
        drawn = (self.line, self.size, self.has_focus, self.empty, rows)
        if drawn != self._drawn:
            self._drawn = drawn
            self.refresh()

    def _last_whole(self) -> int:
        """The last line all of whose rows are on the screen, or of which as many are as there is room for."""
        number, part = self._rows[-1]
        is_whole = part == self._count(number) - 1 or number == self._rows[0][0]
        return number if is_whole or len(self._rows) < self.size.height else number - 1

    def _rows_up_to(self, number: int, height: int) -> list[_Row]:
        """The rows that fill the screen with the last row of a line at its bottom."""
        rows: list[_Row] = []
        while number >= 0 and len(rows) < height:
            rows += [(number, part) for part in reversed(range(self._count(number)))]
            number -= 1
        rows = rows[:height][::-1]
        # of few lines the first stands at the top
        return rows

    def _rows_from(self, number: int, height: int) -> list[_Row]:
        """The rows that fill the screen with a line at its top."""
        rows: list[_Row] = []
        while number < len(self._lines) and len(rows) < height:
            rows += [(number, part) for part in range(self._count(number))]
            number += 1
        return rows[:height]

    def _count(self, number: int) -> int:
        return len(self._parts(self._lines[number])) if self.wraps else 1

    @property
    def _text_columns(self) -> int:
        return max(self.size.width - self._time_columns - _TAG_COLUMNS - _LEVEL_COLUMNS - 4, _LEAST_TEXT_COLUMNS)

    @property
    def _time_columns(self) -> int:
        return 14 if self.size.width >= _WITH_DATE_COLUMNS else 8

    def _parts(self, line: LogLine) -> list[str]:
        """What of a line stands on each of its rows."""
        width = self._text_columns
        parts: list[str] = []
        for text in line.text.split("\n"):
            parts += chop_cells(text[: width * _MOST_ROWS], width) or [""]
            if len(parts) > _MOST_ROWS:
                return [*parts[: _MOST_ROWS - 1], "… (enter shows all of it)"]
        return parts

    def _strip(self, line: LogLine, part: int, *, is_cursor: bool) -> Strip:
        width = self.size.width
        level = self.get_component_rich_style(f"log--{line.level.word}", partial=True)
        lead = [Segment(" " * (width - self._text_columns))] if part else self._lead(line, level)
        text = self._parts(line)[part] if self.wraps else _on_one_row(line.text, self._text_columns)
        segments = [*lead, Segment(text, level if line.level != Level.INFO else None)]
        base = self.rich_style
        if is_cursor and self.has_focus:
            # colours would be too much beside it; the words are there
            base += self.get_component_rich_style("log--cursor", partial=True)
            segments = list(Segment.strip_styles(segments))
        return Strip(Segment.apply_style(Strip(segments).adjust_cell_length(width), base))

    def _lead(self, line: LogLine, level: Style) -> list[Segment]:
        """Time, whose line it is, and how grave."""
        at = datetime.fromtimestamp(line.at_s, UTC)
        time = f"{at:%m-%d %H:%M:%S}" if self._time_columns > 8 else f"{at:%H:%M:%S}"
        tag = self.get_component_rich_style("log--own" if line.origin == "own" else "log--other", partial=True)
        return [
            Segment(f"{time}{' ' if line.dated else '~'} ", self.get_component_rich_style("log--time", partial=True)),
            Segment(f"{line.origin:<{_TAG_COLUMNS}} ", tag),
            Segment(f"{line.level.word:<{_LEVEL_COLUMNS}} ", level),
        ]


def _on_one_row(text: str, width: int) -> str:
    """As much of a text as there is room for."""
    first, newline, _ = text.partition("\n")
    shown = f"{first} …" if newline else first
    if cell_len(shown) <= width:
        return shown
    return chop_cells(shown[:width], width - 1)[0] + "…"
