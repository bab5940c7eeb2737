"""What a node reports about itself, read from its replies.

Only what every version of Bitcoin Core sends must be there; other keys may be missing, and unknown ones are fine.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from utxoracle_tui.sources.http import clean_text
from utxoracle_tui.sources.node_rpc import GarbledReply

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ChainInfo:
    """`getblockchaininfo`."""

    network: str
    """`main`, `test`, `testnet4`, `signet`, `regtest`."""
    blocks: int
    """Height of the tip."""
    headers: int
    """Height of the best header known; −1 if there is none."""
    best_hash: str | None
    difficulty: float | None
    time_s: int | None
    """Header time of the tip, unix seconds; since v23."""
    median_time_s: int | None
    progress: float | None
    """The node's estimate of how much is verified, 0 to 1; it can be 1 while blocks are missing."""
    initial_download: bool | None
    size_on_disk_bytes: int | None
    pruned: bool
    prune_height: int | None
    """The lowest height whose block is still there; only when pruned, and 0 before anything was deleted."""
    automatic_pruning: bool | None
    prune_target_bytes: int | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """`getnetworkinfo`."""

    version: int | None
    """280100 is 28.1.0."""
    subversion: str
    protocol_version: int | None
    active: bool | None
    connections: int | None
    connections_in: int | None
    connections_out: int | None
    relay_fee_btc_per_kvb: Decimal | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MempoolInfo:
    """`getmempoolinfo`."""

    loaded: bool | None
    transactions: int
    size_vbytes: int | None
    usage_bytes: int | None
    """Memory that it takes."""
    most_usage_bytes: int | None
    total_fee_btc: Decimal | None
    min_fee_btc_per_kvb: Decimal | None
    """What a transaction must pay to be let in now."""


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """One entry of `getindexinfo`."""

    name: str
    synced: bool
    best_height: int | None


class _Fields:
    """A JSON object, its values fetched by key and type: a value of another type counts as missing."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, Mapping):
            raise GarbledReply("is not an object")
        self._values: Mapping[str, object] = value

    def number(self, key: str) -> int | None:
        value = self._values.get(key)
        return value if type(value) is int else None

    def needed(self, key: str) -> int:
        value = self.number(key)
        if value is None:
            raise GarbledReply(f"has no number {key}")
        return value

    def amount(self, key: str) -> Decimal | None:
        value = self._values.get(key)
        return Decimal(value) if type(value) is int else value if isinstance(value, Decimal) else None

    def real(self, key: str) -> float | None:
        value = self.amount(key)
        return float(value) if value is not None and isfinite(value) else None

    def flag(self, key: str) -> bool | None:
        value = self._values.get(key)
        return value if isinstance(value, bool) else None

    def text(self, key: str) -> str | None:
        value = self._values.get(key)
        return clean_text(value) if isinstance(value, str) else None

    def warnings(self) -> tuple[str, ...]:
        """One string up to v27, empty if there are none; a list of them since."""
        value = self._values.get("warnings")
        found = value if isinstance(value, list) else [value]
        return tuple(clean_text(text) for text in found if isinstance(text, str) and text)


def read_chain_info(value: object) -> ChainInfo:
    """Read the result of `getblockchaininfo`; raises `GarbledReply`."""
    fields = _Fields(value)
    network = fields.text("chain")
    if not network:
        raise GarbledReply("has no chain")
    best_hash = fields.text("bestblockhash")
    return ChainInfo(
        network=network,
        blocks=fields.needed("blocks"),
        headers=fields.needed("headers"),
        best_hash=read_hash(best_hash) if best_hash is not None else None,
        difficulty=fields.real("difficulty"),
        time_s=fields.number("time"),
        median_time_s=fields.number("mediantime"),
        progress=fields.real("verificationprogress"),
        initial_download=fields.flag("initialblockdownload"),
        size_on_disk_bytes=fields.number("size_on_disk"),
        pruned=bool(fields.flag("pruned")),
        prune_height=fields.number("pruneheight"),
        automatic_pruning=fields.flag("automatic_pruning"),
        prune_target_bytes=fields.number("prune_target_size"),
        warnings=fields.warnings(),
    )


def read_network_info(value: object) -> NetworkInfo:
    """Read the result of `getnetworkinfo`; raises `GarbledReply`."""
    fields = _Fields(value)
    return NetworkInfo(
        version=fields.number("version"),
        subversion=fields.text("subversion") or "",
        protocol_version=fields.number("protocolversion"),
        active=fields.flag("networkactive"),
        connections=fields.number("connections"),
        connections_in=fields.number("connections_in"),
        connections_out=fields.number("connections_out"),
        relay_fee_btc_per_kvb=fields.amount("relayfee"),
        warnings=fields.warnings(),
    )


def read_mempool_info(value: object) -> MempoolInfo:
    """Read the result of `getmempoolinfo`; raises `GarbledReply`."""
    fields = _Fields(value)
    return MempoolInfo(
        loaded=fields.flag("loaded"),
        transactions=fields.needed("size"),
        size_vbytes=fields.number("bytes"),
        usage_bytes=fields.number("usage"),
        most_usage_bytes=fields.number("maxmempool"),
        total_fee_btc=fields.amount("total_fee"),
        min_fee_btc_per_kvb=fields.amount("mempoolminfee"),
    )


def read_index_info(value: object) -> dict[str, IndexInfo]:
    """Read the result of `getindexinfo`, by the name of the index; raises `GarbledReply`."""
    if not isinstance(value, Mapping):
        raise GarbledReply("is not an object")
    found = {}
    for name, entry in value.items():
        fields = _Fields(entry)
        found[str(name)] = IndexInfo(
            clean_text(str(name)), bool(fields.flag("synced")), fields.number("best_block_height")
        )
    return found


def read_number(value: object) -> int:
    """Read a whole number; raises `GarbledReply`."""
    if type(value) is not int:
        raise GarbledReply("is not a whole number")
    return value


def read_hash(value: object) -> str:
    """Read a hash as RPC writes it; raises `GarbledReply`."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise GarbledReply("is not a hash")
    return value


def read_bytes(value: object) -> bytes:
    """Read bytes written in hexadecimal; raises `GarbledReply`."""
    if isinstance(value, str):
        try:
            return unhexlify(value)
        except ValueError:
            pass
    raise GarbledReply("is not hexadecimal")
