"""Price paths: the USD price of a bitcoin at a unix time, for payments to be made at."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from utxoracle_tui.demo.chain.draws import Draws, Stream, exp

PricePath = Callable[[int], float]
"""From unix time to USD per bitcoin. All those of this module can be pickled."""

_STEPS_A_CHUNK = 4096
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Constant:
    """The same price at all times."""

    usd: float

    def __call__(self, time_s: int) -> float:
        """USD per bitcoin at `time_s`."""
        return self.usd


@dataclass(frozen=True, slots=True)
class Linear:
    """A straight line over a span, level before and after it. The span must not be empty."""

    from_usd: float
    to_usd: float
    start_s: int
    end_s: int

    def __post_init__(self) -> None:
        if self.end_s <= self.start_s:
            raise ValueError("a linear price path needs an end after its start")

    def __call__(self, time_s: int) -> float:
        """USD per bitcoin at `time_s`."""
        share = (time_s - self.start_s) / (self.end_s - self.start_s)
        return self.from_usd + (self.to_usd - self.from_usd) * min(max(share, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Walk:
    """A seeded geometric random walk without drift, level before its start.

    `daily_volatility` is the standard deviation of a day's change of the logarithm; 0.025 is a usual day of
    bitcoin. A step lasts `step_s` seconds.
    """

    seed: int
    start_usd: float
    start_s: int
    daily_volatility: float = 0.025
    step_s: int = 600

    def __post_init__(self) -> None:
        if self.step_s <= 0:
            raise ValueError("a step lasts a second or more")

    def __call__(self, time_s: int) -> float:
        """USD per bitcoin at `time_s`."""
        steps = max(0, (time_s - self.start_s) // self.step_s)
        chunk, place = divmod(steps, _STEPS_A_CHUNK)
        level = _walk_chunk(self.seed, chunk)[place]
        scale = self.daily_volatility * (self.step_s / _DAY_S) ** 0.5
        return self.start_usd * float(exp(np.array([level * scale]))[0])


@lru_cache(maxsize=256)
def _walk_chunk(seed: int, chunk: int) -> tuple[float, ...]:
    """Levels of an unscaled walk at the steps of a chunk, and last the level at which the next one begins."""
    level = 0.0 if chunk == 0 else _walk_chunk(seed, chunk - 1)[-1]
    steps = Draws(seed, Stream.PRICE, chunk).normal(_STEPS_A_CHUNK).tolist()
    return tuple(itertools.accumulate(steps, initial=level))
