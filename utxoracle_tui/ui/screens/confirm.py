"""A question that is answered with yes or no."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from utxoracle_tui.ui.key_names import key_of


class Confirm(ModalScreen[bool]):
    """True for yes. Enter alone does nothing, so that no reflex answers."""

    CSS = """
    Confirm { align: center middle; }
    Confirm > Vertical {
        width: 70; max-width: 90%; height: auto; border: round $primary; padding: 1 2; background: $panel;
    }
    Confirm Label { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes"),
        Binding("n,escape", "answer(False)", "No", id="confirm.no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and its keys."""
        with Vertical():
            yield Label(self._question, markup=False)
            yield Label(f"\n{key_of(self, 'confirm.yes')} yes · {key_of(self, 'confirm.no')} no", markup=False)

    def action_answer(self, yes: bool) -> None:
        """Answer."""
        self.dismiss(yes)
