"""The client of Bitcoin Core: what the console reads from a node, and nothing that would change it.

Blocks come as raw bytes over REST, or over RPC where REST is off. Nothing is kept, and nothing is asked for twice but
what failed: a request over a kept connection that turns out closed is sent once more, so is one whose cookie was
outdated, and `Patience` says what else is tried again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import TracebackType

import httpx

from utxoracle_core.header import BlockHeader
from utxoracle_tui.sources.http import Reply
from utxoracle_tui.sources.http_limits import Load
from utxoracle_tui.sources.node_access import NodeAccess
from utxoracle_tui.sources.node_calls import NodeCalls, check_status
from utxoracle_tui.sources.node_errors import WrongNetwork
from utxoracle_tui.sources.node_headers import fetch_headers, hash_at, hash_of, read_header, read_lone_header
from utxoracle_tui.sources.node_replies import (
    ChainInfo,
    IndexInfo,
    MempoolInfo,
    NetworkInfo,
    read_bytes,
    read_chain_info,
    read_hash,
    read_index_info,
    read_mempool_info,
    read_network_info,
    read_number,
)
from utxoracle_tui.sources.node_rpc import BLOCK_AS_BYTES
from utxoracle_tui.sources.node_session import NodeSession, Patience

_HASH = re.compile(r"[0-9a-f]{64}")


class BitcoinCore:
    """One node. Use as an async context manager, or call `aclose`.

    Every reading method raises `NodeError`; what failed is tried again as `patience` says.
    """

    def __init__(
        self, access: NodeAccess, *, patience: Patience | None = None, session: NodeSession | None = None
    ) -> None:
        self.access = access
        self._session = session or NodeSession(access)
        self._calls = NodeCalls(self._session, patience or Patience())

    def with_patience(self, patience: Patience) -> BitcoinCore:
        """The same node, its connections and its limit shared, asked with another patience."""
        return BitcoinCore(self.access, patience=patience, session=self._session)

    async def __aenter__(self) -> BitcoinCore:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections, for those as well that share them."""
        await self._session.aclose()

    @property
    def load(self) -> Load:
        """Requests in flight and waiting."""
        return self._session.load

    @property
    def rest_is_off(self) -> bool:
        """Whether blocks come over RPC, as the node was found to have no REST."""
        return self._session.rest_is_off

    async def chain_info(self) -> ChainInfo:
        """The state of the chain. Raises `WrongNetwork` when it isn't the network that `access` names."""
        info = await self._calls.call("getblockchaininfo", read=read_chain_info)
        expected = self.access.network
        if expected is not None and info.network != expected:
            raise WrongNetwork(self.access.host, expected, info.network)
        self._session.prune_height = info.prune_height
        return info

    async def network_info(self) -> NetworkInfo:
        """Version and connections."""
        return await self._calls.call("getnetworkinfo", read=read_network_info)

    async def mempool_info(self) -> MempoolInfo:
        """Size of the mempool, and the least fee that it takes."""
        return await self._calls.call("getmempoolinfo", read=read_mempool_info)

    async def index_info(self) -> dict[str, IndexInfo]:
        """The indexes by name; empty if there are none."""
        return await self._calls.call("getindexinfo", read=read_index_info)

    async def uptime_s(self) -> int:
        """Seconds since the node was started."""
        return await self._calls.call("uptime", read=read_number)

    async def best_block_hash(self) -> str:
        """The hash of the tip."""
        return await self._calls.call("getbestblockhash", read=read_hash)

    async def block_hash(self, height: int) -> str:
        """The hash at a height; raises `BlockNotFound` above the tip."""
        return await hash_at(self._calls, height)

    async def block_hashes(self, heights: Sequence[int]) -> list[str]:
        """The hashes at these heights, in their order; raises `BlockNotFound` for the first that is above the tip."""
        answers = await self._calls.batch("getblockhash", [(height,) for height in heights])
        return [hash_of(self._calls, height, answer) for height, answer in zip(heights, answers, strict=True)]

    async def header(self, block_hash: str) -> BlockHeader:
        """The header of a block, its hash and its work checked.

        Raises `BlockNotFound`, and `ValueError` when `block_hash` is none.
        """
        _check_hash(block_hash)

        def read(value: object) -> BlockHeader:
            return read_lone_header(value, block_hash)

        work = self._calls.call("getblockheader", block_hash, False, read=read)
        return await self._calls.about_block(work, None, block_hash)

    async def headers(self, first_height: int, count: int) -> list[tuple[int, BlockHeader]]:
        """So many headers of the best chain with their heights, fewer where the tip comes first.

        Checked: each meets the work that it states and builds on the one before, the first is the one that the node
        names for its height. Raises `BlockNotFound` when `first_height` is above the tip.
        """
        return list(enumerate(await fetch_headers(self._calls, first_height, count), first_height)) if count > 0 else []

    async def raw_block(self, block_hash: str, height: int | None = None) -> bytes:
        """A whole block as it is serialised; hash and work of its header are checked, the rest of it is not.

        `height` is for the words of errors alone. Raises `PrunedBlock`, `BlockNotFound`, and `ValueError` when
        `block_hash` is none.
        """
        _check_hash(block_hash)
        if not self._session.rest_is_off:
            raw = await self._block_by_rest(block_hash, height)
            if raw is not None:
                return raw

        def read(value: object) -> bytes:
            raw = read_bytes(value)
            read_header(raw, block_hash)
            return raw

        work = self._calls.call("getblock", block_hash, BLOCK_AS_BYTES, read=read, body=True)
        return await self._calls.about_block(work, height, block_hash)

    async def _block_by_rest(self, block_hash: str, height: int | None) -> bytes | None:
        """The block, or None where REST is off."""

        def read(reply: Reply) -> bytes | None:
            if reply.status == httpx.codes.NOT_FOUND:
                said = reply.body[:1000].decode(errors="replace")
                # text about this very block is REST's own; anything else, as a rule nothing, is there without REST
                if said.startswith(block_hash):
                    reason = said.removeprefix(block_hash).strip().removeprefix("not found")
                    raise self._calls.missing_block(reason, height, block_hash)
                self._session.found_rest_off()
                return None
            check_status(reply)
            read_header(reply.body, block_hash)
            return reply.body

        return await self._calls.rest(f"/rest/block/{block_hash}.bin", "block", read, body=True)


def _check_hash(text: str) -> None:
    if not _HASH.fullmatch(text):
        raise ValueError(f"{text!r} is no block hash")
