"""Where runs over blocks have ended, so that those over the blocks behind them go on and needn't run up.

A run begins 143 blocks before the first that is wanted, which is half of its work. When the days of a job follow each
other, a run over these blocks has just been made, and nothing of its start is left at its end. Where the price was
uncertain among the last of them it is not gone on from: the octave test counts the last 144 blocks that were not, and
would then count others than a run over the blocks before has.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from utxoracle_core import BlockReading
from utxoracle_core.block_price import SHOWN_FROM
from utxoracle_tui.engine.block_line import LEAD_BLOCKS
from utxoracle_tui.engine.pricing import BlockReadings, WantedBlock

_MOST_ENDS = 8
"""Each takes 1.3 MB."""
_START_REACH = 0.25
"""How far a start may be from the truth."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a run that others may go on from."""

    price_usd: float
    run_end: bytes
    """A pickled `RunEnd`."""
    confidences: tuple[float, ...]
    """Of the last 143 blocks."""

    def fits(self, start_usd: float) -> bool:
        """Whether it is near enough to the price that a run would start from; if not, one of both is wrong."""
        return abs(self.price_usd / start_usd - 1) <= _START_REACH


class Run:
    """One that is under way, or over."""

    def __init__(self, blocks: Sequence[WantedBlock]) -> None:
        self.blocks = blocks
        self.readings: Sequence[BlockReading] | None = None
        """The prices at the last of the blocks, where they are kept for whoever asks for them next."""
        self._end: asyncio.Future[Ended | None] = asyncio.get_running_loop().create_future()

    def ended(self, readings: Sequence[BlockReading], run_end: bytes, after: Ended | None = None) -> None:
        """Note how it ended, having gone on from the end of another, or not. Nobody goes on from a gap: a run that has
        lost the price would lose theirs as well.
        """
        confidences = (*(after.confidences if after else ()), *(reading.confidence for reading in readings))[
            -LEAD_BLOCKS:
        ]
        price_usd = readings[-1].price_usd
        is_settled = len(confidences) == LEAD_BLOCKS and min(confidences) >= SHOWN_FROM
        if price_usd is not None and is_settled:
            self._end.set_result(Ended(price_usd, run_end, confidences))

    def give_up(self) -> None:
        """Note that it is over, whatever came of it."""
        if not self._end.done():
            self._end.set_result(None)

    async def end(self) -> Ended | None:
        """Wait for its end; None when nobody can go on from there."""
        return await asyncio.shield(self._end)

    @property
    def end_now(self) -> Ended | None:
        """Its end, if there is one already."""
        return self._end.result() if self._end.done() else None


class BlockRuns:
    """The last runs, by the hash of the block that they end with."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()

    def ending_with(self, block_hash: str | None) -> Run | None:
        """The newest run that ends with a block."""
        return self._runs.get(block_hash) if block_hash is not None else None

    def take_readings(self, block_hash: str, at_least: int) -> BlockReadings | None:
        """The prices that are kept for whoever asks for those up to a block, if there are as many as that."""
        run = self._runs.get(block_hash)
        if run is None or run.readings is None or len(run.readings) < at_least:
            return None
        readings, run.readings = run.readings, None
        return BlockReadings(run.blocks[-len(readings) :], readings, settled_from=0)

    @contextmanager
    def over(self, blocks: Sequence[WantedBlock]) -> Iterator[Run]:
        """Make a run over blocks, which others may wait for meanwhile."""
        run, name = Run(blocks), blocks[-1].hash_text
        self._runs[name] = run
        self._runs.move_to_end(name)
        while len(self._runs) > _MOST_ENDS:
            self._runs.popitem(last=False)
        try:
            yield run
        finally:
            run.give_up()

    async def before(self, lead: Sequence[WantedBlock], start_usd: float) -> tuple[int, Ended] | None:
        """Where a run may go on instead of going over all of `lead`: after so many blocks of it. Runs that are under
        way are waited for.

        None where there is no end that fits the price that a run would start from.
        """
        for count in range(len(lead), 0, -1):
            run = self._runs.get(lead[count - 1].hash_text)
            end = await run.end() if run is not None else None
            if end is not None and end.fits(start_usd):
                return count, end
        return None
