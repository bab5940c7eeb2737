"""The console, with a look every few milliseconds at how long its event loop stood: for `tests.bench.terminal_speed`.

`python -m tests.bench.watched_console FILE ARGUMENTS…` writes to FILE, a line for each time that the loop stood for
long: unix time, milliseconds on the clock, and milliseconds that its thread worked, as other processes may have had the
processor meanwhile.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from utxoracle_tui.cli import main as run
from utxoracle_tui.ui.app import Console

LOOK_S = 0.005
LONG_MS = 20.0


async def look(path: Path) -> None:
    """Write down each time that the loop stood."""
    with path.open("w", buffering=1) as file:
        while True:
            started, worked = time.perf_counter(), time.thread_time()
            await asyncio.sleep(LOOK_S)
            stood_ms = (time.perf_counter() - started - LOOK_S) * 1e3
            if stood_ms > LONG_MS:
                file.write(f"{time.time():.3f} {stood_ms:.1f} {(time.thread_time() - worked) * 1e3:.1f}\n")


def main() -> int:
    """Run the console as the command does."""
    path = Path(sys.argv[1])
    mount = Console.on_mount

    def on_mount(self: Console) -> None:
        mount(self)
        self.looking = asyncio.create_task(look(path))  # type: ignore[attr-defined]

    Console.on_mount = on_mount  # type: ignore[method-assign]
    return run(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
