"""What a scanner reads out of a raw block, and the bounds that both scanners keep.

A scanner walks once over the bytes of a block. It checks the serialisation (BIP 144 and the compact sizes of
the peer-to-peer protocol), hashes every transaction, and keeps the outputs that section "which outputs" of the
price method can use. There are two, with identical results: `scan_python` and `scan_compiled`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

HEADER_BYTES = 80
MAX_BLOCK_WEIGHT = 4_000_000  # BIP 141
MIN_TX_BYTES = 60  # version 4, one input 1 + 41, one output 1 + 9, lock time 4
MIN_INPUT_BYTES = 41
MIN_OUTPUT_BYTES = 9

MAX_CANDIDATE_INPUTS = 5
CANDIDATE_OUTPUTS = 2
MAX_INPUT_WITNESS_BYTES = 500
OP_RETURN = 0x6A


class Verdict(IntEnum):
    """Why a transaction is no candidate; the first reason that applies, in this order."""

    CANDIDATE = 0
    INPUTS = 1
    """More than five inputs."""
    OUTPUTS = 2
    """Not exactly two outputs."""
    COINBASE = 3
    """An input with a null prevout."""
    OP_RETURN = 4
    """An output script whose first byte is 0x6a."""
    WITNESS = 5
    """An input with more than 500 bytes of witness items."""


@dataclass(frozen=True, slots=True)
class ScannedBlock:
    """One pass over a raw block.

    Hashes are in internal byte order (the order they have inside a block). `n_tx` transactions, of which
    `n_candidates` may carry a price; candidate rows are in block order.
    """

    size_bytes: int
    stripped_size_bytes: int
    """Size without marker, flag and witnesses (BIP 141)."""
    txids: NDArray[np.uint8]
    """(n_tx, 32)"""
    verdicts: NDArray[np.uint8]
    """(n_tx,), values of `Verdict`"""
    tx_indexes: NDArray[np.int32]
    """(n_candidates,), positions in the block"""
    output_sats: NDArray[np.int64]
    """(n_candidates, 2), the amounts of both outputs in order"""
    input_counts: NDArray[np.uint8]
    """(n_candidates,), 1 to 5"""
    prevout_txids: NDArray[np.uint8]
    """(sum of input_counts, 32), the txids that the candidates spend, in order"""
    coinbase_span: tuple[int, int]
    """First byte and end of the first transaction in the raw block."""
    merkle_root: bytes
    """Computed from the txids."""
    merkle_mutated: bool
    """Two equal neighbours were hashed together somewhere in the tree (CVE-2012-2459): the same root stands for
    several lists of transactions."""
    witness_root: bytes | None
    """Root over the wtxids with the coinbase's taken as zero (BIP 141); None when it wasn't asked for."""


class Scanner(Protocol):
    """A block scanner."""

    def __call__(self, raw: bytes, *, witness_root: bool = False) -> ScannedBlock:
        """Scan `raw`, a whole serialised block. Raises `BlockError` for anything that isn't one."""
        ...
