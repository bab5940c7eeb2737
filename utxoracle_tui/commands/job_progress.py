"""Progress of a job on standard error: one line that changes on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import shutil
import sys

from utxoracle_tui import clock
from utxoracle_tui.commands.job_text import pause_sentence, progress_line
from utxoracle_tui.engine.jobs.reading import JobReading, JobsReading

LINE_EVERY_S = 10.0
CLEAR_LINE = "\r\x1b[K"


class ShownJob:
    """Shows one job."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._terminal = sys.stderr.isatty()
        self._told_s = clock.elapsed_s()
        self._paused: str | None = None

    def show(self, reading: JobsReading) -> None:
        """Show how it goes; that it is paused, and that it goes on, is said at once."""
        job = reading.of(self._key)
        if job is None:
            return
        self._say_pause(job)
        line = progress_line(job, reading.trouble)
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(CLEAR_LINE + line[:width])
            sys.stderr.flush()
        elif clock.elapsed_s() - self._told_s >= LINE_EVERY_S:
            self._told_s = clock.elapsed_s()
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def close(self) -> None:
        """Take the line away."""
        if self._terminal:
            sys.stderr.write(CLEAR_LINE)
            sys.stderr.flush()

    def _say_pause(self, reading: JobReading) -> None:
        job = reading.job
        now = (job.reason or "") if job.state == "paused" else None
        if now == self._paused:
            return
        self.close()
        said = f"The job is {pause_sentence(job)}" if now is not None else "The job goes on."
        sys.stderr.write(f"utxoracle-tui: {said}\n")
        sys.stderr.flush()
        self._paused = now
