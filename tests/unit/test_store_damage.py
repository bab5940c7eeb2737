"""Torn and spoilt files: found at the first look, told in a sentence, nothing lost that a good copy has.

The same with every cut and thousands of flipped bits: `pytest -m soak tests/soak/test_store_damage.py`.
"""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

import pytest

from tests.support.records import observation
from tests.support.spoiling import LOOKS, Spoilt
from tests.support.store_files import (
    damage,
    filled_store,
    no_progress,
    opened,
    sealed,
)
from utxoracle_tui.store.check import check_store
from utxoracle_tui.store.collection import PART_DOCUMENTS
from utxoracle_tui.store.envelope import DamagedFile, peek
from utxoracle_tui.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data", "main")


def test_cuts_of_a_small_file(tmp_path: Path) -> None:
    spoilt = Spoilt(tmp_path, 4)
    draw = random.Random("cuts")
    # the ends of the parts of the format, and some between
    ends = [position + 1 for position, byte in enumerate(spoilt.bytes) if byte == ord("\n")]
    lengths = {0, 1, 20, *ends, *(end - 1 for end in ends), len(spoilt.bytes) - 1}
    for length in sorted(lengths | set(draw.sample(range(len(spoilt.bytes)), 25))):
        spoilt.assert_found(spoilt.bytes[:length], draw.choice(list(LOOKS)))


def test_flips_in_a_full_file(tmp_path: Path) -> None:
    spoilt = Spoilt(tmp_path, PART_DOCUMENTS)
    draw = random.Random("flips")
    header_end = spoilt.bytes.index(b"\n", spoilt.bytes.index(b"\n") + 1)
    positions = draw.sample(range(header_end), 15) + draw.sample(range(len(spoilt.bytes)), 10)
    for number, position in enumerate(positions):
        data = bytearray(spoilt.bytes)
        data[position] ^= 1 << draw.randrange(8)
        spoilt.assert_found(bytes(data), list(LOOKS)[number % len(LOOKS)])


@pytest.mark.parametrize(
    "data", [b"\0" * 5000, b"\n" * 400, b"{}", os.urandom(3000)], ids=["zeros", "lines", "json", "noise"]
)
def test_other_content(tmp_path: Path, data: bytes) -> None:
    spoilt = Spoilt(tmp_path, 3)
    for look in LOOKS:
        spoilt.assert_found(data, look)


def test_the_header_is_not_taken_on_trust(tmp_path: Path) -> None:
    """Who reads nothing but headers must not believe a spoilt one: each bit of it, with the checksum line."""
    spoilt = Spoilt(tmp_path, 2)
    header_end = spoilt.bytes.index(b"\n", spoilt.bytes.index(b"\n") + 1)
    _, header = peek(spoilt.bytes)
    found = 0
    for position in range(header_end):
        for bit in range(8):
            data = bytearray(spoilt.bytes)
            data[position] ^= 1 << bit
            try:
                assert peek(bytes(data))[1] == header
            except DamagedFile:
                found += 1
    # the checksum of the rest is a look at the rest away
    assert found >= (header_end - 64) * 8


def test_damage_behind_what_is_remembered(tmp_path: Path) -> None:
    """A process that knows the newest state goes on with it, until it has to build on what is on the disk."""
    spoilt = Spoilt(tmp_path, 10)
    store = spoilt.open()
    assert store.observations.all() == spoilt.records
    damage(spoilt.path)
    assert store.observations.all() == spoilt.records
    # the last record is gone from the disk, so it is no longer there to be the same
    assert store.observations.insert(spoilt.records[-1]).value == "taken"
    assert len(store.notices.all()) == 1
    assert store.observations.all() == spoilt.open().observations.all() == spoilt.records
    damage(spoilt.path)
    new = observation(77)
    assert store.observations.insert(new).value == "taken"
    assert store.observations.all() == spoilt.open().observations.all() == [*spoilt.records[:-1], new]
    assert opened(spoilt.path.read_bytes())[0]["documents"] == 10


def test_two_generations_damaged(store: Store, tmp_path: Path) -> None:
    store.observations.put(observation(number) for number in range(600))
    path = store.folder.root / "observations" / "2025" / "2025-01-02.json"
    damage(path)
    damage(path.with_suffix(".previous"))
    again = Store(tmp_path / "data", "main")
    for _ in range(3):
        assert [record.key for record in again.observations.all()] == [
            observation(number).key for number in range(600) if number // 288 != 1
        ]
    (notice,) = again.notices.all()
    assert notice.path == path
    for words in (str(path), "observations 2025-01-02 can't be read", "restore", "store check --mend"):
        assert words in notice.sentence
    # new records of that day go to a neighbour, and the damaged files stay where they are
    assert again.observations.insert(observation(300)).value == "taken"
    assert again.observations.insert(observation(300)).value == "same"
    assert path.with_name("2025-01-02~2.json").exists()
    assert observation(300) in Store(tmp_path / "data", "main").observations.all()
    assert not again.folder.damaged.exists()
    report = check_store(again.folder, no_progress)
    assert {finding.file for finding in report.damaged} == {path, path.with_suffix(".previous")}
    assert report.counts.observations == 600 - 288 + 1


def test_all_other_work_goes_on_beside_damage(tmp_path: Path) -> None:
    filled = filled_store(tmp_path)
    for path in (filled.folder.root / "job-items" / "job-1").glob("000000.*"):
        damage(path)
    # those who remember what was there do not hand out what they can't write down
    assert [item.number for item in filled.jobs.take("job-1", "them", 5)] == [256, 257, 258, 259, 260]
    store = Store(tmp_path, "main")
    assert len(store.jobs.items("job-1")) == 44
    assert [item.number for item in store.jobs.take("job-1", "me", 5)] == [261, 262, 263, 264, 265]
    assert store.jobs.progress("job-1").total == 44
    assert store.thin_out(2e9) == 90
    assert store.mark_orphans(range(870_000, 890_000), lambda height, block_hash: False) > 0
    assert len(store.notices.all()) == 1


def test_a_sector_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt = Spoilt(tmp_path, 5)
    real = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path == spoilt.path:
            raise OSError(errno.EIO, "Input/output error")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    store = spoilt.open()
    assert store.observations.all() == spoilt.records[:-1]
    assert "the disk reports an error" in store.notices.all()[0].sentence


def test_a_record_that_nobody_can_have_written(tmp_path: Path) -> None:
    spoilt = Spoilt(tmp_path, 5)
    header, rows = opened(spoilt.bytes)
    rows[1]["onchain_usd"] = "much"
    spoilt.path.write_bytes(sealed(header, {"records": {str(n): row for n, row in enumerate(rows, 1)}}))
    kept = spoilt.path.read_bytes()
    store = spoilt.open()
    assert store.observations.all() == []
    assert "is whole, but holds a record that this program can't have written" in store.notices.all()[0].sentence
    assert store.observations.insert(observation(9)).value == "taken"
    assert spoilt.path.read_bytes() == kept
