"""What the operator gave: by flags, in the environment, in `.env` and in the configuration file."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from utxoracle_tui.clock import ENVIRONMENT_NAME as CLOCK_VARIABLE
from utxoracle_tui.config.paths import config_file
from utxoracle_tui.config.provenance import Origin, Source
from utxoracle_tui.config.schema import PREFIX, schema, section_classes

EARLIER_DATABASE = "DUCKDB_PATH"
"""The variable of the earlier system that names its database."""

_IMPORT_HINT = (
    f"{EARLIER_DATABASE} ({{where}}) names the database of the earlier system, which this program doesn't open. "
    "To keep its history, export its table as CSV and run: utxoracle-tui import FILE.csv"
)


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says."""

    config: Path | None = None
    """The configuration file to read instead of the platform's."""
    values: Mapping[str, object] = field(default_factory=dict)
    """Values by key, such as `store.data_dir`; None is as if the flag hadn't been given."""

    @classmethod
    def of(cls, arguments: argparse.Namespace, values: Mapping[str, object] | None = None) -> Flags:
        """The flags that all commands share, and the `values` of a command's own."""
        shared = {
            "store.data_dir": getattr(arguments, "data_dir", None),
            "node.network": getattr(arguments, "network", None),
        }
        return cls(getattr(arguments, "config", None), shared | dict(values or {}))


@dataclass(frozen=True, slots=True)
class Given:
    """One value as it was written."""

    key: str
    raw: object = field(repr=False)
    """The text or TOML value, which may be a secret."""
    origin: Origin
    base: Path
    """Where relative paths start."""
    specific: int = 0
    """Among values of one source the smallest wins: 0 by the program's own name, 1 by one of the earlier system,
    2 as a part of another value."""

    @property
    def rank(self) -> tuple[Source, int]:
        """The smallest rank wins."""
        return self.origin.source, self.specific


@dataclass(slots=True)
class Inputs:
    """All that was given, and what is wrong or remarkable about it."""

    given: list[Given] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def file_of(flags: Flags, cwd: Path) -> Path:
    """The configuration file, which need not be there."""
    return cwd / flags.config.expanduser() if flags.config is not None else config_file()


def gather(
    flags: Flags, environ: Mapping[str, str], cwd: Path, changes: Mapping[str, object | None] | None = None
) -> Inputs:
    """Read all sources; values stay as they are written. An empty text is no value.

    With `changes` the file is read as if these keys had these values in it, or, with None, weren't there.
    """
    inputs = Inputs()
    for key, raw in flags.values.items():
        if raw is not None:
            origin = Origin(Source.FLAG, schema()[key].rules.flag or key)
            inputs.given.append(Given(key, raw, origin, cwd))
    _read_variables(environ, {name: Origin(Source.ENVIRONMENT, name) for name in environ}, cwd, inputs)
    _read_dotenv(cwd / ".env", environ, inputs)
    _read_file(file_of(flags, cwd), changes or {}, inputs, is_named=flags.config is not None)
    return inputs


def _read_variables(variables: Mapping[str, str], origins: Mapping[str, Origin], base: Path, inputs: Inputs) -> None:
    keys: dict[str, tuple[str, int]] = {}
    for setting in schema().values():
        keys[setting.variable] = (setting.key, 0)
        keys.update(dict.fromkeys(setting.rules.env, (setting.key, 1)))
    for name, text in variables.items():
        origin = origins[name]
        where = origin.source.word if origin.place == name else origin
        if name in keys:
            if text.strip():
                key, specific = keys[name]
                inputs.given.append(Given(key, text, origin, base, specific))
        elif name == EARLIER_DATABASE:
            inputs.notes.append(_IMPORT_HINT.format(where=where))
        elif name.startswith(PREFIX) and name != CLOCK_VARIABLE:
            hint = _nearest(name, (*keys, CLOCK_VARIABLE), PREFIX)
            inputs.problems.append(f"{name} ({where}) is not a known setting.{hint}")


def _nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """A question that names the known name most like `name`, or nothing.

    A prefix that all have in common is left out of the comparison: it would make any two of them alike.
    """
    ends = [own.removeprefix(prefix) for own in known if own.startswith(prefix)]
    matches = difflib.get_close_matches(name.removeprefix(prefix), ends, n=1)
    return f" Did you mean {prefix}{matches[0]}?" if matches else ""


def _read_dotenv(path: Path, environ: Mapping[str, str], inputs: Inputs) -> None:
    """Read `.env` as python-dotenv does: `${NAME}` is replaced from the environment and the lines above."""
    text = _optional_text(path, inputs)
    if not text:
        return
    import io  # noqa: PLC0415  (only where there is such a file)

    from dotenv.parser import parse_stream  # noqa: PLC0415
    from dotenv.variables import parse_variables  # noqa: PLC0415

    values: dict[str, str] = {}
    origins: dict[str, Origin] = {}
    for binding in parse_stream(io.StringIO(text)):
        # a statement starts after the blank lines that the parser counts to it
        line = binding.original.line + _leading_newlines(binding.original.string)
        if binding.error:
            inputs.notes.append(f"{path} line {line} is not NAME=value and is ignored.")
        elif binding.key is not None and binding.value is not None:
            known = {**values, **environ}
            values[binding.key] = "".join(atom.resolve(known) for atom in parse_variables(binding.value))
            origins[binding.key] = Origin(Source.DOTENV, str(path), line)
    _read_variables(values, origins, path.parent, inputs)


def _leading_newlines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")


def _optional_text(path: Path, inputs: Inputs) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as error:
        inputs.notes.append(f"{path} can't be read and is ignored: {_reason(error)}.")
        return ""


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def _read_file(path: Path, changes: Mapping[str, object | None], inputs: Inputs, *, is_named: bool) -> None:
    import tomllib  # noqa: PLC0415  (slow to import)

    text = ""
    document: dict[str, object] = {}
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(text)
    except FileNotFoundError:
        if is_named and not changes:
            inputs.problems.append(f"The configuration file {path} doesn't exist.")
    except tomllib.TOMLDecodeError as error:
        inputs.problems.append(f"{path} is not valid TOML: {error}.")
    except (OSError, UnicodeDecodeError) as error:
        inputs.problems.append(f"The configuration file {path} can't be read: {_reason(error)}.")
    _read_document(_as_changed(document, changes), path, _lines(text), inputs)


def _as_changed(document: dict[str, object], changes: Mapping[str, object | None]) -> dict[str, object]:
    for key, raw in changes.items():
        section, _, name = key.partition(".")
        table = document.setdefault(section, {})
        if isinstance(table, dict):
            table.pop(name, None)
            if raw is not None:
                table[name] = raw
    return document


def _read_document(document: dict[str, object], path: Path, lines: Mapping[str, int], inputs: Inputs) -> None:
    sections = section_classes()
    for section, table in document.items():
        origin = Origin(Source.FILE, str(path), lines.get(section))
        if section not in sections:
            is_section = isinstance(table, dict)
            what = f"section [{section}]" if is_section else f"key {section}"
            hint = _nearest(section, sections if is_section else [*schema(), *sections])
            inputs.problems.append(f"The {what} ({origin}) is not known.{hint}")
        elif not isinstance(table, dict):
            inputs.problems.append(f"{section} ({origin}) is a section: write [{section}] and its keys below it.")
        else:
            for name, raw in table.items():
                key = f"{section}.{name}"
                _add_from_file(key, raw, Origin(Source.FILE, str(path), lines.get(key)), path.parent, inputs)


def _add_from_file(key: str, raw: object, origin: Origin, base: Path, inputs: Inputs) -> None:
    if key not in schema():
        hint = _nearest(key, schema())
        if not hint:
            section = key.partition(".")[0]
            names = ", ".join(setting.name for setting in schema().values() if setting.section == section)
            hint = f" The keys of [{section}] are {names}."
        inputs.problems.append(f"The key {key} ({origin}) is not known.{hint}")
    elif raw != "":
        inputs.given.append(Given(key, raw, origin, base))


_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(r"\s*([^=#\[\]{}]+?)\s*=")


def _lines(text: str) -> dict[str, int]:
    """The line of each section and `section.key`, as far as a look at each line by itself can tell."""
    found: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            section = _bare(header[1])
            found.setdefault(section, number)
        elif assignment := _ASSIGNMENT.match(line):
            name = _bare(assignment[1])
            key = f"{section}.{name}" if section else name
            found.setdefault(key, number)
            found.setdefault(key.partition(".")[0], number)
    return found


def _bare(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))
