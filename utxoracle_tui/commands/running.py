"""Running a command's coroutine so that Ctrl-C and SIGTERM end it cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def tell(sentence: str) -> None:
    """Say something beside the data that is printed."""
    sys.stderr.write(f"utxoracle-tui: {sentence}\n")


def run_until_signal(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end; SIGTERM and SIGHUP cancel it like Ctrl-C does, as `KeyboardInterrupt`."""

    async def guarded() -> T:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                with contextlib.suppress(NotImplementedError):
                    loop.add_signal_handler(getattr(signal, name), task.cancel)
        return await work

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
