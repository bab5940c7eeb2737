"""Makes the blocks of the simulated chain, those of the past and those that arrive."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import count
from typing import Protocol

from utxoracle_tui.demo.chain.builder import ORDINARY, ChainSpec, GeneratedBlock, Oddity, blocks
from utxoracle_tui.demo.chain.prices import Constant, Linear, PricePath
from utxoracle_tui.demo.host.genesis import regtest_genesis
from utxoracle_tui.demo.host.history import History
from utxoracle_tui.demo.host.options import HostOptions

LEAD_IN_TX = 3
"""Transactions of the blocks before the first whole day, of which no window that can be priced is made."""
_BRANCH_SEEDS = 1_000_003
"""Between the seeds of two branches, so that those of neighbouring hosts differ."""


class Stopped(Protocol):
    """Whether to give up; a `threading.Event` is one."""

    def is_set(self) -> bool:
        """True from then on."""


class Miner:
    """Not for two threads at once, but for what is ordered, which any thread may do."""

    def __init__(self, options: HostOptions, history: History, price: PricePath) -> None:
        """Payments are made at `price`."""
        self._options = options
        self._history = history
        self._price = price
        self._branches = count(1)
        self._times: deque[int] = deque()
        self._blocks: Iterator[GeneratedBlock] = iter(())
        self._ordered: deque[Oddity] = deque()

    def past(self, stopped: Stopped) -> Iterator[GeneratedBlock]:
        """The blocks of the history from the genesis block on, until there are no more or `stopped` is set.

        Afterwards `next_block` goes on from the last.
        """
        block = regtest_genesis()
        yield block
        self._start_branch(block, self._options.seed, min(LEAD_IN_TX, self._options.tx_per_block))
        for place, time_s in enumerate((*self._history.lead_in_s, *self._history.times_s)):
            if stopped.is_set():
                return
            if place == len(self._history.lead_in_s):
                self._start_branch(block, self._options.seed, self._options.tx_per_block)
            block = self.next_block(time_s)
            yield block

    def order(self, oddity: Oddity, blocks: int) -> None:
        """Let that many of the next blocks be odd, in the place of what was ordered before."""
        self._ordered = deque([oddity] * blocks)

    def next_block(self, time_s: int) -> GeneratedBlock:
        """A block on top of the last one that was made. `time_s` is its header time."""
        self._times.append(time_s)
        return next(self._blocks)

    def branch_off(self, height: int, block_hash: bytes) -> None:
        """Let `next_block` go on from another block, with other payments. `block_hash` is in internal order."""
        fork = GeneratedBlock(height, block_hash, 0, 0, b"")
        self._start_branch(fork, self._options.seed + next(self._branches) * _BRANCH_SEEDS, self._options.tx_per_block)

    def _start_branch(self, after: GeneratedBlock, seed: int, tx_per_block: int) -> None:
        self._times = deque()
        times = self._times
        spec = ChainSpec(
            seed=seed,
            times_s=(times.popleft() for _ in count()),
            first_height=after.height + 1,
            tx_per_block=tx_per_block,
            price=self._price,
            previous_hash=after.hash,
            oddity=self._next_oddity,
        )
        self._blocks = blocks(spec)

    def _next_oddity(self, _height: int) -> Oddity:
        ordered = self._ordered
        return ordered.popleft() if ordered else ORDINARY


def price_path(options: HostOptions, history: History) -> PricePath:
    """As the options have it, a line being drawn over the whole days."""
    first, last = options.prices_usd
    if first == last:
        return Constant(first)
    return Linear(first, last, history.first_midnight_s, history.last_midnight_s)
