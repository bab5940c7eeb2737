"""Handing blocks over to the workers: through memory that both sides see, where the system has it, not through a pipe.

A megabyte goes through a pipe in sixteen pieces, each with a wait of one side for the other. The memory belongs to the
process that hands over, has no name in any file system, and is gone with it, however it ends.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class NotHandedOver(Exception):
    """A worker could not have what was put there for it."""


@dataclass(frozen=True, slots=True)
class InMemory:
    """Bytes that wait in the memory of another process on this host."""

    pid: int
    descriptor: int
    length_bytes: int

    def read(self) -> bytes:
        """The bytes. Raises `NotHandedOver`."""
        try:
            with Path(f"/proc/{self.pid}/fd/{self.descriptor}").open("rb", buffering=0) as memory:
                content = memory.read(self.length_bytes)
        except OSError as error:
            raise NotHandedOver(str(error)) from None
        if len(content) != self.length_bytes:
            raise NotHandedOver("there is less than what was put there")
        return content


Handed = bytes | InMemory
"""What a worker is given: the bytes themselves, or where they are."""


def taken(handed: Handed) -> bytes:
    """What was handed over. Raises `NotHandedOver`."""
    return handed if isinstance(handed, bytes) else handed.read()


class HandingOver:
    """Where bytes are put for workers. The memory is used again and again: as much as there was at most at one time.

    When nobody waits for a worker any more, what it is still to read may be overwritten: what it makes of that must be
    checked, as a block is by its hash, or not be used.
    """

    def __init__(self) -> None:
        self._free: list[int] = []
        self._works = hasattr(os, "memfd_create") and Path(f"/proc/{os.getpid()}/fd").exists()

    async def over(self, content: bytes, use: Callable[[Handed], Awaitable[T]]) -> T:
        """What `use` makes of the bytes, with them in such memory, or else as they are. Raises what it raises."""
        if self._works:
            descriptor = self._free.pop() if self._free else os.memfd_create("block")
            try:
                os.pwrite(descriptor, content, 0)
                return await use(InMemory(os.getpid(), descriptor, len(content)))
            except NotHandedOver:
                self._works = False
            finally:
                self._free.append(descriptor)
        return await use(content)

    def close(self) -> None:
        """Give the memory back."""
        while self._free:
            os.close(self._free.pop())
