"""Figures of a raw block that no header has: its inputs, outputs, witnesses and coinbase."""

from __future__ import annotations

from dataclasses import dataclass

from utxoracle_tui.demo.chain.serialise import HEADER_BYTES

_OUTPOINT_BYTES = 36
_SEQUENCE_BYTES = 4
_VALUE_BYTES = 8


@dataclass(frozen=True, slots=True)
class BlockFigures:
    """Sums over all transactions, or over all but the coinbase where it says payments."""

    n_tx: int
    size_bytes: int
    stripped_size_bytes: int
    outputs: int
    payment_inputs: int
    payment_sats: int
    """Of their outputs."""
    payment_bytes: int
    payment_weight: int
    segwit_txs: int
    """Payments with a witness."""
    segwit_bytes: int
    segwit_weight: int
    coinbase_script: bytes
    coinbase_sats: int
    coinbase_output_script: bytes
    """Of the first output."""

    @property
    def weight(self) -> int:
        """Of the block (BIP 141)."""
        return 3 * self.stripped_size_bytes + self.size_bytes


@dataclass(frozen=True, slots=True)
class _Tx:
    inputs: int
    first_script: bytes
    outputs: list[tuple[int, bytes]]
    size_bytes: int
    stripped_size_bytes: int

    @property
    def weight(self) -> int:
        return 3 * self.stripped_size_bytes + self.size_bytes


def block_figures(raw: bytes) -> BlockFigures:
    """Read a whole block."""
    n_tx, at = _size(raw, HEADER_BYTES)
    head_bytes = at
    txs: list[_Tx] = []
    for _ in range(n_tx):
        tx, at = _transaction(raw, at)
        txs.append(tx)
    coinbase, payments = txs[0], txs[1:]
    segwit = [tx for tx in payments if tx.size_bytes > tx.stripped_size_bytes]
    return BlockFigures(
        n_tx=n_tx,
        size_bytes=len(raw),
        stripped_size_bytes=head_bytes + sum(tx.stripped_size_bytes for tx in txs),
        outputs=sum(len(tx.outputs) for tx in txs),
        payment_inputs=sum(tx.inputs for tx in payments),
        payment_sats=sum(sats for tx in payments for sats, _ in tx.outputs),
        payment_bytes=sum(tx.size_bytes for tx in payments),
        payment_weight=sum(tx.weight for tx in payments),
        segwit_txs=len(segwit),
        segwit_bytes=sum(tx.size_bytes for tx in segwit),
        segwit_weight=sum(tx.weight for tx in segwit),
        coinbase_script=coinbase.first_script,
        coinbase_sats=sum(sats for sats, _ in coinbase.outputs),
        coinbase_output_script=coinbase.outputs[0][1],
    )


def _transaction(raw: bytes, start: int) -> tuple[_Tx, int]:
    """The transaction at `start`, and where it ends."""
    at = start + 4
    has_witness = raw[at] == 0
    at += 2 if has_witness else 0
    inputs, at = _size(raw, at)
    first_script = b""
    for place in range(inputs):
        length, at = _size(raw, at + _OUTPOINT_BYTES)
        first_script = raw[at : at + length] if place == 0 else first_script
        at += length + _SEQUENCE_BYTES
    n_outputs, at = _size(raw, at)
    outputs: list[tuple[int, bytes]] = []
    for _ in range(n_outputs):
        sats = int.from_bytes(raw[at : at + _VALUE_BYTES], "little")
        length, at = _size(raw, at + _VALUE_BYTES)
        outputs.append((sats, raw[at : at + length]))
        at += length
    witness_start = at
    for _ in range(inputs if has_witness else 0):
        items, at = _size(raw, at)
        for _ in range(items):
            length, at = _size(raw, at)
            at += length
    witness_bytes = at - witness_start + 2 if has_witness else 0
    at += 4
    return _Tx(inputs, first_script, outputs, at - start, at - start - witness_bytes), at


def _size(raw: bytes, at: int) -> tuple[int, int]:
    """The compact size at `at`, and where it ends."""
    first = raw[at]
    if first < 0xFD:
        return first, at + 1
    end = at + 1 + (1 << (first - 0xFC))
    return int.from_bytes(raw[at + 1 : end], "little"), end
