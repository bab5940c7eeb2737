"""Thinning a line to the columns of a picture: the least and the greatest value in each, and gaps that stay gaps.

A price holds until the next one, for so long at the most; nothing is ever interpolated. A column without a price in it
shows the one that holds over it, and one over which none holds is a gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from utxoracle_tui.engine.chart.series import Flags, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """The least and the greatest value of each column, (n_columns,); NaN in a gap."""

    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class HeldLine:
    """A line given from `low` to `high` at each moment, in order of time; NaN where there is no value."""

    time_s: Floats
    low: Floats
    high: Floats
    until_s: Floats
    """Until when each value holds, by `hold_until`."""


def hold_until(time_s: Floats, most_s: Floats | float, read_s: float, breaks: Flags | None = None) -> Floats:
    """Until when each value holds, (n,): the time of the next one, but for `most_s` at the most, nor beyond `read_s`.

    `time_s` is in order. Where it `breaks`, a value holds for its own moment alone.
    """
    following = np.append(time_s[1:], np.inf)
    until = np.maximum(np.minimum(np.minimum(following, time_s + most_s), read_s), time_s)
    return until if breaks is None else np.where(breaks, time_s, until)


def envelope(line: HeldLine, start_s: float, end_s: float, n_columns: int) -> Envelope:
    """Reduce a line to the columns of the span `start_s` to `end_s`.

    A value that holds up to the next one is joined to it: the column of the next one has both.
    """
    time_s, low, high, until_s = line.time_s, line.low, line.high, line.until_s
    lows, highs = np.full(n_columns, np.nan), np.full(n_columns, np.nan)
    if not len(time_s) or end_s <= start_s:
        return Envelope(lows, highs)
    width_s = (end_s - start_s) / n_columns
    known = ~(np.isnan(low) | np.isnan(high))
    low, high = np.where(known, low, np.nan), np.where(known, high, np.nan)

    edges = start_s + np.arange(n_columns) * width_s
    before = np.searchsorted(time_s, edges, side="right") - 1
    held = (before >= 0) & (until_s[before] > edges)
    lows[held], highs[held] = low[before[held]], high[before[held]]

    first, end = np.searchsorted(time_s, (start_s, end_s)).tolist()
    if first == end:
        return Envelope(lows, highs)
    # a gap has nothing to be joined to
    joined = np.zeros(len(time_s), np.bool_)
    joined[1:] = (until_s[:-1] == time_s[1:]) & known[1:]
    previous_low, previous_high = np.roll(low, 1), np.roll(high, 1)
    with_low = np.where(joined, np.fmin(low, previous_low), low)[first:end]
    with_high = np.where(joined, np.fmax(high, previous_high), high)[first:end]
    column = np.minimum(((time_s[first:end] - start_s) / width_s).astype(np.int64), n_columns - 1)
    filled, starts = np.unique(column, return_index=True)
    lows[filled] = np.fmin(lows[filled], np.fmin.reduceat(with_low, starts))
    highs[filled] = np.fmax(highs[filled], np.fmax.reduceat(with_high, starts))
    return Envelope(lows, highs)
