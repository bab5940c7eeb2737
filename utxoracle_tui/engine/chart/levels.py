"""From when on a divergence is large, and from when on it is an alert."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from utxoracle_tui.engine.chart.series import Codes, Floats

LARGE_PCT = 2.0
ALERT_PCT = 5.0


class Level(IntEnum):
    """How large a divergence is."""

    NONE = 0
    """There is none."""
    QUIET = 1
    LARGE = 2
    ALERT = 3


def levels(divergence_pct: Floats) -> Codes:
    """The level of each, (n,)."""
    size = np.abs(divergence_pct)
    found = np.where(np.isnan(size), Level.NONE, Level.QUIET)
    found[size > LARGE_PCT] = Level.LARGE
    found[size > ALERT_PCT] = Level.ALERT
    return found.astype(np.int8)


def level_of(divergence_pct: float | None) -> Level:
    """The level of one; None for no divergence."""
    return Level.NONE if divergence_pct is None else Level(int(levels(np.array([divergence_pct]))[0]))
