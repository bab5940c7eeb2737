"""A second port on which tests make things happen to the simulated node, and read what was asked of it.

`GET /control/state`, `/control/statistics` and `/control/requests` read; `POST /control/<action>` with a JSON object of
the action's arguments acts, and is answered when it is done.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from dataclasses import fields
from http import HTTPStatus
from typing import Protocol

from utxoracle_tui.demo.host.chain_state import ChainState, Known
from utxoracle_tui.demo.host.credentials import Accept
from utxoracle_tui.demo.host.history import History
from utxoracle_tui.demo.host.http_server import LOOPBACK, HttpServer, LoopbackPort, Request, Response
from utxoracle_tui.demo.host.json_text import Json
from utxoracle_tui.demo.host.node import Node

PREFIX = "/control/"
_Known = dict[str, Callable[..., Awaitable[Json]]]
_IDLE_TIMEOUT_S = 30.0
_RESTART_DOWN_S = 0.3
_RESTART_WARM_UP_S = 1.0


class Controlled(Protocol):
    """What there is to control."""

    node: Node
    chain: ChainState
    history: History

    @property
    def is_ready(self) -> bool:
        """Whether the node has warmed up for the first time."""

    async def mine(self, count: int = 1) -> list[Known]:
        """Let blocks arrive."""

    async def reorg(self, depth: int, length: int) -> list[Known]:
        """Let a longer branch replace the newest blocks."""

    async def prune(self, below: int | None) -> None:
        """Forget the blocks under a height."""


class ControlServer:
    """Listens on a port of its own."""

    def __init__(self, host: Controlled) -> None:
        self._actions = _Actions(host)
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


class _Actions:
    def __init__(self, host: Controlled) -> None:
        self._host = host
        self.reads: _Known = {"state": self.state, "statistics": self.statistics, "requests": self.requests}
        self.acts: _Known = {
            "mine": self.mine,
            "reorg": self.reorg,
            "start": self.start,
            "stop": self.stop,
            "restart": self.restart,
            "busy": self.busy,
            "latency": self.latency,
            "hang": self.hang,
            "prune": self.prune,
            "lose_cookie": self.lose_cookie,
            "settings": self.settings,
            "clear_statistics": self.clear_statistics,
        }

    async def state(self) -> Json:
        """How far the host is, and what the node is up to."""
        blocks = len(self._host.chain)
        return {
            "ready": self._host.is_ready,
            "blocks_made": blocks,
            "blocks_planned": max(blocks, len(self._host.history) + 1),
            "listening": self._host.node.is_listening,
            "warming_up": self._host.node.state.warming_up,
            "tip": self._host.chain.tip.hash if blocks else None,
        }

    async def statistics(self) -> Json:
        """Counts of what was asked."""
        return self._host.node.state.statistics.as_document()

    async def requests(self) -> Json:
        """The newest requests: second of arrival, what was called, status (0: the client went away)."""
        return list(self._host.node.state.statistics.log)

    async def mine(self, *, count: int = 1) -> Json:
        """Let blocks arrive; their hashes."""
        return {"hashes": [block.hash for block in await self._host.mine(count)]}

    async def reorg(self, *, depth: int = 1, length: int = 2) -> Json:
        """Let a longer branch replace the newest blocks; its hashes."""
        return {"hashes": [block.hash for block in await self._host.reorg(depth, length)]}

    async def start(self, *, warm_up_s: float = _RESTART_WARM_UP_S) -> Json:
        """Let the node listen again."""
        await self._host.node.start(warm_up_s)
        return {}

    async def stop(self, *, clean: bool = True) -> Json:
        """Let the node go down; uncleanly it leaves its cookie and drops what it was answering."""
        await self._host.node.stop(clean=clean)
        return {}

    async def restart(
        self, *, down_s: float = _RESTART_DOWN_S, warm_up_s: float = _RESTART_WARM_UP_S, clean: bool = True
    ) -> Json:
        """Both of them."""
        await self._host.node.restart(down_s=down_s, warm_up_s=warm_up_s, clean=clean)
        return {}

    async def busy(self, *, requests: int = 0, seconds: float = 0.0) -> Json:
        """Refuse so many requests, and all for so long, as a node whose queue is full."""
        self._host.node.faults.be_busy(requests=requests, seconds=seconds)
        return {}

    async def latency(self, *, seconds: float, path: str = "") -> Json:
        """Take that long for requests to paths that begin so."""
        self._host.node.faults.be_slow(seconds, path)
        return {}

    async def hang(self, *, on: bool = True, path: str = "") -> Json:
        """Leave requests to paths that begin so without an answer, until `on` is false."""
        if on:
            self._host.node.faults.hang(path)
        else:
            self._host.node.faults.answer()
        return {}

    async def prune(self, *, below: int | None) -> Json:
        """Forget the blocks under a height; null is a node that doesn't prune."""
        await self._host.prune(below)
        return {}

    async def lose_cookie(self) -> Json:
        """Delete the cookie file under a running node."""
        self._host.node.credentials.remove_file()
        return {}

    async def settings(self, **changes: Json) -> Json:
        """Change fields of `NodeSettings`."""
        settings = self._host.node.state.settings
        unknown = changes.keys() - {field.name for field in fields(settings)}
        if unknown:
            raise ValueError(f"no such settings: {', '.join(sorted(unknown))}")
        for name, value in changes.items():
            setattr(settings, name, Accept(value) if name == "accept" else value)
        self._host.node.reconfigure()
        return {}

    async def clear_statistics(self) -> Json:
        """Count from nothing again."""
        self._host.node.state.statistics.clear()
        return {}


def _json(status: HTTPStatus, document: Json) -> Response:
    return Response(status, json.dumps(document).encode() + b"\n", "application/json")
