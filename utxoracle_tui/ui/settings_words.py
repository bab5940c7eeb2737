"""Settings in words: a value, where it comes from, what it must be, and from when on another one counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from rich.text import Text

from utxoracle_tui.config.changing import SettingsPlace, SettingsRead
from utxoracle_tui.config.json_schema import json_schema
from utxoracle_tui.config.provenance import Origin, Source, Value
from utxoracle_tui.config.redaction import Secret, redact
from utxoracle_tui.config.schema import Setting, schema
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.config.values import expected
from utxoracle_tui.ui.widgets.rows_view import Column

AT_ONCE = frozenset({"screen.theme", "screen.ascii", "screen.keys", "screen.remap", "log.level"})
"""What a running console takes over."""
NEXT_START = "next start"
_NOT_SET = "not set"
_NOT_OF_WATCH = frozenset({"screen", "api"})
"""The sections that `watch` has no use for."""
_KEY_SPARE_COLUMNS, _WAITS_COLUMNS = 1, 10
_WITH_PLACE_COLUMNS = 20
_ORIGIN_COLUMNS = ((150, 48), (110, 34), (0, 12))
"""The width of the table from which on the origins have so many columns."""


@dataclass(frozen=True, slots=True)
class Row:
    """One setting as the table has it."""

    setting: Setting
    value: Value
    """As a start now would have it."""
    in_file: Origin | None
    """The place in the configuration file, where it has the setting."""
    describes: str
    waits: bool
    """Whether the console still works with another value."""

    @property
    def key(self) -> str:
        """`section.name`."""
        return self.setting.key

    @property
    def overridden_by(self) -> str | None:
        """What wins over the file, in words; None where the file counts."""
        origin = self.value.origin
        if origin.source >= Source.FILE:
            return None
        if origin.source is Source.DOTENV:
            return f"a .env file wins: {origin}"
        return f"the {origin.source.word} wins: {origin.place}"


def rows_of(read: SettingsRead, running: Settings) -> list[Row]:
    """All settings, in the order of their declaration. Blocks on the disk the first time."""
    sections = json_schema()["properties"]
    return [
        Row(
            setting,
            read.loaded.values[key],
            read.in_file.get(key),
            str(sections[setting.section]["properties"][setting.name].get("description", "")),
            key not in AT_ONCE
            and getattr(getattr(running, setting.section), setting.name) != read.loaded.values[key].value,
        )
        for key, setting in schema().items()
    ]


def matching(rows: list[Row], words: str) -> list[Row]:
    """The rows that have each of the words somewhere in what is shown of them."""
    wanted = words.lower().split()
    return [row for row in rows if all(word in _all_of(row) for word in wanted)]


def _all_of(row: Row) -> str:
    waits = NEXT_START if row.waits else ""
    return f"{row.key} {value_words(row.value.value)} {row.value.origin} {row.describes} {waits}".lower()


def value_words(value: object) -> str:
    """A value for the eye; of a secret, only whether there is one."""
    if value is None:
        return _NOT_SET
    if isinstance(value, Secret):
        return "set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.15g}"
    text = redact(str(value))
    return (text if text.isprintable() else repr(text)) or "(empty)"


def typed_words(value: object) -> str:
    """A value as one types it."""
    return "" if value is None or isinstance(value, Secret) else value_words(value) if value != "" else ""


def rule_words(setting: Setting) -> str:
    """What a value must be, and what it is without anybody's saying."""
    if setting.rules.choices:
        must = f"One of {', '.join(setting.rules.choices)}"
    elif setting.type is bool:
        must = "Yes or no"
    else:
        must = expected(setting)
        must = must[0].upper() + must[1:]
    default = value_words(setting.default)
    return f"{must}. By default: {default}."


def origin_words(row: Row) -> str:
    """Where the value comes from, and what becomes of one in the file."""
    origin = row.value.origin
    winner = row.overridden_by
    if winner is not None:
        ignored = f"what {row.in_file} says doesn't count" if row.in_file else "one in the file would not count"
        return f"{winner[0].upper()}{winner[1:]}; {ignored}."
    if origin.source is Source.DEFAULT:
        return f"Nobody has set it: the default{', ' + origin.place if origin.place else ''}."
    return f"From {origin}."


def effect_words(setting: Setting) -> str:
    """From when on a change counts."""
    if setting.section == "api":
        return "A change counts from the next start of `utxoracle-tui api`."
    moment = "at once" if setting.key in AT_ONCE else "from the next start of the console"
    words = f"A change counts {moment}"
    if setting.section in _NOT_OF_WATCH:
        return f"{words}."
    return f"{words}; a running `watch` takes it over at SIGHUP."


def detail(row: Row) -> Text:
    """All about one setting."""
    lines = [Text(row.describes), Text(rule_words(row.setting), "dim")]
    lines.append(Text(origin_words(row), "bold yellow" if row.overridden_by else ""))
    effect = effect_words(row.setting)
    if row.waits:
        effect = f"▲ This console still works with the value before. {effect}"
    lines.append(Text(effect, "bold yellow" if row.waits else "dim"))
    return Text("\n").join(lines)


def where(rows: list[Row], place: SettingsPlace, words: str, shown: int) -> str:
    """What the table shows."""
    in_file = sum(row.in_file is not None for row in rows)
    waiting = sum(row.waits for row in rows)
    found = [f"{shown} of {len(rows)} settings, /{words}" if words else f"{len(rows)} settings"]
    if waiting:
        found.append(f"{waiting} from the next start")
    found.append(f"{in_file} in {'a copy for this demo: ' if place.passing else ''}{place.path}")
    return " · ".join(found)


def columns(width: int, rows: list[Row]) -> list[Column[Row]]:
    """The columns for a table of some width: the values have what the others leave."""
    key = max((len(row.key) for row in rows), default=0) + _KEY_SPARE_COLUMNS
    origin = next(columns for at_least, columns in _ORIGIN_COLUMNS if width >= at_least)
    value = max(width - 2 - key - origin - _WAITS_COLUMNS - 4, 10)
    origin_of = _kind_of_origin if origin < _WITH_PLACE_COLUMNS else _short_origin
    return [
        Column("setting", key, lambda row: Text.assemble((f"{row.setting.section}.", "dim"), row.setting.name)),
        Column("value", value, _value),
        Column("from", origin, lambda row: Text(origin_of(row.value.origin), _dim_default(row))),
        Column("counts", _WAITS_COLUMNS, lambda row: Text(NEXT_START, "bold yellow") if row.waits else ""),
    ]


def _value(row: Row) -> Text:
    words = value_words(row.value.value)
    if words == _NOT_SET:
        return Text(words, "dim")
    return Text(words, "" if row.value.origin.source is Source.DEFAULT else "bold")


def _dim_default(row: Row) -> str:
    return "dim" if row.value.origin.source is Source.DEFAULT else ""


def _kind_of_origin(origin: Origin) -> str:
    return Path(origin.place).name if origin.source is Source.FILE else origin.source.word


def _short_origin(origin: Origin) -> str:
    """An origin with the name of its file alone."""
    in_file = origin.source in {Source.DOTENV, Source.FILE, Source.BITCOIN_CONF}
    return str(replace(origin, place=Path(origin.place).name) if in_file else origin)
