"""How fast the API is over 10,000 rows: `python -m tests.bench.api_speed`.

The load tool is this file: an open loop over bare asyncio connections. Requests fall due at a fixed rate whatever the
replies take, and a reply's time counts from the moment at which its request was due, so that a server which stalls is
charged for all who would have waited. It begins when the API has looked at the stack for the first time.

Each figure stands beside what it has to meet; the exit code is 1 on a miss.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.core_speed import Figure
from tests.support.records import observation
from utxoracle_tui.store.store import Store

ROWS, EVERY_S = 10_000, 600
DAYS = ROWS * EVERY_S // 86_400 + 1
CONNECTIONS, REQUESTS_PER_S, SECONDS = 20, 100, 35
"""Long enough that the stack is looked at in the background meanwhile, as it is every 30 s."""
LATEST, COMPARISON = "/api/prices/latest", f"/api/prices/comparison?days={DAYS}"
HISTORICAL = f"/api/prices/historical?days={DAYS}"


class Connection:
    """One connection that is kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))

    async def get(self, path: str) -> bytes:
        """The body of a reply, all of it read."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: api\r\n\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return await self._reader.readexactly(int(length.partition(b":")[2]))

    def close(self) -> None:
        self._writer.close()


async def load(port: int, path: str) -> list[float]:
    """The times of all replies, in milliseconds, at the given rate over the given connections."""
    connections = [await Connection.open(port) for _ in range(CONNECTIONS)]
    begun_s = time.perf_counter() + 0.1
    found: list[float] = []

    async def ask(number: int) -> None:
        for turn in range(number, REQUESTS_PER_S * SECONDS, CONNECTIONS):
            due_s = begun_s + turn / REQUESTS_PER_S
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            await connections[number].get(path)
            found.append((time.perf_counter() - due_s) * 1e3)

    await asyncio.gather(*(ask(number) for number in range(CONNECTIONS)))
    for connection in connections:
        connection.close()
    return found


async def alone(port: int, path: str, runs: int = 30) -> tuple[list[float], bytes]:
    """The times of one client that asks again and again, in milliseconds, and what it got."""
    connection = await Connection.open(port)
    found, body = [], await connection.get(path)
    for _ in range(runs):
        started_s = time.perf_counter()
        body = await connection.get(path)
        found.append((time.perf_counter() - started_s) * 1e3)
    connection.close()
    return found, body


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """The port of an API on a store with all rows."""
    now_s = time.time()
    Store(folder, "main").observations.put(
        observation(number, now_s - (ROWS - number) * EVERY_S + 60) for number in range(ROWS)
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "utxoracle_tui", "api", "--data-dir", str(folder), "--port", str(port)]
    with subprocess.Popen(command, env=os.environ, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        try:
            yield port
        finally:
            process.terminate()


def figures(port: int) -> Iterator[Figure]:
    """Everything, one after the other."""
    while b'"checks":{}' in asyncio.run(alone(port, "/health", runs=1))[1]:
        time.sleep(0.2)
    times, body = asyncio.run(alone(port, HISTORICAL))
    assert body.count(b'"timestamp"') == ROWS, "the rows are not all there"
    yield Figure(
        f"{ROWS:,} rows to one client ({len(body) / 1e6:.1f} MB), median", statistics.median(times), "ms", 50, False
    )
    yield Figure(f"{ROWS:,} rows to one client, slowest of {len(times)}", max(times), "ms", 50, False)
    for path in (LATEST, COMPARISON):
        times = asyncio.run(load(port, path))
        name = f"{path.partition('?')[0].rpartition('/')[2]}, {REQUESTS_PER_S}/s on {CONNECTIONS} connections"
        yield Figure(f"{name}, 99th percentile", statistics.quantiles(times, n=100)[98], "ms", 50, False)


def main() -> int:
    """Print the figures; 0 when all are met."""
    met = True
    with tempfile.TemporaryDirectory() as scratch, served(Path(scratch)) as port:
        for figure in figures(port):
            print(figure, flush=True)
            met &= figure.met
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
