"""Reading the series of the price chart from the store: columns only, but for the reasons of gaps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from utxoracle_core.block_price import SHOWN_FROM, SURE_FROM
from utxoracle_core.confidence import VALID_FROM
from utxoracle_tui.engine.block_keeping import LATER_S
from utxoracle_tui.engine.chart.merging import (
    Columns,
    Figures,
    block_comparisons,
    merged_rows,
    observed,
    windows_and_days,
    with_days,
    without_days_of,
)
from utxoracle_tui.engine.chart.series import (
    BlockLine,
    Codes,
    ExchangeLine,
    Flags,
    Floats,
    GapReason,
    PriceSeries,
    Source,
    State,
)
from utxoracle_tui.engine.exchange_mean import HELD_S
from utxoracle_tui.store.store import Store

MARGIN_S = 86_400.0
"""Read besides the span: the day before its first moment may still hold."""
_REASONS_UP_TO_S = 31 * 86_400.0
"""The reasons of gaps are in the documents, and those of a month are read in a blink."""
_OF_WORD = {"uncertain": GapReason.UNCERTAIN, "rival": GapReason.RIVAL, "octave": GapReason.OCTAVE}


def read_series(
    store: Store, start_s: float, end_s: float, read_s: float, min_confidence: float = VALID_FROM
) -> PriceSeries:
    """The series of a span; `read_s` is the time now. Raises `StoreTrouble`.

    `min_confidence` is what a window price needs to be valid: one below it is not valid for that reason.
    """
    from_s = start_s - MARGIN_S
    rounds = store.observations.columns(from_s, end_s)
    days = without_days_of(store.windows.columns(from_s, end_s, "day"), rounds["time_s"])
    exchange = _exchange(
        store.exchange_readings.columns(from_s, end_s), store.exchange_days.columns(from_s, end_s), rounds
    )
    blocks = _blocks(store, start_s, end_s, exchange)
    of_rounds = Figures(rounds, window_states(rounds, min_confidence))
    of_days = Figures(days, window_states(days, min_confidence))
    return PriceSeries(
        start_s=start_s,
        end_s=end_s,
        read_s=read_s,
        blocks=blocks,
        windows=windows_and_days(of_rounds, of_days),
        exchange=exchange,
        comparisons={
            "spot": observed(of_rounds, "divergence_spot_pct", "exchange_usd"),
            "window": with_days(observed(of_rounds, "divergence_window_pct", "exchange_mean_usd"), of_days),
            "block": block_comparisons(blocks),
        },
        rows=merged_rows(of_rounds, of_days, blocks).from_moment(start_s),
    )


def first_moment_s(store: Store) -> float | None:
    """The first moment that the chart has anything of; None when there is nothing. Raises `StoreTrouble`."""
    kinds = (
        store.observations,
        store.windows.days,
        store.exchange_readings,
        store.exchange_days,
        store.block_prices,
    )
    return min((first_s for kind in kinds if (first_s := kind.first_time_s()) is not None), default=None)


def window_states(columns: Columns, min_confidence: float) -> Codes:
    """The state of each window price, from the columns of observations or windows."""
    valid, confidence = columns["valid"], columns["confidence"]
    found = np.where(valid == 1, State.VALID, State.UNKNOWN)
    found[valid == 0] = State.NOT_VALID
    found[(valid == 0) & (confidence < min_confidence)] = State.LOW_CONFIDENCE
    found[columns["imported"] == 1] = State.IMPORTED
    found[columns["orphaned"] == 1] = State.ORPHANED
    return found.astype(np.int8)


def _exchange(readings: Columns, days: Columns, rounds: Columns) -> ExchangeLine:
    """Readings, what imported rounds know besides, and daily figures for the days without either."""
    imported = (rounds["imported"] == 1) & ~np.isnan(rounds["exchange_usd"])
    times = np.concatenate([readings["time_s"], rounds["time_s"][imported]])
    prices = np.concatenate([readings["price_usd"], rounds["exchange_usd"][imported]])
    read = np.where(readings["public"] == 1, Source.PUBLIC, Source.OWN)
    sources = np.concatenate([read, np.full(np.count_nonzero(imported), Source.IMPORTED)])
    lone = without_days_of(days, times)
    times = np.concatenate([times, lone["time_s"]])
    prices = np.concatenate([prices, lone["close_usd"]])
    sources = np.concatenate([sources, np.full(len(lone["time_s"]), Source.DAILY)])
    order = np.argsort(times, kind="stable")
    return ExchangeLine(times[order], prices[order], sources[order].astype(np.int8))


def _blocks(store: Store, start_s: float, end_s: float, exchange: ExchangeLine) -> BlockLine:
    columns = store.block_prices.columns(start_s - MARGIN_S, end_s)
    price, confidence = columns["price_usd"], columns["confidence"]
    state = np.where(confidence < SURE_FROM, State.LOW_CONFIDENCE, State.VALID)
    state[np.isnan(price)] = State.GAP
    state[columns["orphaned"] == 1] = State.ORPHANED
    gap = np.where(confidence < SHOWN_FROM, GapReason.UNCERTAIN, GapReason.RIVAL_OR_OCTAVE)
    gap[~np.isnan(price)] = GapReason.NONE
    if end_s - start_s <= _REASONS_UP_TO_S and np.any(gap == GapReason.RIVAL_OR_OCTAVE):
        _name_gaps(store, columns, gap)
    return BlockLine(
        time_s=columns["time_s"],
        height=columns["last_height"],
        price_usd=price,
        low_usd=columns["low_usd"],
        high_usd=columns["high_usd"],
        confidence=confidence,
        exchange_usd=columns["exchange_usd"],
        divergence_pct=columns["divergence_block_pct"],
        state=state.astype(np.int8),
        gap=gap.astype(np.int8),
        source=_source_beside(columns["time_s"], columns["exchange_usd"], exchange),
        breaks=_breaks(columns["last_height"], columns["orphaned"] == 1),
    )


def _name_gaps(store: Store, columns: Columns, gap: NDArray[np.int64]) -> None:
    """Put in which of the reasons it is."""
    unnamed = gap == GapReason.RIVAL_OR_OCTAVE
    for day_s in np.unique(columns["time_s"][unnamed] // MARGIN_S * MARGIN_S).tolist():
        reasons = {
            (record.time_s, record.last_height): _OF_WORD.get(record.reason or "")
            for record in store.block_prices.between(day_s, day_s + MARGIN_S)
        }
        for n in np.flatnonzero(unnamed & (columns["time_s"] // MARGIN_S * MARGIN_S == day_s)).tolist():
            named = reasons.get((columns["time_s"][n], int(columns["last_height"][n])))
            gap[n] = gap[n] if named is None else named


def _breaks(height: Floats, orphaned: Flags) -> Flags:
    """Where the next height is not there; the newest block has none yet."""
    heights = np.unique(height[~orphaned])
    if not len(heights):
        return np.ones(len(height), np.bool_)
    leads_on: Flags = np.isin(height + 1, heights) | (height == heights[-1])
    return ~leads_on | orphaned


def _source_beside(time_s: Floats, exchange_usd: Floats, exchange: ExchangeLine) -> Codes:
    """Whose reading each block was set beside, as `block_keeping.nearest` has it."""
    own = exchange.source != Source.DAILY
    times, sources = exchange.time_s[own], exchange.source[own]
    found = np.full(len(time_s), Source.NONE, np.int8)
    after = np.searchsorted(times, time_s, side="right")
    since_s = time_s - np.concatenate([[-np.inf], times])[after]
    until_s = np.concatenate([times, [np.inf]])[after] - time_s
    held, comes = since_s <= HELD_S, until_s <= LATER_S
    is_later = comes & (~held | (until_s < since_s))
    there = held | comes
    found[there] = sources[(after - ~is_later)[there]]
    # a price is there whose reading has been thinned out since
    found[(found == Source.NONE) & ~np.isnan(exchange_usd)] = Source.OWN
    found[np.isnan(exchange_usd)] = Source.NONE
    return found
