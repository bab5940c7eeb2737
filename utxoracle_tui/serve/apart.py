"""Work on an event loop of its own, so that what holds it up for a moment holds up no reply."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


async def apart(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of `work`, run on a loop in a thread of its own; cancelled there when this is. Raises what it raises.

    Making HTTP clients takes tens of milliseconds, as each loads the certificates that are trusted.
    """
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = Future()

    async def guarded() -> T:
        task: asyncio.Task[T] | None = asyncio.current_task()
        assert task is not None
        begun.set_result((asyncio.get_running_loop(), task))
        return await work()

    thread = asyncio.ensure_future(asyncio.to_thread(asyncio.run, guarded()))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        loop, task = await asyncio.wrap_future(begun)
        with contextlib.suppress(RuntimeError):
            # it may have ended by itself just now, and its loop with it
            loop.call_soon_threadsafe(task.cancel)
        await asyncio.wait([thread])
        raise
