"""The console's terminal where that is a browser, with a server in between."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial

from textual.drivers.web_driver import WebDriver
from textual.messages import ExitApp


class WebTerminal(WebDriver):
    """Textual's driver, which ends the console when the server has gone, in whatever way."""

    def run_input_thread(self) -> None:
        """Read what the browser sends; the end of it is the end of the console."""
        self._write = partial(_write_if_heard, self.fileno)
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._app.post_message(ExitApp())


def _write_if_heard(file: int, data: bytes) -> int:
    with suppress(BrokenPipeError):
        return os.write(file, data)
    return 0
