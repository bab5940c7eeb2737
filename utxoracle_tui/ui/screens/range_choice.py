"""What is to be done with a range that was marked on the chart."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from utxoracle_tui import formats
from utxoracle_tui.ui.key_names import key_of, may_change

RangeAction = Literal["backfill", "rerun", "observations", "windows"]
_CHOICES = (
    ("range.backfill", "backfill its missing days"),
    ("range.rerun", "work its days out anew"),
    ("range.observations", "export its observations, as CSV"),
    ("range.windows", "export its windows, as CSV"),
    ("range.nothing", "nothing, the marks stay"),
)
_CHANGES = frozenset({"range.backfill", "range.rerun"})


class RangeChoice(ModalScreen[RangeAction | None]):
    """The choice, or None."""

    CSS = """
    RangeChoice { align: center middle; }
    RangeChoice > Vertical {
        width: 56; max-width: 90%; height: auto; border: round $primary; padding: 1 2; background: $panel;
    }
    RangeChoice Label { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "choose('backfill')", "Backfill", id="range.backfill"),
        Binding("r", "choose('rerun')", "Rerun", id="range.rerun"),
        Binding("x", "choose('observations')", "Export observations", id="range.observations"),
        Binding("w", "choose('windows')", "Export windows", id="range.windows"),
        Binding("escape", "choose(None)", "Nothing", id="range.nothing"),
    ]

    def __init__(self, first: date, last: date) -> None:
        """`first` and `last` are the UTC days that the range touches."""
        super().__init__()
        self._first, self._last = first, last

    def compose(self) -> ComposeResult:
        """The days, and a line for each choice."""
        count = formats.plural((self._last - self._first).days + 1, "day")
        choices = [choice for choice in _CHOICES if may_change(self) or choice[0] not in _CHANGES]
        lines = "\n".join(f"{key_of(self, binding):<4} {what}" for binding, what in choices)
        with Vertical():
            yield Label(f"{self._first} to {self._last} UTC, {count}\n\n{lines}", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without the right to change anything, a range can only be exported."""
        return f"range.{parameters[0] if parameters else ''}" not in _CHANGES or may_change(self)

    def action_choose(self, action: RangeAction | None) -> None:
        """Answer."""
        self.dismiss(action)
