"""Answering requests, and ending when told to."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator

import uvicorn

from utxoracle_tui.serve.app import Answers, make_app

_SWITCH_S = 0.0005
"""A tenth of Python's own: a reply gives up the interpreter at each of its few system calls, and waits so long to have
it back from a thread that computes, as the look at the stack does and the reading of new rows.
"""
_END_WITHIN_S = 1
"""Replies that are under way have so long once the end is asked for."""


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
