"""`utxoracle-tui restore`: the store back from a backup."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from utxoracle_tui import formats
from utxoracle_tui.commands.logged import logged
from utxoracle_tui.commands.store_place import progress_line, store_place
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.backup_file import BackupList
from utxoracle_tui.store.restore import Restored, documents_in, newest_backup, restore_backup, verify_backup
from utxoracle_tui.store.store_folder import StoreFolder

LATEST = "latest"
_YES = {"y", "yes"}


def run(arguments: argparse.Namespace) -> Exit:
    """Verify the backup, ask where a store would be replaced, and put the backup in its place."""
    folder, _ = store_place(arguments)
    path = newest_backup(folder) if arguments.file == LATEST else Path(arguments.file)
    replaced = documents_in(folder)
    if replaced is not None and not arguments.yes and not sys.stdin.isatty():
        raise OperatorError(
            "usage",
            f"{folder.root} holds a store already. To put the backup in its place without being asked, say --yes; the "
            "present store is kept beside it.",
            Exit.USAGE,
        )
    with progress_line() as on_progress:
        backup = verify_backup(folder, path, on_progress)
    if replaced is not None and not arguments.yes and not _confirmed(folder, path, backup, replaced):
        sys.stderr.write("Nothing was changed.\n")
        return Exit.FAILED
    with logged(arguments, "restore"), progress_line() as on_progress:
        restored = restore_backup(folder, path, on_progress)
    sys.stdout.write(_as_json(folder, path, restored) if arguments.json else _as_text(folder, path, restored))
    return Exit.DONE


def _confirmed(folder: StoreFolder, path: Path, backup: BackupList, replaced: int) -> bool:
    sys.stderr.write(
        f"{path}\n  of {formats.utc_minute(backup.made_s)} UTC with {formats.plural(backup.total_documents, 'record')} "
        f"takes the place of the store at\n{folder.root}\n  with {formats.plural(replaced, 'record')}, which is kept "
        "beside it.\nGo on? [y/N] "
    )
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in _YES


def _as_json(folder: StoreFolder, path: Path, restored: Restored) -> str:
    document = {
        "path": str(path),
        "store": str(folder.root),
        "records": restored.backup.total_documents,
        "made_s": restored.backup.made_s,
        "kept": None if restored.aside is None else str(restored.aside),
        "elapsed_s": restored.elapsed_s,
    }
    return json.dumps(document) + "\n"


def _as_text(folder: StoreFolder, path: Path, restored: Restored) -> str:
    records = formats.plural(restored.backup.total_documents, "record")
    lines = [
        f"{folder.root}",
        f"  {records}, as they were at {formats.utc_minute(restored.backup.made_s)} UTC, from {path}",
        f"  took {formats.span(restored.elapsed_s)}",
    ]
    if restored.aside is not None:
        lines.append(
            f"  the store that was there before is kept at {restored.aside}; remove it when you no longer need it"
        )
    return "".join(f"{line}\n" for line in lines)
