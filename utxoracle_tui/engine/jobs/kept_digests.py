"""What is known of the digests on the disk: to look before every block would cost a tenth of getting it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import ParamSpec

from utxoracle_tui import clock
from utxoracle_tui.engine.block_file_pricing import RunDigest
from utxoracle_tui.engine.pricing import DigestKeeper
from utxoracle_tui.engine.worker_tasks import keep_digest

P = ParamSpec("P")
_LOOK_AGAIN_S = 10.0


class KeptDigests:
    """Which digests are there, by looks that are ten seconds old at the most, and how new ones get there."""

    def __init__(self, keeper: DigestKeeper, run: Callable[..., Awaitable[tuple[int, bytes]]]) -> None:
        """`run` has a worker do something."""
        self.keeper = keeper
        self._run = run
        self._seen: dict[str, tuple[float, bool]] = {}
        """When each name was looked at, oldest first, and whether there was something under it."""

    async def among(self, names: Iterable[str]) -> set[str]:
        """Look at all these names; those under which there is something."""
        names, began_s = list(names), clock.elapsed_s()
        found = set(await asyncio.to_thread(lambda: [name for name in names if self.keeper.has(name)]))
        for name in names:
            seen_s, was_there = self._seen.get(name, (0.0, False))
            # what came while others were looked at may have been looked at before
            if not (was_there and seen_s >= began_s):
                self._note(name, is_there=name in found)
        return {name for name in names if self._seen[name][1]}

    async def has(self, name: str) -> bool:
        """Whether there is a digest of a name, though it may be damaged."""
        self._forget_old()
        if name in self._seen:
            return self._seen[name][1]
        return name in await self.among([name])

    def making(self, name: str) -> RunDigest:
        """What has a worker digest a block and keep that under a name; it returns what can't be kept."""

        async def run(task: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs) -> bytes:
            written_bytes, digest = await self._run(keep_digest, self.keeper.write, name, task, *args, **kwargs)
            if written_bytes:
                self._note(name, is_there=True)
            if self.keeper.grown(written_bytes):
                await asyncio.to_thread(self.keeper.make_room)
            return digest

        return run

    def _note(self, name: str, *, is_there: bool) -> None:
        self._seen.pop(name, None)
        self._seen[name] = clock.elapsed_s(), is_there

    def _forget_old(self) -> None:
        oldest_s = clock.elapsed_s() - _LOOK_AGAIN_S
        while self._seen and self._seen[oldest := next(iter(self._seen))][0] < oldest_s:
            del self._seen[oldest]
