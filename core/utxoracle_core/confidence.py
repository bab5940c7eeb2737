"""How far a window price is to be trusted, 0 to 1.

The geometric mean of three parts, each 0.02 to 1: none makes up for another that is missing, and none alone decides:

- `octave`: is there another price, a round factor away, with as good a case? From the ladder ratio (1 up to 0.9,
  least from 1.1 on), less up to half for a margin of the histogram under 5 %.
- `points`: n / (n + 1000) of the points within 5 %. The published days have 16,000 to 72,000 points (10,000 to
  26,000 within 5 %), single blocks a few hundred.
- `spread`: 1 up to a `dev_pct` of 0.19, least from 0.24 on. Points without any signal are spread evenly, which is 0.25;
  of 666 published days, half are under 0.17, 95 % under 0.203 and 99 % under 0.213.

Where the margin is under 2 % and the ladder ratio 0.95 or more, neither look tells the two prices apart, and the
confidence stays at 0.25 or less.

A price is taken for valid from 0.3. On generated days of falling signal (prices $22k to $240k, round USD payments
from 22 % of all down to none) every price that was off by more than 1 % came out below it, and every window without
signal below 0.25.
"""

from __future__ import annotations

from dataclasses import dataclass

from utxoracle_core.octave import OctaveCheck

VALID_FROM = 0.3
_UNTRUSTED_LIMIT = 0.25
_LEAST = 0.02
_EVEN_SPREAD = 0.24
_SURE_SPREAD = 0.19
_HALF_POINTS = 1000
_SURE_MARGIN = 0.05
_SURE_RATIO, _LOST_RATIO = 0.9, 1.1


@dataclass(frozen=True, slots=True)
class Confidence:
    """The confidence in a price, and what it is made of."""

    value: float
    octave: float
    points: float
    spread: float
    octave_suspect: bool

    @staticmethod
    def none() -> Confidence:
        """For a window without a price."""
        return Confidence(0.0, 0.0, 0.0, 0.0, False)


def judge(octave: OctaveCheck, n_points: int, deviation_pct: float, *, trusted: bool) -> Confidence:
    """The confidence in a price.

    `n_points` are those within 5 % of the rough price, `deviation_pct` is the method's `dev_pct` (0 to 0.5).
    `trusted` is False for a window that is too short or flat, whose confidence then stays at 0.25 or less.
    """
    ladder = _between(octave.ladder_ratio, _LOST_RATIO, _SURE_RATIO)
    margin = _between(octave.margin, 0.0, _SURE_MARGIN)
    parts = (
        max(ladder * (0.5 + 0.5 * margin), _LEAST),
        max(n_points / (n_points + _HALF_POINTS), _LEAST),
        max(_between(deviation_pct, _EVEN_SPREAD, _SURE_SPREAD), _LEAST),
    )
    value = (parts[0] * parts[1] * parts[2]) ** (1 / 3)
    if octave.lost or not trusted:
        value = min(value, _UNTRUSTED_LIMIT)
    return Confidence(value, *parts, octave_suspect=bool(octave.suspected_by))


def _between(value: float, none: float, full: float) -> float:
    """0 at `none`, 1 at `full`, straight in between and clamped."""
    return min(max((value - none) / (full - none), 0.0), 1.0)
