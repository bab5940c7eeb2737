"""What a job will take, told before it begins: by a few of its blocks, got for the purpose and kept for the job."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TypeVar

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.block_file_pricing import BlockSource
from utxoracle_tui.engine.block_line import LEAD_BLOCKS
from utxoracle_tui.engine.jobs.job_pricing import JobPricing
from utxoracle_tui.engine.jobs.window_work import is_of_the_node, request_of
from utxoracle_tui.engine.pricing import WantedBlock
from utxoracle_tui.engine.progress import BYTES_PER_MB
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.store.records import WindowKey

_WINDOWS, _BLOCKS = 6, 12
"""That are looked at: the sizes of blocks differ by a quarter, so twelve of them tell the mean within a tenth."""
_PRICING_S = 0.35
"""Of one worker, for a day whose digests are at hand: what `tests/bench/jobs_speed` allows."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is still to be done."""

    windows: int
    blocks: int
    """That have to be got: of the windows, and of those before them that the prices at blocks rest on."""
    at_hand: int
    """More of them, whose digests are kept from earlier work."""
    size_bytes: int
    """Of the blocks that have to be got."""
    took_s: float
    """How long it all takes, rests and quiet hours not counted."""
    sampled: int = 0
    """How many blocks that was told by, besides those at hand."""
    blocks_per_s: float | None = None
    """How fast these came; None where there were none."""
    source: BlockSource | None = None
    """Where they came from."""
    is_upper_bound: bool = False
    """Whether it goes faster later on, once the scanner is compiled."""

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What it takes, and what that was told by: each with its name."""
        rows = []
        if self.blocks:
            size = _size_words(self.size_bytes) if self.sampled else "of a size that is not known"
            rows.append(
                ("to get", f"about {self.blocks:,} blocks, {size}{f' from {self.source}' if self.source else ''}")
            )
        if self.at_hand:
            rows.append(("at hand", f"the digests of about {self.at_hand:,} blocks"))
        if self.is_upper_bound:
            rows.append(("time", f"less than {formats.span(self.took_s)}: it gets faster within the first minute"))
        elif self.sampled or not self.blocks:
            rows.append(("time", f"about {formats.span(self.took_s)}"))
        if self.blocks_per_s is not None:
            each = f"{self.size_bytes / max(self.blocks, 1) / BYTES_PER_MB:.2f} MB each"
            rows.append(("told by", f"{self.sampled} of these, got just now: {each}, {self.blocks_per_s:.1f} a second"))
        return rows

    @property
    def words(self) -> str:
        """The same as a sentence."""
        told = "; ".join(f"{name}: {what}" for name, what in self.rows)
        return f"{told[0].upper()}{told[1:]}."


async def forecast(windows: JobPricing, keys: Sequence[WindowKey], processors: int) -> Forecast:
    """Tell what windows take, of which there must be one. Raises `OperatorError` for errors of the node."""
    plans = [plan for key in _spread(keys, _WINDOWS) if (plan := await _blocks_of(windows, key))]
    per_window = sum(map(len, plans)) / max(len(plans), 1)
    blocks = _blocks_altogether(keys, per_window)
    sample = [block for plan in plans for block in _spread(plan, _BLOCKS // len(plans))]
    fresh = [block for block in sample if not await windows.is_at_hand(block)]
    to_get = blocks * len(fresh) / len(sample) if sample else float(blocks)
    compiled = await windows.scanner_is_compiled()
    started_s = clock.elapsed_s()
    sizes = [size for size in await asyncio.gather(*(_size(windows, block) for block in fresh)) if size]
    elapsed_s = max(clock.elapsed_s() - started_s, 1e-3)
    size_bytes = to_get * sum(sizes) / len(sizes) if sizes else 0.0
    took_s = len(keys) * _PRICING_S / processors
    if sizes:
        took_s = max(took_s, _getting_s(windows, to_get * elapsed_s / len(sizes), size_bytes))
    return Forecast(
        windows=len(keys),
        blocks=round(to_get),
        at_hand=round(blocks - to_get),
        size_bytes=round(size_bytes),
        took_s=took_s,
        sampled=len(sizes),
        blocks_per_s=len(sizes) / elapsed_s if sizes else None,
        source=windows.source if sizes else None,
        is_upper_bound=bool(sizes) and not compiled,
    )


def _getting_s(windows: JobPricing, took_s: float, size_bytes: float) -> float:
    """No shorter than the budget of the node allows, which is not for files."""
    mb_per_s = windows.turns.budget.mb_per_s
    if not mb_per_s or windows.source is BlockSource.BLOCK_FILES:
        return took_s
    return max(took_s, size_bytes / BYTES_PER_MB / mb_per_s)


async def _blocks_of(windows: JobPricing, key: WindowKey) -> Sequence[WantedBlock]:
    try:
        return (await windows.plan(request_of(key))).blocks
    except OperatorError as error:
        if is_of_the_node(error):
            raise
        # what there is to say of one window is said when its turn comes
        return ()


async def _size(windows: JobPricing, block: WantedBlock) -> int:
    """The bytes of a block that was got; 0 for one that can't be had."""
    try:
        return await windows.get_ahead(block)
    except OperatorError as error:
        if is_of_the_node(error):
            raise
        return 0


def _spread(things: Sequence[T], count: int) -> list[T]:
    """At most so many, evenly spread, the first and the last among them."""
    if len(things) <= count:
        return list(things)
    return [things[round(number * (len(things) - 1) / (count - 1))] for number in range(count)]


def _blocks_altogether(keys: Sequence[WindowKey], per_window: float) -> float:
    """The blocks of windows, each counted once, and those before each run of windows."""
    days = sorted(key.date for key in keys if key.date is not None)
    runs = bool(days) + sum(after - before > timedelta(days=1) for before, after in pairwise(days))
    count = len(days) * per_window + runs * LEAD_BLOCKS
    end = -1
    heights = [
        (k.first_height, k.last_height) for k in keys if k.first_height is not None and k.last_height is not None
    ]
    for first, last in sorted(heights):
        begin = max(first - LEAD_BLOCKS, end + 1, 0)
        count += max(last - begin + 1, 0)
        end = max(end, last)
    return count


def _size_words(count_bytes: int) -> str:
    megabytes = count_bytes / BYTES_PER_MB
    return (
        f"{megabytes / 1000:,.1f} GB"
        if megabytes >= 1000
        else f"{megabytes:,.0f} MB"
        if megabytes >= 10
        else f"{megabytes:.1f} MB"
    )
