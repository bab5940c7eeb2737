"""The RPC methods of the simulated node: those that read, and of them those that a console needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from utxoracle_tui import clock
from utxoracle_tui.demo.host.block_json import (
    block_json,
    chain_info_json,
    header_json,
    mempool_json,
    warnings_json,
)
from utxoracle_tui.demo.host.chain_state import Known
from utxoracle_tui.demo.host.json_text import Amount, Json
from utxoracle_tui.demo.host.node_state import NodeState
from utxoracle_tui.demo.host.rpc_errors import Code, RpcError
from utxoracle_tui.demo.host.rpc_params import Param, block_hash, in_order, whole_number

_MONTH_BLOCKS = 4320
"""Window of `getchaintxstats` when none is asked for: 30 days."""
_VERSION = 280100
_RELAY_FEE_SATS = 1000
_PEERS_OUT = 10
"""Connections that a node makes by itself: 8 full ones and 2 for blocks only (Bitcoin Core)."""
_SERVICES = {"NETWORK": 0x1, "WITNESS": 0x8, "NETWORK_LIMITED": 0x400, "P2P_V2": 0x800}
"""Bits of Bitcoin Core, protocol.h."""
_NETWORKS = {"ipv4": True, "ipv6": True, "onion": False, "i2p": False, "cjdns": False}


@dataclass(frozen=True, slots=True)
class Method:
    """An RPC method."""

    run: Callable[[NodeState, list[Json]], Json]
    params: tuple[Param, ...] = ()

    def usage(self, name: str) -> str:
        """What a call with the wrong number of parameters is answered with."""
        words = [param.name if param.required else f"( {param.name} )" for param in self.params]
        return " ".join([name, *words]) + "\n"

    def __call__(self, name: str, node: NodeState, params: Json) -> Json:
        """The result. Raises `RpcError`."""
        return self.run(node, in_order(self.params, params, self.usage(name)))


def call_label(method: str, params: Json) -> str:
    """How a call is counted: `getblock` by its verbosity, all others by their name."""
    if method != "getblock":
        return method
    if isinstance(params, dict):
        verbosity = params.get("verbosity", params.get("verbose", 1))
    else:
        verbosity = params[1] if len(params) > 1 else 1
    return f"getblock {int(verbosity) if isinstance(verbosity, bool) else verbosity}"


def _block_count(node: NodeState, _params: list[Json]) -> Json:
    return node.chain.tip.height


def _best_block_hash(node: NodeState, _params: list[Json]) -> Json:
    return node.chain.tip.hash


def _block_hash(node: NodeState, params: list[Json]) -> Json:
    block = node.chain.at(whole_number(params[0]))
    if block is None:
        raise RpcError(Code.INVALID_PARAMETER, "Block height out of range")
    return block.hash


def _block_header(node: NodeState, params: list[Json]) -> Json:
    block = _found(node, params[0])
    return block.header.hex() if params[1] is False else header_json(node, block)


def _block(node: NodeState, params: list[Json]) -> Json:
    verbosity = int(params[1]) if isinstance(params[1], bool) else 1 if params[1] is None else whole_number(params[1])
    block = _found(node, params[0])
    raw = node.chain.raw(block)
    if raw is None:
        raise RpcError(Code.MISC, "Block not available (pruned data)")
    if verbosity > 1:
        # a real node would take a second of one of its four threads
        raise RpcError(Code.MISC, f"The simulated node does not answer getblock with verbosity {verbosity}")
    node.statistics.blocks_served[block.hash] += 1
    return raw.hex() if verbosity <= 0 else block_json(node, block, raw)


def _found(node: NodeState, text: str) -> Known:
    block = node.chain.find(block_hash(text))
    if block is None:
        raise RpcError(Code.NOT_FOUND, "Block not found")
    return block


def _blockchain_info(node: NodeState, _params: list[Json]) -> Json:
    return chain_info_json(node)


def _mempool_info(_node: NodeState, _params: list[Json]) -> Json:
    return mempool_json()


def _network_info(node: NodeState, _params: list[Json]) -> Json:
    return {
        "version": _VERSION,
        "subversion": "/Satoshi:28.1.0/",
        "protocolversion": 70016,
        "localservices": f"{sum(_SERVICES.values()):016x}",
        "localservicesnames": list(_SERVICES),
        "localrelay": True,
        "timeoffset": 0,
        "networkactive": True,
        "connections": _PEERS_OUT,
        "connections_in": 0,
        "connections_out": _PEERS_OUT,
        "networks": [_network(name, reachable) for name, reachable in _NETWORKS.items()],
        "relayfee": Amount(_RELAY_FEE_SATS),
        "incrementalfee": Amount(_RELAY_FEE_SATS),
        "localaddresses": [],
        "warnings": warnings_json(node),
    }


def _network(name: str, reachable: bool) -> Json:
    return {
        "name": name,
        "limited": not reachable,
        "reachable": reachable,
        "proxy": "",
        "proxy_randomize_credentials": False,
    }


def _uptime(node: NodeState, _params: list[Json]) -> Json:
    return int(clock.elapsed_s() - node.started_s)


def _index_info(_node: NodeState, _params: list[Json]) -> Json:
    return {}


def _zmq_notifications(_node: NodeState, _params: list[Json]) -> Json:
    return []


def _chain_tips(node: NodeState, _params: list[Json]) -> Json:
    return [
        {
            "height": tip.block.height,
            "hash": tip.block.hash,
            "branchlen": tip.branch_blocks,
            "status": "valid-fork" if tip.branch_blocks else "active",
        }
        for tip in node.chain.tips()
    ]


def _rpc_info(node: NodeState, _params: list[Json]) -> Json:
    # calls are answered one at a time here, so the one that asks is the only one
    return {
        "active_commands": [{"method": "getrpcinfo", "duration": 0}],
        "logpath": str(node.folder / "debug.log"),
    }


def _chain_tx_stats(node: NodeState, params: list[Json]) -> Json:
    last = node.chain.tip if params[1] is None else _found(node, params[1])
    if not node.chain.is_best(last):
        raise RpcError(Code.INVALID_PARAMETER, "Block is not in main chain")
    count = max(0, min(_MONTH_BLOCKS, last.height - 1)) if params[0] is None else whole_number(params[0])
    if count < 0 or (count > 0 and count >= last.height):
        raise RpcError(Code.INVALID_PARAMETER, "Invalid block count: should be between 0 and the block's height - 1")
    stats = {
        "time": last.time_s,
        "txcount": last.tx_total,
        "window_final_block_hash": last.hash,
        "window_final_block_height": last.height,
        "window_block_count": count,
    }
    before = node.chain.at(last.height - count)
    if count and before is not None:
        interval_s = last.median_time_s - before.median_time_s
        n_tx = last.tx_total - before.tx_total
        stats |= {"window_interval": interval_s, "window_tx_count": n_tx}
        if interval_s > 0:
            stats |= {"txrate": n_tx / interval_s}
    return stats


_HASH = Param("blockhash", "string", required=True)

METHODS: dict[str, Method] = {
    "getbestblockhash": Method(_best_block_hash),
    "getblock": Method(_block, (_HASH, Param("verbosity", alias="verbose"))),
    "getblockchaininfo": Method(_blockchain_info),
    "getblockcount": Method(_block_count),
    "getblockhash": Method(_block_hash, (Param("height", "number", required=True),)),
    "getblockheader": Method(_block_header, (_HASH, Param("verbose", "bool"))),
    "getchaintips": Method(_chain_tips),
    "getchaintxstats": Method(_chain_tx_stats, (Param("nblocks", "number"), Param("blockhash", "string"))),
    "getindexinfo": Method(_index_info, (Param("index_name", "string"),)),
    "getmempoolinfo": Method(_mempool_info),
    "getnetworkinfo": Method(_network_info),
    "getrpcinfo": Method(_rpc_info),
    "getzmqnotifications": Method(_zmq_notifications),
    "uptime": Method(_uptime),
}
