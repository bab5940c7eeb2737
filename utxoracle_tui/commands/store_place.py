"""What backup, restore and check share: where the store is, and how their progress is shown."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from utxoracle_tui import clock
from utxoracle_tui.commands.stored import retention_of, stored_network
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.paths import data_dir
from utxoracle_tui.store.backup_file import Progress
from utxoracle_tui.store.store import Retention
from utxoracle_tui.store.store_folder import StoreFolder

_CLEAR_LINE = "\r\x1b[K"
_SILENT_S = 0.5
_SHOWN_EVERY_S = 0.1


def store_place(arguments: argparse.Namespace) -> tuple[StoreFolder, Retention]:
    """The folder of the store that flags, environment and files name, whatever state it is in; nothing is opened.

    Raises `ConfigError`, and `OperatorError` where the network is not clear.
    """
    settings = load(Flags.of(arguments), os.environ, Path.cwd()).settings
    folder = data_dir(settings.store.data_dir)
    network = stored_network(settings, folder)
    return StoreFolder(folder / network, network), retention_of(settings)


@contextmanager
def progress_line() -> Iterator[Progress]:
    """What to call with progress; shown on a terminal once it takes a while. The line is gone at the end.

    Meanwhile SIGTERM is as Ctrl-C, so that nothing half-made stays behind.
    """
    terminal, started_s, shown_s = sys.stderr.isatty(), clock.elapsed_s(), 0.0

    def show(doing: str, done: int, total: int) -> None:
        nonlocal shown_s
        now_s = clock.elapsed_s()
        if terminal and now_s - started_s > _SILENT_S and now_s - shown_s > _SHOWN_EVERY_S:
            shown_s = now_s
            sys.stderr.write(f"{_CLEAR_LINE}{doing}: {done:,} of {total:,} files ({done / max(total, 1):.0%})")
            sys.stderr.flush()

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield show
    finally:
        signal.signal(signal.SIGTERM, before)
        if shown_s:
            sys.stderr.write(_CLEAR_LINE)


def size(count_bytes: int) -> str:
    """A size for people."""
    return f"{count_bytes / 1e6:,.1f} MB" if count_bytes >= 1e5 else f"{count_bytes / 1e3:,.1f} kB"
