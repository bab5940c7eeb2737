"""The priority of batch work, so that the node on the same host, and the screen, go first."""

from __future__ import annotations

import os

BATCH, LAST = 10, 19
"""As `nice` counts: 0 is usual, 19 the last of all. Where nobody else wants the processor, nothing is lost."""


def give_way(niceness: int = BATCH) -> None:
    """Lower the priority of this process, unless it is as low already. Does nothing where there is no such thing."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, max(niceness, os.getpriority(os.PRIO_PROCESS, 0)))
