"""`utxoracle-tui export`: observations or windows, as CSV or JSON lines."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys

from utxoracle_tui import formats
from utxoracle_tui.commands.stored import open_store
from utxoracle_tui.config.networks import MAIN
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.exporting import Wanted, export, export_to_file

_DEMO = "DEMO"


def run(arguments: argparse.Namespace) -> Exit:
    """Print the export, or write it to the file that is named."""
    first, last = _day(arguments.first_day), _day(arguments.last_day)
    if first is not None and last is not None and first > last:
        raise OperatorError("usage", f"--from {first} is later than --to {last}.", Exit.USAGE)
    store = open_store(arguments)
    label = _DEMO if _is_demo(store.folder.network) else None
    wanted = Wanted(arguments.what, arguments.format, first, last, label)
    if arguments.output is None:
        exported = export(store, wanted, sys.stdout.buffer, "the export", None)
    else:
        exported = export_to_file(store, wanted, arguments.output)
        count = formats.plural(exported.count, wanted.what.removesuffix("s"))
        sys.stderr.write(f"{count} written to {arguments.output}\n")
    if exported.unreadable_parts:
        sys.stderr.write(
            f"utxoracle-tui: {formats.plural(exported.unreadable_parts, 'file')} of the store can't be read, so their "
            f"{wanted.what} are missing here. See `utxoracle-tui store check`.\n"
        )
        return Exit.FAILED
    return Exit.DONE


def _day(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC).date()
    except ValueError:
        raise OperatorError("usage", f"{text!r} is not a date; write it as 2024-02-29.", Exit.USAGE) from None


def _is_demo(network: str) -> bool:
    """Whether the settings are those of a simulated host, whose prices must not pass for real ones."""
    if network == MAIN:
        return False
    from utxoracle_tui.demo.host.node_state import NETWORK  # noqa: PLC0415  (slow to import)
    from utxoracle_tui.demo.host.simulated_host import CONTROL_URL_NAME  # noqa: PLC0415  (slow to import)

    return network == NETWORK and CONTROL_URL_NAME in os.environ
