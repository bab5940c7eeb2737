"""Windows of a folder of raw blocks."""

from __future__ import annotations

from utxoracle_core import BlockError
from utxoracle_tui.engine.pricing import Plan, WantedBlock, WindowPricing
from utxoracle_tui.engine.request import MAIN, Chain, Request, resolve
from utxoracle_tui.engine.worker_tasks import digest_from_file
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.block_folder import BlockFolder

_BLOCKS_A_WORKER = 2


class FolderPricing(WindowPricing):
    """Prices windows of one block folder; the workers read the files themselves."""

    def __init__(self, folder: BlockFolder, workers: Workers) -> None:
        super().__init__(workers, _BLOCKS_A_WORKER * workers.count)
        self.folder = folder
        self._chain = Chain(folder.base, folder.tip, folder.times, MAIN if folder.is_main else None)

    async def plan(self, request: Request) -> Plan:
        """Resolve the request against the folder."""
        window = resolve(request, self._chain)
        refs = [self.folder.refs[height] for height in window.blocks.heights]
        wanted = [WantedBlock(ref.height, ref.header.hash_text, ref.length_bytes) for ref in refs]
        return Plan(window, self._chain.network, wanted)

    async def lowest_height(self) -> int:
        """The folder's first block."""
        return self.folder.base

    async def digest(self, block: WantedBlock) -> tuple[bytes, int]:
        """Have a worker read and digest the block, its witness commitment checked, too."""
        ref = self.folder.refs[block.height]
        try:
            return await self._workers.run(digest_from_file, ref), ref.length_bytes
        except BlockError as error:
            raise OperatorError(
                "damaged",
                f"Block {error.block} in {ref.path} is damaged: at byte {error.offset_bytes}, "
                f"expected {error.expected}.",
                Exit.FAILED,
            ) from None
        except OSError as error:
            message = f"{ref.path} can't be read: {error.strerror}."
            raise OperatorError("unreadable", message, Exit.UNREACHABLE) from None
