"""`utxoracle-tui config`: the settings, where they come from, what is wrong with them, and which there can be."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import ConfigError, Loaded, load
from utxoracle_tui.config.provenance import Value
from utxoracle_tui.config.redaction import SET, Secret
from utxoracle_tui.errors import Exit, OperatorError

_NOT_SET = "(not set)"
_WIDEST_COLUMN = 44
"""Longer values push their own origin aside, not that of every row."""


def run(arguments: argparse.Namespace) -> Exit:
    """Show or validate the settings as every other command would get them, make a first file, or print the schema.

    `show` raises `ConfigError` where there are no settings to show.
    """
    if arguments.config_command == "init":
        from utxoracle_tui.commands import config_init  # noqa: PLC0415  (it brings the clients of the stack)

        return config_init.run(arguments)
    if arguments.config_command == "schema":
        from utxoracle_tui.config.json_schema import json_schema  # noqa: PLC0415  (it reads the sources)

        sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
        return Exit.DONE
    flags = Flags.of(arguments)
    if arguments.config_command == "validate":
        return _validate(flags, as_json=arguments.json)
    loaded = load(flags, os.environ, Path.cwd())
    if arguments.json:
        settings = {key: _as_document(value) for key, value in loaded.values.items()}
        _print_json({"settings": settings, "notes": loaded.notes})
    else:
        sys.stdout.write(_as_table(loaded.values))
        sys.stderr.write(_as_notes(loaded.notes))
    return Exit.DONE


def _validate(flags: Flags, *, as_json: bool) -> Exit:
    problems: tuple[str, ...] = ()
    document: dict[str, object] = {}
    try:
        loaded = load(flags, os.environ, Path.cwd())
    except ConfigError as error:
        notes, problems, document = error.notes, error.problems, _as_error(error)
    else:
        notes = loaded.notes
        if (refused := _refused_keys(loaded)) is not None:
            problems = (refused.message,)
            document = _as_error(refused)
    if as_json:
        _print_json({"ok": not problems, "problems": problems, "notes": notes, **document})
    else:
        sys.stdout.write("".join(f"{problem}\n" for problem in problems) or "ok\n")
        sys.stdout.write(_as_notes(notes))
    return Exit.USAGE if problems else Exit.DONE


def _refused_keys(loaded: Loaded) -> OperatorError | None:
    """What the console would say of its keys at its start, if it refused them."""
    from utxoracle_tui.ui.key_places import checked_keys  # noqa: PLC0415  (it brings all screens)

    screen = loaded.settings.screen
    try:
        checked_keys(screen.keys, screen.remap)
    except OperatorError as error:
        return error
    return None


def _as_error(error: OperatorError) -> dict[str, object]:
    return {"error": {"kind": error.kind, "message": error.message, "host": error.host}}


def _as_document(value: Value) -> dict[str, object]:
    origin = value.origin
    shown = value.value if isinstance(value.value, bool | int | float | None) else _plain(value.value)
    place = {"kind": origin.source.word, "place": origin.place, "line": origin.line, "section": origin.section}
    return {"value": shown, "origin": place}


def _as_table(values: Mapping[str, Value]) -> str:
    rows = [("key", "value", "origin")]
    rows += [(key, _as_text(value.value), str(value.origin)) for key, value in values.items()]
    key_width = max(len(key) for key, _, _ in rows)
    value_width = min(_WIDEST_COLUMN, max(len(text) for _, text, _ in rows))
    return "".join(f"{key:<{key_width}}  {text:<{value_width}}  {origin}\n" for key, text, origin in rows)


def _as_text(value: object) -> str:
    if value is None:
        return _NOT_SET
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.15g}" if isinstance(value, float) else _plain(value)


def _plain(value: object) -> str:
    """A value as text, without the characters that steer a terminal, and without the text of a secret."""
    if isinstance(value, Secret):
        return SET
    text = str(value)
    return text if text and text.isprintable() else repr(text)


def _as_notes(notes: tuple[str, ...]) -> str:
    return "".join(f"note: {note}\n" for note in notes)


def _print_json(document: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
