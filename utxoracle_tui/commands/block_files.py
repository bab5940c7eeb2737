"""The node's own block files, as settings name them, and what there is to say of where blocks come from."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from utxoracle_tui.config.paths import cache_dir, data_dir
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.block_file_pricing import BlockFilesReading
from utxoracle_tui.sources.block_files import INDEX_FOLDER, BlockFiles

_log = logging.getLogger(__name__)


class NodesBlockFiles:
    """Finds the block files of the node that the settings name, where this process may read them.

    To be called with the node's network; it gives the same reader each time, so that all who share one share its index
    as well. Any thread may call it.
    """

    def __init__(self, settings: Settings, *, keep: bool, on_note: Callable[[str], None] = _log.warning) -> None:
        """With `keep` the index lies beside the store, else among what can be made again.

        `on_note` is called, in the event loop, with a sentence for each new trouble with the files.
        """
        self._settings = settings
        self._keep = keep
        self._on_note = on_note
        self._found: dict[str, BlockFiles] = {}
        self._why_not: str | None = None
        self._one_at_a_time = threading.Lock()

    def __call__(self, network: str) -> BlockFiles | None:
        """The files of a network, or None: `reading` says why."""
        folder = self._settings.node.blocks_dir
        with self._one_at_a_time:
            found = self._found.get(network)
            if found is not None:
                return found
            self._why_not = self._reason_against()
            if folder is not None and self._why_not is None:
                store = self._settings.store
                if self._keep:
                    index = data_dir(store.data_dir) / network / INDEX_FOLDER
                else:
                    index = cache_dir(store.data_dir) / INDEX_FOLDER / network
                found = self._found[network] = BlockFiles(folder, network, index, self._on_note)
            return found

    @property
    def reading(self) -> BlockFilesReading:
        """What there is to say of the files by now."""
        notes = tuple(note for files in self._found.values() for note in files.notes)
        folder = next((files.folder for files in self._found.values()), None)
        return BlockFilesReading(folder, self._why_not, notes)

    def _reason_against(self) -> str | None:
        node = self._settings.node
        if not node.read_block_files:
            return "node.read_block_files is false"
        if node.blocks_dir is None:
            return "it is not known where the node's block files lie (node.blocks_dir)"
        if not node.blocks_dir.is_dir():
            return f"there is no folder {node.blocks_dir} here (node.blocks_dir)"
        if not os.access(node.blocks_dir, os.R_OK | os.X_OK):
            return f"this user may not read {node.blocks_dir}"
        return None
