"""Sizes under the index folder, the count of block files, and RocksDB's logs, on real files."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from utxoracle_tui.engine.electrs.rocksdb_follow import RocksdbLog
from utxoracle_tui.errors import Exit
from utxoracle_tui.sources.index_folder import (
    IndexFolderError,
    count_block_files,
    find_index,
    read_sizes,
)
from utxoracle_tui.sources.log_file import LogFileError

RECORDED = Path(__file__).parents[1] / "fixtures" / "recorded" / "rocksdb" / "full_compaction.LOG.gz"
MIB = 1 << 20


def sparse(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """`newindex` of a database folder of mainnet, as electrs makes it."""
    folder = tmp_path / "mainnet" / "newindex"
    for number in range(5):
        sparse(folder / "txstore" / f"{number:06}.sst", 255 * MIB)
    sparse(folder / "txstore" / "000009.sst", 1028 * MIB)
    sparse(folder / "txstore" / "000010.log", 7 * MIB)
    (folder / "history").mkdir()
    (folder / "history" / "000001.sst").write_bytes(os.urandom(100_000))
    (folder / "cache").mkdir()
    return folder


def test_sizes(index: Path) -> None:
    found = read_sizes(index)
    assert set(found.databases) == {"txstore", "history", "cache"}
    txstore, history = found.databases["txstore"], found.databases["history"]
    assert (txstore.sst_bytes, txstore.files, txstore.large_bytes) == ((5 * 255 + 1028) * MIB, 6, 1028 * MIB)
    assert txstore.allocated_bytes < MIB, "sparse files take nothing on disk"
    assert history.sst_bytes == 100_000
    assert 100_000 <= history.allocated_bytes < 200_000
    assert found.databases["cache"].sst_bytes == 0
    assert found.latency_s >= 0


@pytest.mark.parametrize("given", ["", "mainnet", "mainnet/newindex"])
def test_the_index_is_found_from_any_of_its_folders(tmp_path: Path, index: Path, given: str) -> None:
    assert find_index(tmp_path / given) == index


def test_a_folder_without_an_index(tmp_path: Path) -> None:
    with pytest.raises(IndexFolderError) as caught:
        find_index(tmp_path)
    assert caught.value.message == (
        f"The index folder {tmp_path} can't be read: there is no database of electrs in it. It is looked at again "
        "soon. Check the path (electrs's --db-dir, or --blocks-dir), and this user's right to read it."
    )
    assert caught.value.exit_code is Exit.UNREACHABLE
    with pytest.raises(IndexFolderError, match="there is no such folder"):
        find_index(tmp_path / "nowhere")


def test_block_files(tmp_path: Path) -> None:
    for name in ("blk00000.dat", "blk00001.dat", "blk123456.dat", "rev00000.dat", "blk1.dat", "blk00002.dat.tmp"):
        (tmp_path / name).touch()
    assert count_block_files(tmp_path).count == 3
    with pytest.raises(IndexFolderError, match=r"The folder of block files .* no such file or directory"):
        count_block_files(tmp_path / "nowhere")


def test_the_log_of_a_database_and_the_one_before_it(tmp_path: Path) -> None:
    recorded = gzip.decompress(RECORDED.read_bytes()).decode()
    (tmp_path / "LOG.old.1795342000000000").write_text("too old\n", encoding="utf-8")
    (tmp_path / "LOG.old.1795342336000000").write_text(recorded, encoding="utf-8")
    (tmp_path / "LOG").write_text("now 1\n", encoding="utf-8")
    log = RocksdbLog(tmp_path)
    first = log.read()
    assert first.lines == (*recorded.splitlines(), "now 1")
    assert first.modified_at_s == pytest.approx((tmp_path / "LOG").stat().st_mtime)
    with (tmp_path / "LOG").open("a", encoding="utf-8") as file:
        file.write("now 2\n")
    assert log.read().lines == ("now 2",)
    # the next start puts it aside
    (tmp_path / "LOG").rename(tmp_path / "LOG.old.1795342999000000")
    (tmp_path / "LOG").write_text("then 1\n", encoding="utf-8")
    assert log.read().lines == ("then 1",)
    log.close()


def test_a_database_without_a_log(tmp_path: Path) -> None:
    with pytest.raises(LogFileError):
        RocksdbLog(tmp_path).read()
