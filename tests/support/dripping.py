"""A server whose replies never end: a byte now and then, each in time, the whole never."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_PAUSE_S = 0.02


@contextlib.asynccontextmanager
async def dripping(listen: Callable[[Serve], Awaitable[asyncio.Server]]) -> AsyncIterator[asyncio.Server]:
    """Such a server; `listen` starts it, with what serves a connection."""
    tasks: set[asyncio.Task[None]] = set()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(ConnectionError):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(_PAUSE_S)
        writer.close()

    server = await listen(drip)
    yield server
    server.close()
    await asyncio.gather(*tasks)
    await server.wait_closed()
