"""The colours of the console: black and orange by default, the same on white, or those of the terminal."""

from __future__ import annotations

from textual.theme import Theme

BLACK_AND_ORANGE = Theme(
    name="black-and-orange",
    primary="#f7931a",
    secondary="#8a6a3b",
    accent="#5fd7ff",
    foreground="#e8e6e3",
    background="#000000",
    surface="#000000",
    panel="#1c1a17",
    success="#6fcf6f",
    warning="#ffd75f",
    error="#ff6b5f",
    dark=True,
    variables={
        "footer-key-foreground": "#f7931a",
        "footer-background": "#1c1a17",
        "border": "#5c4a2e",
        "border-blurred": "#3a3022",
    },
)
WHITE_AND_ORANGE = Theme(
    name="light",
    primary="#b35c00",
    secondary="#8a6a3b",
    accent="#00688b",
    foreground="#1a1a1a",
    background="#ffffff",
    surface="#ffffff",
    panel="#f1ece4",
    success="#1f7a1f",
    warning="#8a6500",
    error="#b3261e",
    dark=False,
    variables={
        "footer-key-foreground": "#b35c00",
        "footer-background": "#f1ece4",
        "border": "#c9b899",
        "border-blurred": "#ddd3c2",
    },
)
OF_THE_TERMINAL = "ansi-dark"
"""Textual's theme of nothing but the terminal's own colours."""
THEMES = {
    "black-and-orange": BLACK_AND_ORANGE.name,
    "light": WHITE_AND_ORANGE.name,
    "ansi": OF_THE_TERMINAL,
}
"""The name of a theme by that of its setting."""
