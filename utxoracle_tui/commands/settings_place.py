"""Where a console has its settings from, and changes them: the operator's own file, or for a demo a copy of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from utxoracle_tui.config.changing import SettingsPlace
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.schema import schema
from utxoracle_tui.durable import private_folder, write_new


def settings_place(flags: Flags, environ: Mapping[str, str], cwd: Path) -> SettingsPlace:
    """The settings of this process. Raises `ConfigError`."""
    return SettingsPlace(flags, environ, cwd, load(flags, environ, cwd))


def apart(place: SettingsPlace, folder: Path) -> SettingsPlace:
    """The same settings on a copy of their file in `folder`, which is where all is kept, if nobody says otherwise."""
    copy, environ = folder / "config.toml", dict(place.environ)
    private_folder(folder)
    write_new(copy, place.path.read_bytes() if place.path.exists() else b"")
    environ[schema()["store.data_dir"].variable] = str(place.started.settings.store.data_dir or folder)
    flags = replace(place.flags, config=copy)
    return SettingsPlace(flags, environ, place.cwd, load(flags, environ, place.cwd), passing=True)
