"""The looks of the console: black and orange by default."""

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
