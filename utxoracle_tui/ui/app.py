"""The console itself: its screens, its theme, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from utxoracle_tui.engine.folder_pricing import FolderPricing
from utxoracle_tui.ui.screens.window_detail import WindowDetail
from utxoracle_tui.ui.theme import BLACK_AND_ORANGE


class Console(App[None]):
    """The full-screen console on a folder of blocks."""

    TITLE = "utxoracle-tui"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit", id="app.quit"),
        Binding("question_mark", "toggle_help", "Help", id="app.help"),
    ]

    def __init__(self, pricing: FolderPricing) -> None:
        super().__init__()
        self._pricing = pricing

    def on_mount(self) -> None:
        """Open the first screen, and end when the terminal goes away."""
        self.register_theme(BLACK_AND_ORANGE)
        self.theme = BLACK_AND_ORANGE.name
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                # not on a loop outside the main thread, nor on Windows
                with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                    loop.add_signal_handler(getattr(signal, name), self.exit)
        self.push_screen(WindowDetail(self._pricing))

    def action_toggle_help(self) -> None:
        """Show or hide the list of keys."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()
