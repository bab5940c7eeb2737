"""What a simulated host is made from, and the options of the command line that say so."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from typing import Self

from utxoracle_tui.errors import Exit, OperatorError

SCENARIOS_IN_WORDS = {
    "ready": "everything runs, and blocks arrive",
    "first-sync": "electrs begins with an empty folder: two passes and two compactions, some 27 hours over the speed",
    "resume": "an electrs that was killed near its end starts its first sync again, which looks stuck and is not",
    "electrs-stuck": "in the middle of its second pass electrs does nothing any more, from the tenth minute on",
    "electrs-crashloop": "electrs panics over block files that it cannot read, and Docker starts it again",
    "disk-filling": "the disk is too small for electrs' first compaction, which fails and begins anew",
    "node-restart": "every hour the node goes down for three minutes and warms up for seven",
    "node-ibd": "the node has yet to get two fifths of its blocks, one a minute, and electrs waits for it",
    "price-outage": "every five hours all exchanges are out of reach for two and a half",
    "divergence": "every five hours exchanges move 7 % away from the price on the chain, and come back",
    "reorg": "every hour two blocks are replaced by three",
    "step": "every six hours the price rises by 10 % within an hour, and falls back three hours later",
    "flood": "every eight hours, for six, each block has one amount 150 times",
    "yesterday": "the price rises by 8 %, and now and then blocks are full of payments at that of before",
    "quiet-hour": "every six hours there is no block for 95 minutes",
}
"""What happens on the host, in minutes and hours that the speed makes shorter."""
SCENARIO_NAMES = tuple(SCENARIOS_IN_WORDS)
MAX_PRICE_UPDATES_PER_HOUR = 3600.0
MAX_SPEED = 600.0
"""A block a second: header times are whole seconds, so faster ones would run away from the clock."""


@dataclass(frozen=True, slots=True)
class HostOptions:
    """Raises `OperatorError` for what no chain can be made from."""

    seed: int = 1
    days: int = 2
    """Whole UTC days before today."""
    tx_per_block: int = 300
    price: str = "65000"
    """USD per bitcoin: one for all blocks, or `from:to` over the whole days."""
    speed: float = 60.0
    """Times real time at which blocks arrive; 0: none do."""
    scenario: str = "ready"
    price_updates_per_hour: float = 1.0
    """How often the mempool backend looks at the exchanges; the hour is as short as the speed makes it."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise _usage("--seed is 0 or more.")
        if self.days < 1:
            raise _usage("--days is 1 or more.")
        if self.tx_per_block < 1:
            raise _usage("--tx-per-block is 1 or more: the coinbase counts.")
        if not 0 <= self.speed <= MAX_SPEED:
            raise _usage(f"--speed is between 0 (no new blocks) and {MAX_SPEED:g} (one a second).")
        if not 0 < self.price_updates_per_hour <= MAX_PRICE_UPDATES_PER_HOUR:
            raise _usage(f"--price-updates is above 0 and at most {MAX_PRICE_UPDATES_PER_HOUR:g} an hour.")
        if self.scenario not in SCENARIO_NAMES:
            raise _usage(f"There is no scenario {self.scenario}; there are {', '.join(SCENARIO_NAMES)}.")
        _ = self.prices_usd

    @property
    def prices_usd(self) -> tuple[float, float]:
        """The price when the whole days begin and when they end."""
        first, colon, last = self.price.partition(":")
        try:
            prices = float(first), float(last if colon else first)
        except ValueError:
            prices = (math.nan, math.nan)
        if not all(math.isfinite(usd) and usd > 0 for usd in prices):
            raise _usage(f"--price is an amount of USD, or from:to; {self.price} is neither.")
        return prices

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> Self:
        """As the command line has them."""
        return cls(
            seed=arguments.seed,
            days=arguments.days,
            tx_per_block=arguments.tx_per_block,
            price=arguments.price,
            speed=arguments.speed,
            scenario=arguments.scenario,
            price_updates_per_hour=arguments.price_updates,
        )

    def as_arguments(self) -> list[str]:
        """As words of a command line."""
        return [
            f"--seed={self.seed}",
            f"--days={self.days}",
            f"--tx-per-block={self.tx_per_block}",
            f"--price={self.price}",
            f"--speed={self.speed}",
            f"--scenario={self.scenario}",
            f"--price-updates={self.price_updates_per_hour}",
        ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of `demo`."""
    default = HostOptions()
    words = "; ".join(f"{name}: {sentence}" for name, sentence in SCENARIOS_IN_WORDS.items())
    parser.epilog = f"Scenarios. {words}."
    add = parser.add_argument
    add("--serve", action="store_true", help="only the simulated host: print its addresses as JSON, serve till stopped")
    add(
        "--speed",
        type=float,
        default=default.speed,
        metavar="N",
        help="blocks come N times as fast (%(default)g)",
    )
    add(
        "--scenario",
        choices=SCENARIO_NAMES,
        metavar="NAME",
        default=default.scenario,
        help="what happens on the host, see below (%(default)s)",
    )
    add("--days", type=int, default=default.days, metavar="N", help="UTC days of blocks before today (%(default)s)")
    add("--tx-per-block", type=int, default=default.tx_per_block, metavar="N", help="transactions (%(default)s)")
    add("--price", default=default.price, metavar="USD|A:B", help="that payments are made at, or from:to over the days")
    add(
        "--price-updates",
        type=float,
        default=default.price_updates_per_hour,
        metavar="N",
        help="looks of the mempool backend at the exchanges in an hour, which --speed shortens (%(default)g)",
    )
    add("--seed", type=int, default=default.seed, metavar="N", help="another one gives other blocks")
    # for programs that start the host themselves
    add("--parent", type=int, default=None, metavar="PID", help=argparse.SUPPRESS)
    add("--announce", choices=("ready", "listening"), default="ready", help=argparse.SUPPRESS)


def _usage(message: str) -> OperatorError:
    return OperatorError("usage", message, Exit.USAGE)
