"""The disks that hold the data of the stack: how much is free, and how busy they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from utxoracle_tui import clock
from utxoracle_tui.engine.stack.reading import ASKING, Health, Heard, Source, Standing, Trouble, Verdict, overdue
from utxoracle_tui.engine.stack.sizes import size
from utxoracle_tui.engine.stack.thresholds import DISKS_EVERY_S, LIMITS
from utxoracle_tui.sources.host import FolderDisk, Host
from utxoracle_tui.sources.host_disks import DiskActivity, DiskCounters, activity
from utxoracle_tui.sources.host_threads import SideThreads

OWN_DATA = "console"
"""The holding that grows by megabytes, while blocks and indexes grow by gigabytes."""
LOW_BYTES = 5e9
"""A week of blocks with their undo data, and of index, on the main network."""
LOW_OWN_BYTES = 2e8
_LOOK_TIMEOUT_S = 5.0
_TROUBLE = "disk_unreadable"


@dataclass(frozen=True, slots=True)
class DiskStatus:
    """One file system."""

    holds: tuple[str, ...]
    """What of the stack lies on it: `node`, `electrs`, `console`, …"""
    mount_point: Path | None
    disk: str | None
    """The kernel's name of the disk below it, as `sda`."""
    file_system: str | None
    rotational: bool | None
    """Whether it is a hard disk, as far as the kernel knows."""
    total_bytes: int
    free_bytes: int
    activity: DiskActivity | None
    """What it did since the look before; None at the first, or where it can't be told."""

    @property
    def is_low(self) -> bool:
        """Whether it will be full soon."""
        return self.free_bytes < (LOW_OWN_BYTES if self.holds == (OWN_DATA,) else LOW_BYTES)

    @property
    def title(self) -> str:
        """What it is called in front of people."""
        return str(self.mount_point) if self.mount_point is not None else self.disk or "disk"


@dataclass(frozen=True, slots=True)
class DisksStatus:
    """All of them, each once."""

    disks: tuple[DiskStatus, ...]
    troubles: tuple[str, ...] = ()
    """Why something can't be told, as sentences."""


class DisksWatch:
    """The file systems of some folders, by what these hold. A folder that isn't there yet counts as the one above."""

    def __init__(
        self, folders: Mapping[str, Path], host: Host | None = None, *, every_s: float = DISKS_EVERY_S
    ) -> None:
        self._eye = DisksEye(folders, host or Host())
        self._every_s = every_s
        self.heard: Heard[DisksStatus] = Heard()

    async def run(self, on_change: Callable[[], None]) -> None:
        """Watch until cancelled."""
        while True:
            self.heard = await self._eye.look(self.heard)
            on_change()
            await asyncio.sleep(self._every_s)


class DisksEye:
    """Looks at the disks, and knows what it saw the last time."""

    def __init__(self, folders: Mapping[str, Path], host: Host) -> None:
        self._folders = dict(folders)
        self._host = host
        self._threads = SideThreads()
        self._counters: dict[str, DiskCounters] = {}

    async def look(self, before: Heard[DisksStatus]) -> Heard[DisksStatus]:
        """What is known of the disks after one more look."""
        started_s = clock.elapsed_s()
        folders = list(dict.fromkeys(self._folders.values()))
        nearest = dict(zip(folders, await asyncio.gather(*map(self._nearest, folders)), strict=True))
        # a place that is asked twice at once is taken for one that hangs
        places = list(dict.fromkeys(nearest.values()))
        looks = dict(zip(places, await asyncio.gather(*map(self._host.disk, places)), strict=True))
        found = {name: looks[nearest[folder]] for name, folder in self._folders.items()}
        troubles = tuple(dict.fromkeys(each.trouble for each in found.values() if each.trouble is not None))
        disks = await self._together(found)
        now_s = clock.elapsed_s()
        if not disks and troubles:
            trouble = Trouble(_TROUBLE, " ".join(troubles))
            return Heard(before.detail, before.answered_s, before.answered_at_s, now_s - started_s, trouble)
        return Heard(DisksStatus(disks, troubles), now_s, clock.now_s(), now_s - started_s)

    async def _nearest(self, folder: Path) -> Path:
        try:
            return await self._threads.run(folder, lambda: nearest_existing(folder), _LOOK_TIMEOUT_S)
        except (TimeoutError, OSError):
            # the look itself says what is wrong
            return folder

    async def _together(self, found: Mapping[str, FolderDisk]) -> tuple[DiskStatus, ...]:
        """Each file system once, with all that it holds."""
        holds: dict[Path, list[str]] = {}
        first: dict[Path, FolderDisk] = {}
        for name, each in found.items():
            if each.space is not None:
                place = each.place.mount_point or each.folder
                holds.setdefault(place, []).append(name)
                first.setdefault(place, each)
        # several file systems may lie on one disk, whose counters are to be read only once
        disks = {each.place.disk for each in first.values() if each.place.disk is not None}
        activities = {disk: await self._activity(disk) for disk in sorted(disks)}
        return tuple(_status(tuple(holds[place]), each, activities) for place, each in first.items())

    async def _activity(self, disk: str) -> DiskActivity | None:
        now, before = await self._host.disk_counters(disk), self._counters.get(disk)
        if now is None:
            return None
        self._counters[disk] = now
        return activity(before, now) if before is not None else None


def _status(holds: tuple[str, ...], each: FolderDisk, activities: Mapping[str, DiskActivity | None]) -> DiskStatus:
    assert each.space is not None
    place = each.place
    return DiskStatus(
        holds,
        place.mount_point,
        place.disk,
        place.file_system,
        place.rotational,
        each.space.total_bytes,
        each.space.free_bytes,
        activities.get(place.disk or ""),
    )


def nearest_existing(folder: Path) -> Path:
    """The folder, or the nearest above it that there is. Blocks as long as the file system does."""
    return next((each for each in (folder, *folder.parents) if each.exists()), folder)


def judge(heard: Heard[DisksStatus], now_s: float) -> Verdict:
    """The verdict at a moment on the clock for spans."""
    age_s, status, trouble = heard.age_s(now_s), heard.detail, heard.trouble
    if trouble is not None:
        return Verdict(Health.DOWN, Standing.DEGRADED, "unreadable", trouble.sentence)
    if status is None or age_s is None:
        return ASKING
    by_age = LIMITS[Source.DISKS].health(age_s)
    sentence = " ".join((f"{'; '.join(_said(each) for each in status.disks)}.", *status.troubles))
    if by_age is not Health.UP:
        return overdue(by_age, age_s, sentence)
    if any(each.is_low for each in status.disks):
        return Verdict(Health.UP, Standing.DEGRADED, "low", sentence)
    if status.troubles:
        return Verdict(Health.UP, Standing.DEGRADED, "in part", sentence)
    return Verdict(Health.UP, Standing.READY, "well", sentence)


def _said(each: DiskStatus) -> str:
    share = each.free_bytes / each.total_bytes if each.total_bytes else 0.0
    words = [f"{each.title} ({', '.join(each.holds)}) has {size(each.free_bytes)} free ({share:.0%})"]
    if each.is_low:
        words.append("too little for long")
    if each.activity is not None:
        words.append(f"busy {each.activity.busy:.0%}")
    return ", ".join(words)
