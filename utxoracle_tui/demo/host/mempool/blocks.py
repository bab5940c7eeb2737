"""Blocks, the difficulty and fees as the mempool backend describes them."""

from __future__ import annotations

from utxoracle_tui.demo.chain.serialise import subsidy_sats
from utxoracle_tui.demo.host.address import key_hash_address
from utxoracle_tui.demo.host.block_figures import BlockFigures
from utxoracle_tui.demo.host.block_json import difficulty
from utxoracle_tui.demo.host.chain_state import Known
from utxoracle_tui.demo.host.json_text import Json

_EPOCH_BLOCKS = 2016
_TARGET_SPACING_S = 600
_FEE_STEPS = 7

FEES_PRECISE: Json = {"fastestFee": 1.5, "halfHourFee": 1.25, "hourFee": 1, "economyFee": 1, "minimumFee": 1}
"""sat/vB over an empty mempool."""
FEES: Json = {name: int(fee) for name, fee in FEES_PRECISE.items()}


def block_json(block: Known, figures: BlockFigures) -> Json:
    """As an item of `/blocks`."""
    return {
        "id": block.hash,
        "height": block.height,
        "version": block.version,
        "timestamp": block.time_s,
        "bits": block.bits,
        "nonce": block.nonce,
        "difficulty": difficulty(block.bits),
        "merkle_root": block.merkle_root,
        "tx_count": block.n_tx,
        "size": figures.size_bytes,
        "weight": figures.weight,
        "previousblockhash": block.previous_hash,
        "mediantime": block.median_time_s,
        "stale": False,
        "extras": _extras(block, figures),
    }


def _extras(block: Known, figures: BlockFigures) -> Json:
    payments = block.n_tx - 1
    fees_sats = figures.coinbase_sats - subsidy_sats(block.height)
    fee_rate = round(4 * fees_sats / figures.payment_weight) if payments else 0
    address = key_hash_address(figures.coinbase_output_script)
    return {
        "reward": figures.coinbase_sats,
        "coinbaseRaw": figures.coinbase_script.hex(),
        "orphans": [],
        "medianFee": fee_rate,
        "feeRange": [fee_rate] * _FEE_STEPS,
        "totalFees": fees_sats,
        "avgFee": fees_sats // payments if payments else 0,
        "avgFeeRate": fee_rate,
        "utxoSetChange": figures.outputs - figures.payment_inputs,
        "avgTxSize": round(figures.payment_bytes / block.n_tx, 2),
        "totalInputs": figures.payment_inputs,
        "totalOutputs": figures.outputs,
        "totalOutputAmt": figures.payment_sats,
        "segwitTotalTxs": figures.segwit_txs,
        "segwitTotalSize": figures.segwit_bytes,
        "segwitTotalWeight": figures.segwit_weight,
        "virtualSize": figures.weight / 4,
        "coinbaseAddress": address,
        "coinbaseAddresses": [address] if address else [],
        "coinbaseSignature": _assembly(figures.coinbase_output_script),
        "coinbaseSignatureAscii": figures.coinbase_script.decode("latin-1"),
        "header": block.header.hex(),
        "utxoSetSize": None,
        "totalInputAmt": None,
        "pool": {"id": 0, "name": "Unknown", "slug": "unknown", "minerNames": None},
        "matchRate": None,
        "expectedFees": None,
        "expectedWeight": None,
        "firstSeen": None,
    }


def _assembly(script: bytes) -> str:
    """Of a P2WPKH script; others aren't taken apart."""
    return f"OP_0 OP_PUSHBYTES_20 {script[2:].hex()}" if script[:2] == b"\x00\x14" else script.hex()


def difficulty_json(tip: Known, epoch_start: Known, now_s: float) -> Json:
    """As `/difficulty-adjustment`. `epoch_start` is the first block of the tip's 2,016."""
    done = tip.height % _EPOCH_BLOCKS
    remaining = _EPOCH_BLOCKS - done
    elapsed_s = max(now_s - epoch_start.time_s, 1.0)
    spacing_s = elapsed_s / max(done, 1)
    change_pct = min(max((_TARGET_SPACING_S / spacing_s - 1) * 100, -75.0), 300.0)
    spacing_ms = int(spacing_s * 1000)
    remaining_ms = remaining * spacing_ms
    return {
        "progressPercent": done / _EPOCH_BLOCKS * 100,
        "difficultyChange": change_pct,
        "estimatedRetargetDate": int(now_s * 1000) + remaining_ms,
        "remainingBlocks": remaining,
        "remainingTime": remaining_ms,
        "previousRetarget": 0,
        "previousTime": epoch_start.time_s,
        "nextRetargetHeight": tip.height + remaining,
        "timeAvg": spacing_ms,
        "adjustedTimeAvg": spacing_ms,
        "timeOffset": 0,
        "expectedBlocks": elapsed_s / _TARGET_SPACING_S,
    }
