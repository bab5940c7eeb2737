"""Finding blocks in a folder of block files: what is looked at, what is kept, and what a node does to its files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.block_file_folder import KEY, BlockFileFolder, hash_text, recorded_folder, time_of
from tests.support.building import block_hash_of, block_of, coinbase_tx, payment
from tests.support.opened_files import lengths_read, opened_files
from utxoracle_tui.config.networks import NETWORKS
from utxoracle_tui.sources.block_files_index import IndexFolder
from utxoracle_tui.sources.block_files_records import BlockPlace, Stopped
from utxoracle_tui.sources.block_files_search import BlockSearch, NotUsable

REGTEST = NETWORKS["regtest"]
BEGIN_S = 1_700_000_000
PER_FILE = 12
FILES = 40


@cache
def blocks_of(count: int, every_s: int = 7_200, branch: int = 0) -> tuple[bytes, ...]:
    """Linked blocks of a coinbase and a payment each; another branch gives other ones."""
    made: list[bytes] = []
    for number in range(count):
        previous = block_hash_of(made[-1]) if made else bytes(32)
        time_s = BEGIN_S + every_s * number
        txs = [coinbase_tx(number + 17), payment(branch * 10_000 + number)]
        made.append(block_of(txs, previous_hash=previous, time_s=time_s))
    return tuple(made)


def never() -> bool:
    return False


def search_in(folder: BlockFileFolder | Path, index: Path) -> BlockSearch:
    """A search by a program that has just been started."""
    path = folder if isinstance(folder, Path) else folder.path
    return BlockSearch(path, REGTEST, IndexFolder(index, REGTEST.magic))


def place_of(search: BlockSearch, raw: bytes) -> BlockPlace | None:
    return search.find(hash_text(raw), time_of(raw), never)


def found(search: BlockSearch, raw: bytes) -> bool:
    """Whether a block is found, and is the block."""
    place = place_of(search, raw)
    assert place is None or place.read() == raw
    return place is not None


@pytest.fixture
def folder(tmp_path: Path) -> BlockFileFolder:
    """Forty files, a day of twelve blocks in each."""
    made = BlockFileFolder(tmp_path / "blocks", KEY)
    made.append_all(blocks_of(FILES * PER_FILE), PER_FILE)
    return made


def test_all_blocks_of_a_real_node(tmp_path: Path) -> None:
    raws = [raw for _, raw in recorded_folder(tmp_path / "blocks")]
    search = search_in(tmp_path / "blocks", tmp_path / "index")
    assert all(found(search, raw) for raw in raws)
    assert not search.notes


def test_a_window_of_today_touches_the_newest_files_alone(folder: BlockFileFolder, tmp_path: Path) -> None:
    raws = blocks_of(FILES * PER_FILE)
    with opened_files("blk*.dat") as opened:
        search = search_in(folder, tmp_path / "index")
        assert all(found(search, raw) for raw in raws[-18:])
    assert set(opened) == {"blk00039.dat", "blk00038.dat"}
    assert opened[0] == "blk00039.dat"
    with opened_files("*") as opened:
        assert all(place_of(search, raw) for raw in raws[-18:])
    assert not opened


def test_an_old_block_costs_the_files_of_its_days(folder: BlockFileFolder, tmp_path: Path) -> None:
    raw = blocks_of(FILES * PER_FILE)[6 * PER_FILE + 3]
    with opened_files("blk*.dat") as opened:
        assert found(search_in(folder, tmp_path / "index"), raw)
    # those around it are read, of some others the first header to know how old they are
    kept = sorted(path.name for path in (tmp_path / "index").iterdir())
    assert kept == ["00006.index", "00007.index"]
    assert len(set(opened)) < 12


def test_the_search_ends_at_files_that_are_too_old(folder: BlockFileFolder, tmp_path: Path) -> None:
    unknown = blocks_of(FILES * PER_FILE, branch=1)[-1]
    search = search_in(folder, tmp_path / "index")
    assert place_of(search, unknown) is None
    # the block is 22 hours younger than the first one of the newest file, so fourteen more files reach back a fortnight
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == [f"{n:05}.index" for n in range(25, 40)]
    with opened_files("blk*.dat") as opened:
        assert place_of(search, unknown) is None
    assert len(set(opened)) == 15


@settings(max_examples=30)
@given(
    order=st.permutations(range(30)),
    stale=st.sets(st.integers(0, 29), max_size=8),
    per_file=st.integers(1, 12),
    key=st.sampled_from([bytes(8), KEY]),
    asked=st.permutations(range(30)),
)
def test_blocks_in_order_of_arrival_with_stale_ones(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    order: Sequence[int],
    stale: set[int],
    per_file: int,
    key: bytes,
    asked: Sequence[int],
) -> None:
    raws, others = blocks_of(30), blocks_of(30, branch=1)
    place = tmp_path_factory.mktemp("node")
    made = BlockFileFolder(place / "blocks", key)
    arrived = [raw for number in order for raw in ([others[number]] if number in stale else []) + [raws[number]]]
    made.append_all(arrived, per_file)
    made.undo_file()
    search = search_in(made, place / "index")
    for number in asked:
        assert found(search, raws[number])
        assert found(search, others[number]) == (number in stale)
    # and so it is for the next program, which has the index
    search = search_in(made, place / "index")
    expected = [made.places[hash_text(raw)] for raw in raws]
    places = [search.find(hash_text(raw), time_of(raw), never) for raw in raws]
    assert [(p.path, p.offset_bytes, p.length_bytes) for p in places if p] == expected


def test_a_synced_node_and_one_that_was_catching_up(tmp_path: Path) -> None:
    # blocks came up to 1,024 out of order: a week, here 84 blocks of two hours
    raws = blocks_of(400)
    made = BlockFileFolder(tmp_path / "blocks")
    late = raws[100]
    made.append_all([raw for raw in raws[:184] if raw != late] + [late, *raws[184:]], PER_FILE)
    assert found(search_in(made, tmp_path / "index"), late)


def test_blocks_appended_while_the_folder_is_read(tmp_path: Path) -> None:
    raws = blocks_of(40)
    made = BlockFileFolder(tmp_path / "blocks", KEY)
    made.append(raws[0])
    search = search_in(made, tmp_path / "index")
    for number, raw in enumerate(raws[1:]):
        assert not found(search, raw)
        if number % 7 == 6:
            made.next_file()
        record = made.record(raw)
        begin = made.end_bytes
        for end in (6, 60, 88 + (len(record) - 88) // 2):
            made.write_at(begin, record[:end])
            place = place_of(search, raw)
            # half a block may have a place already, never another one than its own
            assert place is None or (place.path, place.offset_bytes) == (made.file, begin + 8)
        made.append(raw)
        with opened_files("blk*.dat") as opened:
            assert found(search, raw)
        assert set(opened) <= {made.file.name}
    assert all(found(search_in(made, tmp_path / "index"), raw) for raw in raws)


def test_only_what_is_new_is_read(folder: BlockFileFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(search_in(folder, tmp_path / "index"), blocks_of(FILES * PER_FILE)[-1])
    newer = blocks_of(FILES * PER_FILE + 1)[-1]
    folder.append(newer)
    search = search_in(folder, tmp_path / "index")
    lengths = lengths_read(monkeypatch)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "index").iterdir()}
    with opened_files("blk*.dat") as opened:
        assert found(search, newer)
    assert set(opened) == {"blk00039.dat"}
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "index").iterdir()}
    assert [path.name for path in after if before.get(path) != after[path]] == ["00039.index"]
    # how old the newest file is, whether it is still the one that the index is about, the new record, and what follows
    assert len(lengths) <= 6
    lengths.clear()
    assert found(search_in(folder, tmp_path / "index"), newer)
    assert len(lengths) <= 6


@pytest.mark.parametrize("damage", [b"", b"\0" * 300, None])
def test_a_damaged_index_is_made_again(folder: BlockFileFolder, tmp_path: Path, damage: bytes | None) -> None:
    raws = blocks_of(FILES * PER_FILE)[-30:]
    assert all(found(search_in(folder, tmp_path / "index"), raw) for raw in raws)
    for path in (tmp_path / "index").iterdir():
        sound = path.read_bytes()
        path.write_bytes(sound[: len(sound) // 2] if damage is None else damage)
    search = search_in(folder, tmp_path / "index")
    assert all(found(search, raw) for raw in raws)
    assert not search.notes
    for path in (tmp_path / "index").iterdir():
        assert IndexFolder(tmp_path / "index", REGTEST.magic).read(int(path.stem)) is not None


def test_a_killed_process_leaves_an_index_that_goes_on(
    folder: BlockFileFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "tests.support.block_files_killed", str(folder.path), str(tmp_path / "index")]
    raws = blocks_of(FILES * PER_FILE)
    wanted = json.dumps([(hash_text(raw), time_of(raw)) for raw in reversed(raws)])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(wanted.encode() + b"\n")
        process.stdin.flush()
        # it has got to the seventh file and is half-way through writing the next part
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
    left = sorted(path.name for path in (tmp_path / "index").iterdir())
    assert len(left) == 8
    assert sum(name.endswith(".index") for name in left) == 7
    lengths = lengths_read(monkeypatch)
    with opened_files("blk*.dat") as opened:
        search = search_in(folder, tmp_path / "index")
        assert found(search, raws[-1])
        assert all(path.name.endswith(".index") for path in (tmp_path / "index").iterdir())
        assert all(found(search, raw) for raw in raws)
    assert len(set(opened)) == FILES
    assert not search.notes
    # of the seven files that were done, no more than a look or two; of the others each record
    assert (FILES - 7) * PER_FILE < sum(length == 88 for length in lengths) < (FILES - 7) * (PER_FILE + 9)


def test_files_vanish_as_the_node_prunes(folder: BlockFileFolder, tmp_path: Path) -> None:
    raws = blocks_of(FILES * PER_FILE)
    search = search_in(folder, tmp_path / "index")
    assert all(found(search, raw) for raw in raws[-5 * PER_FILE :])
    old = raws[-5 * PER_FILE]
    place = place_of(search, old)
    assert place is not None
    for number in range(37):
        (folder.path / f"blk{number:05}.dat").unlink()
    # whoever reads it finds out, and says so
    search.distrust(hash_text(old), place, None)
    assert place_of(search, old) is None
    assert not search.notes
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == [f"{n:05}.index" for n in (37, 38, 39)]
    assert all(found(search, raw) for raw in raws[-3 * PER_FILE :])


def test_a_file_that_goes_while_the_folder_is_searched(folder: BlockFileFolder, tmp_path: Path) -> None:
    raws = blocks_of(FILES * PER_FILE)
    search = search_in(folder, tmp_path / "index")
    (folder.path / "blk00038.dat").unlink()
    (folder.path / "blk00038.dat").symlink_to(tmp_path / "gone")
    assert found(search, raws[-1])
    assert place_of(search, raws[-PER_FILE - 1]) is None
    assert found(search, raws[-2 * PER_FILE - 1])
    assert not search.notes


def test_files_that_were_written_anew(folder: BlockFileFolder, tmp_path: Path) -> None:
    old, new = blocks_of(FILES * PER_FILE), blocks_of(FILES * PER_FILE, branch=1)
    assert all(found(search_in(folder, tmp_path / "index"), raw) for raw in old[-30:])
    for path in folder.path.iterdir():
        path.unlink()
    other = BlockFileFolder(folder.path)
    other.append_all(new, PER_FILE)
    search = search_in(folder, tmp_path / "index")
    assert all(found(search, raw) for raw in new[-30:])
    assert not any(found(search, raw) for raw in old[-30:])


def test_a_block_that_could_not_be_used_is_not_looked_for_again(folder: BlockFileFolder, tmp_path: Path) -> None:
    raws = blocks_of(FILES * PER_FILE)
    search = search_in(folder, tmp_path / "index")
    place = place_of(search, raws[-1])
    assert place is not None
    for _ in range(2):
        search.distrust(hash_text(raws[-1]), place, "at byte 36 of the block, expected another root")
        assert place_of(search, raws[-1]) is None
    assert search.notes == [
        f"Block {hash_text(raws[-1])} can't be used as it lies in {folder.file}: at byte 36 of the block, expected "
        "another root. The node is asked for it."
    ]
    assert found(search, raws[-2])


def test_files_that_are_allocated_and_empty(folder: BlockFileFolder, tmp_path: Path) -> None:
    with (folder.path / "blk00040.dat").open("wb") as file:
        file.truncate(1 << 27)
    for number in range(41, 4_900):
        (folder.path / f"blk{number:05}.dat").hardlink_to(folder.path / "blk00040.dat")
    search = search_in(folder, tmp_path / "index")
    with opened_files("blk*.dat") as opened:
        assert found(search, blocks_of(FILES * PER_FILE)[-1])
    assert len(set(opened)) < 20
    assert not search.notes


def test_a_damaged_frame_costs_that_block_alone(folder: BlockFileFolder, tmp_path: Path) -> None:
    raws = blocks_of(FILES * PER_FILE)
    path, offset, _ = folder.places[hash_text(raws[-6])]
    with path.open("r+b") as file:
        file.seek(offset - 8)
        file.write(b"\xff" * 8)
    search = search_in(folder, tmp_path / "index")
    assert [found(search, raw) for raw in raws[-PER_FILE:]] == [raw != raws[-6] for raw in raws[-PER_FILE:]]
    assert not search.notes


def test_blocks_of_another_network(tmp_path: Path) -> None:
    other = BlockFileFolder(tmp_path / "blocks", KEY, NETWORKS["signet"].magic)
    other.append_all(blocks_of(20), PER_FILE)
    search = search_in(other, tmp_path / "index")
    with pytest.raises(NotUsable) as caught:
        place_of(search, blocks_of(20)[-1])
    assert caught.value.sentence == (
        f"The folder of block files {tmp_path}/blocks holds blocks of the network signet, not of regtest, so the node "
        "is asked for blocks. To mend it, set node.blocks_dir, or give this user the right to read; to do without, set "
        "node.read_block_files to false."
    )


@pytest.mark.parametrize("key", [bytes(8), b"another!"])
def test_files_that_the_key_does_not_open(folder: BlockFileFolder, tmp_path: Path, key: bytes) -> None:
    (folder.path / "xor.dat").write_bytes(key)
    search = search_in(folder, tmp_path / "index")
    for _ in range(2):
        with pytest.raises(NotUsable) as caught:
            place_of(search, blocks_of(FILES * PER_FILE)[-1])
        assert "holds no block of the network regtest in blk00039.dat" in caught.value.sentence
    (folder.path / "xor.dat").write_bytes(KEY)
    assert found(search, blocks_of(FILES * PER_FILE)[-1])


def test_one_file_of_nonsense_among_sound_ones(
    folder: BlockFileFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raws = blocks_of(FILES * PER_FILE)
    (folder.path / "blk00038.dat").write_bytes(os.urandom(50_000))
    search = search_in(folder, tmp_path / "index")
    assert found(search, raws[-1])
    assert not found(search, raws[-PER_FILE - 1])
    # it isn't searched again and again
    lengths = lengths_read(monkeypatch)
    assert not found(search, raws[-PER_FILE - 1])
    assert max(lengths) <= 4096
    assert found(search, raws[-2 * PER_FILE - 1])
    assert search.notes == [f"{folder.path}/blk00038.dat holds no block of the network regtest. It may be damaged."]


def test_a_damaged_key(folder: BlockFileFolder, tmp_path: Path) -> None:
    (folder.path / "xor.dat").write_bytes(b"short")
    with pytest.raises(NotUsable) as caught:
        place_of(search_in(folder, tmp_path / "index"), blocks_of(1)[0])
    assert "has a key (xor.dat) of 5 bytes, not of 8" in caught.value.sentence


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "00001.index").touch()
    for name, what in (("none", "isn't there"), ("file", "isn't there"), ("empty", "holds no block files")):
        with pytest.raises(NotUsable) as caught:
            place_of(search_in(tmp_path / name, tmp_path / "index"), blocks_of(1)[0])
        assert f"{tmp_path}/{name} {what}, so the node is asked for blocks." in caught.value.sentence
    # a disk that isn't mounted costs no index
    assert (tmp_path / "index" / "00001.index").exists()


def test_files_that_this_user_may_not_read() -> None:
    # pytest's own folders are closed to other users
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        command = [sys.executable, "-m", "tests.support.block_files_without_rights", name]
        seen = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    place = Path(name) / "place"
    assert seen["folder"].startswith(f"The folder of block files {place}/blocks can't be read (Permission denied), so")
    assert seen["key"].startswith(f"The folder of block files {place}/blocks can't be read (Permission denied), so")
    assert seen["file"] == [
        f"{place}/blocks/blk00001.dat can't be read: Permission denied. The node is asked for its blocks."
    ]
    assert seen["index"] == [
        f"The index of the block files can't be kept in {place}/index: Permission denied. It is made anew whenever "
        "this program starts."
    ]


def test_a_search_stops_when_nobody_waits_any_more(folder: BlockFileFolder, tmp_path: Path) -> None:
    search = search_in(folder, tmp_path / "index")
    raw = blocks_of(FILES * PER_FILE)[-20]
    looks = iter(range(10_000))
    with pytest.raises(Stopped):
        search.find(hash_text(raw), time_of(raw), lambda: next(looks) > 5)
    # what was read by then is there
    part = IndexFolder(tmp_path / "index", REGTEST.magic).read(39)
    assert part is not None
    assert 0 < len(part.hashes) < PER_FILE
    assert found(search, raw)
    assert all(found(search, raw) for raw in islice(reversed(blocks_of(FILES * PER_FILE)), 30))
