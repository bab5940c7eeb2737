"""A trouble that lasts, in the log: when it comes, when it becomes another, and when it is over."""

from __future__ import annotations

import logging


class LastingTrouble:
    """Logs each of these once, however often it is told how things are."""

    def __init__(self, log: logging.Logger, what: str, over: str) -> None:
        """`what` is in trouble, and what it does when the trouble is `over`."""
        self._log = log
        self._what = what
        self._over = over
        self._now: str | None = None

    def note(self, sentence: str | None) -> None:
        """Take what is wrong now, None for nothing."""
        if sentence == self._now:
            return
        self._now = sentence
        if sentence is None:
            self._log.info("%s %s", self._what, self._over)
        else:
            self._log.error("%s: %s", self._what, sentence)
