"""Blocks that nobody made a round of: their prices are those that rounds would have stored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import pytest

from tests.support.scanners import SCANNER_NAMES, scanner_named
from utxoracle_core import RUN_BLOCKS, BlockReading, HeightRange, digest_block, digest_to_bytes
from utxoracle_tui.demo.chain import ChainSpec, Every, Mix, Walk, blocks
from utxoracle_tui.engine.block_line import LEAD_BLOCKS, of_blocks
from utxoracle_tui.engine.pricing import SETTLED_AFTER, Plan, WantedBlock, WindowPricing
from utxoracle_tui.engine.request import Heights, Request, Window
from utxoracle_tui.engine.worker_tasks import price_blocks
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.sources.node_errors import NodeBusy, PrunedBlock
from utxoracle_tui.store.records import BlockPrice

FIRST, START_USD, BEGIN_S = 800_000, 65_000.0, 1_700_000_000
N_BLOCKS = RUN_BLOCKS + 24
SAME = 5e-4
"""As far as two implementations of the rules may be apart."""
MIX = Mix(in_window_spends=0.5, recent_blocks=RUN_BLOCKS - 1)
"""Half of all spend what any of the last 143 blocks made: it counts how many of these are known."""


@cache
def chain() -> list[bytes]:
    """A walk of the price, as digests."""
    spec = ChainSpec(
        seed=3,
        times_s=Every(600, BEGIN_S),
        first_height=FIRST,
        tx_per_block=100,
        price=Walk(3, START_USD, BEGIN_S),
        mix=MIX,
    )
    scan = scanner_named(SCANNER_NAMES[0])
    raws = islice(blocks(spec), N_BLOCKS)
    return [digest_to_bytes(digest_block(block.raw, block.height, scan=scan)) for block in raws]


class Chain(WindowPricing):
    """Has the digests of the chain from a height on, and works in this process."""

    def __init__(self, lowest: int = FIRST, error: OperatorError | None = None, says_lowest: int | None = None) -> None:
        """`error` is what is met below the lowest height that there is."""
        super().__init__(Workers(Path("unused"), 1), 1)
        self._lowest = lowest
        self._says_lowest = lowest if says_lowest is None else says_lowest
        self._error = error or PrunedBlock("node:8332", lowest - 1, prune_height=lowest)

    async def plan(self, request: Request) -> Plan:
        assert isinstance(request, Heights)
        if request.first < self._lowest:
            raise self._error
        heights = HeightRange(request.first, request.last)
        wanted = [WantedBlock(height, f"{height:064x}", None) for height in heights.heights]
        return Plan(Window("blocks", heights, None), None, wanted)

    async def lowest_height(self) -> int:
        return self._says_lowest

    async def digest(self, block: WantedBlock) -> tuple[bytes, int]:
        return chain()[block.height - FIRST], 1

    async def block_prices(
        self, before: Sequence[bytes], digests: Sequence[bytes], start_price_usd: float | None
    ) -> list[BlockReading]:
        return price_blocks(before, digests, start_price_usd)


def by_a_round(height: int) -> BlockReading:
    """What a round at a block finds, from the last 144 digests alone."""
    place = height - FIRST
    return price_blocks((), chain()[place - LEAD_BLOCKS : place + 1], START_USD)[-1]


def apart(price: BlockPrice, live: BlockReading) -> float:
    """The larger difference of both ends of the band, as a share."""
    assert (price.last_height, price.reason) == (live.height, live.reason.value if live.reason else None)
    assert price.eligible_time_s == live.eligible_time
    assert (price.price_usd is None) == (live.price_usd is None)
    assert price.low_usd is not None and price.high_usd is not None
    return max(abs(price.low_usd / live.low_usd - 1), abs(price.high_usd / live.high_usd - 1))


LAST = FIRST + N_BLOCKS - 1
SEVERAL = HeightRange(FIRST + LEAD_BLOCKS, LAST)


async def test_they_are_what_rounds_would_have_stored() -> None:
    found = await of_blocks(Chain(), SEVERAL, START_USD)
    assert [price.last_height for price in found] == list(SEVERAL.heights)
    assert apart(found[0], by_a_round(SEVERAL.first)) < 1e-7
    for height in (SEVERAL.first + 7, LAST):
        assert apart(found[height - SEVERAL.first], by_a_round(height)) < SAME
    # a line over the last 144 blocks alone has too few txids at its beginning
    line = price_blocks((), chain()[-RUN_BLOCKS:], START_USD)[SETTLED_AFTER:]
    short = next(reading for reading in line if reading.height == SEVERAL.first)
    assert apart(found[0], short) > 2 * SAME


async def test_of_a_start_10_pct_off_nothing_is_left() -> None:
    some = HeightRange(LAST - 3, LAST)
    found, other = [await of_blocks(Chain(), some, START_USD * factor) for factor in (0.9, 1.1)]
    for one, two in zip(found, other, strict=True):
        assert one.low_usd == pytest.approx(two.low_usd, rel=1e-6)


@pytest.mark.parametrize("lead", [36, 20, 0])
async def test_with_fewer_blocks_before_the_first_ones_are_left_out(lead: int) -> None:
    """Of a pruned node, a young chain, a folder of few blocks."""
    some = HeightRange(LAST - 37, LAST)
    found = await of_blocks(Chain(some.first - lead), some, START_USD)
    left_out = max(SETTLED_AFTER - lead, 0)
    assert [price.last_height for price in found] == list(some.heights)[left_out:]


async def test_digests_that_are_at_hand_are_used_though_the_node_has_deleted_their_blocks() -> None:
    some = HeightRange(LAST - 3, LAST)
    kept = Chain(says_lowest=some.first)
    assert await of_blocks(kept, some, START_USD) == await of_blocks(Chain(), some, START_USD)


async def test_a_node_that_is_busy_is_not_taken_for_one_without_the_blocks() -> None:
    busy = NodeBusy("node:8332")
    with pytest.raises(NodeBusy):
        await of_blocks(Chain(LAST - 3, busy), HeightRange(LAST - 3, LAST), START_USD)
