"""The state of systemd units, as `systemctl show` prints it: systemctl(1), org.freedesktop.systemd1(5)."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass

from utxoracle_tui import clock
from utxoracle_tui.sources.http import clean_text

PROPERTIES = ("LoadState", "ActiveState", "SubState", "Result", "NRestarts", "ExecMainStatus", "MainPID")
_NOT_FOUND = "not-found"
_ENVIRONMENT = {"LC_ALL": "C", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of systemd."""

    name: str
    load_state: str
    """`loaded`, `not-found`, `masked`, …"""
    active_state: str
    """`active`, `inactive`, `failed`, `activating`, `deactivating`, …"""
    sub_state: str
    """`running`, `dead`, `auto-restart`, …"""
    result: str | None
    """How it ended last: `success`, `exit-code`, `signal`, `oom-kill`, …"""
    restarts: int | None
    """By systemd itself, since it was last started by hand; versions before 235 don't say."""
    exit_status: int | None
    """Of its main process: an exit code, or the number of the signal that ended it."""
    main_pid: int | None
    """None when there is none."""
    at_s: float
    """Unix seconds."""
    latency_s: float

    @property
    def exists(self) -> bool:
        """Whether there is such a unit."""
        return self.load_state != _NOT_FOUND


def parse_unit(name: str, text: str, at_s: float, latency_s: float) -> Unit | None:
    """A unit from what `systemctl show` prints, one `Key=value` a line; None without the state that it is in."""
    pairs = (line.partition("=") for line in text.splitlines())
    found = {key: clean_text(value) for key, separator, value in pairs if separator and key in PROPERTIES}
    active_state = found.get("ActiveState")
    if not active_state:
        return None
    return Unit(
        name=name,
        load_state=found.get("LoadState", ""),
        active_state=active_state,
        sub_state=found.get("SubState", ""),
        result=found.get("Result") or None,
        restarts=_number(found.get("NRestarts")),
        exit_status=_number(found.get("ExecMainStatus")),
        main_pid=_number(found.get("MainPID")) or None,
        at_s=at_s,
        latency_s=latency_s,
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else None


async def read_unit(name: str, command: str, timeout_s: float) -> Unit | None:
    """Ask `command` (systemctl) for a unit; None where there is no systemd, or it doesn't answer in time."""
    started_s = clock.elapsed_s()
    try:
        process = await asyncio.create_subprocess_exec(
            command,
            "show",
            f"--property={','.join(PROPERTIES)}",
            "--no-pager",
            "--",
            name,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=os.environ | _ENVIRONMENT,
        )
    except (OSError, ValueError):
        return None
    try:
        async with asyncio.timeout(timeout_s):
            printed, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        return None
    return parse_unit(name, printed.decode(errors="replace"), clock.now_s(), clock.elapsed_s() - started_s)
