"""`utxoracle-tui serve`: the console in a browser."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from utxoracle_tui.commands.running import tell
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.schema import schema
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.own_log.keeping import kept_log
from utxoracle_tui.serve.listening import is_loopback, listen, url_of

_NOT_INSTALLED = (
    "The console in a browser needs packages that are not installed. Install them with `pipx inject utxoracle-tui "
    "textual-serve`, or `uv tool install 'utxoracle-tui[web]'`."
)


def run(arguments: argparse.Namespace) -> Exit:
    """Serve until told to end, which is exit code 0."""
    _need_extra()
    from utxoracle_tui.serve.web_console import WebConsole, names_of_this_machine  # noqa: PLC0415

    settings = load(Flags.of(arguments), os.environ, Path.cwd()).settings
    host, port = arguments.host, arguments.port
    with kept_log(settings, "serve", tell), listen(host, port, "The console") as listening:
        what = "jobs can be asked for" if arguments.writable else "only to look"
        tell(f"The console is on {url_of(host, listening.getsockname()[1])}, {what}.")
        if not is_loopback(listening):
            able = "use the console" if arguments.writable else "see the console"
            tell(f"Anybody who reaches this address can {able}: there is no password, and nothing is encrypted.")
        read_only = {schema()["screen.read_only"].variable: "false" if arguments.writable else "true"}
        server = WebConsole(tuple(_console(arguments)), read_only, names_of_this_machine(host))
        asyncio.run(server.serve_on(listening))
    return Exit.DONE


def _need_extra() -> None:
    try:
        import textual_serve  # noqa: F401, PLC0415
    except ImportError:
        raise OperatorError("not_installed", _NOT_INSTALLED, Exit.USAGE) from None


def _console(arguments: argparse.Namespace) -> Iterator[str]:
    """The command that starts a console; secrets reach it by the environment and files, as they reach this process."""
    yield from (sys.executable, "-m", "utxoracle_tui")
    for flag, path in (("--config", arguments.config), ("--data-dir", arguments.data_dir)):
        if path is not None:
            yield from (flag, str(path))
