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


class SharedWork(Generic[K, T]):
    """Pieces of work by key, each known for as long as somebody waits for it."""

    def __init__(self) -> None:
        self._under_way: dict[K, _Shared[T]] = {}

    async def join(self, key: K, begin: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """The result of the work under a key, begun by `begin` unless it is under way; and whether it was.

        Raises what the work raises. Cancelling ends the work when nobody else waits for it.
        """
        shared = self._under_way.get(key)
        joined = shared is not None
        if shared is None:
            shared = self._under_way[key] = _Shared(asyncio.create_task(begin()))
        shared.waiting += 1
        try:
            return await asyncio.shield(shared.task), joined
        finally:
            shared.waiting -= 1
            if not shared.waiting:
                shared.task.cancel()
                del self._under_way[key]
