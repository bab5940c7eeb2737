"""What the store has of a window, in words: the price, where it comes from, and what it was compared with."""

from __future__ import annotations

from rich.text import Text

from utxoracle_tui import formats
from utxoracle_tui.store.records import Window
from utxoracle_tui.ui.verdict_words import imported, verdict


def stored_words(window: Window) -> Text:
    """The window as a paragraph."""
    text = Text(f"{window.name}, {_what(window)}" if window.name else f"Price of {_what(window)}", "bold")
    text.append("\n")
    text.append(formats.usd(window.price_usd) if window.price_usd is not None else "no price", "bold")
    text.append(" per BTC   " if window.price_usd is not None else "   ")
    if window.imported:
        text.append_text(imported())
    elif window.valid is not None:
        text.append_text(verdict(valid=window.valid))
    if window.confidence is not None:
        text.append(f"   confidence {window.confidence:.2f}")
    if window.explanation:
        text.append(f"\n{window.explanation}", "yellow")
    origin = "published by others, imported" if window.imported else "worked out here and stored"
    text.append(f"\n{origin} {formats.utc_minute(window.stored_s)} UTC")
    if compared := _compared(window):
        text.append(f"\n{compared}")
    return text


def _what(window: Window) -> str:
    blocks = f"blocks {window.first_height}–{window.last_height}" if window.first_height is not None else ""
    if window.date is None:
        return blocks
    return f"{window.date} UTC, {blocks}" if blocks else f"{window.date} UTC"


def _compared(window: Window) -> str:
    if window.exchange_usd is None:
        return ""
    which = "daily close" if window.exchange_is_daily else "mean of its readings"
    apart = window.divergence_window_pct
    divergence = f" · divergence {apart:+.2f} %" if apart is not None else ""
    return f"exchange {formats.usd(window.exchange_usd)} ({which}){divergence}"
