"""`utxoracle-tui demo`: the console on a simulated node host, or that host alone."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from utxoracle_tui import lean_memory, start_up
from utxoracle_tui.commands.running import run_until_signal
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.errors import Exit, OperatorError

if TYPE_CHECKING:
    from utxoracle_tui.demo.host.simulated_host import SimulatedHost

_PARENT_CHECK_S = 0.5
_PROGRESS_S = 0.2
_CLEAR_LINE = "\r\x1b[K"


class _Orphaned(Exception):
    """The program that started the host has gone."""


def run(arguments: argparse.Namespace) -> Exit:
    """Serve until a signal, or open the console."""
    if not arguments.serve:
        return run_console(arguments)
    start_up.over()
    # a node that takes a block's memory from the system anew each time costs those who ask it a third of their time
    lean_memory.hold()
    options = HostOptions.from_arguments(arguments)
    try:
        run_until_signal(_serve(options, announce=arguments.announce, parent=arguments.parent))
    except (KeyboardInterrupt, _Orphaned):
        return Exit.DONE
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"The simulated host cannot go on: {error.strerror or error}."
        raise OperatorError("demo_failed", message, Exit.FAILED) from error
    return Exit.DONE


def run_console(arguments: argparse.Namespace) -> Exit:
    """The console on a host of its own; what it keeps goes to a temporary place, but for compiled code."""
    from utxoracle_tui.commands.console import need_terminal, on_node  # noqa: PLC0415  (only for the console)
    from utxoracle_tui.commands.settings_place import apart, settings_place  # noqa: PLC0415
    from utxoracle_tui.config.inputs import Flags  # noqa: PLC0415
    from utxoracle_tui.config.paths import cache_dir  # noqa: PLC0415
    from utxoracle_tui.demo.host.process import start_host  # noqa: PLC0415

    need_terminal()
    with start_host(HostOptions.from_arguments(arguments)) as host:
        folder = Path(host.env["BITCOIN_DATADIR"])
        # how the console looks is the operator's; what it works with is the simulated host's
        look = {name: value for name, value in os.environ.items() if name.startswith("UTXORACLE_TUI_SCREEN_")}
        place = settings_place(Flags.of(arguments), look | host.env, folder)
        cache = cache_dir(place.started.settings.store.data_dir)
        return on_node(apart(place, folder / "console"), cache, label="DEMO")


async def _serve(options: HostOptions, *, announce: str, parent: int | None) -> None:
    from utxoracle_tui.demo.host.simulated_host import SimulatedHost  # noqa: PLC0415  (a wrong option is told at once)

    async with SimulatedHost(options) as host:
        if parent is not None:
            host.in_background(_watch(parent))
        if announce == "ready":
            await _ready(host)
        sys.stdout.write(json.dumps({"env": host.environment, "pid": os.getpid()}) + "\n")
        sys.stdout.flush()
        await host.broken()


async def _watch(parent: int) -> None:
    """Raises `_Orphaned` when the process `parent` is no longer the one above this one."""
    while os.getppid() == parent:
        await asyncio.sleep(_PARENT_CHECK_S)
    raise _Orphaned


async def _ready(host: SimulatedHost) -> None:
    """Wait until the node is ready; on a terminal, say how far its blocks are."""
    if not sys.stderr.isatty():
        await host.ready()
        return
    waiting = asyncio.ensure_future(host.ready())
    try:
        while not (await asyncio.wait({waiting}, timeout=_PROGRESS_S))[0]:
            line = f"Making blocks: {len(host.chain)} of {len(host.history) + 1}"
            sys.stderr.write(_CLEAR_LINE + line)
            sys.stderr.flush()
        await waiting
    finally:
        waiting.cancel()
        sys.stderr.write(_CLEAR_LINE)
