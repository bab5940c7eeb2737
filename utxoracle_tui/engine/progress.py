"""How far work has come, how fast it goes, and when it will be done."""

from __future__ import annotations

from dataclasses import dataclass

BYTES_PER_MB = 1e6


@dataclass(frozen=True, slots=True)
class Progress:
    """Blocks and bytes of a window that are digested."""

    blocks_done: int
    blocks_total: int
    bytes_done: int
    bytes_total: int | None
    """None while the sizes of the blocks to come are unknown."""
    elapsed_s: float
    blocks_at_hand: int = 0
    """How many of those that are done were at hand at the start."""

    @property
    def share(self) -> float:
        """0 to 1, by bytes where the total is known."""
        if self.bytes_total:
            return self.bytes_done / self.bytes_total
        return self.blocks_done / self.blocks_total if self.blocks_total else 0.0

    @property
    def rate_mb_s(self) -> float | None:
        """Megabytes digested a second since the start; None before the first."""
        if not self.bytes_done or self.elapsed_s <= 0:
            return None
        return self.bytes_done / BYTES_PER_MB / self.elapsed_s

    @property
    def eta_s(self) -> float | None:
        """Seconds left at the rate so far; None before the first block is done."""
        if not self.share or self.elapsed_s <= 0:
            return None
        return self.elapsed_s * (1 - self.share) / self.share
