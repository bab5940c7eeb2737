"""`utxoracle-tui backfill`: window prices over a range, as one job that can be interrupted at any time."""

from __future__ import annotations

import argparse

from utxoracle_tui.commands.job_running import Ask, days_of, exactly, last_days, run_job
from utxoracle_tui.engine.jobs.wanted import BlockWindows
from utxoracle_tui.engine.request import read_heights
from utxoracle_tui.errors import Exit, OperatorError


def run(arguments: argparse.Namespace) -> Exit:
    """Work out what is missing of a range."""
    return run_job(arguments, "backfill", _wanted(arguments))


def _wanted(arguments: argparse.Namespace) -> Ask:
    by_date = arguments.first_day is not None or arguments.last_day is not None
    if sum((by_date, arguments.last_days is not None, arguments.heights is not None)) != 1:
        message = "Say which windows: --from and --to, --last-days N, or --blocks A-B."
        raise OperatorError("usage", message, Exit.USAGE)
    if arguments.step is not None and arguments.heights is None:
        raise OperatorError("usage", "--step goes with --blocks.", Exit.USAGE)
    if arguments.last_days is not None:
        return last_days(arguments.last_days)
    if by_date:
        return days_of(arguments)
    heights = read_heights(arguments.heights)
    if arguments.step is None:
        return exactly(BlockWindows(heights.first, heights.last))
    return exactly(BlockWindows(heights.first, heights.last, arguments.step))
