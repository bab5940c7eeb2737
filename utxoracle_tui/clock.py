"""The only place that knows what time it is.

`UTXORACLE_TUI_CLOCK=<epoch>@<rate>` puts a process on simulated time: its wall clock starts at `epoch` (unix
seconds) and runs `rate` times as fast; at rate 0 it stands still.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

ENVIRONMENT_NAME = "UTXORACLE_TUI_CLOCK"


@dataclass(frozen=True, slots=True)
class _Simulated:
    epoch_s: float
    rate: float
    started_s: float


def _from_environment() -> _Simulated | None:
    text = os.environ.get(ENVIRONMENT_NAME)
    if not text:
        return None
    epoch, _, rate = text.partition("@")
    return _Simulated(float(epoch), float(rate or 1), time.monotonic())


_simulated = _from_environment()


def now_s() -> float:
    """Unix time in seconds."""
    if _simulated is None:
        return time.time()
    return _simulated.epoch_s + (time.monotonic() - _simulated.started_s) * _simulated.rate


def elapsed_s() -> float:
    """A clock for measuring spans: real seconds from an arbitrary start, never stepping back."""
    return time.monotonic()


def since_boot_s() -> float:
    """Real seconds on a clock that all processes of this host share and nobody can set."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
