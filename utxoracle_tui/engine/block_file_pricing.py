"""Blocks from the node's own files on this host, where they can be read: the workers read them, nothing is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from utxoracle_core import BlockError
from utxoracle_tui.engine.pricing import WantedBlock
from utxoracle_tui.engine.worker_tasks import digest_in_place
from utxoracle_tui.sources.block_files import BlockFiles


class BlockSource(StrEnum):
    """Where blocks come from, in the words that operators know."""

    BLOCK_FILES = "block files"
    REST = "REST"
    RPC = "RPC"


@dataclass(frozen=True, slots=True)
class BlockFilesReading:
    """What there is to say of the node's block files."""

    folder: Path | None = None
    """Where blocks are looked for before the node is asked; None where no files are read, or not yet."""
    why_not: str | None = None
    """Why no files are read, as the end of a sentence; None where they are, or nobody has looked yet."""
    notes: tuple[str, ...] = ()
    """What was wrong with the files, a sentence each."""

    @property
    def sentence(self) -> str | None:
        """Where blocks come from; None where nobody has looked yet."""
        if self.folder is not None:
            return f"Blocks are read from the node's own files in {self.folder}; it is asked for what is not there."
        return f"The node is asked for all blocks, as {self.why_not}." if self.why_not else None


RunDigest = Callable[..., Awaitable[bytes]]
"""Has a worker digest a block: called with the task and what it needs."""
NO_FILES_YET = BlockFilesReading()


class BlockFilePricing:
    """Digests of blocks that lie in block files."""

    def __init__(self, files: BlockFiles) -> None:
        self._files = files

    async def digest(self, block: WantedBlock, run: RunDigest) -> tuple[bytes, int] | None:
        """The digest of a block and how many bytes the block has; None where the node has to be asked for it.

        Hash, work, merkle root and witness commitment are checked. Raises `OperatorError` when the worker was ended.
        """
        if block.time_s is None:
            return None
        place = await self._files.place_of(block.hash_text, block.time_s)
        if place is None:
            return None
        try:
            digest = await run(digest_in_place, place, block.height, block.hash_text)
        except FileNotFoundError:
            # a node that prunes has deleted it
            await self._files.distrust(block.hash_text, place, None)
            return None
        except OSError as error:
            reason = (error.strerror or "it can't be read").lower()
        except BlockError as error:
            reason = f"at byte {error.offset_bytes} of the block, expected {error.expected}"
        else:
            return digest, place.length_bytes
        await self._files.distrust(block.hash_text, place, reason)
        return None
