"""What a search in block files says where this user may not read or write.

`python -m tests.support.block_files_without_rights FOLDER`; root becomes another user first, since it may do
everything. Prints the sentences as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tests.support.block_file_folder import KEY, BlockFileFolder, hash_text, time_of
from tests.support.building import chain_of
from utxoracle_tui.config.networks import NETWORKS
from utxoracle_tui.sources.block_files_index import IndexFolder
from utxoracle_tui.sources.block_files_search import BlockSearch, NotUsable

_NOBODY = 65_534


def main(place: Path) -> dict[str, str | list[str]]:
    """Take rights away, one after the other."""
    place.mkdir()
    raws = [raw for _, raw in chain_of([[]] * 4)]
    folder = BlockFileFolder(place / "blocks", KEY)
    folder.append_all(raws, 2)
    if os.geteuid() == 0:
        for path in (place, folder.path, *folder.path.iterdir()):
            os.chown(path, _NOBODY, _NOBODY)
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)

    def search() -> BlockSearch:
        network = NETWORKS["regtest"]
        return BlockSearch(folder.path, network, IndexFolder(place / "index", network.magic))

    def refused() -> str:
        try:
            search().find(hash_text(raws[0]), time_of(raws[0]), lambda: False)
        except NotUsable as error:
            return error.sentence
        raise AssertionError("it was not refused")

    seen: dict[str, str | list[str]] = {}
    folder.path.chmod(0)
    seen["folder"] = refused()
    folder.path.chmod(0o700)
    (folder.path / "xor.dat").chmod(0)
    seen["key"] = refused()
    (folder.path / "xor.dat").chmod(0o600)
    folder.file.chmod(0)
    one = search()
    for _ in range(2):
        assert one.find(hash_text(raws[0]), time_of(raws[0]), lambda: False) is not None
        assert one.find(hash_text(raws[3]), time_of(raws[3]), lambda: False) is None
    seen["file"] = one.notes
    folder.file.chmod(0o600)
    # the same search finds them once it may
    assert one.find(hash_text(raws[3]), time_of(raws[3]), lambda: False) is not None
    for path in (place / "index").iterdir():
        path.unlink()
    (place / "index").chmod(0o500)
    other = search()
    assert all(other.find(hash_text(raw), time_of(raw), lambda: False) for raw in raws)
    seen["index"] = other.notes
    return seen


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]) / "place")))
