"""The series of the price chart. Times are unix seconds in UTC, prices USD, divergences signed percent.

All arrays of one line have the same length, are in order of time, and have NaN where there is no value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from utxoracle_tui.store.statistics import BASES, Basis

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]
Flags = NDArray[np.bool_]


class State(IntEnum):
    """How far a price from the chain can be relied on."""

    VALID = 0
    LOW_CONFIDENCE = 1
    """Of a block price: it is shown, and weak. Of a window price: not valid for that reason."""
    NOT_VALID = 2
    IMPORTED = 3
    ORPHANED = 4
    UNKNOWN = 5
    GAP = 6
    """There is no price, for a reason."""

    @property
    def word(self) -> str:
        """The state for people."""
        return self.name.lower().replace("_", " ")


class Source(IntEnum):
    """Where an exchange price comes from."""

    OWN = 0
    PUBLIC = 1
    """The fallback."""
    DAILY = 2
    """A file of history, known by the day."""
    IMPORTED = 3
    NONE = 4

    @property
    def word(self) -> str:
        """The source for people."""
        return self.name.lower()


class GapReason(IntEnum):
    """Why a block has no price."""

    NONE = 0
    UNCERTAIN = 1
    RIVAL = 2
    OCTAVE = 3
    RIVAL_OR_OCTAVE = 4
    """One of the two: which of them is not read for long spans."""

    @property
    def word(self) -> str:
        """The reason for people."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True, eq=False)
class BlockLine:
    """The price at every block that is stored."""

    time_s: Floats
    height: Floats
    price_usd: Floats
    """NaN in a gap."""
    low_usd: Floats
    high_usd: Floats
    confidence: Floats
    exchange_usd: Floats
    divergence_pct: Floats
    state: Codes
    gap: Codes
    source: Codes
    """Of the exchange price that stands beside the block's."""
    breaks: Flags
    """Whether the next height is not stored: no line leads on from here."""


@dataclass(frozen=True, slots=True, eq=False)
class WindowLine:
    """Window prices: of rounds, and of days on which there was none."""

    time_s: Floats
    height: Floats
    """Of the last block."""
    price_usd: Floats
    confidence: Floats
    state: Codes
    daily: Flags
    """Whether it is the price of a day, which stands from midnight to midnight."""


@dataclass(frozen=True, slots=True, eq=False)
class ExchangeLine:
    """Exchange prices: readings, and daily figures for the days without any."""

    time_s: Floats
    price_usd: Floats
    source: Codes


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """Pairs of prices on one basis; NaN where there is none."""

    time_s: Floats
    height: Floats
    onchain_usd: Floats
    exchange_usd: Floats
    divergence_pct: Floats
    confidence: Floats
    state: Codes
    source: Codes
    daily: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """What rows say on one basis; confidence and state are those of the price that it compares."""

    exchange_usd: Floats
    """What the divergence was worked out with; also where there is none to work out."""
    divergence_pct: Floats
    confidence: Floats
    state: Codes
    source: Codes
    """Of that exchange price."""

    @property
    def columns(self) -> tuple[Floats | Codes, ...]:
        """All of it."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def cut(self, here: slice) -> Side:
        """A part of the rows."""
        return Side(**{field.name: getattr(self, field.name)[here] for field in fields(self)})


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """One row for each round, for each block without one, and for each day without rounds."""

    time_s: Floats
    height: Floats
    """The tip at that moment; of a day, its last block."""
    block_usd: Floats
    window_usd: Floats
    sides: Mapping[Basis, Side]

    def __len__(self) -> int:
        return len(self.time_s)

    def same_as(self, other: Rows) -> bool:
        """Whether all rows are the same."""
        pairs = zip(self._columns, other._columns, strict=True)
        return all(np.array_equal(mine, others, equal_nan=True) for mine, others in pairs)

    def from_moment(self, start_s: float) -> Rows:
        """Those that are not before a moment."""
        here = slice(int(np.searchsorted(self.time_s, start_s)), None)
        sides = {basis: side.cut(here) for basis, side in self.sides.items()}
        return Rows(self.time_s[here], self.height[here], self.block_usd[here], self.window_usd[here], sides)

    @property
    def _columns(self) -> tuple[Floats | Codes, ...]:
        own = (self.time_s, self.height, self.block_usd, self.window_usd)
        return (*own, *(column for basis in BASES for column in self.sides[basis].columns))


@dataclass(frozen=True, slots=True, eq=False)
class PriceSeries:
    """All that the chart draws of a span, and a little of what comes before it, as that may still hold."""

    start_s: float
    end_s: float
    """Not in the span itself."""
    read_s: float
    """When it was read: nothing holds beyond that."""
    blocks: BlockLine
    windows: WindowLine
    exchange: ExchangeLine
    comparisons: Mapping[Basis, Comparisons]
    rows: Rows

    @property
    def extent(self) -> tuple[float, float] | None:
        """The first and the last moment of which there is anything; None when there is nothing."""
        lines = (self.blocks.time_s, self.windows.time_s, self.exchange.time_s)
        ends = [(float(times[0]), float(times[-1])) for times in lines if len(times)]
        return (min(first for first, _ in ends), max(last for _, last in ends)) if ends else None


def inside(time_s: Floats, start_s: float, end_s: float) -> slice:
    """Which of the times, in order, lie in a span."""
    return slice(*np.searchsorted(time_s, (start_s, end_s)).tolist())
