"""How fast a phase goes, and when it will be done: from samples of what share was done when.

The work since the first sample is cut into pieces of equal size; how long each took is a pace. The pace that is
expected lies between the mean of all and the mean of the newest pieces, the nearer to the latter the more surely they
differ, and follows a trend where one stands out from the scatter. The scatter of the pieces gives the spread.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from utxoracle_tui.engine.electrs.milestones import Sample

MOST_SAMPLES = 320
_KEPT_SAMPLES = 160
PIECES = 12
_RECENT_PIECES = 4
LEAST_S = 60.0
LEAST_SHARE = 0.05
"""No forecast from less than a minute, unless that much of the phase was done meanwhile: some are short."""
LEAST_STEPS = 4
_FEW_STEPS, _MUCH_SHARE = 2, 0.1
"""Nor from fewer readings that differ, but from two where they span that much of the phase."""
_SURE_OF_CHANGE = 4.0
_SURE_OF_TREND = 5.0
_TREND_SHARE = 0.7
"""Of a trend that stands out, so much is believed to go on."""
_TREND_AHEAD_PIECES = 0.75 * PIECES
_LEAST_SPREAD = 0.08
_AHEAD_SPREAD = 0.15
"""For a whole phase that lies ahead: nobody knows how its end goes."""
_DRIFT = 0.10
_DRIFT_LASTS_S = 300.0
"""Disks and nodes are shared: a pace wanders by about so much for some minutes, which is no change that lasts."""
_TREND_TAKES_S = 3600.0
"""A trend of less than an hour is mostly such wandering."""


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds left."""

    low_s: float
    mid_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the samples say of the rest."""

    rate_per_s: float
    """Share of the phase a second, lately."""
    pace_s: float
    """Seconds that the whole phase would take at the pace that the rest is expected to have."""
    spread: float
    """The rest may take longer, or less, by this factor less one."""

    def eta(self, left: float) -> Eta:
        """The time that this share of the phase takes."""
        mid_s = left * self.pace_s
        return Eta(mid_s / (1 + self.spread), mid_s, mid_s * (1 + self.spread))


def with_sample(samples: tuple[Sample, ...], sample: Sample) -> tuple[Sample, ...]:
    """The samples and a new one, thinned evenly in time when they become many.

    Samples are in order of time, and what is done never falls: one that contradicts is left out.
    """
    if samples and (sample.at_s <= samples[-1].at_s or sample.done < samples[-1].done):
        return samples
    grown = (*samples, sample)
    if len(grown) <= MOST_SAMPLES:
        return grown
    gap_s = (grown[-1].at_s - grown[0].at_s) / _KEPT_SAMPLES
    kept = [grown[0]]
    for each in grown[1:-1]:
        if each.at_s - kept[-1].at_s >= gap_s:
            kept.append(each)
    return (*kept, grown[-1])


def forecast(samples: Sequence[Sample], left: float) -> Forecast | None:
    """What is to be expected of what is `left`, 0 to 1, or None while too little is known."""
    if len(samples) < 2:
        return None
    first, last = samples[0], samples[-1]
    worked = last.done - first.done
    steps = sum(after.done > before.done for before, after in pairwise(samples))
    too_early = last.at_s - first.at_s < LEAST_S and worked < LEAST_SHARE
    if worked <= 0 or too_early or steps < (_FEW_STEPS if worked >= _MUCH_SHARE else LEAST_STEPS):
        return None
    paces = _paces(samples)
    whole = sum(paces) / PIECES
    recent = sum(paces[-_RECENT_PIECES:]) / _RECENT_PIECES
    # from one piece to the next, so that a trend doesn't count as scatter
    scatter = sum((after - before) ** 2 for before, after in pairwise(paces)) / (2 * (PIECES - 1))
    spent_s = last.at_s - first.at_s
    level = whole + _weight_of_change(whole, recent, scatter, spent_s) * (recent - whole)
    drift = (
        _trend(paces, whole, scatter)
        * spent_s
        / (spent_s + _TREND_TAKES_S)
        * min(_RECENT_PIECES / 2 + left / (worked / PIECES) / 2, _TREND_AHEAD_PIECES)
    )
    pace_s = min(max(level + drift, 0.6 * recent), 1.8 * recent)
    spread = (
        _LEAST_SPREAD
        + _AHEAD_SPREAD * left
        + 1.6 * math.sqrt(scatter / _RECENT_PIECES) / whole
        + 0.5 * abs(drift) / pace_s
        + 0.4 * abs(recent - whole) / whole
    )
    return Forecast(1 / recent, pace_s, spread)


def _paces(samples: Sequence[Sample]) -> list[float]:
    """Seconds for each unit in pieces of equal work, the newest piece up to the last sample."""
    first, last = samples[0], samples[-1]
    piece = (last.done - first.done) / PIECES
    times, index = [first.at_s], 0
    for number in range(1, PIECES):
        target = first.done + piece * number
        while samples[index].done < target:
            index += 1
        before, after = samples[index - 1], samples[index]
        part = (target - before.done) / (after.done - before.done)
        times.append(before.at_s + part * (after.at_s - before.at_s))
    times.append(last.at_s)
    return [(after - before) / piece for before, after in pairwise(times)]


def _weight_of_change(whole: float, recent: float, scatter: float, spent_s: float) -> float:
    """How much the newest pieces count, 0 to 1."""
    wandering = _DRIFT * whole * math.sqrt(_DRIFT_LASTS_S / (spent_s * _RECENT_PIECES / PIECES + _DRIFT_LASTS_S))
    error = math.sqrt(scatter * (1 / _RECENT_PIECES - 1 / PIECES)) + wandering
    sureness = ((recent - whole) / error) ** 2
    return sureness / (sureness + _SURE_OF_CHANGE)


def _trend(paces: Sequence[float], whole: float, scatter: float) -> float:
    """How much slower each piece is expected to be than the one before; 0 unless it stands out."""
    spread = PIECES * (PIECES**2 - 1) / 12
    slope = sum((number - (PIECES - 1) / 2) * pace for number, pace in enumerate(paces)) / spread
    error = math.sqrt(scatter / spread) + 0.004 * whole
    sureness = (slope / error) ** 2
    return _TREND_SHARE * slope * (1 - _SURE_OF_TREND / sureness) if sureness > _SURE_OF_TREND else 0.0
