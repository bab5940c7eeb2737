"""Text of which only what changes is drawn again, for terminals at the end of a slow line."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget

from utxoracle_tui.ui.widgets.changed_cells import cells_of_text, changed_regions


class SteadyText(Widget):
    """Lines of text with style, one below the other; a long one is wrapped, or cut where the style says so."""

    DEFAULT_CSS = "SteadyText { height: auto; }"

    def __init__(self, text: Text | None = None, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._text = text or Text()

    def render(self) -> Text:
        """What is shown."""
        return self._text

    def update(self, text: Text) -> None:
        """Show another text; what stands in the same place in both is left alone."""
        if text == self._text:
            return
        before, self._text = self._text.split("\n", allow_blank=True), text
        after, width = text.split("\n", allow_blank=True), self.content_size.width
        wraps = self.styles.text_wrap == "wrap" and any(line.cell_len > width for line in (*before, *after))
        if len(before) != len(after) or wraps or not width:
            # a height that was found between two updates would stay: what it is cached by changes with the styles alone
            self.styles.merge_rules({})
            self.refresh(layout=True)
            return
        pairs = [(cells_of_text(old), cells_of_text(new)) for old, new in zip(before, after, strict=True)]
        if changed := list(changed_regions(pairs, width)):
            self.refresh(*changed)
