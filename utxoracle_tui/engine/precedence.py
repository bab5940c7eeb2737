"""Live work goes first: what a screen or a round waits for must not queue behind work that can wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Precedence:
    """Tells work that can wait whether anybody is at live work; one for a process and its node."""

    def __init__(self) -> None:
        self._live = 0
        self._on_free: list[Callable[[], None]] = []

    @property
    def is_taken(self) -> bool:
        """Whether somebody is at live work."""
        return self._live > 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Be at live work; several can be."""
        self._live += 1
        try:
            yield
        finally:
            self._live -= 1
            if not self._live:
                for tell in self._on_free:
                    tell()

    def on_free(self, tell: Callable[[], None]) -> None:
        """Have `tell` called whenever live work is over."""
        self._on_free.append(tell)
