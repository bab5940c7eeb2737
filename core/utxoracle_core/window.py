"""A window: consecutive block digests put together, and which of their outputs carry a price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from utxoracle_core.digest import BlockDigest
from utxoracle_core.scan import Verdict

SATS_PER_BTC = 1e8
MIN_AMOUNT_BTC = 1e-5  # exclusive: 1,000 sats are out
MAX_AMOUNT_BTC = 1e5  # exclusive
_PREFIX_BITS = 22


@dataclass(frozen=True, slots=True)
class FilterCounts:
    """How many transactions each rule excludes, by the first that applies."""

    total: int
    inputs: int
    outputs: int
    coinbase: int
    op_return: int
    witness: int
    same_window: int
    """Spends of an output that was made inside the window."""

    @property
    def excluded(self) -> int:
        """All that some rule excludes."""
        return self.inputs + self.outputs + self.coinbase + self.op_return + self.witness + self.same_window

    @property
    def passed(self) -> int:
        """The transactions whose outputs are looked at."""
        return self.total - self.excluded


@dataclass(frozen=True, slots=True)
class WindowOutputs:
    """The amounts of a window in the order of the chain, and where they come from."""

    first_height: int
    last_height: int
    first_hash: str
    last_hash: str
    block_times: NDArray[np.int64]
    """(n_blocks,), header times"""
    filters: FilterCounts
    amounts_btc: NDArray[np.float64]
    """(n_outputs,), unless they were left behind"""
    amount_heights: NDArray[np.int32]
    """The same."""
    n_left_behind: int = 0
    """Amounts that are not here, as nobody needs them any more."""

    @property
    def n_blocks(self) -> int:
        """Number of blocks in the window."""
        return len(self.block_times)

    @property
    def n_outputs(self) -> int:
        """Number of amounts, wherever they are."""
        return len(self.amounts_btc) + self.n_left_behind

    def without_amounts(self) -> WindowOutputs:
        """The same for when they have been priced: the amounts are its megabytes."""
        return replace(
            self, amounts_btc=np.zeros(0), amount_heights=np.zeros(0, np.int32), n_left_behind=self.n_outputs
        )


def assemble(digests: Sequence[BlockDigest]) -> WindowOutputs:
    """Put digests in height order together and keep the outputs of section 2 of the method.

    A candidate is out when one of its inputs spends a txid seen so far in the window, its own included. Raises
    `ValueError` for no digests, or for digests that are not consecutive and hash-linked.
    """
    check_linked(digests)
    return outputs_of(digests, _spends_inside(digests))


def outputs_of(digests: Sequence[BlockDigest], spends: NDArray[np.bool_]) -> WindowOutputs:
    """What `assemble` gives for linked digests, where it is known which candidates, (n_candidates,), are out for what
    they spend.
    """
    candidate_height = np.repeat(np.array([d.height for d in digests], np.int32), [len(d.tx_indexes) for d in digests])
    output_sats = np.concatenate([d.output_sats for d in digests])
    amounts_btc = (output_sats[~spends] / SATS_PER_BTC).ravel()
    heights = np.repeat(candidate_height[~spends], 2)
    kept = (amounts_btc > MIN_AMOUNT_BTC) & (amounts_btc < MAX_AMOUNT_BTC)
    totals = {verdict: sum(d.excluded[verdict] for d in digests) for verdict in list(Verdict)[1:]}
    return WindowOutputs(
        first_height=digests[0].height,
        last_height=digests[-1].height,
        first_hash=digests[0].hash_text,
        last_hash=digests[-1].hash_text,
        block_times=np.array([d.time for d in digests], np.int64),
        filters=FilterCounts(
            total=sum(d.n_tx for d in digests),
            inputs=totals[Verdict.INPUTS],
            outputs=totals[Verdict.OUTPUTS],
            coinbase=totals[Verdict.COINBASE],
            op_return=totals[Verdict.OP_RETURN],
            witness=totals[Verdict.WITNESS],
            same_window=int(np.count_nonzero(spends)),
        ),
        amounts_btc=amounts_btc[kept],
        amount_heights=heights[kept],
    )


def check_linked(digests: Sequence[BlockDigest]) -> None:
    """Raise `ValueError` for no digests, or for digests that are not consecutive and hash-linked."""
    if not digests:
        raise ValueError("a window has at least one block")
    for before, after in pairwise(digests):
        if after.height != before.height + 1:
            raise ValueError(f"block {before.height} is followed by {after.height}: a window has no gaps")
        if after.header.previous_hash != before.block_hash:
            raise ValueError(f"block {after.height} does not build on block {before.height} of this window")


def _spends_inside(digests: Sequence[BlockDigest]) -> NDArray[np.bool_]:
    """For each candidate of the window, whether it spends a txid seen so far."""
    txids = np.concatenate([d.txids for d in digests])
    prevouts = np.concatenate([d.prevout_txids for d in digests])
    first_tx = np.cumsum([0, *(d.n_tx for d in digests[:-1])])
    positions = np.concatenate([d.tx_indexes + start for d, start in zip(digests, first_tx, strict=True)])
    counts = np.concatenate([d.input_counts for d in digests])
    owner = np.repeat(np.arange(len(positions)), counts)
    maybe = _share_bits(prevouts, txids)
    places = np.append(_share_bits(txids, prevouts[maybe]), len(txids))
    seen = places[_first_positions(txids[places[:-1]], prevouts[maybe])] <= positions[owner[maybe]]
    spends = np.zeros(len(positions), np.bool_)
    spends[owner[maybe[seen]]] = True
    return spends


def _prefixes(hashes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(hashes[:, :8]).view(np.uint64).ravel()


def _share_bits(hashes: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Indexes of the hashes that may be among `others`: a sieve on a few bits, through which most of the rest fall."""
    mask = np.uint64((1 << _PREFIX_BITS) - 1)
    present = np.zeros(1 << _PREFIX_BITS, np.bool_)
    present[_prefixes(others) & mask] = True
    return np.flatnonzero(present[_prefixes(hashes) & mask])


def _first_positions(txids: NDArray[np.uint8], wanted: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where each wanted hash first stands among `txids`; a number past the end when it doesn't.

    The first eight bytes find the place, all thirty-two decide.
    """
    prefixes = _prefixes(txids)
    order = np.argsort(prefixes, kind="stable")
    ranked = prefixes[order]
    nowhere = len(txids)
    rank = np.searchsorted(ranked, _prefixes(wanted), side="left")
    found = np.full(len(wanted), nowhere, np.int64)
    open_rows = np.arange(len(wanted))
    while len(open_rows):
        inside = rank[open_rows] < nowhere
        open_rows = open_rows[inside]
        places = order[rank[open_rows]]
        alike = prefixes[places] == _prefixes(wanted[open_rows])
        open_rows, places = open_rows[alike], places[alike]
        same = (txids[places] == wanted[open_rows]).all(axis=1)
        found[open_rows[same]] = places[same]
        open_rows = open_rows[~same]
        rank[open_rows] += 1
    return found
