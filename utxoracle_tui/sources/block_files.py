"""The block files of a Bitcoin Core on this host, read directly: where a block lies, told by its hash.

The console only ever reads them. Whatever is wrong with them is told once, and blocks that can't be had here are to be
had from the node.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from utxoracle_tui.config.networks import NETWORKS
from utxoracle_tui.sources.block_files_index import IndexFolder
from utxoracle_tui.sources.block_files_records import BlockPlace
from utxoracle_tui.sources.block_files_search import BlockSearch, NotUsable

INDEX_FOLDER = "block-index"
"""The name of the folder with the index, among what is kept for the network."""


def _told_to_nobody(_sentence: str) -> None:
    pass


class BlockFiles:
    """The block files of one node. Methods never block the event loop, and raise nothing about the files."""

    def __init__(
        self, folder: Path, network: str, index_folder: Path, on_note: Callable[[str], None] = _told_to_nobody
    ) -> None:
        """`folder` has the `blk*.dat`, `network` is a name of `NETWORKS`; `index_folder` is made when needed.

        `on_note` is called, in the event loop, with a sentence for each new trouble.
        """
        self.folder = folder
        self._search = BlockSearch(folder, NETWORKS[network], IndexFolder(index_folder, NETWORKS[network].magic))
        self._one_at_a_time = asyncio.Lock()
        self._on_note = on_note
        self._noted: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is or was wrong, a sentence each."""
        return self._noted

    async def place_of(self, hash_text: str, time_s: int) -> BlockPlace | None:
        """Where a block lies, given its hash and the time in its header; None where it can't be found.

        Cancelling ends the search after the record that it is at; what was read is not read again.
        """
        # a thread is not worth waiting for where the answer is at hand, as it is for most blocks of a window
        if place := self._search.known(hash_text, time_s):
            return place
        stopped = threading.Event()
        async with self._one_at_a_time:
            if place := self._search.known(hash_text, time_s):
                return place
            try:
                return await asyncio.to_thread(self._search.find, hash_text, time_s, stopped.is_set)
            except NotUsable as error:
                self._search.note(error.sentence)
                return None
            finally:
                stopped.set()
                self._tell()

    async def distrust(self, hash_text: str, place: BlockPlace, reason: str | None) -> None:
        """Take note that a block could not be had from its place; its file will be read anew.

        Without a reason the file is gone. With one, the block isn't looked for again, and a note is made.
        """
        await asyncio.to_thread(self._search.distrust, hash_text, place, reason)
        self._tell()

    def _tell(self) -> None:
        notes = tuple(self._search.notes)
        new = notes[len(self._noted) :]
        self._noted = notes
        for sentence in new:
            self._on_note(sentence)
