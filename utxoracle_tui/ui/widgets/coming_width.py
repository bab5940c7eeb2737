"""How wide a widget is, also before it was laid out for the first time."""

from __future__ import annotations

from textual.widget import Widget


def coming_width(widget: Widget) -> int:
    """Columns that its text may take; of one that wasn't laid out yet, those that it has if it spans the screen.

    What is drawn before it is laid out is on the screen for a moment, and would stand there in the words of the
    narrowest terminal.
    """
    return widget.content_size.width or max(widget.app.size.width - widget.gutter.width, 0)
