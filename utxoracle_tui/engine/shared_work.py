"""Work that several ask for at the same time, and that is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@dataclass(slots=True)
class _Shared(Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0
    lasts: bool = False
    """Whether it is done to its end, though nobody may wait for it."""


class SharedWork(Generic[K, T]):
    """Pieces of work by key, each known for as long as it is under way."""

    def __init__(self) -> None:
        self._under_way: dict[K, _Shared[T]] = {}

    async def join(self, key: K, begin: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """The result of the work under a key, begun by `begin` unless it is under way; and whether it was.

        Raises what the work raises. Cancelling ends the work when nobody else waits for it, unless it is to `last`.
        """
        shared = self._under_way.get(key)
        joined = shared is not None
        if shared is None:
            shared = self._under_way[key] = _Shared(asyncio.create_task(begin()))
            shared.task.add_done_callback(lambda task: self._is_done(key, task))
        shared.waiting += 1
        try:
            return await asyncio.shield(shared.task), joined
        finally:
            shared.waiting -= 1
            if not shared.waiting and not shared.lasts:
                shared.task.cancel()
                self._forget(key, shared.task)

    def last(self, key: K) -> None:
        """Have the work under a key done to its end from now on: it would be a pity about what is done of it."""
        self._under_way[key].lasts = True

    def _is_done(self, key: K, task: asyncio.Task[T]) -> None:
        self._forget(key, task)
        if not task.cancelled():
            # nobody may be waiting for it any more, and asyncio complains of errors that nobody looks at
            task.exception()

    def _forget(self, key: K, task: asyncio.Task[T]) -> None:
        if key in self._under_way and self._under_way[key].task is task:
            del self._under_way[key]
