"""How the simulated mempool backend is configured."""

from __future__ import annotations

from dataclasses import dataclass

ESPLORA = "esplora"
"""`MEMPOOL_BACKEND`: an electrs answers for the chain."""


@dataclass(slots=True)
class BackendSettings:
    """As in the environment of its container."""

    kind: str = ESPLORA
    """`MEMPOOL_BACKEND`: `none`, `electrum` or `esplora`."""
    price_updates_per_hour: float = 1.0
    """`MEMPOOL_PRICE_UPDATES_PER_HOUR`."""
    poll_s: float = 2.0
    """`MEMPOOL_POLL_RATE_MS`, in seconds."""
    retry_s: float = 1.0
    """Wait after a failed round of the main loop (mempool, runMainUpdateLoop)."""
    testnet: bool = False
    """Whether it refuses prices, as a real one does on any network but the main one."""
    database_up: bool = True
    """Whether MariaDB answers."""
