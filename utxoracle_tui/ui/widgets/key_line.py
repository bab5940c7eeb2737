"""The keys of the screen in its last line: as many as have room, whole, the way to help and the way out always."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.dom import DOMNode
from textual.events import Click
from textual.screen import Screen
from textual.widget import Widget

_ALWAYS = ("quit", "toggle_help")
"""Actions that are never left out for want of room."""


@dataclass(frozen=True, slots=True)
class ShownKey:
    """One key as the line shows it."""

    key: str
    display: str
    does: str
    action: str
    can: bool
    """Whether it does anything just now."""

    @property
    def columns(self) -> int:
        """How much room it takes."""
        return len(self.display) + len(self.does) + 3


class KeyLine(Widget):
    """One widget for all keys: a widget each, as in Textual's footer, is most of what opening a screen takes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-line--key", "key-line--does"}
    DEFAULT_CSS = """
    KeyLine {
        dock: bottom; height: 1;
        color: $footer-foreground; background: $footer-background;
    }
    KeyLine .key-line--key { color: $footer-key-foreground; background: $footer-key-background; text-style: bold; }
    KeyLine .key-line--does { color: $footer-description-foreground; background: $footer-description-background; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[ShownKey, ...] = ()

    def on_mount(self) -> None:
        """Follow which keys there are."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self._changed(self.screen)

    def _changed(self, screen: Screen[object]) -> None:
        if not self.is_attached or screen is not self.screen:
            return
        first: dict[tuple[DOMNode, str], ShownKey] = {}
        for node, binding, enabled, _ in screen.active_bindings.values():
            if binding.show:
                display = self.app.get_key_display(binding)
                shown = ShownKey(binding.key, display, binding.description, binding.action, enabled)
                first.setdefault((node, binding.action), shown)
        keys = tuple(first.values())
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def on_click(self, event: Click) -> None:
        """What is clicked is pressed."""
        key = event.style.meta.get("key")
        if isinstance(key, str):
            self.app.simulate_key(key)

    def render(self) -> Text:
        """The line."""
        key_style = self.get_component_rich_style("key-line--key")
        does_style = self.get_component_rich_style("key-line--does")
        line = Text(no_wrap=True, end="")
        for key in fitting(self._keys, self.content_size.width):
            dim = Style(dim=not key.can, meta={"key": key.key})
            line.append(f" {key.display} ", key_style + dim)
            line.append(f"{key.does} ", does_style + dim)
        return line


def fitting(keys: tuple[ShownKey, ...], columns: int) -> list[ShownKey]:
    """Those of the keys that have room in so many columns, in their order; help and the way out come first in that."""
    room = columns - sum(key.columns for key in keys if key.action in _ALWAYS)
    shown = []
    for key in keys:
        if key.action not in _ALWAYS:
            if key.columns > room:
                continue
            room -= key.columns
        shown.append(key)
    return shown
