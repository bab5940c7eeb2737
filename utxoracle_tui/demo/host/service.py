"""A server of the simulated host that tests can stop, slow down, silence, and ask what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from utxoracle_tui.demo.host.faults import Faults
from utxoracle_tui.demo.host.http_server import LOOPBACK, Handler, HttpServer, LoopbackPort, Port, Request, Response
from utxoracle_tui.demo.host.statistics import Statistics

_BUSY = Response(HTTPStatus.SERVICE_UNAVAILABLE, b"Service Unavailable", "text/plain; charset=utf-8")


class Service:
    """A port with what answers on it. Whoever connects while it is stopped is refused."""

    def __init__(
        self, handler: Handler, label: Callable[[Request], str], *, idle_timeout_s: float, port: Port | None = None
    ) -> None:
        """`label` says what a request is counted as; without a port it is a free one of the loopback.

        Raises OSError when there is none to be had.
        """
        self.faults = Faults()
        self.statistics = Statistics()
        self._handler = handler
        self._label = label
        self._idle_timeout_s = idle_timeout_s
        self._port: Port = port or LoopbackPort()
        self._server: HttpServer | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{LOOPBACK}:{self.port_number}"

    @property
    def port_number(self) -> int:
        """Of its port; 0 for one that has none."""
        return self._port.number if isinstance(self._port, LoopbackPort) else 0

    @property
    def is_listening(self) -> bool:
        """Whether anybody can connect."""
        return self._server is not None

    @property
    def open_connections(self) -> int:
        """How many clients are connected."""
        return self._server.open_connections if self._server is not None else 0

    async def start(self) -> None:
        """Listen, unless it does. Raises OSError."""
        if self._server is None:
            self._server = HttpServer(self._handle, idle_timeout_s=self._idle_timeout_s, on_connection=self._count)
            await self._server.listen(self._port)

    async def stop(self, grace_s: float = 0.0) -> None:
        """Refuse connections from now on, and drop those that are left after `grace_s`."""
        server, self._server = self._server, None
        if server is not None:
            await server.close(grace_s)

    async def close(self) -> None:
        """Stop for good."""
        await self.stop()
        self._port.close()

    async def _handle(self, request: Request) -> Response:
        status: int | None = None
        begun_s = self.statistics.begin()
        try:
            response = await self._answer(request)
            status = response.status
            return response
        finally:
            self.statistics.end(begun_s, [self._label(request)], status)

    async def _answer(self, request: Request) -> Response:
        if self.faults.refuses():
            return _BUSY
        await self.faults.delay(request.path)
        return await self._handler(request)

    def _count(self) -> None:
        self.statistics.connections += 1
