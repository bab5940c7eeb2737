"""Windows from a Bitcoin Core node: blocks are fetched and digested at the same time, each asked for once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from utxoracle_core import BlockError, HeightRange, MissingHeaderTime
from utxoracle_core.hashes import display_hash
from utxoracle_core.header import BlockHeader
from utxoracle_tui.engine.block_file_pricing import BlockFilePricing, BlockSource, RunDigest
from utxoracle_tui.engine.precedence import Precedence
from utxoracle_tui.engine.pricing import DigestKeeper, Plan, WantedBlock, WindowPricing, digest_name
from utxoracle_tui.engine.request import Chain, Everything, Request, Window, resolve
from utxoracle_tui.engine.worker_tasks import digest_raw
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.block_files import BlockFiles
from utxoracle_tui.sources.node_errors import PrunedBlock
from utxoracle_tui.sources.node_replies import ChainInfo

_HEADERS_BELOW, _HEADERS_AT_ONCE = 200, 400
_HEADERS_KEPT = 1_000
"""A week; those of a whole chain would take hundreds of megabytes."""
_WAITING_FOR_WORKERS = 2


class NodePricing(WindowPricing):
    """Prices windows of the best chain of one node."""

    def __init__(
        self,
        node: BitcoinCore,
        workers: Workers,
        kept_for: Callable[[str], DigestKeeper | None] | None = None,
        precedence: Precedence | None = None,
        files_for: Callable[[str], BlockFiles | None] | None = None,
    ) -> None:
        """`kept_for` gives the place where digests of a network's blocks outlive the process, `files_for` the node's
        block files, where they may be read; it is called in a thread, and again as long as it gives none.
        """
        super().__init__(workers, node.access.max_in_flight + _WAITING_FOR_WORKERS * workers.count, precedence)
        self._kept_for = kept_for
        self._node = node
        self._headers: dict[int, BlockHeader] = {}
        self._planning = asyncio.Lock()
        self._files_for = files_for
        self._in_files: BlockFilePricing | None = None
        self.source: BlockSource | None = None
        """Where the block came from that was got last; None before the first."""
        self.came_from: Counter[BlockSource] = Counter()
        """How many blocks came from where."""

    async def plan(self, request: Request) -> Plan:
        """Resolve the request against the node's best chain as it is now."""
        if isinstance(request, Everything):
            raise OperatorError("usage", "A node's whole chain is no window; ask for a day or for heights.", Exit.USAGE)
        async with self._planning:
            info = await self._node.chain_info()
            if self._kept_for is not None:
                self._kept = self._kept_for(info.network)
            if self._in_files is None and self._files_for is not None:
                files = await asyncio.to_thread(self._files_for, info.network)
                self._in_files = BlockFilePricing(files) if files else None
            await self._forget_what_was_reorganised(info)
            window = await self._resolve(request, info)
            await self._know_headers(window.blocks, info.blocks)
            self._check_linked(window.blocks)
            headers = [(height, self._headers[height]) for height in window.blocks.heights]
            wanted = [WantedBlock(height, header.hash_text, None, header.time) for height, header in headers]
            await self._refuse_pruned(wanted, info)
            self._forget_far_headers(window.blocks)
            return Plan(window, info.network, wanted)

    def hash_before(self, blocks: Sequence[WantedBlock]) -> str | None:
        """The hash of the block before planned ones; None where it isn't known any more."""
        header = self._headers.get(blocks[0].height)
        same = header is not None and header.hash_text == blocks[0].hash_text
        return display_hash(header.previous_hash) if header is not None and same else None

    @property
    def reads_files(self) -> bool:
        """Whether blocks are looked for in the node's files first, as far as is known by now."""
        return self._in_files is not None

    async def lowest_height(self) -> int:
        """0, or what the node has pruned up to."""
        info = await self._node.chain_info()
        return (info.prune_height or 0) if info.pruned else 0

    def known_hashes(self) -> Mapping[int, str]:
        """Of all headers that were asked for since the chain was last reorganised."""
        return {height: header.hash_text for height, header in self._headers.items()}

    async def digest(self, block: WantedBlock) -> tuple[bytes, int]:
        """Get the block, from the node's files or else from the node, and have a worker digest it."""
        run = self._workers.run
        return await self.digest_from_files(block, run) or await self.digest_from_node(block, run)

    async def digest_from_files(self, block: WantedBlock, run: RunDigest) -> tuple[bytes, int] | None:
        """As `digest`, from the node's files alone; None where the node has to be asked for it."""
        found = await self._in_files.digest(block, run) if self._in_files is not None else None
        if found is not None:
            self._came_from(BlockSource.BLOCK_FILES)
        return found

    async def digest_from_node(self, block: WantedBlock, run: RunDigest) -> tuple[bytes, int]:
        """As `digest`, from the node."""
        raw = await self.raw_from_node(block)
        return await self.digest_of_raw(block, raw, run), len(raw)

    async def raw_from_node(self, block: WantedBlock) -> bytes:
        """The block as the node sends it. Raises `OperatorError`."""
        raw = await self._node.raw_block(block.hash_text, block.height)
        self._came_from(BlockSource.RPC if self._node.rest_is_off else BlockSource.REST)
        return raw

    async def digest_of_raw(self, block: WantedBlock, raw: bytes, run: RunDigest) -> bytes:
        """Have a worker check and digest what the node sent. Raises `OperatorError`."""
        try:
            return await self._workers.handing_over.over(
                raw, lambda handed: run(digest_raw, handed, block.height, block.hash_text)
            )
        except BlockError as error:
            raise OperatorError(
                "damaged",
                f"{self._node.access.host} sent a block that can't be used: {error}. Its disk or the way to it may be "
                "faulty; look at the node's log.",
                Exit.FAILED,
                self._node.access.host,
            ) from None

    def _came_from(self, source: BlockSource) -> None:
        self.source = source
        self.came_from[source] += 1

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
            raise self._reorganised()

    def _check_linked(self, blocks: HeightRange) -> None:
        """Headers that were asked for before and after a reorg must not make one window."""
        for height in blocks.heights[1:]:
            if self._headers[height].previous_hash != self._headers[height - 1].block_hash:
                self._headers.clear()
                raise self._reorganised()

    def _reorganised(self) -> OperatorError:
        host = self._node.access.host
        return OperatorError(
            "reorganised", f"The chain of {host} changed while it was read. Ask again.", Exit.FAILED, host
        )

    async def _forget_what_was_reorganised(self, info: ChainInfo) -> None:
        """Forget all headers when the newest known one is no longer in the best chain."""
        known = [height for height in self._headers if height <= info.blocks]
        if len(known) < len(self._headers) or (
            known and await self._node.block_hash(max(known)) != self._headers[max(known)].hash_text
        ):
            self._headers.clear()

    def _forget_far_headers(self, near: HeightRange) -> None:
        """Forget all but those of a window, its surroundings, and the newest."""
        if len(self._headers) > _HEADERS_KEPT:
            first, last = near.first - _HEADERS_BELOW, near.last + _HEADERS_AT_ONCE
            newest = max(self._headers) - _HEADERS_AT_ONCE
            self._headers = {h: known for h, known in self._headers.items() if first <= h <= last or h > newest}

    async def _refuse_pruned(self, wanted: Sequence[WantedBlock], info: ChainInfo) -> None:
        """Raise `PrunedBlock` where the node has deleted a block whose digest isn't at hand."""
        lowest = (info.prune_height or 0) if info.pruned else 0
        gone = [block for block in wanted if block.height < lowest and block.hash_text not in self._digests]
        missing = await asyncio.to_thread(self._first_unkept, gone) if gone else None
        if missing is not None:
            raise PrunedBlock(self._node.access.host, missing.height, prune_height=lowest)

    def _first_unkept(self, blocks: Sequence[WantedBlock]) -> WantedBlock | None:
        kept = self._kept
        return next((block for block in blocks if kept is None or kept.get(digest_name(block)) is None), None)
