"""Windows from a Bitcoin Core node: blocks are fetched and digested at the same time, each asked for once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from utxoracle_core import BlockError, HeightRange, MissingHeaderTime
from utxoracle_core.header import BlockHeader
from utxoracle_tui.engine.pricing import DigestKeeper, Plan, WantedBlock, WindowPricing
from utxoracle_tui.engine.request import Chain, Everything, Request, Window, resolve
from utxoracle_tui.engine.worker_tasks import digest_raw
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.node_errors import PrunedBlock
from utxoracle_tui.sources.node_replies import ChainInfo

_HEADERS_BELOW, _HEADERS_AT_ONCE = 200, 400
_WAITING_FOR_WORKERS = 2


class NodePricing(WindowPricing):
    """Prices windows of the best chain of one node."""

    def __init__(
        self, node: BitcoinCore, workers: Workers, kept_for: Callable[[str], DigestKeeper] | None = None
    ) -> None:
        """`kept_for` gives the place where digests of a network's blocks outlive the process."""
        super().__init__(workers, node.access.max_in_flight + _WAITING_FOR_WORKERS * workers.count)
        self._kept_for = kept_for
        self._node = node
        self._headers: dict[int, BlockHeader] = {}

    async def plan(self, request: Request) -> Plan:
        """Resolve the request against the node's best chain as it is now."""
        if isinstance(request, Everything):
            raise OperatorError("usage", "A node's whole chain is no window; ask for a day or for heights.", Exit.USAGE)
        info = await self._node.chain_info()
        if self._kept_for is not None:
            self._kept = self._kept_for(info.network)
        await self._forget_what_was_reorganised(info)
        window = await self._resolve(request, info)
        self._refuse_pruned(window, info)
        await self._know_headers(window.blocks, info.blocks)
        wanted = [WantedBlock(h, self._headers[h].hash_text, None) for h in window.blocks.heights]
        return Plan(window, info.network, wanted)

    async def lowest_height(self) -> int:
        """0, or what the node has pruned up to."""
        info = await self._node.chain_info()
        return (info.prune_height or 0) if info.pruned else 0

    def known_hashes(self) -> Mapping[int, str]:
        """Of all headers that were asked for since the chain was last reorganised."""
        return {height: header.hash_text for height, header in self._headers.items()}

    async def digest(self, block: WantedBlock) -> tuple[bytes, int]:
        """Fetch the block and have a worker digest it."""
        raw = await self._node.raw_block(block.hash_text, block.height)
        try:
            return await self._workers.run(digest_raw, raw, block.height, block.hash_text), len(raw)
        except BlockError as error:
            raise OperatorError(
                "damaged",
                f"{self._node.access.host} sent a block that can't be used: {error}. Its disk or the way to it may be "
                "faulty; look at the node's log.",
                Exit.FAILED,
                self._node.access.host,
            ) from None

    async def _resolve(self, request: Request, info: ChainInfo) -> Window:
        while True:
            times = {height: header.time for height, header in self._headers.items()}
            try:
                return resolve(request, Chain(0, info.blocks, times, info.network))
            except MissingHeaderTime as missing:
                await self._fetch_headers(missing.height, info.blocks)

    async def _know_headers(self, blocks: HeightRange, tip: int) -> None:
        for height in blocks.heights:
            if height not in self._headers:
                await self._fetch_headers(height, tip, below=0)

    async def _fetch_headers(self, height: int, tip: int, below: int = _HEADERS_BELOW) -> None:
        first = max(height - below, 0)
        found = await self._node.headers(first, min(_HEADERS_AT_ONCE, tip - first + 1))
        self._headers.update(found)
        if height not in self._headers:
            raise OperatorError(
                "reorganised",
                f"The chain of {self._node.access.host} changed while it was read. Ask again.",
                Exit.FAILED,
                self._node.access.host,
            )

    async def _forget_what_was_reorganised(self, info: ChainInfo) -> None:
        """Forget all headers when the newest known one is no longer in the best chain."""
        known = [height for height in self._headers if height <= info.blocks]
        if len(known) < len(self._headers) or (
            known and await self._node.block_hash(max(known)) != self._headers[max(known)].hash_text
        ):
            self._headers.clear()

    def _refuse_pruned(self, window: Window, info: ChainInfo) -> None:
        lowest = info.prune_height if info.pruned else None
        if lowest and window.blocks.first < lowest:
            raise PrunedBlock(self._node.access.host, window.blocks.first, prune_height=lowest)
