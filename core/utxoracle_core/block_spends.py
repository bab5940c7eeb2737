"""Section 2's rule against spends inside the window, for a window that moves on by one block at a time.

The window of a block is the 144 blocks that end with it. At the beginning of a run it is shorter: it begins with the
first block that was taken in, so that the amounts of a block depend on the blocks taken in and on nothing else. To
have it whole from the first priced block on, the 143 blocks before are taken in first.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from utxoracle_core.digest import BlockDigest
from utxoracle_core.hashes import HASH_BYTES
from utxoracle_core.window import MAX_AMOUNT_BTC, MIN_AMOUNT_BTC, SATS_PER_BTC, _prefixes

WINDOW_BLOCKS = 144
_KEY_BITS = 20
_KEY_MASK = np.uint64((1 << _KEY_BITS) - 1)
_NOWHERE = -1
_ROWS_AT_FIRST = 1 << 19
"""Enough for 144 blocks of 3,600 transactions. Memory is only taken for what has been written."""


class MovingWindow:
    """The txids of the newest blocks, and which amounts of the newest one are kept.

    A hash table that is written a block at a time: txids are numbered as they come, and those with the same few bits
    are a chain, from the newest to the oldest. What has left the window is at the end of each chain.
    """

    __slots__ = ("_begins", "_held_blocks", "_newest", "_next", "_older", "_prefixes", "_txids")

    def __init__(self, held_blocks: int | None = None) -> None:
        """Txids of `held_blocks` are known, of 144 where it doesn't say more: those are the window of the rule."""
        self._held_blocks = max(held_blocks or 0, WINDOW_BLOCKS)
        self._begins: deque[int] = deque()
        """The first number of each block that is known; number n has its place in row n modulo the number of rows."""
        self._next = 0
        self._txids = np.empty((_ROWS_AT_FIRST, HASH_BYTES), np.uint8)
        self._prefixes = np.empty(_ROWS_AT_FIRST, np.uint64)
        """Of the same: a chain is followed by these alone, as the txids lie too far apart in memory."""
        self._older = np.empty(_ROWS_AT_FIRST, np.int64)
        self._newest = np.full(1 << _KEY_BITS, _NOWHERE, np.int64)

    def take(self, digest: BlockDigest) -> None:
        """Take in the next block, whose amounts aren't asked for."""
        if len(self._begins) == self._held_blocks:
            self._begins.popleft()
        self._begins.append(self._next)
        numbers = np.arange(self._next, self._next + digest.n_tx)
        self._next += digest.n_tx
        if self._next - self._begins[0] > len(self._txids):
            self._make_room(numbers[0])
        prefixes = _prefixes(digest.txids)
        keys = _keys(prefixes)
        older = self._newest[keys]
        self._newest[keys] = numbers
        # of those of the block with the same key, the last one is the newest: the few others come behind it
        for place in np.flatnonzero(self._newest[keys] != numbers):
            successor = place + 1 + int(np.argmax(keys[place + 1 :] == keys[place]))
            older[successor] = numbers[place]
        row = int(numbers[0]) % len(self._txids)
        for column, new in ((self._txids, digest.txids), (self._prefixes, prefixes), (self._older, older)):
            before_end = min(len(column) - row, len(new))
            column[row : row + before_end] = new[:before_end]
            column[: len(new) - before_end] = new[before_end:]

    @property
    def next_number(self) -> int:
        """What the first txid of the next block will be numbered."""
        return self._next

    def newest_spent(self, digest: BlockDigest) -> NDArray[np.int64]:
        """Take in the next block; for each of its candidates the number of the newest txid among those that it spends.

        (n_candidates,); less than 0 where none of them is known. A candidate's own and those before it can be spent.
        """
        self.take(digest)
        owner = np.repeat(np.arange(len(digest.tx_indexes)), digest.input_counts)
        own_number = self._begins[-1] + digest.tx_indexes.astype(np.int64)[owner]
        made, numbers = self._known(digest.prevout_txids, own_number)
        newest = np.full(len(digest.tx_indexes), _NOWHERE, np.int64)
        np.maximum.at(newest, owner[made], numbers)
        return newest

    def kept_btc(self, digest: BlockDigest, newest_spent: NDArray[np.int64]) -> NDArray[np.float64]:
        """The amounts of the newest block that section 2 keeps, in order."""
        first = self._begins[-min(WINDOW_BLOCKS, len(self._begins))]
        amounts = (digest.output_sats[newest_spent < first] / SATS_PER_BTC).ravel()
        return amounts[(amounts > MIN_AMOUNT_BTC) & (amounts < MAX_AMOUNT_BTC)]

    def _make_room(self, n_taken: np.int64) -> None:
        """Twice the rows that are needed now, so that this is seldom done. The numbers below `n_taken` have a row."""
        numbers = np.arange(self._begins[0], n_taken)
        old, new = numbers % len(self._txids), numbers % (2 * (self._next - self._begins[0]))
        txids = np.zeros((2 * (self._next - self._begins[0]), HASH_BYTES), np.uint8)
        prefixes, older = np.zeros(len(txids), np.uint64), np.zeros(len(txids), np.int64)
        txids[new], prefixes[new], older[new] = self._txids[old], self._prefixes[old], self._older[old]
        self._txids, self._prefixes, self._older = txids, prefixes, older

    def _known(self, wanted: NDArray[np.uint8], up_to: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Which of the wanted txids, (n, 32), are known, and the newest number of each, of `up_to` at the most.

        A few bits find the chain, eight bytes a place in it, all thirty-two decide.
        """
        found: list[tuple[NDArray[np.intp], NDArray[np.int64]]] = []
        prefixes = _prefixes(wanted)
        numbers = self._newest[_keys(prefixes)]
        looked_for = np.arange(len(wanted))
        while True:
            inside = np.flatnonzero(numbers >= self._begins[0])
            looked_for, numbers = looked_for[inside], numbers[inside]
            if not len(inside):
                found.append((looked_for, numbers))
                break
            rows = numbers % len(self._txids)
            same = self._prefixes[rows] == prefixes[looked_for]
            alike = np.flatnonzero(same)
            same[alike] = (self._txids[rows[alike]] == wanted[looked_for[alike]]).all(axis=1)
            same[alike] &= numbers[alike] <= up_to[looked_for[alike]]
            found.append((looked_for[same], numbers[same]))
            looked_for, numbers = looked_for[~same], self._older[rows[~same]]
        return np.concatenate([made for made, _ in found]), np.concatenate([numbers for _, numbers in found])


def _keys(prefixes: NDArray[np.uint64]) -> NDArray[np.intp]:
    return (prefixes & _KEY_MASK).astype(np.intp)
