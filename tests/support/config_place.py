"""A home folder, a current folder and an environment of its own, for tests of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from utxoracle_tui.config import redaction
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import ConfigError, Loaded, load


@dataclass
class Place:
    """Where a test's configuration lies. Nothing of the machine that runs the tests gets in."""

    home: Path
    cwd: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def bitcoin(self) -> Path:
        """The node's default data directory."""
        return self.home / ".bitcoin"

    @property
    def file(self) -> Path:
        """The program's configuration file."""
        return self.home / "config" / "utxoracle-tui" / "config.toml"

    def write_file(self, text: str) -> Path:
        return written(self.file, text)

    def write_dotenv(self, text: str) -> Path:
        return written(self.cwd / ".env", text)

    def write_conf(self, text: str, folder: Path | None = None) -> Path:
        return written((folder or self.bitcoin) / "bitcoin.conf", text)

    def load(self, flags: Mapping[str, object] | None = None, config: Path | None = None) -> Loaded:
        return load(Flags(config, flags or {}), self.environ, self.cwd)

    def value(self, key: str) -> object:
        return self.load().values[key].value

    def origin(self, key: str) -> str:
        return str(self.load().values[key].origin)

    def problems(self, config: Path | None = None) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            self.load(config=config)
        return caught.value.problems


def written(path: Path, text: str) -> Path:
    """Write a file for the owner alone, with the folders that lead to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


def forget_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process know no secrets, and forget at the end of the test those that it learns."""
    monkeypatch.setattr(redaction, "_known", redaction._Known())


def make_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty place; the process's home, XDG folders and current folder are in it while the test runs."""
    forget_secrets(monkeypatch)
    home, cwd = tmp_path / "home", tmp_path / "cwd"
    home.mkdir()
    cwd.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    for kind in ("DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
    monkeypatch.chdir(cwd)
    return Place(home, cwd)
