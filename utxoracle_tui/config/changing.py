"""Settings as a running program changes them: in the configuration file, after the very checks that loading makes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from utxoracle_tui.config.editing import write_settings
from utxoracle_tui.config.inputs import Flags, Given, file_of, gather
from utxoracle_tui.config.load import ConfigError, Loaded, load
from utxoracle_tui.config.provenance import Origin, Source
from utxoracle_tui.config.schema import Setting, schema
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.config.values import Unfit, convert, split_credentials
from utxoracle_tui.errors import Exit, OperatorError


@dataclass(frozen=True, slots=True)
class SettingsRead:
    """What the sources say at one moment."""

    loaded: Loaded
    """As a start now would have it; where it can't be had for `problems`, as it was before."""
    in_file: Mapping[str, Origin]
    """The settings that the configuration file has, with the place in it, whether they count or not."""
    problems: tuple[str, ...] = ()
    """Why a start now would fail."""
    unwritable: str | None = None
    """Why the file can't be changed, as a sentence, as far as that is clear beforehand."""


@dataclass(frozen=True, slots=True)
class SettingsPlace:
    """Where a process has its settings from. All methods block on the disk."""

    flags: Flags
    environ: Mapping[str, str]
    cwd: Path
    started: Loaded
    """What the process began with."""
    passing: bool = False
    """Whether the file is a copy that is gone when the process ends."""

    @property
    def path(self) -> Path:
        """The configuration file, which need not be there."""
        return file_of(self.flags, self.cwd)

    def read(self, before: Loaded | None = None) -> SettingsRead:
        """Read everything again; `before` is what is still shown where that can't be used."""
        in_file = {
            given.key: given.origin
            for given in gather(self.flags, self.environ, self.cwd).given
            if given.origin.source is Source.FILE
        }
        unwritable = self._unwritable()
        try:
            loaded = load(self.flags, self.environ, self.cwd)
        except ConfigError as error:
            return SettingsRead(before or self.started, in_file, error.problems, unwritable)
        return SettingsRead(loaded, in_file, (), unwritable)

    def change(self, key: str, raw: object | None, check: Callable[[Settings], object] = lambda settings: None) -> None:
        """Write a value as it was typed, or remove the key with None.

        Raises `OperatorError` where all settings together would not load with it, where `check` raises one for what
        they would be, or where the file can't be written; then nothing has changed.
        """
        changes = {key: raw if raw is None else _typed(schema()[key], raw), **self._login_beside(key, raw)}
        known = self._problems()
        try:
            check(load(self.flags, self.environ, self.cwd, changes).settings)
        except ConfigError as error:
            found = [problem for problem in error.problems if problem not in known]
            if found:
                raise OperatorError("configuration", "\n".join(found), Exit.USAGE) from None
        write_settings(self.path, changes)

    def _problems(self) -> tuple[str, ...]:
        try:
            load(self.flags, self.environ, self.cwd)
        except ConfigError as error:
            return error.problems
        return ()

    def _login_beside(self, key: str, raw: object | None) -> dict[str, object]:
        """The name and the password that stand in an address of the file, as keys of their own.

        They aren't shown, so that who changes the rest of the address would lose them.
        """
        setting = schema()[key]
        if not setting.rules.takes_credentials or not isinstance(raw, str):
            return {}
        given = gather(self.flags, self.environ, self.cwd).given
        in_file: dict[str, Given] = {each.key: each for each in given if each.origin.source is Source.FILE}
        if key not in in_file:
            return {}
        try:
            _, _, new = split_credentials(raw.strip())
            _, user, password = split_credentials(str(in_file[key].raw))
        except Unfit:
            return {}
        if new is not None:
            return {}
        found = {f"{setting.section}.user": user, f"{setting.section}.password": password}
        return {key: text for key, text in found.items() if text and key not in in_file}

    def _unwritable(self) -> str | None:
        folder = Path(os.path.realpath(self.path)).parent
        while not folder.exists():
            folder = folder.parent
        if os.access(folder, os.W_OK | os.X_OK):
            return None
        return f"{self.path} can't be changed: its folder {folder} may not be written to by this user."


def _typed(setting: Setting, raw: object) -> object:
    """A number for a number; other texts stay as they are, a path with its ~."""
    if isinstance(raw, str) and (setting.type is int or setting.type is float):
        try:
            return convert(setting, raw, Path())
        except Unfit:
            return raw
    return raw.strip() if isinstance(raw, str) else raw
