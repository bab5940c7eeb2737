"""What goes wrong with files, as sentences for the operator."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from utxoracle_tui.errors import Exit, OperatorError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_MISSING = {errno.ENOENT, errno.ENOTDIR}
DISK_ERROR = "disk_error"
"""The kind of trouble that only the one file may have."""
_FORBIDDEN = {errno.EACCES, errno.EPERM}


class StoreTrouble(OperatorError):
    """The store can't do what was asked of it. What it holds is unharmed."""

    def __init__(self, kind: str, message: str, exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(kind, message, exit_code)


class MissingFile(StoreTrouble):
    """There is no such file."""

    def __init__(self, message: str) -> None:
        super().__init__("missing", message)


@contextmanager
def told(doing: str, path: Path) -> Iterator[None]:
    """Turn an `OSError` inside into a `StoreTrouble`; `doing` is what failed, as in "write to the store"."""
    try:
        yield
    except OSError as error:
        raise _trouble(doing, path, error) from None


def _trouble(doing: str, path: Path, error: OSError) -> StoreTrouble:
    if error.errno in _FULL:
        return StoreTrouble(
            "disk_full",
            f"Could not {doing}: the disk that holds {path} is full. Nothing that was stored is lost; make room there.",
        )
    if error.errno == errno.EROFS:
        return StoreTrouble(
            "read_only",
            f"Could not {doing}: {path} is on a file system that is mounted read-only. Nothing that was stored is "
            "lost; remount it, or name another folder with --data-dir.",
        )
    if error.errno in _FORBIDDEN:
        return StoreTrouble(
            "no_permission",
            f"Could not {doing}: this user may not use {path}. Change its owner, or name another folder with "
            "--data-dir.",
        )
    if error.errno in _MISSING:
        return MissingFile(f"Could not {doing}: there is no {path}.")
    if error.errno == errno.EIO:
        return StoreTrouble(
            DISK_ERROR,
            f"Could not {doing}: the disk that holds {path} reports an error. Look at dmesg, and make a backup soon.",
        )
    reason = error.strerror or type(error).__name__
    return StoreTrouble("store_unusable", f"Could not {doing}: {path}: {reason}.")
