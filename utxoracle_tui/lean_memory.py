"""Memory that goes back to the host, in processes that run for months.

glibc keeps a pool for each thread and, as soon as a large piece has been given back once, large pieces in them as well.
Files that are read and written in threads leave such pools full of holes: after a thousand blocks half of what a watch
took was of that kind.
"""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Of mallopt(3), as malloc.h of glibc has them."""
_LARGE_BYTES = 128 * 1024
"""glibc's own first threshold; to set it keeps it from growing."""
_HELD_PIECE_BYTES, _HELD_BYTES = 32 << 20, 256 << 20
"""The largest piece that glibc holds back at all, and as much as a worker takes at the most."""


def keep_lean() -> None:
    """One pool for all threads, and large pieces apart. To be called before there are threads; other than on glibc it
    does nothing.
    """
    _set(_M_ARENA_MAX, 1)
    _set(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    _set(_M_TRIM_THRESHOLD, _LARGE_BYTES)


def hold() -> None:
    """Hold memory for the next piece of work, for a process that does many alike: to have the same megabytes from the
    host again for each block and window takes a tenth of the time that the work does. Other than on glibc it does
    nothing.
    """
    _set(_M_MMAP_THRESHOLD, _HELD_PIECE_BYTES)
    _set(_M_TRIM_THRESHOLD, _HELD_BYTES)


def _set(option: int, value: int) -> None:
    try:
        ctypes.CDLL(None).mallopt(option, value)
    except (OSError, AttributeError):
        return
