"""Listening, and ending when told to."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import sys
from collections.abc import Iterator

import uvicorn

from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.serve.app import Answers, make_app

_SWITCH_S = 0.0005
"""A tenth of Python's own: a reply gives up the interpreter at each of its few system calls, and waits so long to have
it back from a thread that computes, as the look at the stack does and the reading of new rows.
"""
_END_WITHIN_S = 1
"""Replies that are under way have so long once the end is asked for."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises `OperatorError` where that can't be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=socket.SOMAXCONN)
    except OSError as error:
        raise _refused(host, port, error) from None


def _refused(host: str, port: int, error: OSError) -> OperatorError:
    failed = f"The API could not be started on {host} port {port}"
    if error.errno == errno.EADDRINUSE:
        return OperatorError(
            "port_taken",
            f"{failed}: another program has it. End that one, or name another port with --port.",
            Exit.FAILED,
            host,
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return OperatorError(
            "no_permission", f"{failed}: this user may not use it. Name one above 1023 with --port.", Exit.FAILED, host
        )
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return OperatorError(
            "no_such_address", f"{failed}: this machine has no such address. Name one with --host.", Exit.FAILED, host
        )
    return OperatorError("can't_listen", f"{failed}: {error.strerror or error}.", Exit.FAILED, host)


async def serve(answers: Answers, listening: socket.socket) -> None:
    """Serve until SIGTERM, SIGHUP or Ctrl-C; replies under way are ended first."""
    config = uvicorn.Config(
        make_app(answers),
        # what it has to say goes to the program's own log
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_END_WITHIN_S,
    )
    sys.setswitchinterval(_SWITCH_S)
    async with asyncio.TaskGroup() as tasks:
        beside = [tasks.create_task(answers.follower.run()), tasks.create_task(answers.checks.run())]
        await _Server(config).serve(sockets=[listening])
        for task in beside:
            task.cancel()


class _Server(uvicorn.Server):
    """Ends in order by a signal; uvicorn's own way kills the process by the same signal afterwards."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            # not every platform has all of them
            with contextlib.suppress(AttributeError, NotImplementedError):
                number = getattr(signal, name)
                loop.add_signal_handler(number, self.handle_exit, number, None)
        yield
