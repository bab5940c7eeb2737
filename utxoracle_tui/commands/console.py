"""`utxoracle-tui` alone: the console."""

from __future__ import annotations

import argparse
import sys

from utxoracle_tui.config.paths import cache_dir
from utxoracle_tui.engine.folder_pricing import FolderPricing
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.block_folder import open_folder


def run(arguments: argparse.Namespace) -> Exit:
    """Open the console on a folder of blocks, until the operator leaves it."""
    if arguments.blocks is None:
        raise OperatorError("usage", "Say which blocks to show: utxoracle-tui --blocks DIR.", Exit.USAGE)
    if not sys.stdout.isatty():
        message = "The console needs a terminal. For output to a file or a pipe: utxoracle-tui price --json."
        raise OperatorError("no_terminal", message, Exit.USAGE)
    folder = open_folder(arguments.blocks)
    workers = Workers(cache_dir(arguments.data_dir))
    workers.start()
    workers.compile_in_background()
    try:
        from utxoracle_tui.ui.app import Console  # noqa: PLC0415  (the workers start meanwhile)

        Console(FolderPricing(folder, workers)).run()
    finally:
        workers.stop()
    return Exit.DONE
