"""What Linux says of file systems and disks, read from texts and from trees as other machines have them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from utxoracle_tui.sources.host_disks import (
    DiskActivity,
    DiskCounters,
    Mount,
    Place,
    activity,
    mount_of,
    parse_counters,
    parse_mounts,
    read_place,
)

MOUNTS = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 252:1 / / rw,relatime shared:1 - ext4 /dev/mapper/ubuntu--vg-root rw,discard
40 27 8:17 / /mnt/big rw,relatime shared:7 master:2 - xfs /dev/sdb1 rw
41 27 0:44 /@data /srv/btrfs rw,relatime shared:8 - btrfs /dev/sdc rw,subvol=/@data
42 27 0:50 / /mnt/nas rw,relatime shared:9 - nfs4 nas:/export\040two rw,vers=4.2
43 40 259:2 / /mnt/big/a\040\134b rw,relatime - ext4 /dev/nvme0n1p2 rw
44 43 259:3 / /mnt/big/a\040\134b rw,relatime - ext4 /dev/nvme0n1p3 rw
no line of mountinfo
45 27 - ext4
46 27 0:60 / /mnt/tank rw - zfs tank/node rw
"""
DISKSTATS = """\
   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 254       0 vda 348292 26948 18913658 301164 30658 113569 15355976 54559 0 54540 365864 62787 46 10422712 10110 245 31
   8       0 sda 5 0 7 1 2 0 3 1 0 42 9
   8       1 sda1 x y z
   8       2 sda2 1 2
"""


def test_lines_of_mountinfo() -> None:
    mounts = parse_mounts(MOUNTS)
    assert len(mounts) == 8
    assert mounts[1] == Mount("252:1", "/", "ext4", "/dev/mapper/ubuntu--vg-root")
    assert mounts[4] == Mount("0:50", "/mnt/nas", "nfs4", "nas:/export two")
    assert mounts[5].mount_point == "/mnt/big/a \\b"
    assert parse_mounts("") == []


@pytest.mark.parametrize(
    ("folder", "source"),
    [
        ("/", "/dev/mapper/ubuntu--vg-root"),
        ("/var/lib", "/dev/mapper/ubuntu--vg-root"),
        ("/mnt/big", "/dev/sdb1"),
        ("/mnt/big/electrs/db", "/dev/sdb1"),
        ("/mnt/bigger", "/dev/mapper/ubuntu--vg-root"),
        ("/srv/btrfs/x", "/dev/sdc"),
        ("/mnt/big/a \\b/c", "/dev/nvme0n1p3"),
    ],
)
def test_the_mount_of_a_folder(folder: str, source: str) -> None:
    found = mount_of(folder, parse_mounts(MOUNTS))
    assert found is not None
    assert found.source == source


def test_no_mount() -> None:
    assert mount_of("/srv", []) is None


def link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def block_device(sys: Path, place: str, number: str, *, partition: bool = False, rotational: str | None = None) -> Path:
    """A device in a tree like /sys."""
    node = sys / "devices" / place
    node.mkdir(parents=True)
    (node / "slaves").mkdir()
    if partition:
        (node / "partition").write_text("1\n", encoding="utf-8")
    if rotational is not None:
        (node / "queue").mkdir()
        (node / "queue" / "rotational").write_text(f"{rotational}\n", encoding="utf-8")
    link(sys / "dev" / "block" / number, node)
    link(sys / "class" / "block" / node.name, node)
    return node


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, Path]:
    """A machine with LVM on an encrypted partition of one disk, a RAID, an NVMe disk and a hard disk."""
    proc, sys = tmp_path / "proc", tmp_path / "sys"
    (proc / "self").mkdir(parents=True)
    (proc / "self" / "mountinfo").write_text(MOUNTS + "47 27 9:0 / /mnt/raid rw - ext4 /dev/md0 rw\n", encoding="utf-8")
    block_device(sys, "pci/sda", "8:0", rotational="0")
    partition = block_device(sys, "pci/sda/sda3", "8:3", partition=True)
    encrypted = block_device(sys, "virtual/dm-0", "252:0", rotational="0")
    root = block_device(sys, "virtual/dm-1", "252:1", rotational="0")
    link(encrypted / "slaves" / "sda3", partition)
    link(root / "slaves" / "dm-0", encrypted)
    block_device(sys, "pci/sdb", "8:16", rotational="1")
    block_device(sys, "pci/sdb/sdb1", "8:17", partition=True)
    block_device(sys, "pci/sdc", "8:32", rotational="1")
    block_device(sys, "pci/nvme0n1", "259:0", rotational="0")
    block_device(sys, "pci/nvme0n1/nvme0n1p3", "259:3", partition=True)
    raid = block_device(sys, "virtual/md0", "9:0", rotational="1")
    for name in ("sdb", "sdc"):
        link(raid / "slaves" / name, sys / "class" / "block" / name)
    return proc, sys


@pytest.mark.parametrize(
    ("folder", "place"),
    [
        ("/home", Place(Path("/"), "ext4", "dm-1", "sda", False)),
        ("/mnt/big/db", Place(Path("/mnt/big"), "xfs", "sdb1", "sdb", True)),
        ("/mnt/big/a \\b", Place(Path("/mnt/big/a \\b"), "ext4", "nvme0n1p3", "nvme0n1", False)),
        ("/srv/btrfs", Place(Path("/srv/btrfs"), "btrfs", "sdc", "sdc", True)),
        ("/mnt/raid/x", Place(Path("/mnt/raid"), "ext4", "md0", "md0", True)),
        ("/mnt/nas", Place(Path("/mnt/nas"), "nfs4", None, None, None)),
        ("/mnt/tank", Place(Path("/mnt/tank"), "zfs", None, None, None)),
    ],
)
def test_where_a_folder_lies(machine: tuple[Path, Path], folder: str, place: Place) -> None:
    assert read_place(folder, *machine) == place


def test_a_machine_that_says_nothing(machine: tuple[Path, Path], tmp_path: Path) -> None:
    proc, _ = machine
    nowhere = tmp_path / "nowhere"
    assert read_place("/home", nowhere, nowhere) == Place(None, None, None, None, None)
    assert read_place("/home", proc, nowhere) == Place(Path("/"), "ext4", None, None, None)


def test_counters_of_a_disk() -> None:
    found = parse_counters(DISKSTATS, "vda", 1.7e9, 100.0, 0.25)
    assert found == DiskCounters("vda", 18_913_658 * 512, 15_355_976 * 512, 54_540, 1.7e9, 100.0, 0.25)
    oldest = parse_counters(DISKSTATS, "sda", 1.7e9, 100.0, 0.25)
    assert oldest is not None
    assert (oldest.read_bytes, oldest.written_bytes, oldest.busy_ms) == (3584, 1536, 42)
    for name in ("vd", "sda1", "sda2", "nvme0n1"):
        assert parse_counters(DISKSTATS, name, 1.7e9, 100.0, 0.25) is None


START = DiskCounters("sda", 1_000_000, 2_000_000, 5_000, 1.7e9, 100.0, 0.0)


def test_what_a_disk_did_between_two_readings() -> None:
    later = replace(START, read_bytes=21_000_000, written_bytes=2_000_000, busy_ms=7_500, taken_s=110.0)
    assert activity(START, later) == DiskActivity(2_000_000.0, 0.0, 0.25)


def test_the_busy_time_starts_again_after_49_days() -> None:
    before = replace(START, busy_ms=2**32 - 1_000)
    found = activity(before, replace(START, busy_ms=4_000, taken_s=110.0))
    assert found is not None
    assert found.busy == 0.5


def test_the_busy_share_is_never_above_one() -> None:
    found = activity(START, replace(START, busy_ms=5_000 + 10_020, taken_s=110.0))
    assert found is not None
    assert found.busy == 1.0


@pytest.mark.parametrize(
    "later",
    [
        replace(START, taken_s=100.0),
        replace(START, disk="sdb", taken_s=110.0),
        replace(START, read_bytes=0, taken_s=110.0),
        replace(START, written_bytes=0, taken_s=110.0),
    ],
    ids=["no time", "another disk", "read less", "written less"],
)
def test_readings_that_do_not_fit_together(later: DiskCounters) -> None:
    assert activity(START, later) is None
