"""The newest round in two lines: the price at the newest block, which is the live one, and the exchange price; how far
apart they are, and how old.
"""

from __future__ import annotations

from rich.text import Text

from utxoracle_core.block_price import SURE_FROM, Gap
from utxoracle_tui import clock, formats
from utxoracle_tui.engine.block_keeping import gap_now
from utxoracle_tui.engine.exchange_mean import divergence_pct
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.store.records import Observation
from utxoracle_tui.ui.store_words import unconfirmed
from utxoracle_tui.ui.widgets.coming_width import coming_width
from utxoracle_tui.ui.widgets.steady_text import SteadyText

_AGE_CHECK_S = 1.0
_WIDE_COLUMNS = 100
_LATE_S, _STALE_S = 3_600.0, 7_200.0
_DOUBTFUL_PCT = 15.0
"""In the data that the method was tried on, it was never so far off. But a fall of 30 % in an hour leaves its grid, of
25 % to each side: what it finds then can be a false image of the price, until the window price has followed.
"""
_OLD_ROUND_S = 3_600.0
"""Rounds follow the blocks, and an hour without a block is rare."""


class RoundLine(SteadyText):
    """What the store says of the two prices, and its trouble as a sentence."""

    DEFAULT_CSS = """
    RoundLine { height: auto; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__(Text("… no round yet", "dim"))
        self._reading: StoreReading | None = None

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

    def _refresh(self) -> None:
        if self._reading is None:
            return
        self.update(describe(self._reading, clock.now_s(), coming_width(self)))


def describe(reading: StoreReading, now_s: float, width: int) -> Text:
    """The reading in words, as it stands at `now_s`, for so many columns."""
    text = Text()
    if reading.newest is None:
        text.append("… no round stored yet" if reading.network or not reading.waits else "", "dim")
    else:
        _append_round(text, reading.newest, now_s, width)
    if said := unconfirmed(reading):
        text.append(f"{chr(10) if text else ''}◌ {said}", "cyan")
    if reading.trouble:
        waiting = f" ({formats.plural(reading.waiting, 'round')} waiting)" if reading.waiting else ""
        text.append(f"\n✗ not stored{waiting}: {reading.trouble}", "red")
    for notice in reading.notices[-2:]:
        text.append(f"\n⚠ {notice.sentence}", "yellow")
    return text


def _append_round(text: Text, seen: Observation, now_s: float, width: int) -> None:
    _append_block_price(text, seen, now_s)
    text.append("\nexchange    ")
    if seen.exchange_usd is None or seen.exchange_time_s is None:
        text.append("not known", "yellow")
    else:
        age_s = max(now_s - seen.exchange_time_s, 0.0)
        text.append(formats.usd(seen.exchange_usd), "bold")
        if seen.exchange_source == "public":
            text.append(" PUBLIC", "bold yellow")
        if age_s > _LATE_S:
            text.append(" stale" if age_s > _STALE_S else " late", "bold yellow")
        text.append(f", {formats.age(age_s)}", "dim")
    found = {
        "block": seen.divergence_block_pct,
        "spot": seen.divergence_spot_pct,
        "window": seen.divergence_window_pct,
    }
    if any(value is not None for value in found.values()):
        text.append(" · divergence " if width >= _WIDE_COLUMNS else " · ")
        text.append(
            " ".join(f"{basis} {formats.signed_percent(value)}" for basis, value in found.items() if value is not None)
        )
    if seen.orphaned:
        text.append(" · orphaned", "bold yellow")
    if seen.valid is False:
        text.append(f" · not valid: {seen.reason or 'unknown'}", "bold yellow")
    round_age_s = now_s - seen.time_s
    if round_age_s > _OLD_ROUND_S:
        text.append(f" · round of {formats.age(round_age_s)}", "bold yellow")


def _append_block_price(text: Text, seen: Observation, now_s: float) -> None:
    text.append("block price ")
    if seen.block_height is None or seen.block_time_s is None:
        text.append("not known", "yellow")
        return
    age_s = max(now_s - seen.block_time_s, 0.0)
    at = f"block {seen.block_height}, {formats.age(age_s)}"
    eligible_s = seen.block_time_s if seen.block_eligible_s is None else seen.block_eligible_s
    gap = gap_now(seen.block_reason, eligible_s, now_s)
    if gap is not None or seen.block_usd is None:
        gap = gap or Gap.UNCERTAIN
        text.append(f"none at {at}: {gap.value}", "bold yellow")
        if gap is Gap.STALE:
            text.append(f", {formats.span(now_s - eligible_s)} old", "bold yellow")
        text.append(f". {gap.sentence}", "yellow")
        return
    text.append(formats.usd(seen.block_usd), "bold")
    if seen.block_low_usd is not None and seen.block_high_usd is not None:
        half_pct = (seen.block_high_usd - seen.block_low_usd) / 2 / seen.block_usd * 100
        text.append(f" ±{half_pct:.1f} %")
    if seen.block_confidence is not None:
        weak = seen.block_confidence < SURE_FROM
        text.append(f" · confidence {seen.block_confidence:.2f}{' weak' if weak else ''}", "yellow" if weak else "")
    text.append(f" · {at}", "dim")
    if doubt := _doubt(seen):
        text.append(f"\n⚠ doubtful: {doubt}", "bold yellow")


def _doubt(seen: Observation) -> str | None:
    """Why a block price that is shown may be wrong all the same, as a sentence: it is far from the other prices."""
    against_exchange_pct = seen.divergence_block_pct
    if against_exchange_pct is not None and abs(against_exchange_pct) > _DOUBTFUL_PCT:
        far = _far(against_exchange_pct)
        return f"it is {far} the exchange price. After a move of over 25 % within hours it can be a false image."
    against_window_pct = divergence_pct(seen.block_usd, seen.onchain_usd)
    if against_window_pct is not None and abs(against_window_pct) > _DOUBTFUL_PCT:
        far = _far(against_window_pct)
        return f"it is {far} the window price, which lags by half a day. See what the exchange says."
    return None


def _far(percent: float) -> str:
    return f"{abs(percent):.0f} % {'above' if percent > 0 else 'below'}"
