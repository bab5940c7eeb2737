"""The newest round in two lines: the price at the newest block, which is the live one, and the exchange price; how far
apart they are, and how old.
"""

from __future__ import annotations

from rich.text import Text

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.store.records import ExchangeReading
from utxoracle_tui.ui.round_words import round_in_words
from utxoracle_tui.ui.store_words import unconfirmed
from utxoracle_tui.ui.widgets.coming_width import coming_width
from utxoracle_tui.ui.widgets.steady_text import SteadyText

_AGE_CHECK_S = 1.0


class RoundLine(SteadyText):
    """What the store says of the two prices, and its trouble as a sentence."""

    DEFAULT_CSS = """
    RoundLine { height: auto; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__(Text("… no round yet", "dim"))
        self._reading: StoreReading | None = None
        self._asked: ExchangeReading | None = None

    def on_mount(self) -> None:
        """Keep the ages right."""
        self.set_interval(_AGE_CHECK_S, self._refresh)

    def on_resize(self) -> None:
        """Say more where there is room."""
        self._refresh()

    def show(self, reading: StoreReading) -> None:
        """Show another reading."""
        self._reading = reading
        self._refresh()

    def show_exchange(self, asked: ExchangeReading | None) -> None:
        """Show what the exchange price is said to be now."""
        if asked != self._asked:
            self._asked = asked
            self._refresh()

    def _refresh(self) -> None:
        if self._reading is None:
            return
        self.update(describe(self._reading, clock.now_s(), coming_width(self), self._asked))


def describe(reading: StoreReading, now_s: float, width: int, asked: ExchangeReading | None = None) -> Text:
    """The reading in words, as it stands at `now_s`, for so many columns; `asked` is the newest exchange price that was
    had beside rounds.
    """
    text = Text()
    if reading.newest is not None:
        known = [each for each in (reading.exchange, asked) if each is not None]
        text.append_text(round_in_words(reading.newest, known, now_s, width))
    elif reading.network or not reading.waits:
        text.append("… no round stored yet", "dim")
    if said := unconfirmed(reading):
        text.append("\n" if text else "").append(f"◌ {said}", "cyan")
    if reading.trouble:
        waiting = f" ({formats.plural(reading.waiting, 'round')} waiting)" if reading.waiting else ""
        text.append(f"\n✗ not stored{waiting}: {reading.trouble}", "red")
    for notice in reading.notices[-2:]:
        text.append(f"\n⚠ {notice.sentence}", "yellow")
    return text
