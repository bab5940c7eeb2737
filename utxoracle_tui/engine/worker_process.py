"""One worker process, and how a task gets there and its outcome back: pickled, through a pair of sockets.

The event loop itself reads and writes its end, a piece at a time as there is room. Threads that do it for the loop, as
pools of processes usually have them, take turns with it at Python's one lock, which cost more than to digest a block.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import pickle
import select
import socket
import traceback
from collections.abc import Callable
from multiprocessing.context import SpawnContext
from typing import TypeVar

from utxoracle_tui import lean_memory
from utxoracle_tui.engine.worker_tasks import start_worker

T = TypeVar("T")
_LENGTH_BYTES = 8
_IDLE_S = 10.0
"""After so long without a task a worker gives back the memory that it holds for the next one."""


class WorkerEnded(Exception):
    """The process ended before the outcome of a task was there."""


class WorkerProcess:
    """A process that does one task after another. It ends with the process that began it, whatever ends that."""

    def __init__(self, context: SpawnContext, cache_dir: str) -> None:
        """Start the process; `cache_dir` is where it keeps compiled code."""
        self._socket, there = socket.socketpair()
        with there:
            self._process = context.Process(target=_serve, args=(there, cache_dir), daemon=True)
            self._process.start()
        self._socket.setblocking(False)
        self._is_at_work = False
        self.is_at_odds = False
        """Whether a reply may still come that nobody waits for: then it is of no more use."""
        self._is_ended = False

    @property
    def is_usable(self) -> bool:
        """Whether it can be given a task."""
        return not self.is_at_odds and self._process.is_alive()

    async def outcome_of(self, task: Callable[[], T]) -> T:
        """Have a task done; its result. One task at a time.

        Raises what the task raises, with where as a note; `WorkerEnded` when the process does. Cancelled meanwhile, the
        process is of no more use.
        """
        request = _message(task)
        self._is_at_work = self.is_at_odds = True
        try:
            await asyncio.get_running_loop().sock_sendall(self._socket, request)
            reply = await self._received(int.from_bytes(await self._received(_LENGTH_BYTES)))
        except OSError:
            raise WorkerEnded from None
        else:
            self.is_at_odds = False
        finally:
            self._is_at_work = False
            if self._is_ended:
                self._socket.close()
        is_result, found = pickle.loads(reply)
        if not is_result:
            raise found
        result: T = found
        return result

    async def _received(self, count: int) -> bytearray:
        loop = asyncio.get_running_loop()
        content = bytearray(count)
        rest = memoryview(content)
        while rest:
            n_bytes = await loop.sock_recv_into(self._socket, rest)
            if n_bytes == 0:
                raise WorkerEnded
            rest = rest[n_bytes:]
        return content

    def end(self) -> None:
        """End the process at once, whatever it is at."""
        self._is_ended = True
        self._process.kill()
        if not self._is_at_work:
            # or else the loop has its eye on the socket, which tells it of the end
            self._socket.close()

    def wait(self, timeout_s: float) -> None:
        """Wait for the process to have ended."""
        self._process.join(timeout_s)


def _serve(connection: socket.socket, cache_dir: str) -> None:
    """What the process runs: tasks as they come, until the other end is gone."""
    start_worker(cache_dir)
    with connection, contextlib.suppress(OSError, EOFError):
        while True:
            if not select.select([connection], [], [], _IDLE_S)[0]:
                lean_memory.give_back()
            request = _received(connection, int.from_bytes(_received(connection, _LENGTH_BYTES)))
            connection.sendall(_reply(request))


def _message(content: object) -> memoryview:
    """What is sent: the length, and so many bytes of a pickle. In one piece, as each wakes up the other side."""
    message = io.BytesIO(bytes(_LENGTH_BYTES))
    message.seek(_LENGTH_BYTES)
    pickle.dump(content, message, pickle.HIGHEST_PROTOCOL)
    view = message.getbuffer()
    view[:_LENGTH_BYTES] = (len(view) - _LENGTH_BYTES).to_bytes(_LENGTH_BYTES)
    return view


def _reply(request: bytearray) -> memoryview:
    try:
        return _message((True, pickle.loads(request)()))
    except Exception as error:  # noqa: BLE001  (the edge of a worker: whoever asked for the task gets it)
        where = "".join(traceback.format_exception(error))
        error.add_note(where)
        try:
            return _message((False, error))
        except Exception:  # noqa: BLE001  (some errors hold what can't be sent)
            return _message((False, RuntimeError(where)))


def _received(connection: socket.socket, count: int) -> bytearray:
    content = bytearray(count)
    rest = memoryview(content)
    while rest:
        n_bytes = connection.recv_into(rest)
        if n_bytes == 0:
            raise EOFError
        rest = rest[n_bytes:]
    return content
