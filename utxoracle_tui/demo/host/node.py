"""The simulated Bitcoin Core: its port, its starts and stops, and what happens to each request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from utxoracle_tui import clock
from utxoracle_tui.demo.host.bitcoind_rest import Rest
from utxoracle_tui.demo.host.bitcoind_rpc import JsonRpc
from utxoracle_tui.demo.host.credentials import Credentials
from utxoracle_tui.demo.host.faults import Faults
from utxoracle_tui.demo.host.http_server import HttpServer, LoopbackPort, Request, Response
from utxoracle_tui.demo.host.node_state import NodeState
from utxoracle_tui.demo.host.work_queue import QueueFull, WorkQueue

RPC_PATH = "/"
FIRST_WARM_UP_S = 0.1
_STOP_GRACE_S = 2.0
_QUEUE_FULL = Response(HTTPStatus.SERVICE_UNAVAILABLE, b"Work queue depth exceeded")


@dataclass(frozen=True, slots=True)
class _Phase:
    message: str
    share: float
    """Of the whole warm-up."""
    loads_blocks: bool = False


_PHASES = (
    _Phase("Loading banlist…", 0.1),
    _Phase("Loading block index…", 0.5, loads_blocks=True),
    _Phase("Verifying blocks…", 0.3),
    _Phase("Starting network threads…", 0.1),
)


class Node:
    """Listens, warms up, answers, and goes down and comes back as it is told."""

    def __init__(self, state: NodeState, port: LoopbackPort, blocks_loaded: asyncio.Event) -> None:
        """A warm-up lasts at least until `blocks_loaded`."""
        self.state = state
        self.faults = Faults()
        self._port = port
        self._blocks_loaded = blocks_loaded
        self.credentials = Credentials(state.folder, state.settings.rpc_user, state.settings.rpc_password)
        self._rpc = JsonRpc(state, self.credentials)
        self._rest = Rest(state)
        self._server: HttpServer | None = None
        self._queue = self._new_queue()
        self._changing = asyncio.Lock()

    @property
    def is_listening(self) -> bool:
        """Whether anybody can connect."""
        return self._server is not None

    def reconfigure(self) -> None:
        """Take over what was changed in the settings; the idle time-out counts from the next start on."""
        self._queue = self._new_queue()

    async def listen(self) -> None:
        """Open the port, with a new cookie and warming up. Raises OSError."""
        async with self._changing:
            await self._listen()

    async def start(self, warm_up_s: float) -> None:
        """Open the port if it isn't, and warm up if that hasn't been done."""
        async with self._changing:
            await self._listen()
            if self.state.warming_up is not None:
                await self._warm_up(_PHASES, warm_up_s)

    async def stop(self, *, clean: bool = True) -> None:
        """Close the port. A node that ends cleanly answers what it has begun and deletes its cookie file."""
        async with self._changing:
            await self._stop(clean=clean)

    async def restart(self, *, down_s: float, warm_up_s: float, clean: bool = True) -> None:
        """Stop, stay away for `down_s` seconds, and start again."""
        async with self._changing:
            await self._stop(clean=clean)
            await asyncio.sleep(down_s)
            await self._listen()
            await self._warm_up(_PHASES, warm_up_s)

    async def _listen(self) -> None:
        if self._server is not None:
            return
        self.state.warming_up = _PHASES[0].message
        self.state.started_s = clock.elapsed_s()
        self._queue = self._new_queue()
        self.credentials.renew()
        self._server = HttpServer(
            self._handle, idle_timeout_s=self.state.settings.idle_timeout_s, on_connection=self._count_connection
        )
        await self._server.listen(self._port)

    async def _warm_up(self, phases: Sequence[_Phase], seconds: float) -> None:
        for phase in phases:
            self.state.warming_up = phase.message
            await asyncio.sleep(seconds * phase.share)
            if phase.loads_blocks:
                await self._blocks_loaded.wait()
        self.state.warming_up = None

    async def _stop(self, *, clean: bool) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.close(_STOP_GRACE_S if clean else 0.0)
        if clean:
            self.credentials.remove_file()

    async def _handle(self, request: Request) -> Response:
        statistics = self.state.statistics
        calls: list[str] = []
        status: int | None = None
        begun_s = statistics.begin()
        try:
            response = await self._answer(request, calls)
            status = response.status
            return response
        finally:
            statistics.end(begun_s, calls or [request.path], status)

    async def _answer(self, request: Request, calls: list[str]) -> Response:
        is_rest = self._rest.offers(request.path)
        if not is_rest and request.path != RPC_PATH:
            return Response(HTTPStatus.NOT_FOUND)
        if self.faults.refuses():
            return _QUEUE_FULL
        try:
            async with self._queue.thread():
                await self.faults.delay(request.path)
                return self._rest.answer(request, calls) if is_rest else await self._rpc.answer(request, calls)
        except QueueFull:
            return _QUEUE_FULL

    def _new_queue(self) -> WorkQueue:
        return WorkQueue(self.state.settings.threads, self.state.settings.queue_depth)

    def _count_connection(self) -> None:
        self.state.statistics.connections += 1
