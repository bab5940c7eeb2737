"""Writes a generated chain into a folder: `python -m utxoracle_tui.demo.chain DIR`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from utxoracle_tui.demo.chain.builder import ChainSpec, blocks, write_folder
from utxoracle_tui.demo.chain.economy import Mix
from utxoracle_tui.demo.chain.prices import Constant, Linear, PricePath
from utxoracle_tui.demo.chain.times import DAY_S, day_times, midnight_s


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the chain that the command line asks for. Returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        start_s = midnight_s(options.first_date)
        spec = ChainSpec(
            seed=options.seed,
            times_s=day_times(options.seed, options.first_date, options.days, every_s=options.every),
            first_height=options.first_height,
            tx_per_block=options.tx_per_block,
            price=_price_path(options.price, start_s, start_s + options.days * DAY_S),
            mix=Mix(signal=options.signal, usd_spread=options.spread),
        )
        written = write_folder(blocks(spec), options.folder)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    sys.stdout.write(f"{written} blocks in {options.folder}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    defaults = Mix()
    parser = argparse.ArgumentParser(
        prog="python -m utxoracle_tui.demo.chain",
        description="Write generated blocks of whole UTC days, with 30 more on both sides of them.",
    )
    add = parser.add_argument
    add("folder", type=Path, metavar="DIR", help="for blocks.dat and index.json")
    add("--seed", type=int, default=1)
    add("--days", type=int, default=1)
    add("--first-date", type=date.fromisoformat, default=date(2024, 6, 1), metavar="YYYY-MM-DD")
    add("--first-height", type=int, default=846_000)
    add("--tx-per-block", type=int, default=2000, help="with the coinbase")
    add("--price", default="65000", metavar="P|A:B", help="USD, one or from:to over the days")
    add("--signal", type=float, default=defaults.signal, help="0 to 1, how many pay round USD amounts")
    add("--spread", type=float, default=defaults.usd_spread, help="of the log of what they pay")
    add("--every", type=int, default=None, metavar="S", help="even seconds between blocks")
    return parser


def _price_path(text: str, start_s: int, end_s: int) -> PricePath:
    """Raises ValueError for what is neither a number nor two."""
    first, _, last = text.partition(":")
    return Linear(float(first), float(last), start_s, end_s) if last else Constant(float(first))


if __name__ == "__main__":
    sys.exit(main())
