"""Processes and systemd units, read from texts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from utxoracle_tui.sources.host_processes import (
    Process,
    ProcessActivity,
    Taken,
    Units,
    parse_process,
    process_activity,
)
from utxoracle_tui.sources.host_units import parse_unit

STAT = (
    "4242 (electrs (main) x) D 1 4242 4242 0 -1 4194560 81 0 12 0 120153 3047 0 0 20 0 23 0 987654 "
    "9223372036854775807 786432 18446744073709551615 1 1 0 0 0 0 0 4096 17663 0 0 0 17 3 0 0 77 0 0\n"
)
IO = """\
rchar: 999
wchar: 888
syscr: 7
syscw: 6
read_bytes: 123456789
write_bytes: 4096
cancelled_write_bytes: 0
"""
UNITS = Units(ticks_per_s=100, page_bytes=4096)
TAKEN = Taken(1.7e9, 50.0, 0.01)


def process(stat: str = STAT, io: str | None = IO) -> Process:
    found = parse_process(stat, io, UNITS, TAKEN)
    assert found is not None
    return found


def test_a_process_whose_name_has_brackets() -> None:
    assert process() == Process(
        pid=4242,
        name="electrs (main) x",
        state="D",
        cpu_s=1232.0,
        threads=23,
        memory_bytes=3 * 2**30,
        start_tick=987654,
        read_bytes=123456789,
        written_bytes=4096,
        at_s=1.7e9,
        taken_s=50.0,
        latency_s=0.01,
    )


@pytest.mark.parametrize("io", [None, "", "read_bytes: many\nnonsense"])
def test_the_disk_traffic_of_other_users_processes_is_not_known(io: str | None) -> None:
    assert (process(io=io).read_bytes, process(io=io).written_bytes) == (None, None)


def test_a_name_cannot_move_the_cursor() -> None:
    assert process(STAT.replace("electrs", "el\x1b[2J")).name == "el [2J (main) x"


@pytest.mark.parametrize(
    "stat", ["", "4242", "4242 (x", "x (y) R 1", STAT.replace("120153", "-1"), STAT[:60], STAT.replace("4242 (", "z (")]
)
def test_stats_that_cannot_be_understood(stat: str) -> None:
    assert parse_process(stat, IO, UNITS, TAKEN) is None


def test_what_a_process_did_between_two_readings() -> None:
    earlier = process()
    later = replace(earlier, cpu_s=1247.0, read_bytes=223456789, written_bytes=None, taken_s=60.0)
    assert process_activity(earlier, later) == ProcessActivity(1.5, 10_000_000.0, None)


def test_another_process_with_the_same_number() -> None:
    earlier = process()
    assert process_activity(earlier, replace(earlier, start_tick=1, taken_s=60.0)) is None
    assert process_activity(earlier, replace(earlier, pid=1, taken_s=60.0)) is None
    assert process_activity(earlier, earlier) is None


RUNNING = """\
Result=success
NRestarts=3
ExecMainStatus=0
MainPID=812
LoadState=loaded
ActiveState=active
SubState=running
"""
NOT_FOUND = """\
Result=success
NRestarts=0
ExecMainStatus=0
MainPID=0
LoadState=not-found
ActiveState=inactive
SubState=dead
"""
CRASHED = """\
Result=signal
NRestarts=17
ExecMainStatus=6
MainPID=0
LoadState=loaded
ActiveState=activating
SubState=auto-restart
Environment=SECRET=1
"""


def test_a_running_unit() -> None:
    unit = parse_unit("electrs", RUNNING, 1.7e9, 0.02)
    assert unit is not None
    assert (unit.name, unit.load_state, unit.active_state, unit.sub_state) == ("electrs", "loaded", "active", "running")
    assert (unit.result, unit.restarts, unit.exit_status, unit.main_pid) == ("success", 3, 0, 812)
    assert (unit.exists, unit.at_s, unit.latency_s) == (True, 1.7e9, 0.02)


def test_a_unit_that_is_not_there() -> None:
    unit = parse_unit("electrs", NOT_FOUND, 1.7e9, 0.02)
    assert unit is not None
    assert (unit.exists, unit.active_state, unit.main_pid) == (False, "inactive", None)


def test_a_unit_that_crashes_again_and_again() -> None:
    unit = parse_unit("electrs", CRASHED, 1.7e9, 0.02)
    assert unit is not None
    assert (unit.active_state, unit.sub_state, unit.result) == ("activating", "auto-restart", "signal")
    assert (unit.restarts, unit.exit_status) == (17, 6)


def test_an_old_systemd_says_less() -> None:
    unit = parse_unit("electrs", "ActiveState=failed\nExecMainStatus=\nNRestarts=[not set]\n", 1.7e9, 0.02)
    assert unit is not None
    assert (unit.active_state, unit.restarts, unit.exit_status, unit.result) == ("failed", None, None, None)


@pytest.mark.parametrize("text", ["", "ActiveState=", "ActiveState", "System has not been booted with systemd."])
def test_no_state(text: str) -> None:
    assert parse_unit("electrs", text, 1.7e9, 0.02) is None
