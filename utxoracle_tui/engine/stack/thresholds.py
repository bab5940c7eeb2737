"""How often each source is asked, and when what it said last is late or stale: all of it in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from utxoracle_tui.engine.stack.reading import Health, Source


@dataclass(frozen=True, slots=True)
class Limits:
    """Ages in seconds."""

    late_s: float
    stale_s: float

    def health(self, age_s: float) -> Health:
        """Of something that was said so long ago."""
        if age_s >= self.stale_s:
            return Health.STALE
        return Health.LATE if age_s >= self.late_s else Health.UP


LIMITS: Mapping[Source, Limits] = MappingProxyType(
    {
        Source.NODE: Limits(15.0, 60.0),
        Source.ELECTRS: Limits(30.0, 120.0),
        Source.BACKEND: Limits(20.0, 90.0),
        # by the price's own time: backends ask the exchanges once an hour, and then hold a price for two at most
        Source.EXCHANGE: Limits(3600.0, 7200.0),
        Source.CONTAINERS: Limits(30.0, 120.0),
        Source.DISKS: Limits(60.0, 300.0),
    }
)
SLOW_S = 2.0
"""An answer that takes longer is remarked on."""

MEMPOOL_EVERY_S = 10.0
NETWORK_EVERY_S = 30.0
INDEXES_EVERY_S = 60.0
UPTIME_EVERY_S = 60.0
NODE_SPACING_S = 0.5
"""Between two of these questions to the node, so that they don't come together."""
BACKEND_EVERY_S = 5.0
BACKEND_INFO_EVERY_S = 300.0
BACKEND_LOADING_EVERY_S = 60.0
"""Only while it isn't in sync: the answer has some hundred kilobytes."""
PRICE_EVERY_S = 30.0
CONTAINERS_EVERY_S = 5.0
DISKS_EVERY_S = 10.0
ELECTRS_TICK_S = 2.5
"""What electrs's sources have seen, or failed to see, is told at every tick."""
