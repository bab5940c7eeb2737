"""Sorting and filtering the rows of a span without looking at each by itself."""

from __future__ import annotations

import re
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from utxoracle_tui.engine.chart.levels import Level, levels
from utxoracle_tui.engine.chart.series import Flags, Rows, Source, State
from utxoracle_tui.store.statistics import Basis

Order = NDArray[np.int64]
_BOUND = re.compile(r"([<>]=?)([+-]?[0-9]*\.?[0-9]+)%?")
_GAP_AFTER_SIGN = re.compile(r"([<>]=?)\s+")
_COMPARE = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


class SortKey(StrEnum):
    """What rows can be sorted by."""

    TIME = "time"
    HEIGHT = "height"
    BLOCK = "block price"
    WINDOW = "window price"
    EXCHANGE = "exchange"
    DIVERGENCE = "divergence"
    """Its size on the chosen basis, without the sign."""
    CONFIDENCE = "confidence"


def ordered(rows: Rows, key: SortKey, basis: Basis, *, downwards: bool) -> Order:
    """The numbers of the rows in an order; what has no value comes last, and of equal ones the newest first."""
    side = rows.sides[basis]
    values = {
        SortKey.TIME: rows.time_s,
        SortKey.HEIGHT: rows.height,
        SortKey.BLOCK: rows.block_usd,
        SortKey.WINDOW: rows.window_usd,
        SortKey.EXCHANGE: side.exchange_usd,
        SortKey.DIVERGENCE: np.abs(side.divergence_pct),
        SortKey.CONFIDENCE: side.confidence,
    }[key]
    # NaN is last whatever the sign
    return np.lexsort((-np.arange(len(rows)), -values if downwards else values))


def matching(rows: Rows, text: str, basis: Basis) -> Flags:
    """Which rows have all words of a text in them: in their time, height, state, exchange source, or in how large the
    divergence on the basis is (high, low, large, alert). A word such as >0.5 or <-2 is a bound for that divergence.
    """
    found = np.ones(len(rows), np.bool_)
    words = _GAP_AFTER_SIGN.sub(r"\1", text.lower()).split()
    if not words or not len(rows):
        return found
    seconds = rows.time_s.astype("datetime64[s]")
    times = np.char.replace(np.datetime_as_string(seconds, unit="m"), "T", " ")
    heights = np.where(np.isnan(rows.height), "", np.nan_to_num(rows.height).astype(np.int64).astype(np.str_))
    kinds = _kinds(rows, basis)
    distinct, which = np.unique(kinds, axis=0, return_inverse=True)
    for word in words:
        bound = _BOUND.fullmatch(word)
        if bound is not None:
            found &= _COMPARE[bound[1]](rows.sides[basis].divergence_pct, float(bound[2]))
            continue
        named = np.array([word in _kind_words(*kind) for kind in distinct.tolist()], np.bool_)
        found &= named[which.ravel()] | (np.char.find(times, word) >= 0) | (np.char.find(heights, word) >= 0)
    return found


def _kinds(rows: Rows, basis: Basis) -> Order:
    side = rows.sides[basis]
    above = np.nan_to_num(side.divergence_pct) > 0
    return np.stack([side.state, side.source, levels(side.divergence_pct), above], axis=1).astype(np.int64)


def _kind_words(state: int, source: int, level: int, above: int) -> str:
    words = [State(state).word, Source(source).word]
    if level >= Level.LARGE:
        words += ["large", "high" if above else "low"]
    if level >= Level.ALERT:
        words.append("alert")
    return " ".join(words)
