"""What the operator has to know of the store's files."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that was found or done."""

    path: Path
    sentence: str


class Notices:
    """What there was to tell, each thing once."""

    def __init__(self) -> None:
        self._told: dict[Notice, None] = {}
        self._listeners: list[Callable[[Notice], None]] = []

    def tell(self, path: Path, sentence: str) -> None:
        """Remember a notice, log it, and pass it on."""
        notice = Notice(path, sentence)
        if notice in self._told:
            return
        self._told[notice] = None
        log.error("%s", sentence)
        for listener in self._listeners:
            listener(notice)

    def listen(self, listener: Callable[[Notice], None]) -> None:
        """Have `listener` called with every new notice; it may be called from any thread."""
        self._listeners.append(listener)

    def all(self) -> tuple[Notice, ...]:
        """All that was told, the oldest first."""
        return tuple(self._told)
