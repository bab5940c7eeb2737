"""A price at every block: the method `block-grid-1`.

The window price is the middle of 144 blocks and lags by half a day; this one is a probability over price that each
block's payments sharpen. It isn't by the rules of the reference and carries neither canonical name.

`BlockPricer` is the method itself, fed with a block's amounts; its state is small (1.3 MB) and can be pickled.
`BlockPriceRun` feeds it with digests. At the start and after a reorg, a new run goes over the digests of the last 144
blocks (`block_prices`): of whatever came before, start price included, nothing is left after 36 blocks, and so the
result depends on these blocks alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from utxoracle_core.block_grid import HALF_CELLS, PriceGrid, price_of
from utxoracle_core.block_ladder import (
    BLOCK_REACH_CELLS,
    OWN_REACH_CELLS,
    Contender,
    LadderCounts,
    ladder_sums,
)
from utxoracle_core.block_points import (
    TRIANGLE_CELLS,
    PointCounts,
    count_points,
    distinct_amounts,
    triangle_sums_inside,
)
from utxoracle_core.block_spends import WINDOW_BLOCKS, MovingWindow
from utxoracle_core.digest import BlockDigest

BLOCK_METHOD = "block-grid-1"
RUN_BLOCKS = WINDOW_BLOCKS
"""How many blocks a run goes over at the start and after a reorg."""
SHOWN_FROM, SURE_FROM = 0.5, 0.9
"""Confidence from which a price is shown, and from which it isn't weak."""
STALE_AFTER_S = 90 * 60

_POINT_WEIGHT = 0.2
_MAX_EVIDENCE = 6.0
_RIVAL_BLOCKS = 3
_RIVAL_AWAY_CELLS = 30
_LEAP = 0.05


class Gap(StrEnum):
    """Why there is no price."""

    UNCERTAIN = "uncertain"
    """Less than half of the probability lies within ±0.5 % of the price."""
    RIVAL = "rival"
    """Over the last three blocks, more payments speak for another price nearby."""
    OCTAVE = "octave"
    """More payments speak for a price that is a round factor away."""
    STALE = "stale"
    """For 90 minutes no block had a payment in it that says anything."""

    @property
    def sentence(self) -> str:
        """The reason for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Gap.UNCERTAIN: "The payments of the last blocks don't agree on a price.",
    Gap.RIVAL: "More payments of the last three blocks speak for another price.",
    Gap.OCTAVE: "The price may be a round factor off: more payments speak for another one.",
    Gap.STALE: "No block for 90 minutes had a payment that says anything of the price.",
}


@dataclass(frozen=True, slots=True)
class BlockReading:
    """The price at a block. In USD per BTC."""

    height: int
    time: int
    """Header time, unix seconds."""
    price_usd: float | None
    """None in a gap, for which `reason` says why."""
    estimate_usd: float
    """The median, in a gap as well: not to be shown as a price there."""
    low_usd: float
    high_usd: float
    """The band: 5 to 95 % of the probability."""
    confidence: float
    """Probability within ±0.5 % of the estimate."""
    n_points: int
    """Points of this block within 0.5 % of the estimate."""
    rival: Contender | None
    """The strongest price on the grid over 1.5 % away, by the last three blocks; None without any points there."""
    octave: Contender | None
    """The strongest price a round factor away, by up to 144 blocks; None without any points there."""
    reason: Gap | None
    eligible_time: int | None
    """Header time of the newest block with a point for some price on the grid, unix seconds."""

    @property
    def weak(self) -> bool:
        """Whether there is a price, though one that is not to be relied on."""
        return self.price_usd is not None and self.confidence < SURE_FROM


def reading_age_s(reading: BlockReading, now_s: float) -> float:
    """How long ago the newest block with anything to say of the price was made, by its header."""
    return now_s - (reading.time if reading.eligible_time is None else reading.eligible_time)


def gap_at(reading: BlockReading, now_s: float) -> Gap | None:
    """Why the newest reading is no price now; None when it is one. `stale` comes with time."""
    if reading.reason is None and reading_age_s(reading, now_s) > STALE_AFTER_S:
        return Gap.STALE
    return reading.reason


class BlockPricer:
    """The method, block by block, from the amounts that section 2 keeps of each."""

    __slots__ = ("_eligible_time", "_grid", "_ladder", "_last_time", "_last_usd", "_recent")

    def __init__(self, start_price_usd: float, last_time: int | None = None) -> None:
        """Start at a price within 25 % of the truth: the block window price of the 144 blocks before, say.

        `last_time` is the header time of the block before the first. Raises `ValueError` for a price that is none.
        """
        self._grid = PriceGrid(start_price_usd)
        self._last_usd = start_price_usd
        self._last_time = last_time
        self._eligible_time: int | None = None
        self._recent: deque[PointCounts] = deque(maxlen=_RIVAL_BLOCKS)
        self._ladder = LadderCounts()

    def add(self, height: int, time: int, amounts_btc: NDArray[np.float64]) -> BlockReading:
        """The price at the next block: its height, header time and kept amounts, (n_amounts,)."""
        grid = self._grid
        grid.drift(None if self._last_time is None else (time - self._last_time) / 60)
        reach = (grid.centre - BLOCK_REACH_CELLS, grid.centre + BLOCK_REACH_CELLS)
        points = count_points(distinct_amounts(amounts_btc), *reach)
        sums = sums_on(grid, points)
        if sums.any():
            self._eligible_time = time
        grid.weigh(evidence(sums))
        found = grid.settle()
        self._recent.append(points)
        rival = self._rival()
        ladder = ladder_sums(points, found.log_price)
        if abs(found.price_usd / self._last_usd - 1) > _LEAP:
            self._ladder.forget()
        if found.confidence >= SHOWN_FROM:
            self._ladder.add(ladder)
        octave = self._ladder.contender(ladder, found.price_usd)
        self._last_time, self._last_usd = time, found.price_usd
        reason = _reason(found.confidence, rival, octave)
        return BlockReading(
            height=height,
            time=time,
            price_usd=found.price_usd if reason is None else None,
            estimate_usd=found.price_usd,
            low_usd=found.low_usd,
            high_usd=found.high_usd,
            confidence=found.confidence,
            n_points=int(points.between(found.cell - TRIANGLE_CELLS, found.cell + TRIANGLE_CELLS).sum()),
            rival=rival,
            octave=octave,
            reason=reason,
            eligible_time=self._eligible_time,
        )

    def _rival(self) -> Contender | None:
        """The strongest other price on the grid, which has moved to the price already."""
        sums = sums_on(self._grid, *self._recent)
        own = int(sums[HALF_CELLS - OWN_REACH_CELLS : HALF_CELLS + OWN_REACH_CELLS + 1].max())
        sums[HALF_CELLS - _RIVAL_AWAY_CELLS : HALF_CELLS + _RIVAL_AWAY_CELLS + 1] = 0
        strongest = int(np.argmax(sums))
        return Contender.of(price_of(self._grid.first + strongest), int(sums[strongest]), own)


def sums_on(grid: PriceGrid, *blocks: PointCounts) -> NDArray[np.int64]:
    """The triangle sums in tenths of the cells of a grid, (1001,), of the points of blocks together: those beyond its
    ends reach into it.
    """
    first, last = grid.first - TRIANGLE_CELLS, grid.last + TRIANGLE_CELLS
    counts = np.zeros(last - first + 1, np.int64)
    for points in blocks:
        counts += points.between(first, last)
    return triangle_sums_inside(counts)


def evidence(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    """What a block adds to the log-probability of each cell, 6 at the most, from its triangle sums in tenths."""
    added = sums.astype(np.float64) * (_POINT_WEIGHT / TRIANGLE_CELLS)
    highest = float(added.max())
    if highest > _MAX_EVIDENCE:
        added *= _MAX_EVIDENCE / highest
    return added


def _reason(confidence: float, rival: Contender | None, octave: Contender | None) -> Gap | None:
    if confidence < SHOWN_FROM:
        return Gap.UNCERTAIN
    if rival is not None and rival.stronger:
        return Gap.RIVAL
    if octave is not None and octave.stronger:
        return Gap.OCTAVE
    return None


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How far a run has come: from here another one can go on. It can be pickled, at 1.3 MB."""

    height: int
    block_hash: bytes
    """Internal byte order."""
    pricer: BlockPricer


class BlockPriceRun:
    """The method over consecutive digests. It can be pickled, at 30 MB and more: sending digests is cheaper."""

    __slots__ = ("_last", "_pricer", "_window")

    def __init__(
        self, start: float | RunEnd, before: Iterable[BlockDigest] = (), *, held_blocks: int | None = None
    ) -> None:
        """Start at a price in USD per BTC, or go on from where another run has ended.

        `before` are blocks just before the first to be priced: only spends of what they made are looked for. Txids of
        `held_blocks` are known, of 144 where it doesn't say more. Raises `ValueError` for blocks that don't follow each
        other or don't lead to the end of the other run, or a start price that is none.
        """
        self._window = MovingWindow(held_blocks)
        self._last: tuple[int, bytes] | None = None
        last_time = None
        for digest in before:
            self._follow(digest)
            self._window.take(digest)
            last_time = digest.time
        if not isinstance(start, RunEnd):
            self._pricer = BlockPricer(start, last_time)
            return
        if self._last not in (None, (start.height, start.block_hash)):
            raise ValueError(f"a run that ended with block {start.height} doesn't go on after block {self._last[0]}")
        self._last = (start.height, start.block_hash)
        self._pricer = deepcopy(start.pricer)

    @property
    def end(self) -> RunEnd:
        """Where it is now. Raises `ValueError` before the first block."""
        if self._last is None:
            raise ValueError("a run without blocks has not come anywhere")
        return RunEnd(*self._last, deepcopy(self._pricer))

    def add(self, digest: BlockDigest) -> BlockReading:
        """The price at the next block. Raises `ValueError` for one that doesn't build on the last: a reorg, say."""
        return self.add_with_spends(digest)[0]

    @property
    def next_number(self) -> int:
        """As `MovingWindow.next_number`."""
        return self._window.next_number

    def add_with_spends(self, digest: BlockDigest) -> tuple[BlockReading, NDArray[np.int64]]:
        """The same, and what its candidates spend, as `MovingWindow.newest_spent` has it."""
        self._follow(digest)
        spent = self._window.newest_spent(digest)
        return self._pricer.add(digest.height, digest.time, self._window.kept_btc(digest, spent)), spent

    def _follow(self, digest: BlockDigest) -> None:
        if self._last is not None and self._last != (digest.height - 1, digest.header.previous_hash):
            raise ValueError(f"block {digest.height} does not build on block {self._last[0]}, the last of this run")
        self._last = (digest.height, digest.block_hash)


def block_prices(
    start: float | RunEnd, digests: Iterable[BlockDigest], before: Iterable[BlockDigest] = ()
) -> tuple[BlockPriceRun, list[BlockReading]]:
    """Run the method over blocks in height order: a reading for each, and the run, which may go on.

    For the price at the tip, over the last `RUN_BLOCKS`. `start` and `before` as in `BlockPriceRun`. Raises
    `ValueError` as that does.
    """
    run = BlockPriceRun(start, before)
    return run, [run.add(digest) for digest in digests]
