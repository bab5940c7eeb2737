"""The mempool backend as a server of the simulated host."""

from __future__ import annotations

from utxoracle_tui.demo.host.container_life import Life
from utxoracle_tui.demo.host.mempool.api import Api
from utxoracle_tui.demo.host.mempool.backend import Backend
from utxoracle_tui.demo.host.service import Service

_IDLE_TIMEOUT_S = 70.0
"""After which it closes a connection that nothing is asked on, as it says in `Keep-Alive`."""


class MempoolHost:
    """The backend behind its port."""

    def __init__(self, backend: Backend) -> None:
        """Raises OSError when there is no port to be had."""
        self.backend = backend
        self.life = Life()
        self.api = Api(backend)
        self.service = Service(self.api.answer, self.api.label, idle_timeout_s=_IDLE_TIMEOUT_S)

    async def start(self) -> None:
        """Listen, long before it has heard from the node. Raises OSError."""
        if not self.service.is_listening:
            self.life.begin()
            self.backend.begin()
            await self.service.start()

    async def stop(self) -> None:
        """Refuse connections, and forget."""
        if self.service.is_listening:
            await self.service.stop()
            self.backend.end()
            self.life.end(0, restart=False)

    async def close(self) -> None:
        """Stop for good."""
        await self.service.close()
