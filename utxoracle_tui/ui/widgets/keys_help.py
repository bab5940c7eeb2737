"""The list of keys: beside the screen where there is room for both, over it where there is not."""

from __future__ import annotations

from textual.events import Resize
from textual.widgets import HelpPanel

_BESIDE_FROM_COLUMNS = 100
"""On a narrower terminal what is left of the screen would be no use."""


class KeysHelp(HelpPanel):
    """What the keys do where one is."""

    DEFAULT_CSS = """
    KeysHelp.-over {
        split: initial; overlay: screen; position: absolute;
        width: 100%; min-width: 100%; max-width: 100%; height: 100%;
        border: none; background: $background;
    }
    """

    def on_resize(self, _: Resize) -> None:
        """Take the place that there is; the terminal may have become another."""
        self.set_class(self.app.size.width < _BESIDE_FROM_COLUMNS, "-over")
