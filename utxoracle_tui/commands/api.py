"""`utxoracle-tui api`: the read-only REST API."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
from pathlib import Path

from utxoracle_tui.commands.running import tell
from utxoracle_tui.commands.stack import asked_once
from utxoracle_tui.commands.stored import retention_of, stored_network
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.paths import data_dir
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.stack.look import one_look
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.own_log.keeping import kept_log
from utxoracle_tui.serve.listening import is_loopback, listen, url_of
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble

_NOT_INSTALLED = (
    "The API needs packages that are not installed. Install them with `pipx inject utxoracle-tui fastapi uvicorn`, or "
    "`uv tool install 'utxoracle-tui[api]'`."
)


def run(arguments: argparse.Namespace) -> Exit:
    """Serve until told to end, which is exit code 0."""
    _need_extra()
    from utxoracle_tui.serve.apart import apart  # noqa: PLC0415  (only where the extra is installed)
    from utxoracle_tui.serve.app import Answers  # noqa: PLC0415
    from utxoracle_tui.serve.checks import Checks  # noqa: PLC0415
    from utxoracle_tui.serve.follower import Follower  # noqa: PLC0415
    from utxoracle_tui.serve.server import serve  # noqa: PLC0415

    flags = Flags.of(arguments, {"api.host": arguments.host, "api.port": arguments.port})
    settings = load(flags, os.environ, Path.cwd()).settings
    with contextlib.suppress(StoreTrouble):
        # a store that can't be read is told of by the API, a network that isn't clear at once
        _network(settings)
    host, port = settings.api.host, settings.api.port
    with kept_log(settings, "api", tell), listen(host, port, "The API") as listening:
        tell(f"Serving on {url_of(host, port)}, described by /openapi.json.")
        if not is_loopback(listening):
            tell("Anybody who reaches this address can read the prices: there is no password.")

        async def work() -> None:
            follower = Follower(lambda: _open(settings))
            await serve(Answers(follower, Checks(lambda: apart(lambda: _look(settings)))), listening)

        asyncio.run(work())
    return Exit.DONE


def _need_extra() -> None:
    try:
        import fastapi  # noqa: F401, PLC0415
        import uvicorn  # noqa: F401, PLC0415
    except ImportError:
        raise OperatorError("not_installed", _NOT_INSTALLED, Exit.USAGE) from None


def _network(settings: Settings) -> tuple[Path, str]:
    folder = data_dir(settings.store.data_dir)
    return folder, stored_network(settings, folder)


def _open(settings: Settings) -> Store:
    folder, network = _network(settings)
    return Store(folder, network, retention=retention_of(settings))


async def _look(settings: Settings) -> StackReading:
    async with asked_once(settings) as asked:
        return await one_look(asked)
