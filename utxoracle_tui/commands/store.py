"""`utxoracle-tui store check`: whether the store is whole, and mending it where it isn't."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise

from utxoracle_tui import formats
from utxoracle_tui.commands.store_place import progress_line, store_place
from utxoracle_tui.errors import Exit
from utxoracle_tui.store.check import CheckReport, Damage, check_store, mend_store
from utxoracle_tui.store.part_file import PREVIOUS
from utxoracle_tui.store.store_folder import StoreFolder

_SHOWN = 20
_DAY = dt.timedelta(days=1)


def run(arguments: argparse.Namespace) -> Exit:
    """Check the store, and mend it first where that is wanted."""
    folder, _ = store_place(arguments)
    mended: list[str] = []
    with progress_line() as on_progress:
        if arguments.mend:
            mended = mend_store(folder, on_progress)
        report = check_store(folder, on_progress)
    if arguments.json:
        sys.stdout.write(json.dumps(_as_document(report, mended)) + "\n")
    else:
        sys.stdout.write(_as_text(folder, report, mended, mend=arguments.mend))
    return Exit.DONE if report.ok else Exit.FAILED


def _as_document(report: CheckReport, mended: list[str]) -> dict[str, object]:
    return {
        "ok": report.ok,
        "counts": asdict(report.counts),
        "damaged": [
            {"file": str(damage.file), "why": damage.why, "used": None if damage.used is None else str(damage.used)}
            for damage in report.damaged
        ],
        "gaps": [day.isoformat() for day in report.gaps],
        "orphans": report.orphans,
        "set_aside": [str(path) for path in report.set_aside],
        "leftovers": [str(path) for path in report.leftovers],
        "mended": mended,
    }


def _as_text(folder: StoreFolder, report: CheckReport, mended: list[str], *, mend: bool) -> str:
    lines = [f"Store of {folder.network}: {_verdict(report)}"]
    lines += [f"  {name.replace('_', ' '):<18}{count:>12,}" for name, count in asdict(report.counts).items()]
    lines.append(f"  in {folder.root}")
    lines += [f"  mended: {sentence}" for sentence in mended]
    lines += [f"  damaged: {damage.file}: {damage.why}. {_instead(damage)}" for damage in report.damaged]
    if report.damaged:
        lines.append(f"  {_advice(report, mend=mend)}")
    if report.gaps:
        days = formats.plural(len(report.gaps), "day")
        lines.append(f"  {days} without a window between the first and the last: {_shown(_runs(report.gaps))}")
    if report.orphans:
        records = formats.plural(len(report.orphans), "record")
        lines.append(f"  {records} of blocks that are no longer on the chain: {_shown(report.orphans)}")
    if report.set_aside:
        lines.append(
            f"  {formats.plural(len(report.set_aside), 'file')} found damaged earlier, kept in {folder.damaged}"
        )
    if report.leftovers:
        files = formats.plural(len(report.leftovers), "temporary file")
        lines.append(
            f"  {files} of interrupted writes; `utxoracle-tui store check --mend` removes what is left of them"
        )
    return "".join(f"{line}\n" for line in lines)


def _verdict(report: CheckReport) -> str:
    if report.ok:
        return "all right"
    files = formats.plural(len({damage.file for damage in report.damaged}), "file")
    return f"DAMAGED, {files}; " + ("ROWS CAN'T BE READ" if report.rows_missing else "what is stored can be read")


def _instead(damage: Damage) -> str:
    if damage.used is None:
        return "There is no good copy."
    if damage.used == damage.file:
        return "It is used all the same."
    if damage.file.suffix == PREVIOUS:
        return "It is only the copy of the state before, the file itself is whole."
    return "The state before it is used."


def _advice(report: CheckReport, *, mend: bool) -> str:
    if mend:
        return "This can't be mended: `utxoracle-tui restore` brings back the newest backup."
    if report.rows_missing:
        return (
            "`utxoracle-tui restore` brings back the newest backup; `utxoracle-tui store check --mend` keeps the "
            "damaged files elsewhere and goes on without their rows."
        )
    return "`utxoracle-tui store check --mend` puts this right."


def _runs(days: Sequence[dt.date]) -> list[str]:
    """Days as runs, each in one piece of text."""
    breaks = [(before, after) for before, after in pairwise(days) if after - before != _DAY]
    starts, ends = [days[0], *(after for _, after in breaks)], [*(before for before, _ in breaks), days[-1]]
    return [f"{start}" if start == end else f"{start} to {end}" for start, end in zip(starts, ends, strict=True)]


def _shown(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _SHOWN:,} more; --json lists all" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
