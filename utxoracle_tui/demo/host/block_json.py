"""Blocks and the chain as Bitcoin Core describes them in JSON, for RPC and REST alike."""

from __future__ import annotations

from utxoracle_core.scan_python import scan
from utxoracle_tui.demo.chain.serialise import display_hex, target_of
from utxoracle_tui.demo.host.chain_state import Known
from utxoracle_tui.demo.host.json_text import Amount, Json
from utxoracle_tui.demo.host.node_state import NETWORK, NodeState

_DIFFICULTY_1_MANTISSA = 0xFFFF
_DIFFICULTY_1_EXPONENT = 0x1D
_MIN_RELAY_FEE_SATS = 1000  # a kvB; Bitcoin Core up to v29
_MAX_MEMPOOL_BYTES = 300_000_000  # Bitcoin Core, -maxmempool
_EMPTY_MEMPOOL_BYTES = 48
"""Memory that a node reports for an empty mempool."""


def header_json(node: NodeState, block: Known) -> Json:
    """As `getblockheader`."""
    following = node.chain.at(block.height + 1) if node.chain.is_best(block) else None
    return {
        "hash": block.hash,
        "confirmations": node.chain.confirmations(block),
        "height": block.height,
        "version": block.version,
        "versionHex": f"{block.version:08x}",
        "merkleroot": block.merkle_root,
        "time": block.time_s,
        "mediantime": block.median_time_s,
        "nonce": block.nonce,
        **_target_json(node, block, with_bits=True),
        "difficulty": difficulty(block.bits),
        "chainwork": f"{block.chainwork:064x}",
        "nTx": block.n_tx,
        **({"previousblockhash": block.previous_hash} if block.height else {}),
        **({"nextblockhash": following.hash} if following else {}),
    }


def block_json(node: NodeState, block: Known, raw: bytes) -> Json:
    """As `getblock` with verbosity 1."""
    scanned = scan(raw)
    return {
        **header_json(node, block),
        "strippedsize": scanned.stripped_size_bytes,
        "size": len(raw),
        "weight": 3 * scanned.stripped_size_bytes + len(raw),
        "tx": [display_hex(txid.tobytes()) for txid in scanned.txids],
    }


def chain_info_json(node: NodeState) -> Json:
    """As `getblockchaininfo`."""
    chain, settings, tip = node.chain, node.settings, node.chain.tip
    headers = tip.height + settings.headers_ahead
    return {
        "chain": NETWORK,
        "blocks": tip.height,
        "headers": headers,
        "bestblockhash": tip.hash,
        **_target_json(node, tip, with_bits=settings.target_keys),
        "difficulty": difficulty(tip.bits),
        "time": tip.time_s,
        "mediantime": tip.median_time_s,
        "verificationprogress": tip.height / headers if headers else 1,
        "initialblockdownload": settings.initial_block_download,
        "chainwork": f"{tip.chainwork:064x}",
        "size_on_disk": chain.size_on_disk_bytes,
        "pruned": chain.pruned_below is not None,
        **({} if chain.pruned_below is None else {"pruneheight": chain.pruned_below, "automatic_pruning": False}),
        "warnings": warnings_json(node),
    }


def mempool_json() -> Json:
    """As `getmempoolinfo`, of a node that has no transactions waiting."""
    return {
        "loaded": True,
        "size": 0,
        "bytes": 0,
        "usage": _EMPTY_MEMPOOL_BYTES,
        "total_fee": Amount(0),
        "maxmempool": _MAX_MEMPOOL_BYTES,
        "mempoolminfee": Amount(_MIN_RELAY_FEE_SATS),
        "minrelaytxfee": Amount(_MIN_RELAY_FEE_SATS),
        "incrementalrelayfee": Amount(_MIN_RELAY_FEE_SATS),
        "unbroadcastcount": 0,
        "fullrbf": True,
    }


def warnings_json(node: NodeState) -> Json:
    """A list since v28, one text before."""
    return "; ".join(node.settings.warnings) if node.settings.warnings_as_text else node.settings.warnings


def _target_json(node: NodeState, block: Known, *, with_bits: bool) -> dict[str, Json]:
    bits = {"bits": f"{block.bits:08x}"} if with_bits else {}
    target = {"target": f"{target_of(block.bits):064x}"} if node.settings.target_keys else {}
    return {**bits, **target}


def difficulty(bits: int) -> float:
    """How many times harder than the easiest of the main network."""
    return float(_DIFFICULTY_1_MANTISSA / (bits & 0xFFFFFF) * 256.0 ** (_DIFFICULTY_1_EXPONENT - (bits >> 24)))
