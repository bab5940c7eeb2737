"""This machine, and parts of it that don't answer."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.scripted_http import Json
from utxoracle_tui import clock
from utxoracle_tui.sources import host as host_module
from utxoracle_tui.sources.host import Host
from utxoracle_tui.sources.host_disks import Space, activity
from utxoracle_tui.sources.host_processes import process_activity
from utxoracle_tui.sources.host_threads import SideThreads
from utxoracle_tui.sources.host_units import PROPERTIES

ON_LINUX = sys.platform == "linux"
NO_UNIT = "no-such-unit-of-utxoracle-tui.service"


async def test_the_size_of_a_file_system(tmp_path: Path) -> None:
    before_s = clock.now_s()
    found = await Host().disk(tmp_path)
    expected = shutil.disk_usage(tmp_path)
    assert found.space is not None
    assert found.trouble is None
    assert found.space.total_bytes == expected.total
    assert abs(found.space.free_bytes - expected.free) < 2**30
    assert abs(found.space.used_bytes - expected.used) < 2**30
    assert (found.folder, before_s <= found.at_s <= clock.now_s(), found.latency_s > 0) == (tmp_path, True, True)


async def test_the_mount_point_is_that_which_df_names(tmp_path: Path) -> None:
    found = await Host().disk(tmp_path)
    if not ON_LINUX:
        assert found.place.mount_point is None
        return
    printed = subprocess.run(
        ["df", "--output=target,fstype", str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout
    target, kind = printed.splitlines()[1].split()
    assert (found.place.mount_point, found.place.file_system) == (Path(target), kind)


async def test_links_are_followed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/proc")
    found = (await Host().disk(link)).place
    assert (found.mount_point, found.device) == (Path("/proc") if ON_LINUX else None, None)


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    found = await Host().disk(folder)
    assert (found.space, found.place.device) == (None, None)
    assert found.trouble == f"The disk of {folder} can't be looked at: no such file or directory."


async def test_the_counters_of_real_disks_do_not_go_down() -> None:
    text = Path("/proc/diskstats").read_text(encoding="ascii") if ON_LINUX else ""
    names = [line.split()[2] for line in text.splitlines()]
    earlier = [await Host().disk_counters(name) for name in names]
    later = [await Host().disk_counters(name) for name in names]
    for first, second in zip(earlier, later, strict=True):
        assert first is not None
        assert second is not None
        done = activity(first, second)
        assert done is not None
        assert 0 <= done.busy <= 1
        assert done.read_bytes_per_s >= 0
    assert await Host().disk_counters("no-such-disk") is None


async def test_what_is_written_is_counted_at_the_disk_of_the_folder(tmp_path: Path) -> None:
    """Where there is such a disk: a folder in memory or in a container has none, which must then be said."""
    place = (await Host().disk(tmp_path)).place
    if place.disk is None:
        assert place.rotational is None
        return
    before = await Host().disk_counters(place.disk)
    with (tmp_path / "file").open("wb") as file:
        file.write(os.urandom(2**20))
        file.flush()
        os.fsync(file.fileno())
    after = await Host().disk_counters(place.disk)
    assert before is not None
    assert after is not None
    assert after.written_bytes - before.written_bytes >= 2**20
    assert place.rotational is not None


async def test_this_process() -> None:
    earlier = await Host().process(os.getpid())
    if not ON_LINUX:
        assert earlier is None
        return
    assert earlier is not None
    until_s = os.times().user + os.times().system + 0.05
    while os.times().user + os.times().system < until_s:
        hashlib.sha256(b"work" * 10_000).digest()
    later = await Host().process(os.getpid())
    assert later is not None
    done = process_activity(earlier, later)
    assert done is not None
    assert done.busy_cores > 0
    assert 0.04 <= later.cpu_s - earlier.cpu_s < 60
    assert (later.pid, later.state in ("R", "S", "D"), later.threads >= 1) == (os.getpid(), True, True)
    assert later.memory_bytes > 2**20
    assert later.read_bytes is not None


async def test_a_process_that_is_not_there(tmp_path: Path) -> None:
    assert await Host(proc=tmp_path).process(1) is None
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert await Host().process(child.pid) is None


async def test_a_machine_without_proc_and_sys(tmp_path: Path) -> None:
    host = Host(proc=tmp_path, sys=tmp_path, systemctl=str(tmp_path / "systemctl"))
    disk = await host.disk(tmp_path)
    assert (disk.space is not None, disk.trouble, disk.place.mount_point) == (True, None, None)
    assert await host.disk_counters("sda") is None
    assert await host.unit("electrs") is None


async def test_a_file_system_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first question waits; the event loop goes on, and so does everything once it answers again."""
    hung = threading.Event()
    asked = []

    def hang(folder: Path) -> Space:
        asked.append(folder)
        hung.wait()
        return Space(3, 2, 1)

    monkeypatch.setattr(host_module, "read_space", hang)
    host = Host(timeout_s=0.1)
    folder = Path("/mnt/nas")
    found = await host.disk(folder)
    assert found.space is None
    assert found.trouble == (
        "The file system of /mnt/nas does not answer: a disk that fails, or a network file system whose server is "
        "gone. See the kernel's messages (`sudo dmesg -T | tail`)."
    )
    assert (await host.disk(folder)).trouble == found.trouble
    assert asked == [folder]
    hung.set()
    async with asyncio.timeout(10):
        while (again := await host.disk(folder)).space is None:
            await asyncio.sleep(0.01)
    assert again.space == Space(3, 2, 1)


async def test_errors_of_work_aside_reach_who_waits() -> None:
    def fail() -> int:
        raise KeyError("missing")

    threads = SideThreads()
    for _ in range(2):
        with pytest.raises(KeyError, match="missing"):
            await threads.run("subject", fail, 10)


async def test_systemd_of_this_machine() -> None:
    unit = await Host().unit(NO_UNIT)
    if Path("/run/systemd/system").is_dir():
        assert unit is not None
        assert (unit.exists, unit.active_state) == (False, "inactive")
    else:
        assert unit is None


def systemctl(folder: Path, script: str) -> str:
    """A command in its place."""
    command = folder / "systemctl"
    command.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    command.chmod(0o755)
    return str(command)


async def test_what_systemctl_is_asked(tmp_path: Path) -> None:
    command = systemctl(tmp_path, 'echo "ActiveState=active"; echo "SubState=$LC_ALL $*"')
    unit = await Host(systemctl=command).unit("-electrs")
    assert unit is not None
    assert unit.sub_state == f"C show --property={','.join(PROPERTIES)} --no-pager -- -electrs"


@pytest.mark.parametrize("script", ["exit 1", "echo ActiveState=active; exit 1", "echo nonsense", "printf '\\377'"])
async def test_a_systemctl_that_cannot_say(tmp_path: Path, script: str) -> None:
    assert await Host(systemctl=systemctl(tmp_path, script)).unit("electrs") is None


async def test_a_systemctl_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    start = asyncio.create_subprocess_exec

    async def note(*arguments: Json, **options: Json) -> asyncio.subprocess.Process:
        started.append(await start(*arguments, **options))
        return started[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", note)
    command = systemctl(tmp_path, "exec sleep 1000")
    assert await Host(systemctl=command, timeout_s=0.2).unit("electrs") is None
    assert [process.returncode for process in started] == [-signal.SIGKILL]


async def test_names_that_no_command_can_take() -> None:
    assert await Host(systemctl=sys.executable).unit("electrs\0") is None
