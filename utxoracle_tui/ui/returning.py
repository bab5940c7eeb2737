"""Screens that are come back to: their styles are worked out anew only if something they depend on is another."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.events import ScreenResume
from textual.screen import Screen

T = TypeVar("T")


class Returning(Screen[T], Generic[T]):
    """A screen that stays, out of sight, while another is shown. Its styles are a third of what going to it takes."""

    _styled_for: object = None

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Leave the styles alone where nothing has changed; what changes on the screen itself sees to its own."""
        look = (self.app.theme, self.app.size, frozenset(self.app.classes), frozenset(self.app.pseudo_classes))
        event.refresh_styles = look != self._styled_for
        self._styled_for = look
