"""Progress on the last line of the terminal, while there is one to show it on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from utxoracle_tui import formats
from utxoracle_tui.engine.pricing import ProgressCallback
from utxoracle_tui.engine.progress import Progress

_CLEAR_LINE = "\r\x1b[K"


@contextmanager
def shown_progress() -> Iterator[ProgressCallback]:
    """What to call with progress; the line is gone at the end."""
    terminal = sys.stderr.isatty()
    try:
        yield _show if terminal else _ignore
    finally:
        if terminal:
            sys.stderr.write(_CLEAR_LINE)


def _ignore(progress: Progress) -> None:
    pass


def _show(progress: Progress) -> None:
    line = f"{progress.blocks_done} of {formats.plural(progress.blocks_total, 'block')} ({progress.share * 100:.0f} %)"
    if progress.rate_mb_s is not None:
        line += f" · {progress.rate_mb_s:.0f} MB/s"
    if progress.eta_s is not None:
        line += f" · {formats.span(progress.eta_s)} left"
    sys.stderr.write(_CLEAR_LINE + line)
    sys.stderr.flush()
