"""Memory that goes back to the host, in processes that run for months, and memory that is held, in those that work.

glibc keeps a pool for each thread and, as soon as a large piece has been given back once, large pieces in them as well.
Files that are read and written in threads leave such pools full of holes: after a thousand blocks half of what a watch
took was of that kind. With one pool there are fewer, but a month of blocks still leaves some megabytes of them, as
glibc gives back nothing but what lies at the end.

All of it is of glibc alone, and does nothing elsewhere.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Of mallopt(3), as malloc.h of glibc has them."""
_LARGE_BYTES = 128 * 1024
"""glibc's own first threshold; to set it keeps it from growing."""
_HELD_PIECE_BYTES, _HELD_BYTES = 32 << 20, 256 << 20
"""The largest piece that glibc holds back at all, and as much as a worker takes at the most."""


def keep_lean() -> None:
    """One pool for all threads, and large pieces apart. To be called before there are threads."""
    _set({_M_ARENA_MAX: 1, _M_MMAP_THRESHOLD: _LARGE_BYTES, _M_TRIM_THRESHOLD: _LARGE_BYTES})


def hold() -> None:
    """Hold memory for the next piece of work, in a process that does many alike: to have the same megabytes from the
    host again for each block and window takes a twentieth of the time of the work.
    """
    _set({_M_MMAP_THRESHOLD: _HELD_PIECE_BYTES, _M_TRIM_THRESHOLD: _HELD_BYTES})


def give_back() -> None:
    """Let go of what is held by nothing but itself, and give the host the pages in which nothing is left.

    It takes some milliseconds; to be called in a thread, after work that comes again only after a while.
    """
    # left to itself, Python looks for such rings when there are a quarter more objects, and the pieces that come
    # meanwhile and stay lie between them
    gc.collect()
    trim = _c_function("malloc_trim")
    if trim is not None:
        trim(ctypes.c_size_t(0))


def _set(options: dict[int, int]) -> None:
    mallopt = _c_function("mallopt")
    if mallopt is not None:
        for option, value in options.items():
            mallopt(option, value)


def _c_function(name: str) -> Callable[..., object] | None:
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except (OSError, TypeError):
        # a TypeError on Windows, where no library has no name
        return None
