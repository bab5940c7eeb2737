"""Block files as bytes: the file of a real node, and files of every shape that a node may leave."""

from __future__ import annotations

import os
import random
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.block_file_folder import (
    KEY,
    RECORDED_END_BYTES,
    REGTEST_MAGIC,
    BlockFileFolder,
    hash_text,
    recorded_folder,
    time_of,
    xored,
)
from tests.support.building import chain_of, payment
from tests.support.opened_files import lengths_read
from tests.support.scripted_http import recorded
from utxoracle_tui.sources.block_files_records import (
    NO_KEY,
    BlockFile,
    BlockPlace,
    BlockRecord,
    DamagedKey,
    Stopped,
    read_key,
)

keys = st.sampled_from([NO_KEY, KEY]) | st.binary(min_size=8, max_size=8)


def never() -> bool:
    return False


def records_of(path: Path, key: bytes = NO_KEY, begin_bytes: int = 0) -> list[BlockRecord]:
    with BlockFile(path, REGTEST_MAGIC, key) as file:
        return list(file.records(begin_bytes, never))


@cache
def small_blocks() -> tuple[bytes, ...]:
    """Sound blocks; the last two are stale: of the same height as others before them."""
    chain = chain_of([[payment(n * 10 + k) for k in range(n % 4)] for n in range(9)])
    return tuple(raw for _, raw in [*chain, *chain_of([[payment(77)], [payment(78)]])])


def test_the_file_of_a_real_node(tmp_path: Path) -> None:
    expected = recorded_folder(tmp_path / "blocks")
    assert read_key(tmp_path / "blocks") == KEY
    path = tmp_path / "blocks" / "blk00000.dat"
    found = records_of(path, KEY)
    assert [(record.offset_bytes, record.length_bytes) for record in found] == [(at, len(raw)) for at, raw in expected]
    # as its index says that was made along with it
    assert len(found) == 122
    assert (found[0].offset_bytes, found[0].length_bytes) == (8, 285)
    assert found[0].header.hash_text == "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
    assert found[-1].end_bytes == RECORDED_END_BYTES
    for record, (_, raw) in zip(found, expected, strict=True):
        assert record.header.hash_text == hash_text(raw)
        assert BlockPlace(path, record.offset_bytes, record.length_bytes, KEY).read() == raw


def test_a_block_is_the_bytes_that_the_same_node_gave_over_rest(tmp_path: Path) -> None:
    recorded_folder(tmp_path / "blocks")
    path = tmp_path / "blocks" / "blk00000.dat"
    record = records_of(path, KEY)[113]
    assert BlockPlace(path, record.offset_bytes, record.length_bytes, KEY).read() == recorded("rest_block_bin").body


@given(data=st.binary(max_size=100), key=keys, begin=st.integers(0, 50), length=st.integers(0, 100))
def test_obfuscation_is_undone_byte_by_byte(data: bytes, key: bytes, begin: int, length: int) -> None:
    with NamedTemporaryFile() as file:
        Path(file.name).write_bytes(bytes(a ^ key[at % 8] for at, a in enumerate(data)))
        assert BlockPlace(Path(file.name), begin, length, key).read() == data[begin : begin + length]


def test_a_folder_without_a_key_has_none(tmp_path: Path) -> None:
    assert read_key(tmp_path) == NO_KEY
    (tmp_path / "xor.dat").write_bytes(bytes(8))
    assert read_key(tmp_path) == NO_KEY


@pytest.mark.parametrize("length", [0, 7, 9])
def test_a_key_of_another_length_is_none(tmp_path: Path, length: int) -> None:
    (tmp_path / "xor.dat").write_bytes(b"k" * length)
    with pytest.raises(DamagedKey) as caught:
        read_key(tmp_path)
    assert caught.value.length_bytes == length


@st.composite
def block_files(draw: st.DrawFn) -> tuple[bytes, list[tuple[str, bytes]]]:
    """A key and the pieces of a file: blocks in any order, gaps of zeros, and what is no record at all."""
    pieces: list[tuple[str, bytes]] = []
    for raw in draw(st.permutations(small_blocks())):
        what = draw(st.sampled_from(["", "", "", "gap", "junk", "magic", "cut"]))
        if what == "gap":
            pieces.append(("gap", bytes(draw(st.integers(1, 70_000)))))
        elif what == "junk":
            pieces.append(("junk", draw(st.binary(min_size=1, max_size=200))))
        elif what == "magic":
            pieces.append(("junk", REGTEST_MAGIC + draw(st.binary(min_size=0, max_size=100))))
        elif what == "cut":
            # a crash in the middle of writing: the frame and a part of the header
            pieces.append(("junk", REGTEST_MAGIC + len(raw).to_bytes(4, "little") + raw[: draw(st.integers(0, 70))]))
        pieces.append(("block", raw))
    return draw(keys), pieces


@given(file=block_files())
def test_every_whole_record_is_found_whatever_lies_between(file: tuple[bytes, list[tuple[str, bytes]]]) -> None:
    key, pieces = file
    with TemporaryDirectory() as name:
        folder = BlockFileFolder(Path(name), key)
        for what, data in pieces:
            if what == "block":
                folder.append(data)
            elif what == "gap":
                folder.gap(len(data))
            else:
                folder.put(data)
        found = records_of(folder.file, key)
        for record, raw in zip(found, [data for what, data in pieces if what == "block"], strict=True):
            assert (record.header.hash_text, record.header.time) == (hash_text(raw), time_of(raw))
            assert BlockPlace(folder.file, record.offset_bytes, record.length_bytes, key).read() == raw


@pytest.mark.parametrize("key", [NO_KEY, KEY])
@pytest.mark.parametrize("allocated", [True, False])
def test_a_record_that_is_being_written_is_there_once_it_is_whole(tmp_path: Path, key: bytes, allocated: bool) -> None:
    first, torn, *_ = small_blocks()
    folder = BlockFileFolder(tmp_path, key)
    folder.append(first)
    begin = folder.end_bytes
    if not allocated:
        with folder.file.open("r+b") as file:
            file.truncate(begin)
    record = folder.record(torn)
    seen = []
    for end in range(0, len(record) + 1, 5):
        with folder.file.open("r+b") as file:
            file.seek(begin)
            file.write(xored(record[:end], key, begin))
        found = records_of(folder.file, key, begin)
        seen.append(bool(found))
        assert all(one.header.hash_text == hash_text(torn) for one in found)
    # once the header is there, allocated space is the block's; without any, all of it has to be
    assert seen == sorted(seen)
    assert not any(seen[:17])
    if not allocated:
        assert not any(seen[:-1]) or len(record) % 5
    folder.write_at(begin, record)
    assert [one.header.hash_text for one in records_of(folder.file, key, begin)] == [hash_text(torn)]


def test_a_copy_of_a_record_inside_a_block_is_not_taken_for_one(tmp_path: Path) -> None:
    inner = small_blocks()[1]
    outer = small_blocks()[0] + BlockFileFolder(tmp_path).record(inner)
    folder = BlockFileFolder(tmp_path)
    folder.append_all([outer, small_blocks()[2]])
    assert [record.offset_bytes for record in records_of(folder.file)] == [8, 16 + len(outer)]
    # not even while the block around it is being written
    torn = BlockFileFolder(tmp_path / "torn")
    torn.append(outer + bytes(100_000))
    with torn.file.open("r+b") as file:
        file.truncate(len(outer) + 8)
    assert records_of(torn.file) == []


@pytest.mark.parametrize("length", [0, 79, 80, 4_000_001, 2**32 - 1])
def test_a_size_that_no_block_has_is_no_frame(tmp_path: Path, length: int) -> None:
    folder = BlockFileFolder(tmp_path)
    folder.put(REGTEST_MAGIC + length.to_bytes(4, "little") + small_blocks()[0])
    folder.append(small_blocks()[1])
    assert [record.header.hash_text for record in records_of(folder.file)] == [hash_text(small_blocks()[1])]


@pytest.mark.parametrize("searched", [1 << 12, (1 << 12) - 3 + (1 << 14), 1_396_724])
def test_the_magic_across_the_edge_of_what_is_searched_at_once(tmp_path: Path, searched: int) -> None:
    for short in range(6):
        folder = BlockFileFolder(tmp_path / str(short), KEY)
        folder.put(random.Random(short).randbytes(searched - short))
        folder.append(small_blocks()[0])
        assert len(records_of(folder.file, KEY)) == 1


def test_a_file_that_holds_nothing_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "blk00000.dat"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert records_of(path) == []


def test_reading_stops_when_nobody_waits_any_more(tmp_path: Path) -> None:
    folder = BlockFileFolder(tmp_path)
    folder.append_all(small_blocks())
    found = []
    with BlockFile(folder.file, REGTEST_MAGIC, NO_KEY) as file, pytest.raises(Stopped):
        for record in file.records(0, lambda: len(found) == 3):
            found.append(record)  # noqa: PERF402
    assert len(found) == 3


def test_whole_blocks_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded_folder(tmp_path / "blocks")
    lengths = lengths_read(monkeypatch)
    assert len(records_of(tmp_path / "blocks" / "blk00000.dat", KEY)) == 122
    assert sum(lengths) < 122 * 88 + 3 * 4096 + 88


def test_where_the_system_tells_nothing_of_empty_space_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded_folder(tmp_path / "blocks")
    monkeypatch.delattr(os, "SEEK_DATA")
    lengths = lengths_read(monkeypatch)
    assert len(records_of(tmp_path / "blocks" / "blk00000.dat", KEY)) == 122
    assert sum(lengths) > 16_000_000
