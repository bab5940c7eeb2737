"""`utxoracle-tui import`: files of history and own exports into the store."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from utxoracle_tui import clock, formats
from utxoracle_tui.commands.logged import logged
from utxoracle_tui.commands.stored import open_store
from utxoracle_tui.engine.request import CONSENSUS_PRICE, MAIN
from utxoracle_tui.engine.window_exchange import compare_days
from utxoracle_tui.errors import Exit
from utxoracle_tui.store.importing.file_kind import Context
from utxoracle_tui.store.importing.importer import FileReport, import_files

_SHOWN_REFUSALS = 20
_CLEAR_LINE = "\r\x1b[K"


def run(arguments: argparse.Namespace) -> Exit:
    """Take the rows of all files and print what became of them."""
    if arguments.dry_run:
        return _run(arguments)
    with logged(arguments, "import"):
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> Exit:
    store = open_store(arguments)
    network = store.folder.network
    context = Context(network, CONSENSUS_PRICE if network == MAIN else None, clock.now_s())
    reports = []
    on_progress = _show if sys.stderr.isatty() else _ignore
    for report in import_files(store, arguments.files, context, on_progress, dry_run=arguments.dry_run):
        reports.append(report)
        if not arguments.json:
            sys.stdout.write(_as_text(report, dry_run=arguments.dry_run))
    compared = 0 if arguments.dry_run else compare_days(store)
    if arguments.json:
        document = {
            "network": network,
            "dry_run": arguments.dry_run,
            "files": [_as_document(one) for one in reports],
            "days_compared": compared,
        }
        sys.stdout.write(json.dumps(document) + "\n")
    elif compared:
        sys.stdout.write(f"{formats.plural(compared, 'day')} set beside the exchange price of the day\n")
    return Exit.FAILED if any(report.refusals for report in reports) else Exit.DONE


def _ignore(report: FileReport) -> None:
    pass


def _show(report: FileReport) -> None:
    """How far a file is, on a line that the next one takes the place of."""
    sys.stderr.write(f"{_CLEAR_LINE}{report.path.name}: {formats.plural(report.rows, 'row')}\r")
    sys.stderr.flush()


def _as_document(report: FileReport) -> dict[str, Any]:
    return {
        "file": str(report.path),
        "kind": report.kind.name,
        "rows": report.rows,
        "taken": report.taken,
        "same": report.same,
        "in_conflict": len(report.conflicts),
        "conflict_lines": report.conflicts,
        "refused": len(report.refusals),
        "refusals": [{"line": refusal.line, "reason": refusal.reason} for refusal in report.refusals],
    }


def _as_text(report: FileReport, *, dry_run: bool) -> str:
    lines = [f"{report.path}: {report.kind.title}, {formats.plural(report.rows, 'row')}"]
    counts = [(report.taken, "would be taken" if dry_run else "taken"), (report.same, "same as stored")]
    counts += [(len(report.conflicts), "in conflict"), (len(report.refusals), "refused")]
    lines.append("  " + ", ".join(f"{formats.count(number)} {word}" for number, word in counts))
    if report.conflicts:
        lines.append(f"  in conflict, so what is stored stays: {_lines(report.conflicts)}")
    lines += [f"  line {refusal.line}: {refusal.reason}" for refusal in report.refusals[:_SHOWN_REFUSALS]]
    left_out = len(report.refusals) - _SHOWN_REFUSALS
    if left_out > 0:
        lines.append(f"  and {formats.count(left_out)} more refused; --json lists all")
    return "".join(f"{line}\n" for line in lines)


def _lines(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:_SHOWN_REFUSALS]))
    more = ", …" if len(numbers) > _SHOWN_REFUSALS else ""
    return f"{'line' if len(numbers) == 1 else 'lines'} {shown}{more}"
