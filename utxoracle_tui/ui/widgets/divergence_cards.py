"""What the shown span says of the two prices, as cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.widgets import Static

from utxoracle_tui import formats
from utxoracle_tui.engine.chart.levels import LARGE_PCT
from utxoracle_tui.engine.chart.statistics import RangeStatistics
from utxoracle_tui.ui.price_words import divergence

_CARD_COLUMNS = 25
"""A card that is narrower can't hold an alert."""
_NONE = "–"


@dataclass(frozen=True, slots=True)
class _Card:
    title: str
    value: Text
    note: str


class DivergenceCards(Static):
    """Six cards in one row, or in two where the terminal is narrow; each is a title, a figure and what it rests on."""

    DEFAULT_CSS = """
    DivergenceCards { height: auto; min-height: 2; padding: 0 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._statistics: RangeStatistics | None = None

    def show(self, statistics: RangeStatistics | None) -> None:
        """Show the statistics of another span or basis."""
        self._statistics = statistics
        self._draw()

    def on_resize(self) -> None:
        """As many cards a row as fit."""
        self._draw()

    def _draw(self) -> None:
        if self.size.width:
            text = describe(self._statistics, self.size.width)
            if self.content != text:
                self.update(text)


def describe(statistics: RangeStatistics | None, width: int) -> Text:
    """The cards in so many columns: two lines for each row of them."""
    if statistics is None:
        return Text("no figures yet\n", "dim")
    cards = _cards(statistics)
    a_row = len(cards) if width >= len(cards) * _CARD_COLUMNS else len(cards) // 2
    columns = width // a_row
    rows = [cards[first : first + a_row] for first in range(0, len(cards), a_row)]
    return Text("\n", no_wrap=True).join(line for row in rows for line in _lines(row, columns))


def _lines(cards: Sequence[_Card], columns: int) -> tuple[Text, Text]:
    first, second = Text(no_wrap=True), Text(no_wrap=True)
    for card in cards:
        head = Text(f"{card.title} ", "dim")
        head.append_text(card.value)
        for line, part in ((first, head), (second, Text(card.note, "dim"))):
            part.truncate(columns - 1, overflow="ellipsis")
            part.pad_right(columns - part.cell_len)
            line.append_text(part)
    return first, second


def _cards(found: RangeStatistics) -> list[_Card]:
    known = found.blocks_covered
    blocks = f"of hours; blocks {known * 100:.0f} %" if known is not None else "of hours"
    return [
        _Card("mean", _pct(found.mean_pct), f"{found.basis}, {formats.count(found.count)} figures"),
        _Card("highest", _pct(found.largest_pct), _when(found.largest_time_s)),
        _Card("lowest", _pct(found.smallest_pct), _when(found.smallest_time_s)),
        _Card(
            "correlation", _bold(f"{found.correlation:.3f}" if found.correlation is not None else None), "of the two"
        ),
        _Card("valid", _share(found.share_valid), "blocks priced" if found.basis == "block" else "of the windows"),
        _Card("covered", _share(found.hours_covered), blocks),
    ]


def _pct(value: float | None) -> Text:
    if value is None:
        return Text(_NONE, "dim")
    return divergence(value) if abs(value) > LARGE_PCT else _bold(formats.signed_percent(value))


def _share(value: float | None) -> Text:
    return _bold(None if value is None else formats.percent(value))


def _bold(words: str | None) -> Text:
    return Text(_NONE, "dim") if words is None else Text(words, "bold")


def _when(time_s: float | None) -> str:
    return formats.utc_minute(time_s) if time_s is not None else _NONE
