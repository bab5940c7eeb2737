"""Ways in which a node can be bad company: busy, slow, silent."""

from __future__ import annotations

import asyncio

from utxoracle_tui import clock


class Faults:
    """None of them, to begin with. Each can be held to the paths that begin with a given text."""

    def __init__(self) -> None:
        self._busy_requests = 0
        self._busy_until_s = 0.0
        self._latency_s = 0.0
        self._latency_path = ""
        self._hang_path = ""
        self._answering = asyncio.Event()
        self._answering.set()

    @property
    def latency_s(self) -> float:
        """How long requests take on top of what they take anyway."""
        return self._latency_s

    def be_busy(self, *, requests: int = 0, seconds: float = 0.0) -> None:
        """Refuse so many requests, and all in the coming `seconds`."""
        self._busy_requests = requests
        self._busy_until_s = clock.elapsed_s() + seconds

    def be_slow(self, seconds: float, path: str = "") -> None:
        """Take that long for each request."""
        self._latency_s = seconds
        self._latency_path = path

    def hang(self, path: str = "") -> None:
        """Accept requests and answer none, until `answer`."""
        self._hang_path = path
        self._answering.clear()

    def answer(self) -> None:
        """End a hang, also for those that wait."""
        self._answering.set()

    @property
    def is_busy(self) -> bool:
        """Whether the next request will be refused."""
        return self._busy_requests > 0 or clock.elapsed_s() < self._busy_until_s

    def refuses(self) -> bool:
        """Whether to refuse the request at hand."""
        if self._busy_requests > 0:
            self._busy_requests -= 1
            return True
        return clock.elapsed_s() < self._busy_until_s

    async def delay(self, path: str) -> None:
        """Hold the request at hand for as long as it takes."""
        if not self._answering.is_set() and path.startswith(self._hang_path):
            await self._answering.wait()
        if self._latency_s and path.startswith(self._latency_path):
            await asyncio.sleep(self._latency_s)
