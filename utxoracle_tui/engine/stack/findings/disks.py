"""Findings about disks."""

from __future__ import annotations

from collections.abc import Iterator

from utxoracle_tui.engine.stack.findings.finding import Finding, Gravity, StackLook
from utxoracle_tui.engine.stack.sizes import size

FULL_BYTES = 5e8


def find(look: StackLook) -> Iterator[Finding]:
    """All of them."""
    reading = look.reading.disks
    for disk in reading.detail.disks if reading.detail is not None else ():
        if disk.is_low:
            yield Finding(
                "disk_low",
                Gravity.ERROR if disk.free_bytes < FULL_BYTES else Gravity.WARNING,
                f"The disk of {', '.join(disk.holds)} is nearly full",
                f"{disk.title} has {size(disk.free_bytes)} free of {size(disk.total_bytes)}.",
                f"Make room there; `du -xh --max-depth=2 {disk.title} | sort -h | tail` shows what takes it.",
            )
    troubles = reading.detail.troubles if reading.detail is not None else ()
    if reading.heard.trouble is not None:
        troubles = (*troubles, reading.heard.trouble.sentence)
    for trouble in troubles:
        mend = "Check the paths: `utxoracle-tui config show` has node.datadir and electrs.index_dir."
        yield Finding("disk_unreadable", Gravity.WARNING, "A disk can't be looked at", trouble, mend)
