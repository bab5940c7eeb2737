"""The Electrum port of the simulated electrs: JSON-RPC by the line, with the methods that a look at it takes."""

from __future__ import annotations

import asyncio
import json
from typing import Protocol

from utxoracle_tui.demo.host.chain_state import Known
from utxoracle_tui.demo.host.electrs.process import Process
from utxoracle_tui.demo.host.electrs.settings import VERSION
from utxoracle_tui.demo.host.http_server import LoopbackPort, stop_accepting
from utxoracle_tui.demo.host.json_text import Json

_PROTOCOL = "1.4"


class Served(Protocol):
    """What is served."""

    process: Process | None

    @property
    def tip(self) -> Known:
        """The newest block that is indexed."""


class ElectrumServer:
    """Listens once the index is ready."""

    def __init__(self, index: Served) -> None:
        """Raises OSError when there is no port to be had."""
        self._index = index
        self._port = LoopbackPort()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def port_number(self) -> int:
        """Of its port."""
        return self._port.number

    async def start(self) -> None:
        """Listen. Raises OSError."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, sock=self._port.listening_socket())

    async def stop(self) -> None:
        """Refuse connections, and drop those that there are."""
        server, self._server = self._server, None
        if server is not None:
            await stop_accepting(server)
        for writer in list(self._writers):
            writer.close()

    async def close(self) -> None:
        """Stop for good."""
        await self.stop()
        self._port.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self._count()
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            self._count()
            writer.close()

    def _count(self) -> None:
        if self._index.process is not None:
            self._index.process.metrics.set("electrum_clients", len(self._writers))

    def _answer(self, line: bytes) -> Json:
        try:
            call = json.loads(line)
            name, number = call["method"], call.get("id")
        except (ValueError, KeyError, TypeError):
            return {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "parse error"}}
        tip = self._index.tip
        known: dict[str, Json] = {
            "server.version": [f"electrs-esplora {VERSION}", _PROTOCOL],
            "server.ping": None,
            "blockchain.headers.subscribe": {"height": tip.height, "hex": tip.header.hex()},
            "mempool.get_fee_histogram": [],
        }
        if name not in known:
            return {"jsonrpc": "2.0", "id": number, "error": f'unknown method "{name}"'}
        return {"jsonrpc": "2.0", "id": number, "result": known[name]}
