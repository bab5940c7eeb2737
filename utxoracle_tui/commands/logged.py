"""Keeping the program's log for a command that needs its settings for nothing else."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from utxoracle_tui.commands.running import tell
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.own_log.keeping import kept_log


@contextmanager
def logged(arguments: argparse.Namespace, command: str) -> Iterator[None]:
    """Keep the log while the command runs. Raises `ConfigError`."""
    with kept_log(load(Flags.of(arguments), os.environ, Path.cwd()).settings, command, tell):
        yield
