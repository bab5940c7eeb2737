"""A small dialog that asks for one line of text, and says what is wrong with it before it takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from utxoracle_tui.errors import OperatorError
from utxoracle_tui.ui.key_names import key_name, key_of

T = TypeVar("T")


class Ask(ModalScreen[T | None], Generic[T]):
    """Asks until the text can be read, or until the operator gives up with Escape."""

    CSS_PATH = "ask.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Cancel", id="ask.cancel")]

    def __init__(self, question: str, start: str, read: Callable[[str], T]) -> None:
        super().__init__()
        self._question = question
        self._start = start
        self._read = read

    def compose(self) -> ComposeResult:
        """A question, the answer, and room for what is wrong with it."""
        with Vertical():
            yield Label(self._question)
            yield Input(self._start)
            yield Label(f"{key_name(self, 'enter')} takes it · {key_of(self, 'ask.cancel')} leaves it", id="ask-note")

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        try:
            answer = self._read(event.value.strip())
        except OperatorError as error:
            note = self.query_one("#ask-note", Label)
            note.update(f"✗ {error.message}")
            note.add_class("-wrong")
            return
        self.dismiss(answer)

    def action_give_up(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
