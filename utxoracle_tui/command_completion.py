"""Answering a shell that completes a command line: what could stand there next, by the parser itself."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from utxoracle_tui.config.networks import NETWORKS

VARIABLE = "_ARGCOMPLETE"
"""What a shell sets when it only wants to know what could follow."""


def is_asked() -> bool:
    """Whether this process was started by a shell that completes a line."""
    return VARIABLE in os.environ


def answer(parser: argparse.ArgumentParser) -> None:
    """Tell the shell, and end the process."""
    # nothing but this needs it
    import argcomplete  # noqa: PLC0415
    from argcomplete.completers import BaseCompleter, FilesCompleter  # noqa: PLC0415

    class Values(BaseCompleter):
        """What an option or argument may be that has no choices of its own."""

        def __call__(self, *, prefix: str, action: argparse.Action, **_: object) -> Iterable[str]:
            """Files, networks, or nothing that is known."""
            if action.type is Path or action.dest == "file":
                return FilesCompleter()(prefix)
            return NETWORKS if action.dest == "network" else ()

    argcomplete.autocomplete(parser, always_complete_options=False, default_completer=Values())
