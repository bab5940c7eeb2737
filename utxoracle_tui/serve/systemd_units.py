"""The systemd units of the program as text: systemd.service(5), systemd.exec(5), systemd.timer(5)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "utxoracle-tui"
WATCH, API, ANALYZE, BACKUP = (f"{PREFIX}-{name}" for name in ("watch", "api", "analyze", "backup"))
NODE_UNITS = ("bitcoind.service", "bitcoin.service")
"""What the node's unit is called, in Bitcoin Core's contrib/init and in packages."""
SYSTEM_FOLDER = Path("/etc/systemd/system")
UNIT_FOLDERS = (
    SYSTEM_FOLDER,
    Path("/run/systemd/system"),
    Path("/usr/local/lib/systemd/system"),
    Path("/usr/lib/systemd/system"),
    Path("/lib/systemd/system"),
)
"""Where the units of a machine lie: systemd.unit(5)."""
_MARK = re.compile(r"# Written by utxoracle-tui, sha256 of what follows: ([0-9a-f]{64})\n")
_BASE_MB, _WORKER_MB = 1_000, 500
"""A worker takes some 200 MB, and more while it compiles the scanner."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the units depend on."""

    command: tuple[str, ...]
    """The program and its options before the command's name; the first is an absolute path."""
    writable: tuple[Path, ...]
    """The folders that it writes to."""
    for_user: bool
    """Whether they are for the systemd of one user."""
    account: str
    """Who the program runs as."""
    interval_minutes: int = 10
    workers: int = 1
    node_unit: str | None = None
    working_folder: Path | None = None
    """Where there is a file `.env` to be read."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables that the program needs to find its folders again."""


@dataclass(frozen=True, slots=True)
class UnitFile:
    """A unit."""

    name: str
    text: str
    is_enabled: bool = True
    """Whether it is to be enabled; a service that a timer starts is not."""


def units(place: Place, *, timer: bool) -> tuple[UnitFile, ...]:
    """The units: for the watch and the API, or timers in place of the watch."""
    api = UnitFile(f"{API}.service", _sealed(_service(place, "REST API", "api", _API)))
    workers = place.workers
    if not timer:
        watch = _service(place, "watch of the price", "watch", _WATCH, after_node=True, workers=workers)
        return UnitFile(f"{WATCH}.service", _sealed(watch)), api
    analyze = _service(place, "round", "analyze", _ANALYZE, after_node=True, by_timer=True, workers=workers)
    backup = _service(place, "backup", "backup", _BACKUP, by_timer=True)
    minutes = place.interval_minutes
    every = _timer(
        f"a round every {minutes} min", "OnActiveSec=10s", f"OnUnitActiveSec={minutes}min", "AccuracySec=10s"
    )
    daily = _timer("a backup a day", "OnCalendar=daily", "RandomizedDelaySec=30min", "Persistent=true")
    return (
        UnitFile(f"{ANALYZE}.timer", _sealed(every)),
        UnitFile(f"{ANALYZE}.service", _sealed(analyze), is_enabled=False),
        UnitFile(f"{BACKUP}.timer", _sealed(daily)),
        UnitFile(f"{BACKUP}.service", _sealed(backup), is_enabled=False),
        api,
    )


_WATCH = """Type=notify
NotifyAccess=main
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=60
TimeoutStopSec=20
Restart=on-failure
RestartSec=10
# from systemd 254 on the pauses grow; an older one says that it doesn't know these two
RestartSteps=6
RestartMaxDelaySec=300
# a configuration that can't be used doesn't get better by itself
RestartPreventExitStatus=2
"""
_API = """Type=exec
TimeoutStopSec=10
Restart=on-failure
RestartSec=10
RestartSteps=6
RestartMaxDelaySec=300
RestartPreventExitStatus=2
"""
_ANALYZE = """Type=oneshot
# a price that is not valid is a result, too
SuccessExitStatus=4
TimeoutStartSec=30min
"""
_BACKUP = """Type=oneshot
TimeoutStartSec=1h
"""

_ANYWHERE = """NoNewPrivileges=yes
UMask=0077
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
# the price method is compiled to machine code as the program runs
MemoryDenyWriteExecute=no
"""
_MACHINE = """PrivateTmp=yes
# the cookie and the block files of the node are read
ProtectHome=read-only
ProtectSystem=strict
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectHostname=yes
ProtectClock=yes
RestrictNamespaces=yes
"""
"""All that needs name spaces of mounts. One user's systemd could make those only together with one of users."""


def _service(
    place: Place,
    what: str,
    command: str,
    how: str,
    *,
    after_node: bool = False,
    by_timer: bool = False,
    workers: int = 0,
) -> str:
    command_line = " ".join(quoted(word, in_command=True) for word in (*place.command, command))
    lines = ["[Unit]", f"Description=utxoracle-tui: {what}"]
    if not place.for_user:
        lines += ["Wants=network-online.target", "After=network-online.target"]
    if after_node and place.node_unit is not None:
        lines += [f"Wants={place.node_unit}", f"After={place.node_unit}"]
    if not by_timer:
        # however often it failed, it is started again
        lines.append("StartLimitIntervalSec=0")
    lines += ["", "[Service]", f"ExecStart={command_line}", how.rstrip(), *_surroundings(place, workers)]
    if not by_timer:
        lines += ["", "[Install]", f"WantedBy={'default.target' if place.for_user else 'multi-user.target'}"]
    return "\n".join(lines) + "\n"


def _surroundings(place: Place, workers: int) -> list[str]:
    lines = [] if place.for_user else [f"User={place.account}"]
    if place.working_folder is not None:
        lines.append(f"WorkingDirectory={escaped(str(place.working_folder))}")
    lines += [f"Environment={quoted(f'{name}={value}')}" for name, value in sorted(place.variables.items())]
    lines += [f"MemoryMax={_BASE_MB + _WORKER_MB * workers}M", "", _ANYWHERE.rstrip()]
    if not place.for_user:
        lines.append(_MACHINE.rstrip())
        if place.account != "root":
            lines.append("CapabilityBoundingSet=")
        lines += [f"ReadWritePaths={quoted(str(folder))}" for folder in place.writable]
    return lines


def _timer(what: str, *when: str) -> str:
    head = ["[Unit]", f"Description=utxoracle-tui: {what}", "", "[Timer]"]
    return "\n".join([*head, *when, "", "[Install]", "WantedBy=timers.target"]) + "\n"


def escaped(text: str) -> str:
    """A value that is taken whole, such as one path: only specifiers are looked for in it."""
    return text.replace("%", "%%")


def quoted(word: str, *, in_command: bool = False) -> str:
    """A word of a list, or of a command line, where variables are put in: systemd.syntax(7), systemd.service(5)."""
    word = escaped(word)
    if re.fullmatch(r"[\w@%+=:,./-]+", word, re.ASCII):
        return word
    word = word.replace("\\", "\\\\").replace('"', '\\"')
    word = word.replace("$", "$$") if in_command else word
    word = "".join(char if char.isprintable() else "".join(f"\\x{byte:02x}" for byte in char.encode()) for char in word)
    return f'"{word}"'


def _sealed(text: str) -> str:
    """A unit's text behind a line that tells whether it was changed since."""
    return f"# Written by utxoracle-tui, sha256 of what follows: {_digest(text)}\n{text}"


def is_as_written(text: str) -> bool:
    """Whether the text of a unit is as this program wrote it, in whatever version."""
    mark = _MARK.match(text)
    return mark is not None and mark[1] == _digest(text[mark.end() :])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def find_node_unit(folders: Sequence[Path]) -> str | None:
    """The node's unit, where there is one by the usual name."""
    return next((name for name in NODE_UNITS if any((folder / name).is_file() for folder in folders)), None)
