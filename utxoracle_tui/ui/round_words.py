"""A round in two lines: the block price and the exchange price, each divergence with the exchange price behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.text import Text

from utxoracle_core.block_price import SURE_FROM, Gap
from utxoracle_tui import formats
from utxoracle_tui.engine.block_keeping import gap_now
from utxoracle_tui.engine.chart.levels import Level, level_of
from utxoracle_tui.engine.exchange_mean import divergence_pct, exchange_behind
from utxoracle_tui.engine.stack.reading import Health, Source
from utxoracle_tui.engine.stack.thresholds import LIMITS
from utxoracle_tui.engine.validation import briefly
from utxoracle_tui.store.records import ExchangeReading, Observation
from utxoracle_tui.ui.price_words import divergence

_DOUBTFUL_PCT = 15.0
"""In the data that the method was tried on, it was never so far off. But a fall of 30 % in an hour leaves its grid, of
25 % to each side: what it finds then can be a false image of the price, until the window price has followed.
"""
_EXCHANGE_WITHIN_S = 120.0
"""A backend has a new price every minute: shown by the second, its age would be most of what goes over a quiet line."""
_OLD_ROUND_S = 3_600.0
"""Rounds follow the blocks, and an hour without a block is rare."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a line, from the form that says most to the one that takes least room."""

    forms: tuple[Text, ...]
    gives_way: int = 0
    """What is greater is shortened first, and by two places later for the next time."""


def round_in_words(seen: Observation, readings: Iterable[ExchangeReading], now_s: float, width: int) -> Text:
    """A round as it stands at `now_s`, for so many columns; `readings` are exchange prices that are known beside it."""
    text = _block_line(seen, now_s, width)
    text.append("\n").append_text(_exchange_line(seen, _newest(seen, readings), now_s, width))
    return text


def _newest(seen: Observation, readings: Iterable[ExchangeReading]) -> ExchangeReading | None:
    known = list(readings)
    if seen.exchange_usd is not None and seen.exchange_time_s is not None:
        own = ExchangeReading(
            time_s=seen.exchange_time_s, price_usd=seen.exchange_usd, source=seen.exchange_source or "own"
        )
        known.insert(0, own)
    return max(known, key=lambda reading: reading.time_s, default=None)


def _fitted(pieces: Sequence[_Piece], width: int) -> Text:
    """The pieces in a line, shortened one after the other until they fit, as far as they can be."""
    chosen = [0] * len(pieces)
    steps = [
        (piece.gives_way - 2 * again, n) for n, piece in enumerate(pieces) for again in range(len(piece.forms) - 1)
    ]
    for _, n in sorted(steps, key=lambda step: -step[0]):
        if sum(piece.forms[form].cell_len for piece, form in zip(pieces, chosen, strict=True)) <= width:
            break
        chosen[n] += 1
    return Text().join(piece.forms[form] for piece, form in zip(pieces, chosen, strict=True))


def _plain(words: str, style: str = "") -> _Piece:
    return _Piece((Text(words, style),))


def _block_line(seen: Observation, now_s: float, width: int) -> Text:
    if seen.block_height is None or seen.block_time_s is None:
        return Text.assemble("block price ", ("not known", "yellow"))
    at = f"block {seen.block_height}, {formats.age(max(now_s - seen.block_time_s, 0.0))}"
    eligible_s = seen.block_time_s if seen.block_eligible_s is None else seen.block_eligible_s
    gap = gap_now(seen.block_reason, eligible_s, now_s)
    if gap is not None or seen.block_usd is None:
        return _gap(gap or Gap.UNCERTAIN, at, now_s - eligible_s)
    pieces = [_plain("block price "), _plain(formats.usd(seen.block_usd), "bold")]
    if seen.block_low_usd is not None and seen.block_high_usd is not None:
        half_pct = (seen.block_high_usd - seen.block_low_usd) / 2 / seen.block_usd * 100
        pieces.append(_Piece((Text(f" ± {half_pct:.1f} %"), Text()), 1))
    if seen.block_confidence is not None:
        pieces.append(_confidence(seen.block_confidence))
    pieces.append(_plain(f" · {at}", "dim"))
    apart_pct = seen.divergence_block_pct
    if apart_pct is not None:
        behind_usd = exchange_behind(seen.block_usd, apart_pct) or 0.0
        long = _apart(" · divergence ", apart_pct, f" of {formats.usd(behind_usd)}")
        short = _apart(" · ", apart_pct, f" of {formats.whole_usd(behind_usd)}", brief=True)
        pieces.append(_Piece((long, short), 3))
    text = _fitted(pieces, width)
    if doubt := _doubt(seen):
        text.append(f"\n⚠ doubtful: {doubt}", "bold yellow")
    return text


def _gap(gap: Gap, at: str, age_s: float) -> Text:
    text = Text("block price ")
    text.append(f"none at {at}: {gap.value}", "bold yellow")
    if gap is Gap.STALE:
        text.append(f", {formats.span(age_s)} old", "bold yellow")
    return text.append(f". {gap.sentence}", "yellow")


def _confidence(value: float) -> _Piece:
    if value < SURE_FROM:
        return _Piece((Text(f" · confidence {value:.2f} weak", "yellow"), Text(" · weak", "yellow")), 2)
    return _Piece((Text(f" · confidence {value:.2f}"), Text()), 2)


def _apart(lead: str, pct: float, behind: str = "", *, brief: bool = False) -> Text:
    return Text.assemble(lead, divergence(pct, brief=brief), (behind, "dim"))


def _exchange_line(seen: Observation, newest: ExchangeReading | None, now_s: float, width: int) -> Text:
    pieces = [_plain("exchange    ")]
    if newest is None:
        pieces.append(_plain("not known", "yellow"))
    else:
        age_s = max(now_s - newest.time_s, 0.0)
        pieces.append(_plain(formats.usd(newest.price_usd), "bold"))
        if newest.source == "public":
            pieces.append(_plain(" PUBLIC", "bold yellow"))
        health = LIMITS[Source.EXCHANGE].health(age_s)
        if health is not Health.UP:
            pieces.append(_plain(f" {health.value}", "bold yellow"))
        pieces.append(_plain(f", {formats.age_within(age_s, _EXCHANGE_WITHIN_S)}", "dim"))
    if seen.divergence_spot_pct is not None:
        pieces.append(_spot(seen, seen.divergence_spot_pct, newest))
    if seen.divergence_window_pct is not None:
        pieces.append(_window(seen, seen.divergence_window_pct))
    if seen.orphaned:
        pieces.append(_plain(" · orphaned", "bold yellow"))
    if seen.valid is False:
        pieces.append(_plain(f" · window price not valid: {briefly(seen.reason)}", "bold yellow"))
    round_age_s = now_s - seen.time_s
    if round_age_s > _OLD_ROUND_S:
        pieces.append(_plain(f" · round of {formats.age(round_age_s)}", "bold yellow"))
    return _fitted(pieces, width)


def _spot(seen: Observation, pct: float, newest: ExchangeReading | None) -> _Piece:
    """The exchange price behind it is said where it is not the one that stands before it."""
    behind_usd = seen.exchange_usd
    if behind_usd is None or (newest is not None and newest.price_usd == behind_usd):
        return _Piece((_apart(" · divergence spot ", pct), _apart(" · spot ", pct, brief=True)), 3)
    long = _apart(" · divergence spot ", pct, f" of {formats.usd(behind_usd)}")
    return _Piece((long, _apart(" · spot ", pct, f" of {formats.whole_usd(behind_usd)}", brief=True)), 3)


def _window(seen: Observation, pct: float) -> _Piece:
    """The exchange price behind it is the mean over the window's span."""
    mean_usd = seen.exchange_mean_usd
    forms = [_apart(" · window ", pct, f" of mean {formats.usd(mean_usd)}")] if mean_usd is not None else []
    forms.append(_apart(" · window ", pct, " of mean", brief=True))
    if level_of(pct) is Level.QUIET:
        forms.append(Text())
    return _Piece(tuple(forms), 2 if mean_usd is None else 4)


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
