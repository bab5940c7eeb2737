"""Somebody who is posted to, on a real socket, and behaves as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

SILENT = 0
"""In place of a status: the request is read, and never answered."""


@dataclass
class Receiver:
    """What came, and how it is answered: by `answers` in turn, then 200."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    tries: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/s3cret-path"

    async def until(self, count: int) -> None:
        """Wait for so many that were answered with 200."""
        async with asyncio.timeout(20):
            while len(self.got) < count:
                await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            headers = {name.lower(): value for name, value in headers.items()} | {":request": head.split("\r\n")[0]}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.tries += 1
            status = self.answers.pop(0) if self.answers else 200
            if status == SILENT:
                await reader.read()
                return
            if status == 200:
                self.got.append((headers, body))
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(receiver: Receiver) -> AsyncIterator[Receiver]:
    """Listen, on the receiver's port if it had one before."""
    server = await asyncio.start_server(receiver._serve, "127.0.0.1", receiver.port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
