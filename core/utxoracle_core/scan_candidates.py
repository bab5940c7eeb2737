"""What the pure Python scanner reads of the candidates, for all of a block at once.

The hot loop finds where inputs and outputs of a transaction begin; amounts, scripts and prevouts are then gathered
from these places with numpy. All places lie inside the block: the loop has walked over every byte.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utxoracle_core.hashes import HASH_BYTES
from utxoracle_core.scan import OP_RETURN

_PREVOUT_BYTES = 36
_AMOUNT_BYTES = 8
_SEQUENCE_BYTES = 4


@dataclass(frozen=True, slots=True)
class Outputs:
    """Both outputs of n transactions."""

    sats: NDArray[np.int64]
    """(n, 2)"""
    has_op_return: NDArray[np.bool_]
    """(n,)"""


def _compact_sizes(data: NDArray[np.uint8], at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The compact sizes at many places, and the places behind them; eight-byte sizes fit in no block."""
    first = data[at].astype(np.int64)
    values, behind = first.copy(), at + 1
    for marker, width in ((0xFD, 2), (0xFE, 4)):
        rows = np.flatnonzero(first == marker)
        if len(rows):
            places = at[rows, None] + np.arange(1, width + 1)
            values[rows] = data[places] @ (1 << (8 * np.arange(width)))
            behind[rows] += width
    return values, behind


def _gather(data: NDArray[np.uint8], at: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    windows = np.lib.stride_tricks.sliding_window_view(data, width)
    return np.ascontiguousarray(windows[at])


def read_outputs(data: NDArray[np.uint8], at: NDArray[np.int64]) -> Outputs:
    """Amounts and scripts of transactions with exactly two outputs; `at` is where their first output begins."""
    sats = np.empty((len(at), 2), np.int64)
    has_op_return = np.zeros(len(at), np.bool_)
    for column in range(2):
        sats[:, column] = _gather(data, at, _AMOUNT_BYTES).view("<i8").ravel()
        size, script = _compact_sizes(data, at + _AMOUNT_BYTES)
        has_op_return |= (size > 0) & (data[script] == OP_RETURN)
        at = script + size
    return Outputs(sats, has_op_return)


def read_prevout_txids(data: NDArray[np.uint8], at: NDArray[np.int64], counts: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The txids that transactions spend, (sum of `counts`, 32), in order; `at` is where their inputs begin."""
    ends = np.cumsum(counts, dtype=np.int64)
    starts = ends - counts
    places = np.empty(int(ends[-1]) if len(ends) else 0, np.int64)
    rows = np.arange(len(at))
    for index in range(int(counts.max(initial=0))):
        rows = rows[counts[rows] > index]
        places[starts[rows] + index] = at[rows]
        size, script = _compact_sizes(data, at[rows] + _PREVOUT_BYTES)
        at = at.copy()
        at[rows] = script + size + _SEQUENCE_BYTES
    return _gather(data, places, HASH_BYTES)
