"""Every cut of a small store file, thousands of cuts and flipped bits of a full one, and of backups.

By hand: `pytest -m soak tests/soak/test_store_damage.py`. The damage is found at the first look whichever it is, the
state before is used, the damaged file is kept, and there is one message.
"""

from __future__ import annotations

import io
import random
import tarfile
import zlib
from pathlib import Path

import pytest

from tests.support.spoiling import LOOKS, Spoilt
from tests.support.store_files import everything, filled_store, no_progress, tree
from utxoracle_tui.store.backup import make_backup
from utxoracle_tui.store.collection import PART_DOCUMENTS
from utxoracle_tui.store.restore import restore_backup, verify_backup
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.store_folder import StoreFolder
from utxoracle_tui.store.troubles import StoreTrouble

CUTS = FLIPS = 1_000
SMALL_BYTES = 4_096
FLIPS_OF_BACKUPS = 3_000
FLIPS_BELOW = 3_000


@pytest.mark.soak
def test_every_cut_of_a_small_file(tmp_path: Path) -> None:
    spoilt = Spoilt(tmp_path, 6)
    assert SMALL_BYTES * 0.7 < len(spoilt.bytes) <= SMALL_BYTES
    for length in range(len(spoilt.bytes)):
        spoilt.assert_found(spoilt.bytes[:length], list(LOOKS)[length % len(LOOKS)])


@pytest.mark.soak
def test_cuts_of_a_full_file(tmp_path: Path) -> None:
    spoilt, draw = Spoilt(tmp_path, PART_DOCUMENTS), random.Random("cuts")
    for _ in range(CUTS):
        spoilt.assert_found(spoilt.bytes[: draw.randrange(len(spoilt.bytes))], draw.choice(list(LOOKS)))


@pytest.mark.soak
def test_flips_in_a_full_file(tmp_path: Path) -> None:
    spoilt, draw = Spoilt(tmp_path, PART_DOCUMENTS), random.Random("flips")
    for _ in range(FLIPS):
        data = bytearray(spoilt.bytes)
        data[draw.randrange(len(data))] ^= draw.randrange(1, 256)
        spoilt.assert_found(bytes(data), draw.choice(list(LOOKS)))


@pytest.mark.soak
def test_every_bit_of_the_first_two_lines(tmp_path: Path) -> None:
    spoilt = Spoilt(tmp_path, 3)
    end = spoilt.bytes.index(b"\n", spoilt.bytes.index(b"\n") + 1)
    for position in range(end + 1):
        for bit in range(8):
            data = bytearray(spoilt.bytes)
            data[position] ^= 1 << bit
            spoilt.assert_found(bytes(data), list(LOOKS)[(position + bit) % len(LOOKS)])


@pytest.mark.soak
def test_backups_with_any_bit_flipped(tmp_path: Path) -> None:
    """Either it is refused, or it is what it was: a few bits of the compression mean nothing."""
    store = filled_store(tmp_path / "data", 200)
    backup = make_backup(store.folder, tmp_path, 1, no_progress).path
    whole, draw = backup.read_bytes(), random.Random("backups")
    contents: dict[str, bytes] = {}
    folder, meant_nothing = StoreFolder(tmp_path / "new" / "main", "main"), 0
    for _ in range(FLIPS_OF_BACKUPS):
        data = bytearray(whole)
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        backup.write_bytes(data)
        contents.clear()
        try:
            verify_backup(folder, backup, no_progress)
            meant_nothing += 1
        except StoreTrouble as trouble:
            assert trouble.kind == "backup_damaged"
    assert meant_nothing < FLIPS_OF_BACKUPS // 100
    for length in range(0, len(whole), 37):
        backup.write_bytes(whole[:length])
        with pytest.raises(StoreTrouble):
            verify_backup(folder, backup, no_progress)


@pytest.mark.soak
def test_archives_with_anything_in_them(tmp_path: Path) -> None:
    """Flips below the compression, so that its checksum fits: the archive's own headers are what is spoilt."""
    store = filled_store(tmp_path / "data", 3)
    backup = make_backup(store.folder, tmp_path, 1, no_progress).path
    expected, draw = everything(store), random.Random("archives")
    plain = zlib.decompress(backup.read_bytes(), wbits=31)
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        headers = [member.offset for member in archive]
    place = tmp_path / "place"
    folder = StoreFolder(place / "main", "main")
    taken = 0
    for number in range(FLIPS_BELOW):
        data = bytearray(plain)
        for _ in range(draw.choice((1, 1, 2, 8))):
            position = draw.choice(headers) + draw.randrange(512) if draw.random() < 0.8 else draw.randrange(len(data))
            data[position] = draw.choice((0, 255, 48 + draw.randrange(10), data[position] ^ 1 << draw.randrange(8)))
        backup.write_bytes(zlib.compress(data, 1, wbits=31))
        try:
            restore_backup(folder, backup, no_progress)
        except StoreTrouble as trouble:
            assert trouble.kind in {"backup_damaged", "newer_backup", "other_network"}, trouble.message
            assert "\n" not in trouble.message
            assert not folder.root.exists(), number
            continue
        taken += 1
        assert everything(Store(place, "main")) == expected
        assert set(tree(place)) - {"main"} == {
            name for name in tree(place) if name.startswith(("main/store", "main/store.lock"))
        }
        folder.root.rename(tmp_path / f"taken-{number}")
    assert taken < FLIPS_BELOW // 4
