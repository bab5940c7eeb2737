"""The marks of the price chart. Each series has one of its own, so that it is known without colour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from utxoracle_tui.engine.chart.series import Source, State


class Style(Enum):
    """What the terminal can show."""

    COLOUR = "colour"
    LETTERS = "letters"
    """Without colour: lines that lie close are told apart by letters."""
    ASCII = "ascii"


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One character each; an empty one stands for a line of braille dots."""

    block: str
    weak: str
    gap: str
    band: str
    exchange: str
    public: str
    daily: str
    imported_exchange: str
    window: str
    states: dict[State, str]
    """Of window prices and divergences that are no plain valid ones."""
    cursor: str
    at_cursor: str
    range_edge: str
    zero: str
    threshold: str
    bar: str
    high: str
    low: str
    alert: str
    line_sample: str

    def of_source(self, source: Source) -> str:
        """The mark of an exchange price."""
        marks = {Source.PUBLIC: self.public, Source.DAILY: self.daily, Source.IMPORTED: self.imported_exchange}
        return marks.get(source, self.exchange)


_UNICODE_STATES = {
    State.LOW_CONFIDENCE: "▽",
    State.NOT_VALID: "▨",
    State.IMPORTED: "◇",
    State.ORPHANED: "x",
    State.UNKNOWN: "?",
}
_COLOUR = Glyphs(
    block="",
    weak="○",
    gap="▁",
    band="┈",
    exchange="",
    public="+",
    daily="=",
    imported_exchange="◦",
    window="·",
    states=_UNICODE_STATES,
    cursor="│",
    at_cursor="◉",
    range_edge="┊",
    zero="─",
    threshold="┄",
    bar="",
    high="▲",
    low="▼",
    alert="!",
    line_sample="━",
)
_LETTERS = replace(_COLOUR, exchange="E", public="P", daily="D", imported_exchange="e", window="w")
_ASCII = Glyphs(
    block="B",
    weak="b",
    gap="_",
    band=".",
    exchange="E",
    public="P",
    daily="D",
    imported_exchange="e",
    window="w",
    states={
        State.LOW_CONFIDENCE: "L",
        State.NOT_VALID: "N",
        State.IMPORTED: "I",
        State.ORPHANED: "x",
        State.UNKNOWN: "?",
    },
    cursor="|",
    at_cursor="@",
    range_edge=":",
    zero="-",
    threshold=".",
    bar="#",
    high="^",
    low="v",
    alert="!",
    line_sample="-",
)
GLYPHS = {Style.COLOUR: _COLOUR, Style.LETTERS: _LETTERS, Style.ASCII: _ASCII}
