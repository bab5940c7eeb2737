"""Does the block price agree with what was recorded, from raw blocks on?

Run as `python -m tests.bench.block_price_parity DIR`.
DIR holds `block-price/` beside `reference/chains/`, `mainnet/` and `history/`. A line is printed for each question; the
exit status is 1 when something differs, and 2 when there is nothing to ask.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from tests.support.block_price_checks import (
    CHAINS,
    FORGOTTEN_AFTER,
    REAL,
    agreement,
    outside_the_day,
    planted_errors,
    published_blocks,
    published_prices,
    recorded,
)
from tests.support.chain_folder import block_files, height_in_name, read_chain
from tests.support.scanners import SCANNER_NAMES, scanner_named
from utxoracle_core import BlockDigest, BlockReading, assemble, block_prices, digest_block, price_window

OPEN_USD = 112_774.5
"""The exchange price at the beginning of the published days."""
DOUBLED_FROM_USD = 45_000.0
LEAST_BLOCKS = 6

Answer = tuple[str, bool]
"""A line, and whether it is as it should be."""


def chain_answers(folder: Path) -> Iterator[Answer]:
    """Generated chains with the txids of 144 blocks, where the recorded readings had those of the whole chain."""
    scan = scanner_named(SCANNER_NAMES[-1])
    for name in CHAINS:
        chain = read_chain(folder / "reference" / "chains" / name)
        document = recorded(name, folder / "block-price")
        blocks = document["blocks"]
        heights = range(chain.base_height, blocks[-1]["height"] + 1)
        raws = zip(heights, chain.raw_blocks(heights), strict=True)
        digests = [digest_block(raw, height, scan=scan) for height, raw in raws]
        n_before = blocks[0]["height"] - chain.base_height
        _, readings = block_prices(document["seed_price_usd"], digests[n_before:], digests[:n_before])
        found = agreement(readings, blocks)
        yield f"{name}: {found}", found.holds
        errors = planted_errors(readings, blocks)
        if name == "mediocre60":
            yield f"{name}: {len(errors)} prices shown", not errors
        else:
            text = f"{name}: {len(errors)} of {len(blocks)} shown, {median(errors):.3%} off, {max(errors):.3%} at most"
            yield text, median(errors) < 0.001 and max(errors) < 0.015


def real_answers(digests: Sequence[BlockDigest], folder: Path) -> Iterator[Answer]:
    """Eleven real blocks from several starts."""
    for run in recorded(REAL, folder / "block-price")["runs"]:
        _, readings = block_prices(run["seed_price_usd"], digests)
        found = agreement(readings, run["blocks"])
        yield f"real blocks from {run['seed_price_usd']}: {found}", found.holds
    for factor in (1.0, 0.9, 0.8):
        shown = _shown(block_prices(29_800 * factor, digests)[1])
        inside = bool(shown) and all(29_700 < price < 30_000 for price in shown)
        yield f"real blocks from {factor:g} of the price: {min(shown):.0f} to {max(shown):.0f}", inside
    for factor in (2.0, 0.5, 2 / 3):
        shown = _shown(block_prices(29_800 * factor, digests)[1])
        yield f"real blocks from {factor:.2f} of the price: {len(shown)} shown", not shown


def _shown(readings: Sequence[BlockReading]) -> list[float]:
    return [reading.price_usd for reading in readings if reading.price_usd is not None]


def window_answers(digests: Sequence[BlockDigest]) -> Iterator[Answer]:
    """All windows of six real blocks and more: suspect exactly where they double."""
    ratios: dict[bool, list[float]] = {True: [], False: []}
    wrong = 0
    for first in range(len(digests)):
        for end in range(first + LEAST_BLOCKS, len(digests) + 1):
            found = price_window(assemble(digests[first:end]))
            assert found.price_usd is not None and found.octave is not None
            doubled = found.price_usd > DOUBLED_FROM_USD
            ratios[doubled].append(found.octave.ladder_ratio)
            wrong += found.octave_suspect is not doubled
    for doubled, name in ((True, "doubled"), (False, "right")):
        text = f"{len(ratios[doubled])} {name} windows: ladder {min(ratios[doubled]):.3f} to {max(ratios[doubled]):.3f}"
        yield text, all((ratio > 1) is doubled for ratio in ratios[doubled])
    yield f"{wrong} windows wrongly suspect or not", not wrong


def published_answers(folder: Path) -> Iterator[Answer]:
    """Four published days in a row from three starts."""
    blocks = published_blocks(folder / "block-price")
    runs = {factor: published_prices(blocks, OPEN_USD * factor) for factor in (0.9, 1.0, 1.1)}
    for factor, prices in runs.items():
        outside = max(outside_the_day(blocks, prices), 0.0)
        yield f"{len(blocks)} published blocks from {factor:g}: {outside:.3%} outside the day at most", outside < 0.01
    late = [prices[FORGOTTEN_AFTER:] for prices in runs.values()]
    apart = max(abs(a / b - 1) for other in (late[0], late[2]) for a, b in zip(other, late[1], strict=True))
    yield f"published days: the three runs are {apart:.1e} apart", apart < 1e-9


def answers(folder: Path) -> Iterator[Answer]:
    """All questions that the folder can be asked."""
    scan = scanner_named(SCANNER_NAMES[-1])
    yield from chain_answers(folder)
    paths = block_files(folder / "mainnet")
    heights = {height_in_name(name): path for name, path in paths.items()}
    digests = [digest_block(heights[h].read_bytes(), h, scan=scan) for h in range(799_990, 800_001)]
    yield from real_answers(digests, folder)
    yield from window_answers(digests)
    yield from published_answers(folder)


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask everything. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.block_price_parity", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    folder = parser.parse_args(arguments).folder
    if (
        not (folder / "block-price").is_dir()
        or not (folder / "reference" / "chains" / CHAINS[0] / "blocks.dat").is_file()
    ):
        print(f"{folder} has no recorded block prices with their chains")
        return 2
    done = []
    for line, as_it_should_be in answers(folder):
        print(f"{'ok  ' if as_it_should_be else 'NOT '} {line}", flush=True)
        done.append(as_it_should_be)
    print(f"{sum(done)} of {len(done)} as they should be")
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
