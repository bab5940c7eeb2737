"""Jump mode: every pane of the screen gets a letter, and the letter leads there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Label

LETTERS = "asdfghjkl"


def panes_of(screen: Screen[object]) -> list[Widget]:
    """What can have the keyboard on a screen, from the top left to the bottom right."""
    panes = [pane for pane in screen.focus_chain if isinstance(pane, Widget) and pane.region.area]
    return sorted(panes, key=lambda pane: (pane.region.y, pane.region.x))[: len(LETTERS)]


class Jump(ModalScreen[Widget | None]):
    """The pane whose letter is pressed; None for any other key."""

    CSS = """
    Jump { background: transparent; }
    Jump > Label { position: absolute; width: auto; height: 1; background: $primary; color: $background; }
    Jump > Label { text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Stay", id="jump.stay")]

    def __init__(self, panes: Sequence[Widget]) -> None:
        super().__init__()
        self._panes = dict(zip(LETTERS, panes, strict=False))

    def compose(self) -> ComposeResult:
        """A letter in the corner of each pane."""
        for letter, pane in self._panes.items():
            label = Label(f" {letter} ", markup=False)
            label.styles.offset = pane.region.x, pane.region.y
            yield label

    def on_key(self, event: events.Key) -> None:
        """Go where the letter is, and stay for any other."""
        if event.character is not None:
            event.stop()
            event.prevent_default()
            self.dismiss(self._panes.get(event.character))

    def action_give_up(self) -> None:
        """Stay."""
        self.dismiss(None)
