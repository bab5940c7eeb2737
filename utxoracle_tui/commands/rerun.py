"""`utxoracle-tui rerun`: windows worked out again, as one job that can be interrupted at any time."""

from __future__ import annotations

import argparse

from utxoracle_tui.commands.job_running import Ask, days_of, exactly, run_job
from utxoracle_tui.engine.jobs.wanted import Stored
from utxoracle_tui.errors import Exit, OperatorError


def run(arguments: argparse.Namespace) -> Exit:
    """Work out windows again, whether they are there or not."""
    return run_job(arguments, "rerun", _wanted(arguments))


def _wanted(arguments: argparse.Namespace) -> Ask:
    by_date = arguments.first_day is not None or arguments.last_day is not None
    if by_date == (arguments.which is not None):
        message = "Say which windows: --failed, --not-valid, --older-method, or --from and --to."
        raise OperatorError("usage", message, Exit.USAGE)
    return days_of(arguments) if by_date else exactly(Stored(arguments.which))
