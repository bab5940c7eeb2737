"""A second port on which tests make things happen on the simulated host, and read what was asked of it.

`GET /control/<name>` reads; `POST /control/<action>` with a JSON object of the action's arguments acts, and is answered
when it is done. The names are those of `control_node`, `mempool.control` and so on, hyphens standing for underscores.
"""

from __future__ import annotations

import inspect
import json
from http import HTTPStatus

from utxoracle_tui.demo.host.control_actions import Actions
from utxoracle_tui.demo.host.http_server import LOOPBACK, HttpServer, LoopbackPort, Request, Response
from utxoracle_tui.demo.host.json_text import Json

PREFIX = "/control/"
_IDLE_TIMEOUT_S = 30.0


class ControlServer:
    """Listens on a port of its own."""

    def __init__(self, actions: Actions) -> None:
        """Raises OSError when there is no port to be had."""
        self._actions = actions
        self._port = LoopbackPort()
        self._server = HttpServer(self._answer, idle_timeout_s=_IDLE_TIMEOUT_S, on_connection=lambda: None)

    @property
    def url(self) -> str:
        """What the names of the actions follow."""
        return f"http://{LOOPBACK}:{self._port.number}{PREFIX.rstrip('/')}"

    async def listen(self) -> None:
        """Accept connections from now on."""
        await self._server.listen(self._port)

    async def close(self) -> None:
        """Close the port and all connections."""
        await self._server.close(grace_s=0)
        self._port.close()

    async def _answer(self, request: Request) -> Response:
        name = request.path.removeprefix(PREFIX).replace("-", "_")
        known = self._actions.reads if request.method == "GET" else self._actions.acts
        action = known.get(name) if request.path.startswith(PREFIX) else None
        if action is None:
            return _json(HTTPStatus.NOT_FOUND, {"error": f"{request.method} {request.path} is not known"})
        try:
            arguments = json.loads(request.body or b"{}")
            bound = inspect.signature(action).bind(**arguments)
            return _json(HTTPStatus.OK, await action(*bound.args, **bound.kwargs))
        except (ValueError, TypeError) as error:
            return _json(HTTPStatus.BAD_REQUEST, {"error": str(error)})


def _json(status: HTTPStatus, document: Json) -> Response:
    return Response(status, json.dumps(document).encode() + b"\n", "application/json")
