"""Memory of many threads, as the allocator tells of it."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

POOLS = """
import ctypes, sys, threading
from utxoracle_tui.lean_memory import keep_lean
if sys.argv[1] == "lean":
    keep_lean()
threads = [threading.Thread(target=lambda: [bytearray(50_000) for _ in range(100)]) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
stdout = ctypes.c_void_p.in_dll(libc, "stdout")
libc.malloc_info(0, stdout)
libc.fflush(stdout)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has pools of its own kind")
@pytest.mark.parametrize(("how", "is_one"), [("lean", True), ("as it comes", False)])
def test_there_is_one_pool_for_all_threads(how: str, is_one: bool) -> None:
    told = subprocess.run([sys.executable, "-c", POOLS, how], capture_output=True, text=True, check=True, timeout=30)
    assert (told.stdout.count("<heap nr=") == 1) is is_one, told.stdout


HOLES = """
import gc
from pathlib import Path
from utxoracle_tui.lean_memory import give_back, keep_lean
gc.disable()
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
keep_lean()
pieces = [bytearray(50_000) for _ in range(1000)]
pieces.append(pieces)
last = bytearray(50_000)
full = resident()
del pieces
before = resident()
give_back()
print(full - before, full - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has pools of its own kind")
def test_holes_go_back_to_the_host() -> None:
    told = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True, timeout=30)
    by_itself, by_us = map(int, told.stdout.split())
    assert by_itself < 10_000_000
    assert by_us > 40_000_000
