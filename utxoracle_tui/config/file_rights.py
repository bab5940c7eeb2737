"""Files with a secret in them that other users of the machine can get at."""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path

_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Exposed:
    """One such file."""

    path: Path
    fault: str
    """What is wrong, as a sentence without its stop."""
    mend: str
    """The command line that mends it."""

    @property
    def sentence(self) -> str:
        """What is wrong and what mends it."""
        return f"{self.fault}. To mend it: {self.mend}"


def exposures(path: Path) -> list[Exposed]:
    """In which ways other users can read or change a file that holds a secret, by its mode and by its folder's.

    Always none on platforms without such modes. Raises `OSError` where the file can't be looked at.
    """
    if os.name != "posix":
        return []
    found = []
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS:
        what = "readable by" if mode & _OTHERS_READ else "open to"
        fault = f"{path} holds a secret and is {what} other users (mode {mode:04o})"
        found.append(Exposed(path, fault, f"chmod 600 {shlex.quote(str(path))}"))
    folder = path.resolve().parent
    status = folder.stat()
    if _others_write(status):
        mode = stat.S_IMODE(status.st_mode)
        fault = f"{path} holds a secret, and other users can write to its folder {folder} (mode {mode:04o})"
        found.append(Exposed(path, fault, f"chmod go-w {shlex.quote(str(folder))}"))
    return found


def _others_write(folder: os.stat_result) -> bool:
    """Whether others can put another file in the place of one: in a sticky folder only its owner can."""
    if folder.st_mode & stat.S_ISVTX:
        return False
    if folder.st_mode & stat.S_IWOTH:
        return True
    return bool(folder.st_mode & stat.S_IWGRP) and not _is_own_group(folder)


def _is_own_group(folder: os.stat_result) -> bool:
    """Whether the group is that of the owner alone, as many distributions give each user one."""
    import grp  # noqa: PLC0415  (other platforms don't have them)
    import pwd  # noqa: PLC0415

    try:
        group, owner = grp.getgrgid(folder.st_gid), pwd.getpwuid(folder.st_uid)
    except KeyError:
        return False
    return group.gr_gid == owner.pw_gid and group.gr_name == owner.pw_name and not group.gr_mem
