"""A chart as it stands on the screen, to be kept as a text or as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, MONOKAI
from rich.text import Text

_HEAD_STYLE = "dim"


@dataclass(frozen=True, slots=True)
class ShownChart:
    """The lines of a chart from top to bottom, and what has to be known of it."""

    name: str
    """Of its file, without an ending."""
    head: Mapping[str, object]
    parts: Sequence[Text]

    def as_text(self, head: Mapping[str, object]) -> str:
        """As plain text, after `head` and what the chart has to say of itself."""
        lines = [*_words({**head, **self.head}), "", *(part.plain for part in self.parts)]
        return "\n".join(line.rstrip() for text in lines for line in text.split("\n")) + "\n"

    def as_svg(self, head: Mapping[str, object], *, dark: bool) -> str:
        """As a picture with the colours of the screen, after the same."""
        words = _words({**head, **self.head})
        lines = [line for part in self.parts for line in part.split("\n")]
        width = max([len(line.plain) for line in lines] + [len(word) for word in words])
        recorder = Console(
            record=True, width=width, file=io.StringIO(), color_system="truecolor", force_terminal=True, no_color=False
        )
        for word in words:
            recorder.print(Text(word, _HEAD_STYLE, no_wrap=True))
        recorder.print()
        for line in lines:
            recorder.print(line, no_wrap=True, overflow="crop")
        theme = MONOKAI if dark else DEFAULT_TERMINAL_THEME
        return recorder.export_svg(title=f"utxoracle-tui · {self.name}", theme=theme, unique_id="chart")


def _words(head: Mapping[str, object]) -> list[str]:
    """A line for each thing there is to say."""
    found = []
    for name, value in head.items():
        text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
        if text is not None and text != "":
            found.append(f"{name}: {text}")
    return found
