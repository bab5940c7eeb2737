"""Block prices worked out at once beside those worked out one by one: `python -m tests.bench.block_price_rebuilt`.

A console that runs goes over the 144 blocks up to each new tip and stores the reading at the tip. One that was away
fills in what is missing of the last 144, and goes over the 143 before them as well for that: without these, the windows
of spends begin with the run, and are shorter than 144 blocks. How far are the readings of one run from the others, and
from which block on are they the same?

Generated chains of a random walk. In the demo's blocks 4 % of transactions spend an output of the last six blocks. In
the other ones half of them spend an output of the last 144, each age as likely as another. Mainnet is in between: of
the candidates of block 800,000, 15 % spend an output of the block itself, 40 % of the last three, 52 % of the last 11.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median

from tests.support.scanners import SCANNER_NAMES, scanner_named
from utxoracle_core import RUN_BLOCKS, BlockDigest, BlockReading, assemble, block_prices, digest_block, price_window
from utxoracle_tui.demo.chain import ChainSpec, Every, Mix, Walk, blocks
from utxoracle_tui.engine.block_line import LEAD_BLOCKS
from utxoracle_tui.engine.pricing import SETTLED_AFTER

FIRST_HEIGHT, BEGIN_S = 800_000, 1_700_000_000
SAME = 1e-4
MIXES = {
    "the demo's spends": Mix(),
    "half spend what is up to 144 blocks old": Mix(in_window_spends=0.5, recent_blocks=RUN_BLOCKS - 1),
}
N_BLOCKS = 2 * RUN_BLOCKS + 1


@dataclass(frozen=True)
class Gone:
    """How far the readings of one run are from those made one by one, by their place in it."""

    apart: tuple[float, ...]
    """Of the estimates, as a share."""
    other_reasons: int
    """Settled blocks with a price in one and none in the other, or for another reason."""

    @property
    def same_from(self) -> int:
        """The block of the run, counted from 1, from which on all are within 0.01 %."""
        return max((place + 2 for place, share in enumerate(self.apart) if share > SAME), default=1)

    def __str__(self) -> str:
        settled = self.apart[SETTLED_AFTER:]
        return (
            f"the same to 0.01 % from block {self.same_from} of {len(self.apart)} on; from block {SETTLED_AFTER + 1} "
            f"on {max(settled):.4%} apart at most, {median(settled):.4%} in the median, "
            f"{self.other_reasons} for another reason"
        )


def chain(seed: int, tx_per_block: int, mix: Mix) -> list[BlockDigest]:
    """Two days of a random walk and a block."""
    spec = ChainSpec(
        seed=seed,
        times_s=Every(600, BEGIN_S),
        first_height=FIRST_HEIGHT,
        tx_per_block=tx_per_block,
        price=Walk(seed, 65_000.0, BEGIN_S),
        mix=mix,
    )
    scan = scanner_named(SCANNER_NAMES[-1])
    return [digest_block(block.raw, block.height, scan=scan) for block in islice(blocks(spec), N_BLOCKS)]


def start_usd(digests: Sequence[BlockDigest], tip: int) -> float:
    """The window price of the 144 blocks before a tip."""
    found = price_window(assemble(digests[tip - RUN_BLOCKS : tip])).price_usd
    assert found is not None
    return found


def gone(one_by_one: Sequence[BlockReading], at_once: Sequence[BlockReading]) -> Gone:
    """Compare readings at the same blocks."""
    pairs = list(zip(one_by_one, at_once, strict=True))
    return Gone(
        tuple(abs(other.estimate_usd / one.estimate_usd - 1) for one, other in pairs),
        sum(one.reason is not other.reason for one, other in pairs[SETTLED_AFTER:]),
    )


def comparisons(digests: Sequence[BlockDigest]) -> Iterator[tuple[str, Gone]]:
    """Several ways to make a line at once, beside the one made block by block."""
    tips = range(len(digests) - RUN_BLOCKS, len(digests))
    one_by_one = [block_prices(start_usd(digests, tip), digests[tip - RUN_BLOCKS + 1 : tip + 1])[1][-1] for tip in tips]
    lead, run = digests[tips[0] - LEAD_BLOCKS : tips[0]], digests[tips[0] :]
    start = start_usd(digests, tips[-1])
    yield "as the engine fills in", gone(one_by_one, block_prices(start, [*lead, *run])[1][len(lead) :])
    yield "without the blocks before", gone(one_by_one, block_prices(start, run)[1])
    yield "without them, started 10 % high", gone(one_by_one, block_prices(start * 1.1, run)[1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate, compare, print. The exit status is 0: these are figures to know, not to meet."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.block_price_rebuilt", description=__doc__)
    parser.add_argument("--tx", type=int, nargs="+", default=[300, 2000], help="transactions a block (300 2000)")
    parser.add_argument("--seeds", type=int, default=2, help="chains of each kind (2)")
    chosen = parser.parse_args(arguments)
    for tx_per_block in chosen.tx:
        for name, mix in MIXES.items():
            for seed in range(1, chosen.seeds + 1):
                for how, found in comparisons(chain(seed, tx_per_block, mix)):
                    print(f"{tx_per_block:,} transactions, {name}, chain {seed}, {how}: {found}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
