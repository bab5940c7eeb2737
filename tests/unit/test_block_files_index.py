"""The index of block files on disk: read back as written, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.block_file_folder import KEY, REGTEST_MAGIC, hash_text, recorded_folder, time_of
from utxoracle_tui.sources.block_files_index import IndexFolder, Part, empty_part
from utxoracle_tui.sources.block_files_records import BlockFile

MAIN_MAGIC = bytes.fromhex("f9beb4d9")


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Part:
    """What the file of a real node holds."""
    folder = tmp_path_factory.mktemp("node") / "blocks"
    recorded_folder(folder)
    with BlockFile(folder / "blk00000.dat", REGTEST_MAGIC, KEY) as file:
        return empty_part(7).with_records(list(file.records(0, lambda: False)))


@pytest.fixture(scope="module")
def written(part: Part, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    index = IndexFolder(tmp_path_factory.mktemp("written"), REGTEST_MAGIC)
    index.write(part)
    (path,) = index.folder.iterdir()
    return path.read_bytes()


def test_a_part_reads_back_as_it_was_written(part: Part, tmp_path: Path) -> None:
    index = IndexFolder(tmp_path / "main" / "block-index", REGTEST_MAGIC)
    index.write(part)
    again = index.read(7)
    assert again is not None
    assert (again.number, again.scanned_bytes) == (7, part.scanned_bytes)
    for name in ("hashes", "times_s", "offsets", "lengths"):
        assert np.array_equal(getattr(again, name), getattr(part, name))
    # it grows as well as one that was never written
    assert again.with_records([]) is again
    assert sorted(path.stat().st_mode & 0o777 for path in (tmp_path / "main").rglob("*")) == [0o600, 0o700]
    assert (tmp_path / "main").stat().st_mode & 0o777 == 0o700


def test_each_block_is_found_by_hash_and_time(part: Part, tmp_path: Path) -> None:
    for row, (offset, raw) in enumerate(recorded_folder(tmp_path / "blocks")):
        block_hash = bytes.fromhex(hash_text(raw))[::-1]
        assert part.row_of(block_hash, time_of(raw)) == row
        assert (part.offsets[row], part.lengths[row]) == (offset, len(raw))
        assert part.row_of(block_hash, time_of(raw) + 1) is None
        assert part.row_of(bytes(32), time_of(raw)) is None


def test_a_part_is_small(written: bytes) -> None:
    assert len(written) < 122 * 44 + 64


@given(data=st.data())
def test_a_damaged_part_is_none(data: st.DataObject, written: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    index = IndexFolder(tmp_path_factory.getbasetemp(), REGTEST_MAGIC)
    at = data.draw(st.integers(0, len(written) - 1))
    damage = data.draw(st.sampled_from(["cut", "flip", "more"]))
    spoilt = {
        "cut": written[:at],
        "flip": written[:at] + bytes([written[at] ^ (1 << at % 8)]) + written[at + 1 :],
        "more": written[:at] + b"\0" + written[at:],
    }[damage]
    (index.folder / "00007.index").write_bytes(spoilt)
    assert index.read(7) is None


def test_a_part_of_another_file_or_network_is_none(written: bytes, tmp_path: Path) -> None:
    for name in ("00007.index", "00008.index"):
        (tmp_path / name).write_bytes(written)
    assert IndexFolder(tmp_path, REGTEST_MAGIC).read(7) is not None
    assert IndexFolder(tmp_path, REGTEST_MAGIC).read(8) is None
    assert IndexFolder(tmp_path, REGTEST_MAGIC).read(9) is None
    assert IndexFolder(tmp_path, MAIN_MAGIC).read(7) is None


def test_what_is_left_over_is_removed(written: bytes, tmp_path: Path) -> None:
    for name in ("00007.index", "00008.index", "00007.index.123-456", "leftover"):
        (tmp_path / name).write_bytes(written)
    IndexFolder(tmp_path, REGTEST_MAGIC).tidy({7, 9})
    assert [path.name for path in tmp_path.iterdir()] == ["00007.index"]
