"""Who is at work on what, such that work of a process that is gone is taken up by another."""

from __future__ import annotations

import os
import uuid
from functools import cache
from pathlib import Path

from utxoracle_tui import clock
from utxoracle_tui.store.records import Lease

LEASE_S = 30.0
RENEW_EVERY_S = 10.0
_SLACK_S = 1.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@cache
def boot_id() -> str:
    """What tells this run of the host from all others; on systems that have no such id, empty."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def new_owner() -> str:
    """A name for a worker that no other has."""
    return f"{os.getpid()}-{uuid.uuid4().hex[:8]}"


def lease(owner: str) -> Lease:
    """A lease from now on."""
    return Lease(owner=owner, boot_id=boot_id(), expires_s=clock.since_boot_s() + LEASE_S)


def is_live(lease: Lease | None) -> bool:
    """Whether somebody may still be at work under a lease.

    One that ends later than any could is from before the host was started again.
    """
    if lease is None or lease.boot_id != boot_id():
        return False
    return 0 < lease.expires_s - clock.since_boot_s() <= LEASE_S + _SLACK_S
