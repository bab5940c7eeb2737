"""The program from outside: a command is imported and run, and whatever it raises becomes a sentence and a code."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from utxoracle_tui import command_completion, lean_memory, start_up
from utxoracle_tui.command_line import build_parser
from utxoracle_tui.errors import Exit, OperatorError

INTERRUPTED = 130
"""As a shell has it for Ctrl-C: 128 and the number of the signal."""

_WITH_SCREEN = ("console", "demo")
"""Commands that have started when the first screen is shown."""
_LASTING = (*_WITH_SCREEN, "watch", "api", "serve")
"""Commands that stay for months. The others are quicker with memory as it comes."""


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    if not logging.root.handlers:
        # without any, Python would write what goes to the log on the terminal as well
        logging.root.addHandler(logging.NullHandler())
    arguments = argparse.Namespace()
    try:
        arguments = build_parser().parse_args(argv)
        if arguments.command in _LASTING:
            lean_memory.keep_lean()
        start_up.begin()
        command = importlib.import_module(f"utxoracle_tui.commands.{arguments.command}")
        if arguments.command not in _WITH_SCREEN:
            start_up.over()
        return int(command.run(arguments))
    except OperatorError as error:
        _print_error(error, as_json="--json" in argv)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # whoever read our output has gone; Python must not complain about it at exit
        _drop_output()
        return Exit.FAILED
    except Exception as error:  # noqa: BLE001  (the edge of the program)
        from utxoracle_tui.fault_report import report  # noqa: PLC0415  (only faults need it)

        told = report(error, getattr(arguments, "data_dir", None))
        _print_error(told, as_json="--json" in argv)
        return told.exit_code
    finally:
        start_up.over()


def _print_error(error: OperatorError, *, as_json: bool) -> None:
    from utxoracle_tui.config.redaction import redact  # noqa: PLC0415  (only errors need it)

    if as_json:
        document = {"error": {"kind": error.kind, "message": redact(error.message), "host": error.host}}
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        sys.stderr.write(f"utxoracle-tui: {redact(error.message)}\n")


def entry() -> NoReturn:
    """The command `utxoracle-tui`."""
    if command_completion.is_asked():
        command_completion.answer(build_parser())
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError as error:
        _drop_output()
        if code == Exit.DONE:
            code = Exit.FAILED
            sys.stderr.write(f"utxoracle-tui: Could not write the output: {error.strerror}.\n")
    sys.exit(code)


def _drop_output() -> None:
    """Have Python find nobody to complain of at exit, when what is left of the output can't be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
