"""What is known of the digests on the disk, and how new ones get there.

To look before every block would cost a tenth of getting it, so those that are missing are looked at together, once a
second. As soon as some are there that this process has not made, another one is at the same blocks: then each is looked
at just before it is asked of the node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import ParamSpec

from utxoracle_tui import clock
from utxoracle_tui.engine.block_file_pricing import RunDigest
from utxoracle_tui.engine.pricing import DigestKeeper
from utxoracle_tui.engine.worker_tasks import keep_digest

P = ParamSpec("P")
_LOOK_AGAIN_S = 1.0
_OTHERS_FOR_S = 60.0
"""How long another process is minded after something of it was found."""
_FORGET_AFTER_S = 60.0
"""What nobody has asked for so long belongs to a window that is done or given up."""
_MOST_SEEN = 10_000
"""Three megabytes."""


@dataclass(slots=True)
class _Seen:
    asked_s: float
    looked_s: float
    is_there: bool


class KeptDigests:
    """Which digests are there, by looks that are a second old at the most."""

    def __init__(self, keeper: DigestKeeper, run: Callable[..., Awaitable[tuple[int, bytes]]]) -> None:
        """`run` has a worker do something."""
        self.keeper = keeper
        self._run = run
        self._seen: dict[str, _Seen] = {}
        self._others_s = -_OTHERS_FOR_S
        """When something of another process was found last."""
        self._making: set[str] = set()
        """What a worker of this process is to put there: it may be there before that is known here."""
        self._looking = asyncio.Lock()

    async def among(self, names: Iterable[str]) -> set[str]:
        """Look at all these names; those under which there is something."""
        names = list(names)
        if len(self._seen) > _MOST_SEEN:
            self._forget_old(clock.elapsed_s())
        await self._look(names)
        now_s = clock.elapsed_s()
        for name in names:
            self._seen[name].asked_s = now_s
        return {name for name in names if self._seen[name].is_there}

    async def has(self, name: str) -> bool:
        """Whether there is a digest of a name, though it may be damaged."""
        seen = self._seen.get(name)
        if seen is None:
            return name in await self.among([name])
        now_s = seen.asked_s = clock.elapsed_s()
        if seen.is_there:
            return True
        if now_s - self._others_s < _OTHERS_FOR_S:
            await self._look([name])
        elif now_s - seen.looked_s >= _LOOK_AGAIN_S:
            await self._look_at_all_missing(name)
        return self._seen[name].is_there

    def making(self, name: str) -> RunDigest:
        """What has a worker digest a block and keep that under a name; it returns what can't be kept."""

        async def run(task: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs) -> bytes:
            self._making.add(name)
            try:
                written_bytes, digest = await self._run(keep_digest, self.keeper.write, name, task, *args, **kwargs)
            finally:
                self._making.discard(name)
            if written_bytes:
                now_s = clock.elapsed_s()
                self._seen[name] = _Seen(now_s, now_s, is_there=True)
            if self.keeper.grown(written_bytes):
                await asyncio.to_thread(self.keeper.make_room)
            return digest

        return run

    async def _look_at_all_missing(self, name: str) -> None:
        async with self._looking:
            now_s = clock.elapsed_s()
            if now_s - self._seen[name].looked_s < _LOOK_AGAIN_S:
                # somebody else has looked meanwhile
                return
            self._forget_old(now_s)
            await self._look([name for name, seen in self._seen.items() if not seen.is_there])

    def _forget_old(self, now_s: float) -> None:
        oldest_s = now_s - _FORGET_AFTER_S
        self._seen = {name: seen for name, seen in self._seen.items() if seen.asked_s >= oldest_s}

    async def _look(self, names: list[str]) -> None:
        began_s = clock.elapsed_s()
        found = set(await asyncio.to_thread(lambda: [name for name in names if self.keeper.has(name)]))
        for name in names:
            seen = self._seen.get(name)
            if seen is None:
                self._seen[name] = _Seen(began_s, began_s, is_there=name in found)
            elif not (seen.is_there and seen.looked_s >= began_s):
                # what this process has made during the look may have been looked at before
                if name in found and not seen.is_there and name not in self._making:
                    self._others_s = began_s
                seen.looked_s, seen.is_there = began_s, name in found
