"""`utxoracle-tui backup`: the store in one file, while others go on writing to it."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import nullcontext

from utxoracle_tui import formats
from utxoracle_tui.commands.logged import logged
from utxoracle_tui.commands.store_place import progress_line, size, store_place
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.backup import Backup, make_backup


def run(arguments: argparse.Namespace) -> Exit:
    """Make a backup, and print where it is."""
    if arguments.keep is not None and arguments.keep < 1:
        raise OperatorError("usage", "--keep: at least 1, which is the backup that is made.", Exit.USAGE)
    folder, retention = store_place(arguments)
    keep = retention.backups if arguments.keep is None else arguments.keep
    # where there is no store, nothing is begun, not even a log
    log = logged(arguments, "backup") if folder.root.is_dir() else nullcontext()
    with log, progress_line() as on_progress:
        backup = make_backup(folder, arguments.to, keep, on_progress)
    for note in backup.notes:
        sys.stderr.write(f"utxoracle-tui: {note}\n")
    sys.stdout.write(_as_json(backup) if arguments.json else _as_text(backup))
    return Exit.DONE


def _as_json(backup: Backup) -> str:
    document = {
        "path": str(backup.path),
        "records": backup.documents,
        "files": backup.files,
        "size_bytes": backup.size_bytes,
        "elapsed_s": backup.elapsed_s,
        "removed": [str(path) for path in backup.removed],
        "notes": backup.notes,
    }
    return json.dumps(document) + "\n"


def _as_text(backup: Backup) -> str:
    lines = [
        f"{backup.path}",
        f"  {formats.plural(backup.documents, 'record')}, {size(backup.size_bytes)}, read back and whole, "
        f"took {formats.span(backup.elapsed_s)}",
    ]
    lines += [f"  removed {path}" for path in backup.removed]
    return "".join(f"{line}\n" for line in lines)
