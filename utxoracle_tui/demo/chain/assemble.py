"""From the plan of a block to its serialised transactions, with spends inside the chain."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from utxoracle_tui.demo.chain import scripts
from utxoracle_tui.demo.chain.draws import Draws
from utxoracle_tui.demo.chain.economy import Kind, Plan, Script
from utxoracle_tui.demo.chain.serialise import Tx, transaction

_FIRST_OUTPUT = bytes(4)


class RecentOutputs:
    """Unspent first outputs of the block in the making and of the last `blocks` before it."""

    def __init__(self, blocks: int) -> None:
        self._by_age: deque[list[bytes]] = deque(maxlen=blocks + 1)

    def begin_block(self) -> None:
        """Everything is a block older from now on."""
        self._by_age.appendleft([])

    def add(self, txid: bytes) -> None:
        """A transaction entered the block in the making."""
        self._by_age[0].append(txid)

    def take(self, age: int, pick: float) -> bytes | None:
        """An outpoint `age` blocks back, `pick` in [0, 1) saying which; never the same one twice.

        None when there is none of that age.
        """
        if age >= len(self._by_age) or not self._by_age[age]:
            return None
        txids = self._by_age[age]
        place = int(pick * len(txids))
        txids[place], txids[-1] = txids[-1], txids[place]
        return txids.pop() + _FIRST_OUTPUT


def transactions(plan: Plan, draws: Draws, recent: RecentOutputs) -> Iterator[Tx]:
    """The planned transactions in order.

    Each may spend those before it, so the caller adds to `recent` what it takes before it asks for the next.
    """
    inputs, witnesses = scripts.input_cells(np.repeat(plan.input_scripts, plan.input_counts), draws)
    outputs = scripts.output_cells(plan.output_scripts, plan.output_sats, draws)
    in_edges, out_edges = _edges(plan.input_counts), _edges(plan.output_counts)
    ages, picks = plan.spend_ages.tolist(), plan.spend_picks.tolist()
    for n, witness in _large_witnesses(plan, draws):
        witnesses[in_edges[n]] = witness
    for n, output in _data_outputs(plan, draws):
        outputs[outputs.index(b"", out_edges[n])] = output
    legacy = (plan.input_scripts == Script.P2PKH).tolist()
    for n, (age, pick) in enumerate(zip(ages, picks, strict=True)):
        ins = inputs[in_edges[n] : in_edges[n + 1]]
        outpoint = recent.take(age, pick) if age >= 0 else None
        if outpoint:
            ins[0] = outpoint + ins[0][len(outpoint) :]
        yield transaction(
            ins,
            outputs[out_edges[n] : out_edges[n + 1]],
            None if legacy[n] else witnesses[in_edges[n] : in_edges[n + 1]],
        )


def _large_witnesses(plan: Plan, draws: Draws) -> Iterator[tuple[int, bytes]]:
    """For each INSCRIPTION, its number and the witness of its input."""
    for n in np.flatnonzero(plan.kinds == Kind.INSCRIPTION).tolist():
        yield n, scripts.inscription_witness(int(plan.payload_bytes[n]), draws)


def _data_outputs(plan: Plan, draws: Draws) -> Iterator[tuple[int, bytes]]:
    """For each DATA, its number and its OP_RETURN output."""
    for n in np.flatnonzero(plan.kinds == Kind.DATA).tolist():
        yield n, scripts.data_output(draws.octets(int(plan.payload_bytes[n])).tobytes())


def _edges(counts: NDArray[np.int64]) -> list[int]:
    """Where each transaction's cells begin, and last where they end."""
    return [0, *np.cumsum(counts).tolist()]
