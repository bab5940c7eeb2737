"""What a simulated host is made from, and the options of the command line that say so."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from typing import Self

from utxoracle_tui.errors import Exit, OperatorError

SCENARIO_NAMES = ("ready", "node-restart", "reorg")
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

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise _usage("--seed is 0 or more.")
        if self.days < 1:
            raise _usage("--days is 1 or more.")
        if self.tx_per_block < 1:
            raise _usage("--tx-per-block is 1 or more: the coinbase counts.")
        if not 0 <= self.speed <= MAX_SPEED:
            raise _usage(f"--speed is between 0 (no new blocks) and {MAX_SPEED:g} (one a second).")
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
        ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of `demo`."""
    default = HostOptions()
    add = parser.add_argument
    add("--serve", action="store_true", help="only the simulated host: print its addresses as JSON, serve till stopped")
    add(
        "--speed",
        type=float,
        default=default.speed,
        metavar="N",
        help="blocks come N times as fast (%(default)g)",
    )
    add("--scenario", choices=SCENARIO_NAMES, default=default.scenario, help="what happens on the host")
    add("--days", type=int, default=default.days, metavar="N", help="UTC days of blocks before today (%(default)s)")
    add("--tx-per-block", type=int, default=default.tx_per_block, metavar="N", help="transactions (%(default)s)")
    add("--price", default=default.price, metavar="USD|A:B", help="that payments are made at, or from:to over the days")
    add("--seed", type=int, default=default.seed, metavar="N", help="another one gives other blocks")
    # for programs that start the host themselves
    add("--parent", type=int, default=None, metavar="PID", help=argparse.SUPPRESS)
    add("--announce", choices=("ready", "listening"), default="ready", help=argparse.SUPPRESS)


def _usage(message: str) -> OperatorError:
    return OperatorError("usage", message, Exit.USAGE)
