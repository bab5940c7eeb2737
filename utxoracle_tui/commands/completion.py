"""`utxoracle-tui completion`: what a shell needs to complete the command line. It asks the program's own parser."""

from __future__ import annotations

import argparse
import sys

from utxoracle_tui.errors import Exit

_PROGRAM = "utxoracle-tui"


def run(arguments: argparse.Namespace) -> Exit:
    """Print the script for a shell."""
    from argcomplete.shell_integration import shellcode  # noqa: PLC0415  (only this command needs it)

    # without its own matches the shell would offer files where a date is meant
    script: str = shellcode([_PROGRAM], use_defaults=False, shell=arguments.shell)
    sys.stdout.write(script if script.endswith("\n") else f"{script}\n")
    return Exit.DONE
