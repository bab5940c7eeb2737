"""The settings as a list: read from their declarations, so that a declaration is all that a new one needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from types import MappingProxyType
from typing import get_args, get_type_hints

from utxoracle_tui.config.fields import RULES, Rules
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.config.settings import Settings

PREFIX = "UTXORACLE_TUI_"
"""What the program's own variables begin with."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting."""

    section: str
    name: str
    type: type
    """The type of a value that is there: bool, int, float, str, Path or Secret."""
    default: object
    rules: Rules

    @property
    def key(self) -> str:
        """`section.name`."""
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that means this setting and nothing else."""
        return f"{PREFIX}{self.section}_{self.name}".upper()

    @property
    def secret(self) -> bool:
        """Whether the value must not be shown."""
        return self.type is Secret


@cache
def schema() -> Mapping[str, Setting]:
    """All settings by key, in the order of their declaration."""
    found: dict[str, Setting] = {}
    for section, section_class in section_classes().items():
        hints = get_type_hints(section_class)
        for item in fields(section_class):
            # an optional value is declared `X | None`
            kinds = [kind for kind in get_args(hints[item.name]) if kind is not type(None)] or [hints[item.name]]
            entry = Setting(section, item.name, kinds[0], item.default, item.metadata[RULES])
            found[entry.key] = entry
    return MappingProxyType(found)


@cache
def section_classes() -> Mapping[str, type]:
    """The sections by name."""
    hints = get_type_hints(Settings)
    return MappingProxyType({item.name: hints[item.name] for item in fields(Settings)})
