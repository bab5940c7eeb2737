"""File systems and disks as Linux describes them: what lies where, how much is free, how busy it is.

/proc/self/mountinfo: proc(5). /proc/diskstats: Linux, Documentation/admin-guide/iostats.rst. Everything but the size
of a file system is a matter of luck: containers, network file systems and other kernels say less.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SECTOR_BYTES = 512
"""The unit of /proc/diskstats, whatever the disk's own sectors are."""
_BUSY_WRAPS_MS = 1 << 32
"""The time that a disk was busy is 32 bits wide: it starts again every 49.7 days."""
_ESCAPE = re.compile(r"\\([0-7]{3})")
_MOST_LAYERS = 8


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo."""

    device_number: str
    """`major:minor`; major 0 for file systems that aren't on one block device."""
    mount_point: str
    file_system: str
    """`ext4`, `btrfs`, `nfs4`, `overlay`, …"""
    source: str
    """`/dev/sda1`, `server:/export`, `tmpfs`, …"""


@dataclass(frozen=True, slots=True)
class Space:
    """Sizes of a file system."""

    total_bytes: int
    used_bytes: int
    free_bytes: int
    """What this user may still fill; the file system keeps some for root, so that it and `used_bytes` don't add up."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a folder lies; None for what can't be told."""

    mount_point: Path | None
    file_system: str | None
    device: str | None
    """The kernel's name of the block device, as `sda1`, `dm-0`, `nvme0n1p2`."""
    disk: str | None
    """The disk below it, as `sda`; folders on one disk slow each other down. The device itself where it has several."""
    rotational: bool | None
    """Whether it is a hard disk, as far as the kernel knows: a virtual machine is told what its host likes."""


@dataclass(frozen=True, slots=True)
class DiskCounters:
    """What a disk has done since the machine was started."""

    disk: str
    read_bytes: int
    written_bytes: int
    busy_ms: int
    """Time with at least one request in flight; see `activity` for its wrapping."""
    at_s: float
    """Unix seconds."""
    taken_s: float
    """On the clock for spans, `clock.elapsed_s`."""
    latency_s: float


@dataclass(frozen=True, slots=True)
class DiskActivity:
    """What a disk did between two readings."""

    read_bytes_per_s: float
    written_bytes_per_s: float
    busy: float
    """Share of the time, 0 to 1, with a request in flight. An SSD serves many at once: 1 need not be its limit."""


def parse_mounts(text: str) -> list[Mount]:
    """The lines of mountinfo that can be read, in their order."""
    found = []
    for line in text.splitlines():
        before, separator, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if separator and len(fields) >= 5 and len(rest) >= 2:
            found.append(Mount(fields[2], _unescaped(fields[4]), rest[0], _unescaped(rest[1])))
    return found


def _unescaped(text: str) -> str:
    """Blanks and backslashes are written in octal."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), text)


def mount_of(folder: str, mounts: Sequence[Mount]) -> Mount | None:
    """The mount that a folder (absolute, links resolved) lies in: the deepest, of several there the last.

    Not by the device number of the folder: Btrfs has one of its own for each subvolume.
    """
    over = [mount for mount in mounts if _is_within(folder, mount.mount_point)]
    deepest = max((len(mount.mount_point) for mount in over), default=0)
    return next((mount for mount in reversed(over) if len(mount.mount_point) == deepest), None)


def _is_within(folder: str, mount_point: str) -> bool:
    return folder == mount_point or folder.startswith(mount_point.rstrip("/") + "/")


def parse_counters(text: str, disk: str, at_s: float, taken_s: float, latency_s: float) -> DiskCounters | None:
    """The counters of one disk in /proc/diskstats; None if it isn't there."""
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 14 and fields[2] == disk and all(field.isdecimal() for field in fields[3:14]):
            return DiskCounters(
                disk=disk,
                read_bytes=int(fields[5]) * SECTOR_BYTES,
                written_bytes=int(fields[9]) * SECTOR_BYTES,
                busy_ms=int(fields[12]),
                at_s=at_s,
                taken_s=taken_s,
                latency_s=latency_s,
            )
    return None


def activity(earlier: DiskCounters, later: DiskCounters) -> DiskActivity | None:
    """What a disk did between two readings of its counters; None where they don't fit together."""
    span_s = later.taken_s - earlier.taken_s
    read_bytes = later.read_bytes - earlier.read_bytes
    written_bytes = later.written_bytes - earlier.written_bytes
    if earlier.disk != later.disk or span_s <= 0 or read_bytes < 0 or written_bytes < 0:
        return None
    busy_ms = (later.busy_ms - earlier.busy_ms) % _BUSY_WRAPS_MS
    return DiskActivity(read_bytes / span_s, written_bytes / span_s, min(1.0, busy_ms / (1000 * span_s)))


def read_space(folder: Path) -> Space:
    """The sizes of the file system that holds a folder. Raises `OSError`; may hang as long as the file system does."""
    found = os.statvfs(folder)
    unit = found.f_frsize
    return Space(found.f_blocks * unit, (found.f_blocks - found.f_bfree) * unit, found.f_bavail * unit)


def read_place(folder: str, proc: Path, sys: Path) -> Place:
    """Where a folder (absolute, links resolved) lies; `proc` and `sys` are where the kernel's files are."""
    mount = mount_of(folder, parse_mounts(read_text(proc / "self" / "mountinfo") or ""))
    if mount is None:
        return Place(None, None, None, None, None)
    node = _device_node(mount, sys)
    device = node.name if node is not None else None
    disk = _disk_below(node, sys) if node is not None else None
    flag = read_text(disk / "queue" / "rotational") if disk is not None else None
    return Place(
        mount_point=Path(mount.mount_point),
        file_system=mount.file_system,
        device=device,
        disk=disk.name if disk is not None else None,
        rotational={"0": False, "1": True}.get((flag or "").strip()),
    )


def _device_node(mount: Mount, sys: Path) -> Path | None:
    """The folder of a mount's block device in /sys, links resolved."""
    by_number = sys / "dev" / "block" / mount.device_number
    by_name = sys / "class" / "block" / Path(os.path.realpath(mount.source)).name
    if by_number.exists():
        return by_number.resolve()
    return by_name.resolve() if mount.source.startswith("/dev/") and by_name.exists() else None


def _disk_below(node: Path, sys: Path) -> Path:
    """From a partition to its disk, and through mapped devices (LVM, encryption) as long as there is one below."""
    for _ in range(_MOST_LAYERS):
        below = node.parent if (node / "partition").exists() else _only_slave(node, sys)
        if below is None:
            return node
        node = below
    return node


def _only_slave(node: Path, sys: Path) -> Path | None:
    try:
        names = [entry.name for entry in (node / "slaves").iterdir()]
    except OSError:
        return None
    return (sys / "class" / "block" / names[0]).resolve() if len(names) == 1 else None


def read_text(path: Path) -> str | None:
    """What a file of the kernel says, None if it can't be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
