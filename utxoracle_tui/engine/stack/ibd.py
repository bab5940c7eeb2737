"""How fast a node catches up, and when it will be through: from its verification progress over the last minutes.

Verification progress counts transactions, and so work (Bitcoin Core, src/validation.cpp, `GuessVerificationProgress`),
while a block of 2010 takes a thousandth of one of today: only rates of the former foretell anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from utxoracle_tui.engine.electrs import pace
from utxoracle_tui.engine.electrs.milestones import Sample
from utxoracle_tui.sources.node_replies import ChainInfo

WINDOW_S = 600.0
"""The rate of more than ten minutes ago says little: blocks differ, and so do peers."""
EVERY_S = 2.0
STALLED_S = 1200.0
"""A node that has got no block for so long while it is behind has something the matter."""
FALLEN_BACK_BLOCKS = 6
"""A height that falls by more than a reorg is another node's, or that of one that begins anew."""
CAUGHT_UP_BLOCKS = 1
"""The newest block may just be arriving."""
_COMPLETE = 1.0


@dataclass(frozen=True, slots=True)
class Ibd:
    """The initial block download, or another catching up."""

    blocks: int
    headers: int
    progress: float | None
    """0 to 1, as the node estimates it; None before it says so."""
    moved_s: float
    """When its height last rose or was first seen, on the clock for spans."""
    samples: tuple[Sample, ...] = ()
    """Progress over the last minutes."""
    heights: tuple[tuple[float, int], ...] = ()
    """Height over the last minutes."""

    @property
    def left_blocks(self) -> int:
        """Blocks whose headers are known and that are missing."""
        return max(0, self.headers - self.blocks)

    @property
    def blocks_per_s(self) -> float | None:
        """Over the last minutes; None while too little is known."""
        if len(self.heights) < 2:
            return None
        (first_s, first), (last_s, last) = self.heights[0], self.heights[-1]
        return (last - first) / (last_s - first_s) if last_s - first_s >= EVERY_S else None

    @property
    def forecast(self) -> pace.Forecast | None:
        """The pace of the last minutes; None while too little is known, or nothing moves."""
        return pace.forecast(self.samples, self.left)

    @property
    def eta(self) -> pace.Eta | None:
        """The time left, with its spread; None while too little is known, or nothing moves."""
        found = self.forecast
        return found.eta(self.left) if found is not None else None

    @property
    def left(self) -> float:
        """The share of the work that is left, 0 to 1."""
        return max(0.0, _COMPLETE - (self.progress or 0.0))

    def stalled_for_s(self, now_s: float) -> float | None:
        """Seconds since the last block came, if that is too long; `now_s` is on the clock for spans."""
        since_s = now_s - self.moved_s
        return since_s if since_s >= STALLED_S else None


def is_behind(chain: ChainInfo) -> bool:
    """Whether a node has yet to catch up."""
    return bool(chain.initial_download) or chain.headers - chain.blocks > CAUGHT_UP_BLOCKS


def follow(before: Ibd | None, chain: ChainInfo, at_s: float) -> Ibd | None:
    """What is known of the catching up after one more look, taken at `at_s` on the clock for spans.

    None for a node that isn't behind.
    """
    if not is_behind(chain):
        return None
    progress = _progress(chain)
    if before is None or chain.blocks < before.blocks - FALLEN_BACK_BLOCKS:
        return _sampled(Ibd(chain.blocks, chain.headers, progress, at_s), at_s)
    moved_s = at_s if chain.blocks > before.blocks else before.moved_s
    now = replace(before, blocks=chain.blocks, headers=chain.headers, progress=progress, moved_s=moved_s)
    last_s = before.heights[-1][0] if before.heights else None
    return now if last_s is not None and at_s - last_s < EVERY_S else _sampled(now, at_s)


def _progress(chain: ChainInfo) -> float | None:
    """The node's estimate; by blocks where it claims to be complete and isn't, as test networks do."""
    if chain.progress is None or (chain.progress >= _COMPLETE and chain.blocks < chain.headers):
        return chain.blocks / chain.headers if chain.headers > 0 else None
    return min(_COMPLETE, max(0.0, chain.progress))


def _sampled(ibd: Ibd, at_s: float) -> Ibd:
    heights = (*(each for each in ibd.heights if at_s - each[0] <= WINDOW_S), (at_s, ibd.blocks))
    if ibd.progress is None:
        return replace(ibd, heights=heights)
    recent = tuple(each for each in ibd.samples if at_s - each.at_s <= WINDOW_S)
    return replace(ibd, heights=heights, samples=pace.with_sample(recent, Sample(at_s, ibd.progress)))
