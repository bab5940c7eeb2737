"""The price of bitcoin on the simulated host: what payments are made at, and what exchanges make of it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from utxoracle_tui.demo.chain.prices import PricePath

_NOISE_PCT = 0.05
"""Standard deviation of a reading of exchanges around the price: their medians differ by about so much."""
_NOISE_S = 60
"""How long one deviation lasts."""
_SEED_STEP = 1_000_003


@dataclass(frozen=True, slots=True)
class Step:
    """A change of the price that begins at a unix time and is complete `over_s` seconds later."""

    factor: float
    start_s: float
    over_s: float = 0.0

    def at(self, time_s: float) -> float:
        """What it makes of the price at a time, as a factor."""
        if time_s < self.start_s:
            return 1.0
        share = min((time_s - self.start_s) / self.over_s, 1.0) if self.over_s else 1.0
        return 1.0 + (self.factor - 1.0) * share


class Market:
    """A price path with steps that are added while it is followed. It is a `PricePath` itself.

    One thread adds steps, any may read.
    """

    def __init__(self, path: PricePath, seed: int) -> None:
        self._path = path
        self._seed = seed
        self._steps: tuple[Step, ...] = ()

    def __call__(self, time_s: float) -> float:
        """USD per bitcoin that payments are made at."""
        usd = self._path(int(time_s))
        for step in self._steps:
            usd *= step.at(time_s)
        return usd

    def add(self, step: Step) -> None:
        """Let the price change. Raises ValueError for a factor that gives no price."""
        if not 0.0 < step.factor < 100.0:
            raise ValueError("a step of the price leaves something of it, and is less than a hundredfold")
        self._steps = (*self._steps, step)

    def exchange_usd(self, time_s: float) -> float:
        """USD per bitcoin that exchanges trade at, with a little noise that is the same at every call."""
        draws = random.Random(self._seed * _SEED_STEP + int(time_s) // _NOISE_S)
        return self(time_s) * (1.0 + draws.gauss(0.0, _NOISE_PCT / 100))
