"""What a scanner says of a block against what the slow reader says of it."""

from __future__ import annotations

import numpy as np

from tests.support import plain_method
from tests.support.block_reader import Block, Malformed, read_block, root_of, sha256d
from utxoracle_core import BlockError
from utxoracle_core.scan import ScannedBlock, Scanner, Verdict

_VERDICTS = {
    None: Verdict.CANDIDATE,
    "inputs": Verdict.INPUTS,
    "outputs": Verdict.OUTPUTS,
    "coinbase": Verdict.COINBASE,
    "op_return": Verdict.OP_RETURN,
    "witness": Verdict.WITNESS,
}


def assert_read_alike(raw: bytes, scans: dict[str, Scanner]) -> str | None:
    """All scanners and the slow reader agree on `raw`; returns the kind of fault, or None for a sound block.

    Scanners must agree with each other on kind and place of a fault, too.
    """
    try:
        block = read_block(raw)
    except Malformed:
        faults = {name: _fault(raw, scan) for name, scan in scans.items()}
        first = next(iter(faults.values()))
        assert all(fault == first for fault in faults.values()), faults
        assert first is not None, "accepted what the slow reader refuses"
        return first[0]
    for scan in scans.values():
        assert_same_findings(scan(raw, witness_root=True), block)
    return None


def _fault(raw: bytes, scan: Scanner) -> tuple[str, int, str] | None:
    try:
        scan(raw, witness_root=True)
    except BlockError as error:
        assert 0 <= error.offset_bytes <= len(raw)
        return error.kind, error.offset_bytes, error.expected
    return None


def assert_same_findings(found: ScannedBlock, block: Block) -> None:
    """Every field of a scan, against the slow reader."""
    verdicts = [_VERDICTS[plain_method.reason_against(tx)] for tx in block.transactions]
    rows = [n for n, verdict in enumerate(verdicts) if verdict is Verdict.CANDIDATE]
    candidates = [block.transactions[n] for n in rows]
    prevouts = b"".join(spent.prevout_txid for tx in candidates for spent in tx.inputs)
    txids = [tx.txid for tx in block.transactions]
    assert found.size_bytes == block.size_bytes
    assert found.stripped_size_bytes == block.stripped_size_bytes
    assert found.coinbase_span == block.coinbase_span
    _same(found.txids, b"".join(txids), "u1", (len(txids), 32))
    _same(found.verdicts, bytes(verdicts), "u1", (len(txids),))
    assert found.tx_indexes.tolist() == rows
    assert found.output_sats.tolist() == [[output.sats for output in tx.outputs] for tx in candidates]
    assert found.output_sats.shape == (len(rows), 2)
    assert found.input_counts.tolist() == [len(tx.inputs) for tx in candidates]
    _same(found.prevout_txids, prevouts, "u1", (len(prevouts) // 32, 32))
    dtypes = [array.dtype.str for array in (found.tx_indexes, found.output_sats, found.input_counts)]
    assert dtypes == ["<i4", "<i8", "|u1"]
    assert found.merkle_root == root_of(txids)
    assert found.merkle_mutated == mutated(txids)
    assert found.witness_root == root_of([bytes(32), *(tx.wtxid for tx in block.transactions[1:])])


def _same(
    array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], data: bytes, dtype: str, shape: tuple[int, ...]
) -> None:
    assert array.dtype == np.dtype(dtype)
    assert array.shape == shape
    assert array.tobytes() == data


def mutated(row: list[bytes]) -> bool:
    """Whether two equal neighbours are hashed together somewhere in the tree, an odd last one and itself apart."""
    if len(row) == 1:
        return False
    pairs = [(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
    if any(left == right for left, right in pairs):
        return True
    if len(row) % 2:
        pairs.append((row[-1], row[-1]))
    return mutated([sha256d(left + right) for left, right in pairs])
