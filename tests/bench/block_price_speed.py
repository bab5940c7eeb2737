"""How fast the block price is, on one core: `python -m tests.bench.block_price_speed`.

A generated day and 46 blocks more, of 2,000 transactions each. Each figure stands beside what it has to meet; the exit
code is 1 when one misses.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from itertools import islice

from tests.bench.core_speed import BLOCKS, PRICE_USD, TX_PER_BLOCK, Figure, median_s
from tests.support.scanners import SCANNER_NAMES, scanner_named
from utxoracle_core import BlockPriceRun, block_prices, digest_block, digest_from_bytes, digest_to_bytes
from utxoracle_tui.demo.chain import ChainSpec, Constant, Every, blocks

ADDED_BLOCKS = 46
FIRST_HEIGHT = 800_000
MS_A_BLOCK, S_A_RUN = 3.0, 0.3


def saved_digests() -> list[bytes]:
    """The digests of the generated blocks, as they are stored."""
    spec = ChainSpec(
        seed=1,
        times_s=Every(600, 1_700_000_000),
        first_height=FIRST_HEIGHT,
        tx_per_block=TX_PER_BLOCK,
        price=Constant(PRICE_USD),
    )
    scan = scanner_named(SCANNER_NAMES[-1])
    raws = (block.raw for block in islice(blocks(spec), BLOCKS + ADDED_BLOCKS))
    return [digest_to_bytes(digest_block(raw, FIRST_HEIGHT + n, scan=scan)) for n, raw in enumerate(raws)]


def times_s(work: Callable[[int], object], count: int) -> list[float]:
    """CPU seconds of each of so many calls."""
    found = []
    for n in range(count):
        start = time.process_time()
        work(n)
        found.append(time.process_time() - start)
    return found


def main() -> int:
    """Generate, measure, print."""
    saved = saved_digests()
    digests = [digest_from_bytes(data) for data in saved]
    day, added = digests[:BLOCKS], digests[BLOCKS:]
    run, readings = block_prices(PRICE_USD, day)
    assert all(abs((reading.price_usd or 0) / PRICE_USD - 1) < 0.005 for reading in readings[1:])
    print(
        f"blocks of {TX_PER_BLOCK} transactions, {readings[-1].n_points} points at the price of the last, "
        f"on Python {sys.version.split()[0]}"
    )
    each = times_s(lambda n: run.add(added[n]), ADDED_BLOCKS)
    early = BlockPriceRun(PRICE_USD)
    at_first = times_s(lambda n: early.add(day[n]), ADDED_BLOCKS)
    figures = [
        Figure("a block added to a run of 144", statistics.median(each) * 1e3, "ms", MS_A_BLOCK, False),
        Figure("a block added at the beginning of a run", statistics.median(at_first) * 1e3, "ms", MS_A_BLOCK, False),
        Figure("144 digests to readings", median_s(lambda: block_prices(PRICE_USD, day)), "s", S_A_RUN, False),
    ]
    for figure in figures:
        print(figure)
    print(f"the longest of the {ADDED_BLOCKS} blocks took {max(each) * 1e3:.1f} ms")
    reading_s = median_s(lambda: [digest_from_bytes(data) for data in saved[:BLOCKS]])
    print(f"reading the 144 digests from bytes, their checksums included, takes {reading_s:.3f} s besides")
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
