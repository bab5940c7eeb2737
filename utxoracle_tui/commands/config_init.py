"""`utxoracle-tui config init`: a first configuration, with as little asked as can be.

Node, mempool backend and electrs are looked for and tried. What is found by itself anyhow is not written down.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Mapping
from pathlib import Path

from utxoracle_tui import clock, durable, formats
from utxoracle_tui.commands.asking import LEAVE_OUT, ask, ask_password, ask_yes, can_ask
from utxoracle_tui.commands.init_search import (
    Found,
    State,
    Values,
    find_node,
    find_others,
    try_backend,
    try_node,
)
from utxoracle_tui.commands.running import run_until_signal
from utxoracle_tui.config.editing import write_settings
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import ConfigError, Loaded, load
from utxoracle_tui.config.paths import config_file
from utxoracle_tui.config.provenance import Source
from utxoracle_tui.config.redaction import HIDDEN, SET, Secret, redact
from utxoracle_tui.errors import Exit, OperatorError

_WIDTH = 80
_INDENT = 18
_GLYPHS = {State.WORKS: "✓", State.NO_LOGIN: "✗", State.UNUSABLE: "✗", State.ABSENT: "✗"}
_HEADER = """# The settings of utxoracle-tui that are not found by themselves. All keys, with their values and origins:
# utxoracle-tui config show
"""


def run(arguments: argparse.Namespace) -> Exit:
    """Look, ask, and write the file. Raises `OperatorError` where that can't be."""
    init = _Init(arguments)
    init.refuse_or_ask()
    run_until_signal(init.search())
    init.tell_all()
    if init.asks:
        init.ask_for_missing()
    changes = init.changes()
    kept = None
    if not arguments.dry_run and (changes or not init.file.exists()):
        kept = init.write(changes)
    init.report(changes, kept)
    return Exit.DONE


class _Init:
    """One run: what was found so far, and what is to be written."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        named: Path | None = arguments.config
        self.file = Path.cwd() / named.expanduser() if named is not None else config_file()
        self._arguments = arguments
        self.asks = can_ask() and not arguments.yes and not arguments.json
        self._base = self.file if self.file.exists() else Path(os.devnull)
        self._values: Values = {}
        self._found: dict[str, Found] = {}

    def refuse_or_ask(self) -> None:
        """Have the operator agree to the change of a file that is there; raise `OperatorError` where they don't."""
        if not self.file.exists() or self._arguments.dry_run or self._arguments.yes:
            return
        told = f"{self.file} exists"
        if self.asks and ask_yes(f"{told}. Change it? The rest of it stays, and a copy of it is kept."):
            return
        advice = "" if self.asks else " --yes has it changed, with a copy kept; --dry-run shows what would be in it."
        raise OperatorError("file_exists", f"{told}. Nothing was changed.{advice}", Exit.FAILED)

    async def search(self) -> None:
        """Look for all there is."""
        node = await find_node(self._load, {})
        self._take("node", node, if_state=(State.WORKS, State.NO_LOGIN))
        backend, electrs = await find_others(self._load(self._values), node.network)
        self._take("mempool", backend)
        self._take("electrs", electrs)

    def _take(self, name: str, found: Found, if_state: tuple[State, ...] = (State.WORKS,)) -> None:
        self._found[name] = found
        if found.state in if_state:
            self._values |= found.values

    def _load(self, values: Values) -> Loaded:
        shared = Flags.of(self._arguments).values
        return load(Flags(self._base, {**shared, **values}), os.environ, Path.cwd())

    def tell_all(self) -> None:
        """Say what became of each search."""
        for found in self._found.values():
            _tell(found)
        for sentence in self._load(self._values).notes:
            sys.stderr.write(redact(f"note: {sentence}\n"))

    def ask_for_missing(self) -> None:
        """Ask for what was not found."""
        if self._found["node"].state in (State.ABSENT, State.NO_LOGIN):
            self._ask_for_node()
        if self._found["mempool"].state is not State.WORKS:
            self._ask_for_backend()

    def _ask_for_node(self) -> None:
        knows_address = self._found["node"].state is State.NO_LOGIN
        while True:
            node = self._load(self._values).settings.node
            entered: Values = {}
            if not knows_address:
                entered["node.url"] = ask(f"Address of the node ({LEAVE_OUT}: leave it out)", node.url)
                if not entered["node.url"]:
                    return
            user = ask(f"Its RPC user ({LEAVE_OUT}: use the cookie)", node.user or "")
            if user:
                entered["node.user"] = user
                password = ask_password("Its RPC password (not shown; empty: none)")
                if password:
                    entered["node.password"] = password
            try:
                loaded = self._load({**self._values, **entered})
            except ConfigError as error:
                sys.stderr.write(f"{redact(error.message)}\n")
                knows_address = False
                continue
            found = run_until_signal(try_node(loaded, entered))
            _tell(found)
            if found.state is State.WORKS or not ask_yes("Enter it again?"):
                self._take("node", found, tuple(State))
                return

    def _ask_for_backend(self) -> None:
        key = "mempool.api_url"
        default = self._load(self._values).settings.mempool.api_url
        while True:
            entered: Values = {key: ask(f"Address of the mempool backend ({LEAVE_OUT}: leave it out)", default)}
            if not entered[key]:
                return
            try:
                url = self._load({**self._values, **entered}).settings.mempool.api_url
            except ConfigError as error:
                sys.stderr.write(f"{redact(error.message)}\n")
                continue
            found = run_until_signal(try_backend(url, entered))
            _tell(found)
            if found.state is State.WORKS or not ask_yes("Enter it again?"):
                self._take("mempool", found, tuple(State))
                return

    def changes(self) -> dict[str, object]:
        """What the file lacks: what was found, asked for, or given by flags and variables, and isn't so by itself."""
        wanted = {
            key: value.value
            for key, value in self._load(self._values).values.items()
            if value.origin.source in (Source.FLAG, Source.ENVIRONMENT)
        }
        bare = load(Flags(self._base), {}, Path.cwd()).values
        missing = {key: value for key, value in wanted.items() if bare[key].value != value}
        # one value may lead to others: a node elsewhere makes its default folder something to be said
        then = load(Flags(self._base, {key: _raw(value) for key, value in missing.items()}), {}, Path.cwd()).values
        return {key: value for key, value in wanted.items() if key in missing or then[key].value != value}

    def write(self, changes: Mapping[str, object]) -> Path | None:
        """Write the file, and return the copy that was kept of the one before."""
        try:
            kept = self._keep_copy()
            if kept is None:
                durable.private_folder(self.file.parent)
                durable.write_new(self.file, _HEADER.encode())
        except OSError as error:
            message = f"{error.filename or self.file} can't be written: {(error.strerror or 'unknown').lower()}."
            raise OperatorError("not_written", message, Exit.FAILED) from None
        if changes:
            write_settings(self.file, changes)
        with contextlib.suppress(OSError):
            # one that was there may have been for everybody, and hold a password now
            self.file.chmod(durable.PRIVATE_FILE)
        return kept

    def _keep_copy(self) -> Path | None:
        if not self.file.exists():
            return None
        stamp = formats.utc_minute(clock.now_s()).replace(":", "").replace(" ", "-")
        number, copy = 1, self.file.with_name(f"{self.file.name}.{stamp}")
        while copy.exists():
            number += 1
            copy = self.file.with_name(f"{self.file.name}.{stamp}-{number}")
        durable.write_new(copy, self.file.read_bytes())
        return copy

    def _text(self, changes: Mapping[str, object]) -> str:
        """The file as it would be, without the secrets."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "config.toml"
            if self.file.exists():
                shutil.copyfile(self.file, path)
            else:
                durable.write_new(path, _HEADER.encode())
            if changes:
                hidden = {key: HIDDEN if isinstance(value, Secret) else value for key, value in changes.items()}
                write_settings(path, hidden)
            return redact(path.read_text(encoding="utf-8"))

    def report(self, changes: Mapping[str, object], kept: Path | None) -> None:
        """Say what was written, or print what would be."""
        arguments = self._arguments
        if arguments.json:
            document = {
                "file": str(self.file),
                "dry_run": arguments.dry_run,
                "settings": {key: SET if isinstance(raw, Secret) else _raw(raw) for key, raw in changes.items()},
                "found": {name: _as_document(found) for name, found in self._found.items()},
                "copy": str(kept) if kept is not None else None,
            }
            sys.stdout.write(json.dumps(document) + "\n")
        elif arguments.dry_run:
            sys.stdout.write(self._text(changes))
        else:
            if kept is not None:
                sys.stdout.write(f"kept  {kept}\n")
            state = "wrote " if changes or kept is None else "as is "
            sys.stdout.write(f"{state}{self.file}\n")
            self._tell_what_is_set(changes)

    def _tell_what_is_set(self, changes: Mapping[str, object]) -> None:
        whole = all(found.state is State.WORKS for found in self._found.values())
        said = f"Set: {', '.join(changes)}." if changes else "Nothing had to be set." if whole else "Nothing was set."
        if not whole:
            said += " What is missing can be set later: node.url, node.user, node.password, mempool.api_url."
        after = "utxoracle-tui" if whole else "utxoracle-tui doctor"
        sys.stderr.write(f"{textwrap.fill(said, _WIDTH, break_on_hyphens=False)}\nNext: {after}\n")


def _raw(value: object) -> object:
    """A value as the file has it."""
    if isinstance(value, Secret):
        return value.reveal()
    return str(value) if isinstance(value, Path) else value


def _as_document(found: Found) -> dict[str, object]:
    return {"state": found.state.value, "said": redact(found.said), "tried": list(found.tried)}


def _tell(found: Found) -> None:
    """A line on a search, 80 columns wide, with the addresses where nothing was found."""
    said = found.said
    if found.state is State.ABSENT and len(found.tried) > 1:
        said += f" Tried: {', '.join(found.tried)}."
    lines = textwrap.wrap(redact(said), _WIDTH - _INDENT - 2, break_on_hyphens=False, break_long_words=False) or [""]
    head = f"{_GLYPHS[found.state]} {found.what}"
    for line in lines:
        sys.stderr.write(f"{head:<{_INDENT + 2}}{line}\n")
        head = ""
