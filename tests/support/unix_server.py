"""The scripted server on a unix socket."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tests.support.scripted_http import ScriptedServer


@dataclass
class UnixServer(ScriptedServer):
    """A scripted server that listens on a path; `stop` takes the socket away, `die` leaves it behind."""

    path: Path = Path()

    async def start(self) -> None:
        """Listen on the path."""
        self._server = await asyncio.start_unix_server(self._accepted, self.path)

    async def stop(self) -> None:
        """Drop all connections, listen no more, and take the socket away."""
        await super().stop()
        self.path.unlink(missing_ok=True)

    async def die(self) -> None:
        """Listen no more and leave the socket, as a killed server does."""
        # newer versions of asyncio remove a socket that still lies where it was made
        aside = self.path.rename(self.path.with_suffix(".aside"))
        await super().stop()
        aside.rename(self.path)
