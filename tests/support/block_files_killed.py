"""Searches block files until it is killed: `python -m tests.support.block_files_killed FOLDER INDEX`.

Reads the hashes and times of the blocks to look for, and says `writing` when it has the eighth part of the index
half-written.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from utxoracle_tui.config.networks import NETWORKS
from utxoracle_tui.sources.block_files_index import IndexFolder
from utxoracle_tui.sources.block_files_search import BlockSearch

_PARTS = 7


def main() -> None:
    """Search, and wait at the right moment."""
    network = NETWORKS["regtest"]
    search = BlockSearch(Path(sys.argv[1]), network, IndexFolder(Path(sys.argv[2]), network.magic))
    written = 0
    plain = Path.write_bytes

    def half_written(path: Path, data: bytes) -> int:
        nonlocal written
        written += 1
        if written <= _PARTS:
            return plain(path, data)
        plain(path, data[: len(data) // 2])
        sys.stdout.write("writing\n")
        sys.stdout.flush()
        time.sleep(60)
        raise AssertionError("nobody killed it")

    Path.write_bytes = half_written  # type: ignore[method-assign]
    for hash_text, time_s in json.loads(sys.stdin.readline()):
        search.find(hash_text, time_s, lambda: False)


if __name__ == "__main__":
    main()
