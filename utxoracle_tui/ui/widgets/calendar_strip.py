"""The days that are stored, a cell each, so that gaps show at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from rich.text import Text
from textual.widgets import Static

from utxoracle_tui.store.records import Window
from utxoracle_tui.ui.verdict_words import IMPORTED, NOT_VALID, VALID
from utxoracle_tui.ui.widgets.coming_width import coming_width

_MISSING = ("·", "bold red")


class CalendarStrip(Static):
    """The newest days that fit, a row of up to a year each line; the newest at the right end."""

    DEFAULT_CSS = """
    CalendarStrip { height: 2; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._days: Sequence[Window] = ()

    def show(self, days: Sequence[Window]) -> None:
        """Show these days, in any order."""
        self._days = days
        self._draw()

    def on_resize(self) -> None:
        """More or fewer days fit."""
        self._draw()

    def _draw(self) -> None:
        self.update(describe(self._days, max(coming_width(self), 20)))


def describe(days: Sequence[Window], width: int) -> Text:
    """The strip and a line that says what it means, for so many columns."""
    by_date = {window.date: window for window in days if window.date is not None}
    if not by_date:
        return Text("no day is stored yet", "dim")
    newest, oldest = max(by_date), min(by_date)
    shown = min((newest - oldest).days + 1, width)
    text = Text(no_wrap=True)
    missing = 0
    for number in range(shown):
        mark, style = _cell(by_date.get(newest - timedelta(days=shown - 1 - number)))
        missing += (mark, style) == _MISSING
        text.append(mark, style)
    first = newest - timedelta(days=shown - 1)
    legend = (
        f"\n{first}–{newest}  · missing ({missing})  {VALID} valid {NOT_VALID} not valid {IMPORTED} imported x orphan"
    )
    text.append(legend[: width + 1], "dim")
    return text


def _cell(window: Window | None) -> tuple[str, str]:
    if window is None:
        return _MISSING
    if window.orphaned:
        return "x", "yellow"
    if window.imported:
        return IMPORTED, "cyan"
    return (VALID, "green") if window.valid else (NOT_VALID, "yellow")


def days_between(first: date, last: date) -> list[date]:
    """All days from the first to the last, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
