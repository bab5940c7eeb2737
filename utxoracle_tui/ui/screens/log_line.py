"""One line of a log, whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from utxoracle_tui.engine.logs.line import LogLine
from utxoracle_tui.engine.request import Day, Heights
from utxoracle_tui.ui.key_names import key_of

WINDOW = "window"
"""What the dialog ends with where the window that the line speaks of is to be opened."""


class LogLineDetail(ModalScreen[str | None]):
    """The text of a line with all that is known of it."""

    CSS = """
    LogLineDetail { align: center middle; }
    LogLineDetail > Vertical {
        width: 95%; max-width: 160; height: auto; max-height: 90%; border: round $primary; padding: 0 1;
        background: $background;
    }
    LogLineDetail VerticalScroll { height: auto; max-height: 100%; }
    LogLineDetail #whose { color: $primary; text-style: bold; }
    LogLineDetail #keys { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "dismiss", "Back", id="log_line.back"),
        Binding("w", "window", "Window", id="log_line.window"),
        Binding("c", "copy", "Copy", id="log_line.copy"),
    ]

    def __init__(self, line: LogLine) -> None:
        super().__init__()
        self._line = line

    def compose(self) -> ComposeResult:
        """Whose line it is, the text, and what can be done."""
        window = self._line.window
        keys = [f"{key_of(self, 'log_line.back')} back", f"{key_of(self, 'log_line.copy')} copy"]
        if window is not None:
            keys.append(f"{key_of(self, 'log_line.window')} {window_words(window)}")
        with Vertical():
            yield Label(heading(self._line), id="whose", markup=False)
            with VerticalScroll():
                yield Static(self._line.text, markup=False)
            yield Label(" · ".join(keys), id="keys", markup=False)

    def action_window(self) -> None:
        """Open the window that it speaks of."""
        if self._line.window is not None:
            self.dismiss(WINDOW)

    def action_copy(self) -> None:
        """Give the line to the terminal's clipboard, also over SSH (OSC 52)."""
        self.app.copy_to_clipboard(f"{heading(self._line)}\n{self._line.text}")
        self.notify("The line was given to the terminal, for its clipboard.", timeout=3)


def heading(line: LogLine) -> str:
    """Whose line it is, when, and how grave."""
    time = datetime.fromtimestamp(line.at_s, UTC).isoformat(sep=" ", timespec="milliseconds")[:-6]
    guessed = "" if line.dated else " (of a line before it)"
    return f"{time} UTC{guessed} · {line.origin} · {line.level.word}"


def window_words(window: Day | Heights) -> str:
    """A window, shortly."""
    return f"day {window.day}" if isinstance(window, Day) else f"blocks {window.first}–{window.last}"
