"""Changing the configuration file: only what was changed, with the comments and the order of everything else kept."""

from __future__ import annotations

import contextlib
import copy
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from utxoracle_tui import durable
from utxoracle_tui.config.redaction import Secret, redact
from utxoracle_tui.errors import Exit, OperatorError

_BOM = "\ufeff"


def write_settings(path: Path, changes: Mapping[str, object | None]) -> None:
    """Set keys such as `node.url` in the configuration file, or remove those whose value is None.

    Values are written as they are (a secret's own text, a path as text); whether they are known and fit is not looked
    at. A link stays one, and its target is written. The file is there as it was or as it is to be, whatever happens
    meanwhile; it keeps its mode, and a new one is for its owner alone. Blocks on the disk. Raises `OperatorError` for
    a file that isn't TOML, can't be read or can't be written, and then it is as it was.
    """
    target = Path(os.path.realpath(path))
    try:
        before = _text(target)
        after = _changed(path, before, {key: _plain(value) for key, value in changes.items()})
        if after != before:
            _replace(target, after.encode())
    except UnicodeDecodeError:
        raise _refused(path, "it is not UTF-8 text") from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        message = f"{path} can't be written: {reason}. Nothing in it has changed."
        raise OperatorError("config_not_written", message, Exit.FAILED) from error


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return ""


def _plain(value: object) -> object:
    if isinstance(value, Secret):
        return value.reveal()
    return str(value) if isinstance(value, Path) else value


def _refused(path: Path, reason: str) -> OperatorError:
    message = f"{path} is not changed: {redact(reason)}. Once that is mended in an editor, it can be changed from here."
    return OperatorError("config_not_written", message, Exit.USAGE)


def _changed(path: Path, text: str, changes: Mapping[str, object | None]) -> str:
    """The text of the file after the changes: it means what it meant, but for them."""
    mark, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    try:
        meaning = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refused(path, f"it is not valid TOML ({error})") from None
    for key, value in changes.items():
        section, _, name = key.partition(".")
        if not isinstance(meaning.get(section, {}), dict):
            raise _refused(path, f"{section} in it is a value, not a section")
        before = copy.deepcopy(meaning)
        if value is not None:
            meaning.setdefault(section, {})[name] = value
        elif section in meaning:
            meaning[section].pop(name, None)
        # true is equal to 1, but not as good
        if repr(meaning) == repr(before):
            continue
        for way in (_with_new_line, _with_item):
            after = way(text, section, name, value)
            if after is not None and _means(after, meaning):
                text = after
                break
        else:
            # what the operator wrote is worth more than the change
            raise _refused(path, f"{key} in it is written in a way that can't be changed here")
    return mark + text


def _means(text: str, meaning: Mapping[str, object]) -> bool:
    try:
        return tomllib.loads(text) == meaning
    except tomllib.TOMLDecodeError:
        return False


def _with_new_line(text: str, section: str, name: str, value: object | None) -> str | None:
    """The text with a line for a key that its section has none for: where it is commented out, else after the last key.

    tomlkit would put it behind the comment on the next section. None where there is no `[section]`.
    """
    import tomlkit  # noqa: PLC0415  (slow to import, and most commands change no settings)

    lines = text.split("\n")
    header = re.compile(rf"\s*\[\s*{re.escape(section)}\s*\]\s*(#.*)?")
    first = next((number for number, line in enumerate(lines) if header.fullmatch(line)), None)
    if first is None or value is None:
        return None
    length = next((n for n, line in enumerate(lines[first + 1 :]) if line.lstrip().startswith("[")), None)
    of_section = lines[first + 1 :] if length is None else lines[first + 1 : first + 1 + length]
    place = _last(of_section, rf"\s*#\s*{re.escape(name)}\s*=.*") or _last(of_section, r"\s*[\w\"'-]+\s*=.*") or 0
    end = "\r" if lines[first].endswith("\r") else ""
    lines.insert(first + 1 + place, f"{name} = {tomlkit.item(value).as_string()}{end}")
    return "\n".join(lines)


def _last(lines: list[str], pattern: str) -> int:
    """How many lines there are up to the last one of a kind, that one included; 0 without any."""
    return max((number for number, line in enumerate(lines, 1) if re.fullmatch(pattern, line)), default=0)


def _with_item(text: str, section: str, name: str, value: object | None) -> str | None:
    """The text with a key changed, removed or added by tomlkit; None where that can't do it."""
    import tomlkit  # noqa: PLC0415  (slow to import, and most commands change no settings)
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    try:
        document = tomlkit.parse(text)
        if section not in document:
            if text.strip():
                document = tomlkit.parse(text.rstrip("\n") + "\n")
                document.add(tomlkit.nl())
            document.add(section, tomlkit.table())
        table: Any = document[section]
        if value is None:
            del table[name]
        else:
            table[name] = value
        return tomlkit.dumps(document)
    except TOMLKitError:
        return None


def _replace(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file, or make it. Raises `OSError`."""
    durable.private_folder(path.parent)
    try:
        status = path.stat()
    except FileNotFoundError:
        status = None
    temporary = durable.temporary_beside(path)
    durable.write_new(temporary, data)
    try:
        if status is not None:
            _keep_rights(temporary, status)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    durable.sync_folder(path.parent)


def _keep_rights(temporary: Path, status: os.stat_result) -> None:
    """Give a new file the mode of the one that it is to replace, and its owner where that may be."""
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        with contextlib.suppress(PermissionError):
            os.chown(temporary, status.st_uid, status.st_gid)
    temporary.chmod(stat.S_IMODE(status.st_mode))
