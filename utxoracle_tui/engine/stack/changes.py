"""What of the stack's changes is written down in the log: verdicts that have become others."""

from __future__ import annotations

import logging

from utxoracle_tui.engine.stack.reading import ASKING, TITLES, Health, Source, SourceReading, Standing, Verdict

_LEVELS = {Standing.DEGRADED: logging.WARNING, Standing.DOWN: logging.ERROR}
_log = logging.getLogger(__name__)


class VerdictLog:
    """Logs the verdict on each source when it changes.

    A source that answers late isn't worth a line: it comes and goes where a host is busy.
    """

    def __init__(self) -> None:
        self._logged: dict[Source, Verdict] = {}

    def note(self, readings: tuple[SourceReading[object], ...]) -> None:
        """Log what is otherwise than the last time."""
        for reading in readings:
            now, before = reading.verdict, self._logged.get(reading.source)
            if now is ASKING or now.health is Health.LATE:
                continue
            if before is None or (before.standing, before.word) != (now.standing, now.word):
                self._logged[reading.source] = now
                if before is not None or now.health is not Health.NOT_CONFIGURED:
                    was = f", was {before.word}" if before is not None else ""
                    level = _LEVELS.get(now.standing, logging.INFO)
                    _log.log(level, "%s: %s%s. %s", TITLES[reading.source], now.word, was, now.sentence)
