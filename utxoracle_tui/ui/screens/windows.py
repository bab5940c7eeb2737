"""All windows that are stored: days or block windows, as a table, with the days' gaps above it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import ScreenResume
from textual.timer import Timer
from textual.widgets import Static

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.jobs.wanted import Days, Marked
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.request import Day, Heights, Request, read_day
from utxoracle_tui.engine.validation import briefly
from utxoracle_tui.engine.window_list import WindowList
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.records import Window
from utxoracle_tui.ui import store_words
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.exporting import ExportingScreen
from utxoracle_tui.ui.guard import guarded
from utxoracle_tui.ui.job_asking import JobAsking
from utxoracle_tui.ui.key_names import key_of, may_change
from utxoracle_tui.ui.remembered import Arranged, remembered
from utxoracle_tui.ui.screens.ask import Ask
from utxoracle_tui.ui.screens.export_choice import ExportForm
from utxoracle_tui.ui.screens.opened_window import OpenedWindow
from utxoracle_tui.ui.screens.window_comparison import WindowComparison
from utxoracle_tui.ui.verdict_words import imported, verdict
from utxoracle_tui.ui.widgets.calendar_strip import CalendarStrip
from utxoracle_tui.ui.widgets.header import Header
from utxoracle_tui.ui.widgets.key_line import KeyLine
from utxoracle_tui.ui.widgets.rows_view import Column, RowsView

if TYPE_CHECKING:
    from utxoracle_tui.ui.node_console import NodeConsole

_NONE = Text("–", "dim")
_LARGE_PCT = 2.0
_LOAD_EVERY_S = 0.8


class WindowsScreen(JobAsking, ExportingScreen):
    """The table follows the store; whoever has stored something, it is here within a second."""

    CSS = """
    WindowsScreen #where { height: 1; padding: 0 1; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "toggle_kind", "Kind", id="windows.kind"),
        Binding("s", "sort", "Sort", id="windows.sort"),
        Binding("b", "backfill", "Backfill", id="windows.backfill"),
        Binding("r", "rerun", "Rerun", id="windows.rerun"),
        Binding("c", "compare", "Compare", id="windows.compare", show=False),
        Binding("e", "export", "Export", id="windows.export", show=False),
        Binding("f", "toggle_doubtful", "Doubtful", id="windows.doubtful", show=False),
        Binding("escape", "unmark", "Unmark", id="windows.unmark", show=False),
    ]

    def __init__(self, parts: EngineParts) -> None:
        super().__init__(parts)
        self._list = WindowList()
        self._is_read = False
        self._days = True
        self._only_doubtful = False
        self._order = 0
        self._store_state: tuple[object, ...] | None = None
        self._load_timer: Timer | None = None
        self._possible: Days | None = None
        """The days that can be priced, as far as that is known."""
        self._loaded_s = -_LOAD_EVERY_S

    def compose(self) -> ComposeResult:
        """Header, calendar, table, and where in it one is."""
        yield Header(self._parts, "windows")
        yield CalendarStrip()
        yield Static(id="where", markup=False)
        yield RowsView(_COLUMNS, lambda window: window.key, empty=store_words.READING)
        yield KeyLine()

    def on_mount(self) -> None:
        """Follow the store."""
        console = cast("NodeConsole", self.app)
        console.store_signal.subscribe(self, self._store_read)
        before = remembered(self)
        self._days, self._only_doubtful = before.windows == "days", before.windows_doubtful
        self._order = next((n for n, (name, _) in enumerate(_ORDERS) if name == before.windows_order), 0)
        self.query_one(RowsView).focus()
        self._load()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without the right to change anything, nothing can be asked for."""
        return action not in {"backfill", "rerun"} or may_change(self)

    def _store_read(self, reading: StoreReading) -> None:
        state = store_words.state(reading)
        if state != self._store_state:
            self._store_state = state
            self._load_soon()

    def _load_soon(self) -> None:
        """A job writes many times a second, and reading a long list takes a while."""
        if self._load_timer is None:
            wait_s = self._loaded_s + _LOAD_EVERY_S - clock.elapsed_s()
            self._load_timer = self.set_timer(max(wait_s, 0.01), self._load)

    @work(exclusive=True, group="windows", exit_on_error=False)
    @guarded
    async def _load(self) -> None:
        self._load_timer, self._loaded_s = None, clock.elapsed_s()
        try:
            found = await self._parts.windows.load()
        except OperatorError as error:
            self.query_one("#where", Static).update(f"✗ {error.message}")
            return
        self._is_read = found is not None
        self._list = found or WindowList()
        self._show()
        if found is not None and self._possible is None:
            self._know_possible()

    @on(ScreenResume)
    def _resumed(self) -> None:
        """The node may have blocks of another day by now."""
        self._know_possible()

    @work(exclusive=True, group="possible days", exit_on_error=False)
    @guarded
    async def _know_possible(self) -> None:
        # what the node can't tell now it says when a range is asked for
        with contextlib.suppress(OperatorError):
            self._possible = await self._parts.jobs.possible_days()

    def _show(self) -> None:
        rows = self._stored
        if self._only_doubtful:
            rows = tuple(window for window in rows if window.valid is False or window.orphaned)
        _, first = _ORDERS[self._order]
        if first is not None:
            rows = tuple(sorted(rows, key=first))
        self.query_one(CalendarStrip).show(self._list.days)
        table = self.query_one(RowsView)
        table.say_when_empty(self._why_empty())
        table.show(rows)
        self._show_where()

    @property
    def _stored(self) -> tuple[Window, ...]:
        """All windows of the kind that is shown."""
        return self._list.days if self._days else self._list.blocks

    def _why_empty(self) -> str:
        """What there is to say where no row is shown."""
        if not self._is_read:
            return store_words.nothing_to_read(cast("NodeConsole", self.app).stored) or store_words.READING
        if self._stored:
            count = formats.plural(len(self._stored), "day" if self._days else "block window")
            return f"Not one of {count} is doubtful. {key_of(self, 'windows.doubtful')} shows all of them."
        if self._days:
            return f"No day is stored yet. {key_of(self, 'windows.backfill')} works out the days of a range."
        days = key_of(self, "windows.kind")
        return f"No block window is stored yet. They come by themselves, one with every round; {days} shows the days."

    @on(RowsView.Moved)
    @on(RowsView.Marked)
    def _show_where(self) -> None:
        table = self.query_one(RowsView)
        place, total = table.position
        kind = "days" if self._days else "block windows"
        words = [f"{kind}: {place:,} of {total:,}"]
        if self._order:
            words.append(_ORDERS[self._order][0])
        if self._only_doubtful:
            words.append(f"only doubtful ones, of {len(self._stored):,}")
        if marked := table.mark_count:
            words.append(f"{marked:,} marked")
        gaps = len(self._list.missing_days)
        if self._days and gaps:
            words.append(f"{formats.plural(gaps, 'day')} missing")
        window = table.row
        if window is not None and window.explanation:
            words.append(window.explanation)
        self.query_one("#where", Static).update(" · ".join(words))

    @on(RowsView.Opened)
    def _open(self) -> None:
        window = self.query_one(RowsView).row
        request = _request(window) if window is not None else None
        if window is None or request is None:
            return
        self.app.push_screen(OpenedWindow(self._parts, request, window))

    def action_toggle_kind(self) -> None:
        """Show days or block windows."""
        self._days = not self._days
        self._arranged()

    def action_sort(self) -> None:
        """Put the rows in another order: the newest first, then by what may be doubtful."""
        self._order = (self._order + 1) % len(_ORDERS)
        self._arranged()
        self.query_one(RowsView).action_move_to(0)

    def action_toggle_doubtful(self) -> None:
        """Show all, or only what is not valid or orphaned."""
        self._only_doubtful = not self._only_doubtful
        self._arranged()

    def _arranged(self) -> None:
        kind, order = "days" if self._days else "blocks", _ORDERS[self._order][0]
        self.post_message(Arranged(windows=kind, windows_order=order, windows_doubtful=self._only_doubtful))
        self._show()

    def action_unmark(self) -> None:
        """Mark nothing."""
        self.query_one(RowsView).clear_marks()

    def action_compare(self) -> None:
        """Set two marked windows side by side, or the marked one and the one under the cursor."""
        table = self.query_one(RowsView)
        chosen: list[Window] = list(table.marked)
        if len(chosen) == 1 and table.row is not None and table.row.key != chosen[0].key:
            chosen.append(table.row)
        requests = [request for window in chosen if (request := _request(window)) is not None]
        if len(requests) != 2:
            mark = key_of(self, "rows.mark")
            self.notify(f"Mark the two windows that are to stand side by side ({mark}), or one and go to the other.")
            return
        parts = self._parts
        self.app.push_screen(WindowComparison(parts.pricing, parts.limits, parts.heading, *requests))

    def action_export(self) -> None:
        """Keep the marked rows in a file, or all that are shown, in their order."""
        table = self.query_one(RowsView)
        windows: list[Window] = table.marked or list(table.rows)
        what = f"{formats.plural(len(windows), 'marked window' if table.mark_count else 'window')}"

        async def write(form: ExportForm) -> tuple[str, Path]:
            written = await self._parts.exports.write_windows(windows, "json" if form == "json" else "csv")
            return formats.plural(written.count, "window"), written.path

        self.ask_for_export({"csv": what, "json": what} if windows else {}, write)

    def action_backfill(self) -> None:
        """Ask for a range of days, and for a yes, and have what is missing of it worked out."""
        question = "Which days? (YYYY-MM-DD..YYYY-MM-DD, both included)"
        self.app.push_screen(Ask(question, _likely(self._list, self._possible), read_days), self._estimate)

    def _estimate(self, wanted: Days | None) -> None:
        if wanted is not None:
            self.ask_for_backfill(wanted)

    def action_rerun(self) -> None:
        """Have the marked windows worked out anew, or the one under the cursor."""
        table = self.query_one(RowsView)
        chosen: list[Window] = table.marked or ([table.row] if table.row is not None else [])
        if not chosen:
            return
        what = formats.plural(len(chosen), "window") if len(chosen) > 1 else _what(chosen[0])
        keys = frozenset(window.window_key for window in chosen)
        self.ask_for_rerun(Marked(keys), what, table.clear_marks)


def _likely(windows: WindowList, possible: Days | None) -> str:
    """The days that are probably meant, of those that are possible: the gaps, else those since the newest, else the
    last week.
    """
    missing = windows.missing_days
    yesterday = datetime.fromtimestamp(clock.now_s(), UTC).date() - timedelta(days=1)
    newest = max((window.date for window in windows.days if window.date is not None), default=None)
    spans = [(missing[0], missing[-1])] if missing else []
    if newest is not None:
        spans.append((newest + timedelta(days=1), yesterday))
    spans.append((yesterday - timedelta(days=6), yesterday))
    if possible is not None:
        spans = [(max(first, possible.first), min(last, possible.last)) for first, last in spans]
    first, last = next(((first, last) for first, last in spans if first <= last), spans[-1])
    return f"{first}..{last}"


def read_days(text: str) -> Days:
    """Days as they are typed: one, or a first and a last. Raises `OperatorError`."""
    first, dots, last = text.replace(" ", "").partition("..")
    days = [read_day(word).day for word in ((first, last) if dots else (first, first))]
    if days[0] is None or days[1] is None:
        raise OperatorError("usage", "Write the days as 2025-01-01..2025-01-31.", Exit.USAGE)
    return Days(days[0], days[1])


def _request(window: Window) -> Request | None:
    if window.date is not None:
        return Day(window.date)
    if window.first_height is None or window.last_height is None:
        return None
    return Heights(window.first_height, window.last_height)


def _largest_divergence(window: Window) -> float:
    return -abs(window.divergence_window_pct or 0.0)


def _least_confidence(window: Window) -> float:
    return window.confidence if window.confidence is not None else 2.0


def _state(window: Window) -> Text:
    if window.orphaned:
        return Text("x orphaned", "yellow")
    if window.imported:
        return imported()
    if window.valid is None:
        return Text("? unknown", "yellow")
    return verdict(valid=window.valid)


def _what(window: Window) -> str:
    if window.date is not None:
        return window.date.isoformat()
    return f"{window.first_height}–{window.last_height}"


def _usd(value: float | None) -> str | Text:
    return formats.usd(value) if value is not None else _NONE


def _exchange(window: Window) -> str | Text:
    if window.exchange_usd is None:
        return _NONE
    return formats.usd(window.exchange_usd) + (" d" if window.exchange_is_daily else "")


def _divergence(window: Window) -> str | Text:
    value_pct = window.divergence_window_pct
    if value_pct is None:
        return _NONE
    large = abs(value_pct) > _LARGE_PCT
    return Text(f"{'large ' if large else ''}{formats.signed_percent(value_pct)}", "bold red" if large else "")


def _fraction(value: float | None) -> str | Text:
    return f"{value:.2f}" if value is not None else _NONE


def _count(value: int | None) -> str | Text:
    return f"{value:,}" if value is not None else _NONE


def _took(window: Window) -> str | Text:
    return f"{window.elapsed_s:.1f} s" if window.elapsed_s is not None else _NONE


_ORDERS: tuple[tuple[str, Callable[[Window], float] | None], ...] = (
    ("newest first", None),
    ("largest divergence first", _largest_divergence),
    ("least confidence first", _least_confidence),
)
_COLUMNS: tuple[Column[Window], ...] = (
    Column("window", 17, _what),
    Column("state", 11, _state),
    Column("price", 12, lambda window: _usd(window.price_usd), "right"),
    Column("exchange", 13, _exchange, "right"),
    Column("divergence", 14, _divergence, "right"),
    Column("conf", 4, lambda window: _fraction(window.confidence), "right", 78),
    Column("points", 7, lambda window: _count(window.points), "right", 90),
    Column("blocks", 6, lambda window: _count(window.blocks), "right", 98),
    Column("took", 7, _took, "right", 108),
    Column("method", 14, lambda window: window.method, "left", 124),
    Column("why", 40, lambda window: briefly(window.reason) if window.reason else "", "left", 150),
)
