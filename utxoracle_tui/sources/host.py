"""The client of the machine that the console runs on: disks, processes, systemd units. It only ever looks.

What this machine doesn't say is None, not an error: other systems than Linux, containers and other users' processes
say less.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from utxoracle_tui import clock
from utxoracle_tui.sources.host_disks import (
    DiskCounters,
    Place,
    Space,
    parse_counters,
    read_place,
    read_space,
    read_text,
)
from utxoracle_tui.sources.host_processes import Process, Taken, Units, parse_process
from utxoracle_tui.sources.host_threads import SideThreads
from utxoracle_tui.sources.host_units import Unit, read_unit

_NOWHERE = Place(None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class FolderDisk:
    """The file system that holds a folder."""

    folder: Path
    space: Space | None
    """None where it can't be told; `trouble` says why."""
    place: Place
    trouble: str | None
    """A sentence for the operator."""
    at_s: float
    """Unix seconds."""
    latency_s: float


class Host:
    """This machine. `proc` and `sys` are where the kernel's files are, `systemctl` the command for units."""

    def __init__(
        self,
        *,
        proc: Path = Path("/proc"),
        sys: Path = Path("/sys"),
        systemctl: str = "systemctl",
        timeout_s: float = 5.0,
    ) -> None:
        self._proc = proc
        self._sys = sys
        self._systemctl = systemctl
        self._timeout_s = timeout_s
        self._threads = SideThreads()

    async def disk(self, folder: Path) -> FolderDisk:
        """Size, device and mount point of the file system that holds a folder."""
        started_s = clock.elapsed_s()
        space, place, trouble = None, _NOWHERE, None
        try:
            space, place = await self._threads.run(folder, lambda: self._look_at(folder), self._timeout_s)
        except TimeoutError:
            trouble = (
                f"The file system of {folder} does not answer: a disk that fails, or a network file system whose "
                "server is gone. See the kernel's messages (`sudo dmesg -T | tail`)."
            )
        except OSError as error:
            trouble = f"The disk of {folder} can't be looked at: {(error.strerror or 'unknown reason').lower()}."
        return FolderDisk(folder, space, place, trouble, clock.now_s(), clock.elapsed_s() - started_s)

    async def disk_counters(self, disk: str) -> DiskCounters | None:
        """What a disk, or another block device, has done so far; `activity` compares two readings."""
        started_s = clock.elapsed_s()
        text = await asyncio.to_thread(read_text, self._proc / "diskstats")
        taken = self._taken(started_s)
        return parse_counters(text or "", disk, taken.at_s, taken.taken_s, taken.latency_s)

    async def process(self, pid: int) -> Process | None:
        """What a process has used so far; `process_activity` compares two readings. None if it isn't there."""
        started_s = clock.elapsed_s()
        folder = self._proc / str(pid)
        stat, io = await asyncio.to_thread(lambda: (read_text(folder / "stat"), read_text(folder / "io")))
        if stat is None:
            return None
        units = Units(os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE"))
        return parse_process(stat, io, units, self._taken(started_s))

    async def unit(self, name: str) -> Unit | None:
        """The state of a systemd unit, also of one that doesn't exist; None where systemd doesn't run."""
        return await read_unit(name, self._systemctl, self._timeout_s)

    def _look_at(self, folder: Path) -> tuple[Space, Place]:
        space = read_space(folder)
        return space, read_place(os.path.realpath(folder), self._proc, self._sys)

    def _taken(self, started_s: float) -> Taken:
        now_s = clock.elapsed_s()
        return Taken(clock.now_s(), now_s, now_s - started_s)
