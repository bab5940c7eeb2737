"""Writing files so that a crash, a kill or a power cut leaves the old content or the new, and nothing between."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
TEMPORARY = ".tmp"


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, readable by nobody else. Raises `OSError`."""
    if path.is_dir():
        return
    private_folder(path.parent)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=PRIVATE_FOLDER)
        sync_folder(path.parent)


def write_new(path: Path, data: bytes) -> None:
    """Write a file beside others and make sure that it is on the disk. Raises `OSError`, leaving no file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def replace_file(path: Path, data: bytes, keep_as: Path | None = None) -> None:
    """Put `data` in the place of a file; its old content goes to `keep_as`, whose own is given up.

    A file that is new is written there twice, so that there always is a second one. Raises `OSError`, with the
    old content untouched.
    """
    temporary = temporary_beside(path)
    second = None if keep_as is None else temporary_beside(keep_as)
    write_new(temporary, data)
    try:
        if keep_as is None or second is None:
            temporary.replace(path)
        elif _second(path, second, data):
            second.replace(keep_as)
            # renaming does nothing where both names are of one file, as after a write that got no further
            second.unlink(missing_ok=True)
            temporary.replace(path)
        else:
            # readers take a second file without a first one for damage
            temporary.replace(path)
            second.replace(keep_as)
    except OSError:
        for left in (temporary, second):
            if left is not None:
                with contextlib.suppress(OSError):
                    left.unlink()
        raise
    sync_folder(path.parent)


def replace_unsynced(path: Path, *pieces: bytes) -> None:
    """Put a file in place that can be made again: whole or not at all, but not surely on the disk after a crash.

    Raises `OSError`.
    """
    temporary = temporary_beside(path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def temporary_beside(path: Path) -> Path:
    """A name for a file that is being written; no other writer uses it."""
    return path.with_name(f"{path.name}.{uuid.uuid4().hex}{TEMPORARY}")


def free_name(folder: Path, name: str, suffix: str = "") -> Path:
    """A path in a folder that nothing has yet: `name` and `suffix`, or with a number between them. Raises `OSError`."""
    path, number = folder / f"{name}{suffix}", 1
    while os.path.lexists(path):
        number += 1
        path = folder / f"{name}-{number}{suffix}"
    return path


def second_name(path: Path, other: Path) -> None:
    """Give a file another name; where the file system has no hard links, a copy. Raises `OSError`."""
    try:
        os.link(path, other)
    except FileExistsError:
        raise
    except OSError:
        shutil.copyfile(path, other)
        other.chmod(PRIVATE_FILE)


def sync_folder(path: Path) -> None:
    """Make sure that the names in a folder are on the disk. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _second(path: Path, second: Path, data: bytes) -> bool:
    """Make `second` of the file's content, or of `data` where there is no file; whether there is one."""
    try:
        second_name(path, second)
    except FileNotFoundError:
        write_new(second, data)
        return False
    return True
