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


def keep_lean() -> None:
    """One pool for all threads, and large pieces apart. To be called before there are threads; other than on glibc it
    does nothing.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_ARENA_MAX, 1)
    mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)
