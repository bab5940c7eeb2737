"""How the sources are, looked at in the background: who asks the API for it costs the node nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from utxoracle_tui import clock
from utxoracle_tui.config.redaction import redact
from utxoracle_tui.engine.stack.reading import Health, Source, Standing
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.errors import OperatorError

LOOK_EVERY_S = 30.0
_log = logging.getLogger(__name__)

CheckStatus = Literal["ok", "working", "degraded", "down", "unknown"]
_STATUS: Mapping[Standing, CheckStatus] = {
    Standing.READY: "ok",
    Standing.WORKING: "working",
    Standing.WAITS: "working",
    Standing.DEGRADED: "degraded",
    Standing.DOWN: "down",
    # there, but closed to this user: it counts for nothing
    Standing.NONE: "unknown",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One source, as the newest look found it."""

    status: CheckStatus
    latency_s: float | None
    """How long its answer, or its failure, took."""
    error: str | None
    """What is wrong, as a sentence; None where nothing is."""
    answered_at_s: float | None
    """When it last answered any look of this process, unix seconds."""
    looked_s: float
    """When the look was made, on the clock for spans."""


class Checks:
    """The newest check of each source that is configured."""

    def __init__(self, look: Callable[[], Awaitable[StackReading]], *, every_s: float = LOOK_EVERY_S) -> None:
        """`look` asks the whole stack once. It may raise `OperatorError` where the node can't even be asked."""
        self._look = look
        self._every_s = every_s
        self._answered_at_s: dict[Source, float] = {}
        self.newest: Mapping[Source, Check] = {}
        """Empty before the first look has ended."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._look_once()
            await asyncio.sleep(self._every_s)

    async def _look_once(self) -> None:
        try:
            self.newest = self._taken(await self._look())
        except OperatorError as error:
            self.newest = {Source.NODE: self._failed("down", redact(error.message))}
        except Exception as error:  # noqa: BLE001  (a fault in watching others must not end what is served)
            _log.exception("looking at the stack failed")
            sentence = f"Looking at the stack failed: {type(error).__name__}. This is a fault of the program."
            self.newest = {Source.NODE: self._failed("degraded", sentence)}

    def _failed(self, status: CheckStatus, sentence: str) -> Check:
        return Check(status, None, sentence, self._answered_at_s.get(Source.NODE), clock.elapsed_s())

    def _taken(self, stack: StackReading) -> Mapping[Source, Check]:
        now_s = clock.elapsed_s()
        found = {}
        for reading in stack.all:
            if reading.heard.answered_at_s is not None:
                self._answered_at_s[reading.source] = reading.heard.answered_at_s
            if reading.health is Health.NOT_CONFIGURED:
                continue
            status = _STATUS[reading.standing]
            found[reading.source] = Check(
                status=status,
                latency_s=reading.latency_s,
                error=None if status in ("ok", "working") else redact(reading.sentence),
                answered_at_s=self._answered_at_s.get(reading.source),
                looked_s=now_s,
            )
        return found
