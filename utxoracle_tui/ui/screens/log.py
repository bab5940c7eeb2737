"""The program's own log and those of the stack, merged by time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import ScreenResume
from textual.widgets import Static

from utxoracle_tui.engine.logs.book import LogView
from utxoracle_tui.engine.logs.line import Level, LogLine, Origin
from utxoracle_tui.engine.logs.live import LogsReading
from utxoracle_tui.engine.logs.sieve import LogFilter, Sieve, read_pattern
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.guard import guarded
from utxoracle_tui.ui.key_names import key_of
from utxoracle_tui.ui.remembered import Arranged, remembered
from utxoracle_tui.ui.returning import Returning
from utxoracle_tui.ui.screens.ask import Ask
from utxoracle_tui.ui.screens.log_line import WINDOW, LogLineDetail
from utxoracle_tui.ui.screens.log_sources import LogSources
from utxoracle_tui.ui.screens.opened_window import OpenedWindow
from utxoracle_tui.ui.widgets.header import Header
from utxoracle_tui.ui.widgets.key_line import KeyLine
from utxoracle_tui.ui.widgets.log_lines import LogLines

if TYPE_CHECKING:
    from utxoracle_tui.ui.node_console import NodeConsole

_TROUBLES_SHOWN = 2


class LogScreen(Returning[None]):
    """Follows the logs from the moment on that it is opened for the first time."""

    CSS = """
    LogScreen #filters {
        height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis;
    }
    LogScreen #troubles { height: auto; padding: 0 1; color: $error; display: none; }
    LogScreen #place { height: 1; padding: 0 1; }
    LogScreen #where { width: 1fr; color: $text-muted; }
    LogScreen #pill { width: auto; display: none; background: $primary; color: $background; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow", id="log.follow"),
        Binding("slash", "filter", "Filter", key_display="/", id="log.filter"),
        Binding("l", "level", "Level", id="log.level"),
        Binding("s", "sources", "Logs", id="log.sources"),
        Binding("z", "wrap", "Wrap", id="log.wrap"),
        Binding("w", "window", "Window", id="log.window"),
        Binding("escape", "clear", "Clear", id="log.clear", show=False),
    ]

    def __init__(self, parts: EngineParts) -> None:
        super().__init__()
        self._parts = parts
        self._book = parts.logs.book
        self._view = LogView()
        self._sieve = Sieve(LogFilter())
        self._taken = 0
        """How many lines had arrived when lines were last taken."""
        self._anew = True
        """Whether all lines have to be picked anew."""
        self._is_picking = False
        self._is_to_stop = False
        """Whether it is to stand still once there are lines."""
        self._new = 0
        """Lines that have come since it stopped to follow."""
        self._reading: LogsReading | None = None

    def compose(self) -> ComposeResult:
        """Header, what is shown, what is wrong, the lines, and where in them one is."""
        yield Header(self._parts, "log")
        yield Static(id="filters", markup=False)
        yield Static(id="troubles", markup=False)
        yield LogLines(empty="Nothing was logged yet.")
        with Horizontal(id="place"):
            yield Static(id="where", markup=False)
            yield Static(id="pill", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Have the logs followed."""
        self._lines.focus()
        console = cast("NodeConsole", self.app)
        self._begin_as_before()
        console.logs_signal.subscribe(self, self._logs_read)
        console.follow_logs()
        self._show_words()

    def _begin_as_before(self) -> None:
        before = remembered(self)
        wanted = LogFilter(before.log_least, before.log_hidden, before.log_pattern)
        try:
            self._sieve = Sieve(wanted)
        except OperatorError:
            # it was one where it was typed; another machine may have another RE2, or none
            self._sieve = Sieve(replace(wanted, pattern=""))
        self._lines.wrap(before.log_wraps)
        self._is_to_stop = not before.log_follows

    @on(ScreenResume)
    def _resumed(self) -> None:
        """Show what has come meanwhile."""
        self._pick()

    @property
    def _lines(self) -> LogLines:
        return self.query_one(LogLines)

    def _logs_read(self, reading: LogsReading) -> None:
        self._reading = reading
        # nobody sees it while another screen is there, nor what a dialog covers
        if self.is_current:
            self._pick()

    def _pick(self) -> None:
        if not self._is_picking and (self._anew or self._book.arrived != self._taken):
            self._is_picking = True
            self._pick_lines()
        self._show_words()

    @work(group="log lines", exit_on_error=False)
    @guarded
    async def _pick_lines(self) -> None:
        """Take what has come since the last time, or everything, as far as it is wanted."""
        try:
            while self._anew or self._book.arrived != self._taken:
                sieve, dropped = self._sieve, self._book.dropped
                anew = self._anew or not self._book.knows_since(self._taken)
                lines = self._book.all() if anew else self._book.after(self._taken)
                self._anew, self._taken = False, self._book.arrived
                picked = await asyncio.to_thread(sieve.pick, lines) if sieve.is_slow else sieve.pick(lines)
                if sieve is not self._sieve:
                    continue
                self._take(picked, dropped, anew=anew)
        finally:
            self._is_picking = False

    def _take(self, picked: list[LogLine], dropped: int, *, anew: bool) -> None:
        if anew:
            self._view.replace(picked, dropped)
        else:
            self._view.merge(picked)
            self._view.prune(self._book)
            self._new += 0 if self._lines.follows else len(picked)
        lines = self._lines
        lines.empty = "No line is as the filters want it." if self._book.arrived else "Nothing was logged yet."
        lines.show(self._view.lines)
        if self._is_to_stop:
            lines.stop()
            self._is_to_stop = lines.follows
        self._show_words()

    @on(LogLines.Moved)
    def _show_words(self) -> None:
        lines, wanted = self._lines, self._sieve.wanted
        if lines.follows:
            self._new = 0
        self._say("#filters", _filters(wanted, self._reading, key_of(self, "log.clear")))
        troubles = _troubles(self._reading, key_of(self, "log.sources"))
        self._say("#troubles", troubles)
        place, total = lines.position
        self._say("#where", _where(lines, place, total, key_of(self, "log.window")))
        self._say("#pill", f" +{self._new:,} new · {key_of(self, 'log.follow')} follows " if self._new else "")

    def _say(self, place: str, words: str) -> None:
        """Show words, and no line where there are none; nothing is drawn if they are the same."""
        shown = self.query_one(place, Static)
        if str(shown.content) != words:
            shown.update(words)
        if place != "#where":
            shown.display = bool(words)

    def _want(self, wanted: LogFilter) -> None:
        if wanted != self._sieve.wanted:
            self._sieve, self._anew, self._new = Sieve(wanted), True, 0
            self.post_message(Arranged(log_least=wanted.least, log_hidden=wanted.hidden, log_pattern=wanted.pattern))
            self._pick()

    def action_follow(self) -> None:
        """Follow, or stand still."""
        if self._lines.follows:
            self._lines.stop()
        else:
            self._lines.action_follow()
        self._is_to_stop = False
        self.post_message(Arranged(log_follows=self._lines.follows))

    def action_filter(self) -> None:
        """Ask for a regular expression."""

        def answered(pattern: str | None) -> None:
            if pattern is not None:
                self._want(replace(self._sieve.wanted, pattern=pattern))

        question = "Only lines that match (a regular expression; empty for all)"
        self.app.push_screen(Ask(question, self._sieve.wanted.pattern, read_pattern), answered)

    def action_clear(self) -> None:
        """Show all lines that the levels and the sources let through."""
        self._want(replace(self._sieve.wanted, pattern=""))

    def action_level(self) -> None:
        """Show less: from `info` on, `warn`, `error`; and then everything again."""
        levels = list(Level)
        least = levels[(levels.index(self._sieve.wanted.least) + 1) % len(levels)]
        self._want(replace(self._sieve.wanted, least=least))

    def action_sources(self) -> None:
        """Choose whose lines are shown."""
        sources = self._reading.sources if self._reading is not None else ()

        def answered(hidden: frozenset[Origin] | None) -> None:
            if hidden is not None:
                self._want(replace(self._sieve.wanted, hidden=hidden))

        if sources:
            self.app.push_screen(LogSources(sources, self._sieve.wanted.hidden), answered)

    def action_wrap(self) -> None:
        """Show long lines on several rows, or cut off."""
        self._lines.wrap(not self._lines.wraps)
        self.post_message(Arranged(log_wraps=self._lines.wraps))

    @on(LogLines.Opened)
    def _open(self) -> None:
        line = self._lines.line
        if line is None:
            return

        def answered(what: str | None) -> None:
            if what == WINDOW:
                self._open_window(line)

        self.app.push_screen(LogLineDetail(line), answered)

    def action_window(self) -> None:
        """Open the window that the line under the cursor speaks of."""
        line = self._lines.line
        if line is not None:
            self._open_window(line)

    def _open_window(self, line: LogLine) -> None:
        if line.window is None:
            self.notify("This line names no day, no block and no height.", timeout=3)
        else:
            self.app.push_screen(OpenedWindow(self._parts, line.window))


def _filters(wanted: LogFilter, reading: LogsReading | None, clear: str) -> str:
    """What is shown, in words; `clear` is the key that shows all again."""
    words = [f"only /{wanted.pattern}/ ({clear}: all)"] if wanted.pattern else []
    words.append("all levels" if wanted.least is Level.DEBUG else f"{wanted.least.word} and above")
    sources = reading.sources if reading is not None else ()
    shown = [each.origin for each in sources if each.origin not in wanted.hidden and (each.is_there or each.lines)]
    if sources:
        words.append(f"{'only ' if wanted.hidden else ''}{', '.join(shown) or 'no source'}")
    return " · ".join(words)


def _troubles(reading: LogsReading | None, key: str) -> str:
    """The logs that can't be followed, a line each; `key` shows all of them."""
    failing = [each for each in reading.sources if each.trouble] if reading is not None else []
    lines = [f"✗ {each.origin}: {each.trouble}" for each in failing[:_TROUBLES_SHOWN]]
    if len(failing) > _TROUBLES_SHOWN:
        lines.append(f"✗ and {len(failing) - _TROUBLES_SHOWN} more: {key} shows them")
    return "\n".join(lines)


def _where(lines: LogLines, place: int, total: int, opens: str) -> str:
    words = ["● following" if lines.follows else "‖ stopped"]
    words.append(f"line {place:,} of {total:,}" if not lines.follows else f"{total:,} lines")
    line = lines.line
    if line is not None:
        words.append(f"{datetime.fromtimestamp(line.at_s, UTC):%Y-%m-%d} UTC")
    if line is not None and line.window is not None and not lines.follows:
        words.append(f"{opens}: its window")
    return " · ".join(words)
