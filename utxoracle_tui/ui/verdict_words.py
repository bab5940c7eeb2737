"""Whether a price is valid, in the same sign, word and colour on every screen."""

from __future__ import annotations

from rich.text import Text

VALID, NOT_VALID, IMPORTED = "■", "▨", "◇"


def verdict(*, valid: bool) -> Text:
    """The sign and the word."""
    return Text(f"{VALID} valid", "green") if valid else Text(f"{NOT_VALID} not valid", "bold yellow")


def imported() -> Text:
    """What stands in place of a verdict on a price that was published by others."""
    return Text(f"{IMPORTED} imported", "cyan")
