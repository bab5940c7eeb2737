"""The JSON schema of the configuration file (draft 2020-12), made from the declarations of the settings.

An editor that knows it completes keys, shows what they are for, and marks what is wrong.
"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

from utxoracle_tui.config import settings as declarations
from utxoracle_tui.config.schema import Setting, schema, section_classes
from utxoracle_tui.config.values import HOURS_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {bool: "boolean", int: "integer", float: "number"}
_WEB_ADDRESS = "^ *https?://[^/@?#\\s]+(/[^?#\\s]*)? *$"
_WITH_CREDENTIALS = "^ *https?://[^\\s]+ *$"


def json_schema() -> dict[str, Any]:
    """The schema, as a document that JSON can hold."""
    words = _field_words()
    sections: dict[str, Any] = {}
    for name, section_class in section_classes().items():
        own = [setting for setting in schema().values() if setting.section == name]
        sections[name] = {
            "type": "object",
            "description": inspect.cleandoc(section_class.__doc__ or ""),
            "additionalProperties": False,
            "properties": {setting.name: _property(setting, words[section_class.__name__]) for setting in own},
        }
    return {
        "$schema": DIALECT,
        "title": "The configuration file of utxoracle-tui",
        "type": "object",
        "additionalProperties": False,
        "properties": sections,
    }


def _property(setting: Setting, words: dict[str, str]) -> dict[str, Any]:
    """What the file may have for one setting; a number may stand in quotes there, which editors needn't suggest."""
    described: dict[str, Any] = {"type": _TYPES.get(setting.type, "string")}
    if setting.name in words:
        described["description"] = words[setting.name]
    default = _default(setting.default)
    if default is not None:
        described["default"] = default
    rules = setting.rules
    if rules.low is not None:
        described["minimum"] = rules.low
    if rules.high is not None:
        described["maximum"] = rules.high
    if rules.choices:
        described["enum"] = list(rules.choices)
    elif rules.hours:
        described["pattern"] = f"^( *{HOURS_PATTERN} *)?$"
    elif rules.url:
        address = _WITH_CREDENTIALS if rules.takes_credentials or setting.secret else _WEB_ADDRESS
        described["pattern"] = f"^$|{address}"
    if setting.secret:
        described["writeOnly"] = True
    return described


def _default(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def _field_words() -> dict[str, dict[str, str]]:
    """By class and field, the text below the field's declaration: Python keeps it in the source alone."""
    tree = ast.parse(inspect.getsource(declarations))
    found: dict[str, dict[str, str]] = {}
    for class_ in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        texts = found.setdefault(class_.name, {})
        for field, after in zip(class_.body, class_.body[1:], strict=False):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                texts[field.target.id] = re.sub(r"\s+", " ", str(after.value.value)).strip()
    return found
