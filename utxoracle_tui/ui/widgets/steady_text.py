"""Text of which only the lines that change are drawn again, for terminals at the end of a slow line."""

from __future__ import annotations

from rich.text import Text
from textual.geometry import Region
from textual.widget import Widget


class SteadyText(Widget):
    """Lines of text with style, one below the other; a line that is too long is wrapped."""

    DEFAULT_CSS = "SteadyText { height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._text = Text()

    def render(self) -> Text:
        """What is shown."""
        return self._text

    def update(self, text: Text) -> None:
        """Show another text; what stands in the same place in both is left alone."""
        if text == self._text:
            return
        before, self._text = self._text.split("\n", allow_blank=True), text
        after, width = text.split("\n", allow_blank=True), self.content_size.width
        if len(before) != len(after) or any(line.cell_len > width for line in (*before, *after)):
            # a height that was found between two updates would stay: what it is cached by changes with the styles alone
            self.styles.merge_rules({})
            self.refresh(layout=True)
            return
        pairs = enumerate(zip(before, after, strict=True))
        self.refresh(*(Region(0, y, width, 1) for y, (old, new) in pairs if old != new))
