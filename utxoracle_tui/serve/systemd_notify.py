"""What a service tells systemd: sd_notify(3), as datagrams to the socket that `NOTIFY_SOCKET` names."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping

from utxoracle_tui import clock

_PER_S = 1_000_000
_MOST_STATUS_CHARACTERS = 200


class Notifier:
    """Tells systemd how the service is; where there is no systemd, nobody is told, and nothing else is different."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self.watchdog_every_s = _watchdog_every_s(environ)
        """How often to say that all is well, half of what systemd waits for; None where it doesn't wait for it."""

    def ready(self) -> None:
        """The service works, for the first time or after `reloading`."""
        self._send("READY=1")

    def reloading(self) -> None:
        """It reads its configuration again. systemd compares the time with that of its own signal."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(clock.elapsed_s() * _PER_S)}")

    def stopping(self) -> None:
        """It is about to end."""
        self._send("STOPPING=1")

    def status(self, line: str) -> None:
        """What `systemctl status` shows."""
        self._send(f"STATUS={' '.join(line.split())[:_MOST_STATUS_CHARACTERS]}")

    async def run_watchdog(self) -> None:
        """Say again and again that the event loop runs; until cancelled."""
        if self.watchdog_every_s is None:
            return
        while True:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_every_s)

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        # a manager that does not listen is no reason to fail, one that is slow none to wait
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
            sending.setblocking(False)
            sending.sendto(message.encode(), self._address)


def _address(name: str) -> str | None:
    """The address of a socket; one in the abstract namespace begins with @ in the variable."""
    if not hasattr(socket, "AF_UNIX") or name[:1] not in ("/", "@"):
        return None
    return "\0" + name[1:] if name.startswith("@") else name


def _watchdog_every_s(environ: Mapping[str, str]) -> float | None:
    try:
        limit_us = int(environ.get("WATCHDOG_USEC", ""))
        # another process may be meant: sd_watchdog_enabled(3)
        meant = int(environ.get("WATCHDOG_PID", os.getpid()))
    except ValueError:
        return None
    return limit_us / 2 / _PER_S if limit_us > 0 and meant == os.getpid() else None
