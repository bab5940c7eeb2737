"""Points and digests: bounded, checked, and missed by nobody when gone."""

from __future__ import annotations

import os
import pickle
import zlib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from tests.support.records import START_S, block_window
from utxoracle_tui.store.blobs import Blobs
from utxoracle_tui.store.points import KeptPoints, PointsStore
from utxoracle_tui.store.records import Window


def test_bytes_come_back(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "b", 10_000)
    blobs.put("one", b"abc" * 100)
    assert Blobs(tmp_path / "b", 10_000).get("one") == b"abc" * 100
    assert blobs.get("two") is None


def test_what_earlier_versions_kept_is_read(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "b", 10_000)
    blobs.put("one", b"")
    (path,) = (path for path in (tmp_path / "b").rglob("one") if path.is_file())
    for content in (b"", b"abc", b"abc" * 100):
        former = b"UTXORACLE-TUI-BLOB 1 " + f"{zlib.crc32(content):08x}\n".encode() + content
        path.write_bytes(former)
        assert blobs.get("one") == content
        path.write_bytes(former[:-1] + b"X")
        assert blobs.get("one") is None


def test_damage_is_as_if_it_were_gone(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "b", 10_000)
    blobs.put("one", b"abc" * 100)
    (path,) = (path for path in (tmp_path / "b").rglob("one") if path.is_file())
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:10], b"", whole[:50] + b"X" + whole[51:]):
        path.write_bytes(damaged)
        assert blobs.get("one") is None
    blobs.put("one", b"new")
    assert blobs.get("one") == b"new"


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "b", 10_000)
    for number in range(9):
        blobs.put(str(number), bytes(1000))
        (path,) = (path for path in (tmp_path / "b").rglob(str(number)) if path.is_file())
        os.utime(path, (1000 + number, 1000 + number))
    assert blobs.get("0") is not None
    blobs.put("9", bytes(1000))
    left = set(blobs.names())
    assert {"0", "9"} <= left
    assert "1" not in left
    size = sum(path.stat().st_size for path in (tmp_path / "b").rglob("*") if path.is_file())
    assert size <= 10_000


def test_what_others_write_is_bounded_by_the_one_who_minds(tmp_path: Path) -> None:
    minding = Blobs(tmp_path / "b", 10_000)
    # as they are in worker processes, which know nothing of each other
    others = [pickle.loads(pickle.dumps(minding)) for _ in range(2)]
    for number in range(40):
        written = others[number % 2].write(str(number), bytes(1000))
        assert written >= 1000
        assert minding.has(str(number))
        if minding.grown(written):
            minding.make_room()
        assert sum(path.stat().st_size for path in (tmp_path / "b").rglob("*") if path.is_file()) <= 10_000
    assert others[0].write("too big", bytes(20_000)) == 0
    assert not minding.has("too big")


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    blobs = Blobs(tmp_path / "file" / "b", 1000)
    blobs.put("one", b"x")
    assert blobs.get("one") is None


def points(seed: int) -> KeptPoints:
    chance = np.random.default_rng(seed)
    return KeptPoints(chance.normal(65_000, 900, 500), np.arange(500, dtype=np.int32))


def test_points_of_the_newest_days_are_kept(tmp_path: Path) -> None:
    store = PointsStore(tmp_path, days=3, block_windows=2)
    days = [
        Window(kind="day", method="utxoracle-9.1", date=date(2024, 12, 30) + timedelta(days=n), last_hash=f"{n:064x}")
        for n in range(5)
    ]
    for number, window in enumerate(days):
        store.put(window, points(number))
    assert [store.get(window) is not None for window in days] == [False, False, True, True, True]
    found = store.get(days[4])
    assert found is not None
    np.testing.assert_array_equal(found.usd, points(4).usd)
    np.testing.assert_array_equal(found.heights, points(4).heights)


def test_points_of_the_newest_block_windows_are_kept(tmp_path: Path) -> None:
    store = PointsStore(tmp_path, days=3, block_windows=2)
    # the last one has a digit more
    windows = [block_window(height, START_S) for height in (99_998, 99_999, 100_000)]
    for window in windows:
        store.put(window, points(1))
    assert [store.get(window) is not None for window in windows] == [False, True, True]


def test_points_of_other_blocks_are_not_given(tmp_path: Path) -> None:
    store = PointsStore(tmp_path, days=3, block_windows=2)
    window = block_window(1000, START_S)
    store.put(window, points(1))
    assert store.get(replace(window, last_hash="ff" * 32)) is None
