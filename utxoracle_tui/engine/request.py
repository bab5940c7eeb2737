"""What an operator can ask a price for, and which heights that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from utxoracle_core import DaySelection, HeightRange, WindowRefused, select_day, select_last
from utxoracle_core.selection import BLOCK_WINDOW
from utxoracle_tui import formats
from utxoracle_tui.errors import Exit, OperatorError

CONSENSUS_PRICE = "UTXOracle Consensus Price"
BLOCK_WINDOW_PRICE = "UTXOracle Block Window Price"
MAIN = "main"


@dataclass(frozen=True, slots=True)
class Day:
    """A UTC day; None is the newest that can be asked for."""

    day: date | None = None


@dataclass(frozen=True, slots=True)
class Last:
    """The blocks before the tip."""

    count: int = BLOCK_WINDOW


@dataclass(frozen=True, slots=True)
class Heights:
    """Heights, both ends included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Everything:
    """All blocks that a folder holds."""


Request = Day | Last | Heights | Everything


@dataclass(frozen=True, slots=True)
class Chain:
    """What a request is resolved against: the heights that can be had, and their header times."""

    base: int
    tip: int
    times: Mapping[int, int]
    network: str | None
    """`main`, or None for raw blocks of another network."""


@dataclass(frozen=True, slots=True)
class Window:
    """A run of blocks that gets one price."""

    kind: Literal["day", "blocks"]
    blocks: HeightRange
    name: str | None
    """The canonical name of its price, if it has one."""
    day: DaySelection | None = None

    @property
    def boundary_ambiguous(self) -> bool:
        """Whether the day could have come out with other blocks."""
        return self.day is not None and self.day.boundary_ambiguous


def resolve(request: Request, chain: Chain) -> Window:
    """Find the blocks of a request.

    Raises `OperatorError` when the rules refuse it or the blocks are not there, and `MissingHeaderTime` where
    `chain.times` has to be filled first.
    """
    try:
        window = _select(request, chain)
    except WindowRefused as refused:
        raise OperatorError(refused.kind, f"{refused}.", Exit.USAGE) from None
    blocks = window.blocks
    if blocks.first < chain.base or blocks.last > chain.tip:
        raise OperatorError(
            "blocks_missing",
            f"Blocks {blocks.first} to {blocks.last} are needed; there are only {chain.base} to {chain.tip}.",
            Exit.USAGE,
        )
    return window


def _select(request: Request, chain: Chain) -> Window:
    is_main = chain.network == MAIN
    match request:
        case Day(day):
            if chain.tip - 6 < chain.base:
                raise OperatorError(
                    "blocks_missing",
                    "A day needs at least seven blocks after it, and there are only "
                    f"{chain.tip - chain.base + 1} blocks ({chain.base} to {chain.tip}).",
                    Exit.USAGE,
                )
            found = select_day(day, chain.times, chain.tip)
            return Window("day", found.blocks, CONSENSUS_PRICE if is_main else None, found)
        case Last(count):
            named = is_main and count == BLOCK_WINDOW
            return Window("blocks", select_last(count, chain.tip), BLOCK_WINDOW_PRICE if named else None)
        case Heights(first, last):
            if first > last:
                message = f"Heights {first}-{last} run backwards; give the lower one first."
                raise OperatorError("bad_window", message, Exit.USAGE)
            return Window("blocks", HeightRange(first, last), None)
        case Everything():
            return Window("blocks", HeightRange(chain.base, chain.tip), None)


def title_of(request: Request) -> str:
    """What was asked for, in words."""
    match request:
        case Day(None):
            return "the newest day"
        case Day(day):
            return f"{day} UTC"
        case Last(count):
            return f"the last {formats.plural(count, 'block')} before the tip"
        case Heights(first, last):
            return f"blocks {first}–{last}"
        case Everything():
            return "all blocks"


def read_day(text: str) -> Day:
    """A UTC day written as YYYY-MM-DD; raises `OperatorError` for anything else."""
    try:
        return Day(date.fromisoformat(text))
    except ValueError:
        raise OperatorError("usage", f"{text!r} is not a date; write it as 2024-02-29.", Exit.USAGE) from None


def read_heights(text: str) -> Heights:
    """Two heights written as A-B; raises `OperatorError` for anything else."""
    first, _, last = (part.strip() for part in text.partition("-"))
    if not (first.isdecimal() and last.isdecimal()):
        message = f"{text!r} is not a range of heights; write it as 799990-800000."
        raise OperatorError("usage", message, Exit.USAGE)
    return Heights(int(first), int(last))


def read_last(text: str) -> Last:
    """A number of blocks before the tip; raises `OperatorError` for anything else."""
    if not text.isdecimal() or int(text) < 1:
        raise OperatorError("usage", f"{text!r} is not a number of blocks; write it as 144.", Exit.USAGE)
    return Last(int(text))
