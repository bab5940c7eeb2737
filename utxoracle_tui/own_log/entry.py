"""How an entry of the log is written, as a line of text or of JSON, and read back."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

MOST_CHARACTERS = 10_000
"""Of longer texts the middle is left out: what went wrong stands at an end. Escaped, they stay below 64 KiB."""
_HEAD_CHARACTERS = 3_000
_LEVEL_WIDTH = 8

_UNSAFE = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What would end the line, be obeyed by a terminal, or can't be encoded; and the sign that marks what stands for it."""
_UNSAFE_IN_JSON = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""The same, but for what is escaped in JSON anyway."""
_ESCAPED = re.compile(r"\\(?:(n)|(t)|(\\)|x([0-9a-f]{2})|u([0-9a-f]{4}))")
_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([A-Z]+) +(\d+) (\S+): (.*)", re.DOTALL)
_KNOWN = {"\\": "\\\\", "\n": "\\n", "\t": "\\t"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One event."""

    at_s: float
    """Unix seconds; milliseconds are written."""
    level: str
    """As `logging` names it."""
    process: int
    """Its id."""
    module: str
    """Which part of the program."""
    text: str
    trace: str = ""
    """The lines of a traceback."""


def as_text(entry: Entry) -> str:
    """The entry as one line, without its end: time, level, process, module, and the text with line ends escaped."""
    text = f"{entry.text}\n{entry.trace}" if entry.trace else entry.text
    return f"{_time(entry.at_s)} {entry.level:<{_LEVEL_WIDTH}} {entry.process} {entry.module}: {_escape(_cut(text))}"


def as_json(entry: Entry) -> str:
    """The entry as one line of JSON."""
    document: dict[str, object] = {
        "at": _time(entry.at_s),
        "level": entry.level,
        "process": entry.process,
        "module": entry.module,
        "text": _cut(entry.text, _HEAD_CHARACTERS) if entry.trace else _cut(entry.text),
    }
    if entry.trace:
        document["trace"] = _cut(entry.trace, MOST_CHARACTERS - _HEAD_CHARACTERS)
    text = json.dumps(document, ensure_ascii=False)
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def read_entry(line: str) -> Entry | None:
    """The entry of a line of either kind; None where it is none. A text of several lines has its rest in `trace`."""
    if line.startswith("{"):
        return _of_json(line)
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    time, level, process, module, escaped = found.groups()
    text, _, trace = _ESCAPED.sub(_unescaped, escaped).partition("\n")
    return Entry(_unix(time), level, int(process), module, text, trace)


def written_at_s(beginning: str) -> float | None:
    """The time of the entry that begins so."""
    found = re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", beginning)
    return None if found is None else _unix(found[0])


def _of_json(line: str) -> Entry | None:
    try:
        found = json.loads(line)
        return Entry(
            _unix(found["at"]),
            str(found["level"]),
            int(found["process"]),
            str(found["module"]),
            str(found["text"]),
            str(found.get("trace", "")),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _time(at_s: float) -> str:
    # milliseconds are cut by `isoformat`, and a time that was read must be written the same again
    return datetime.fromtimestamp(round(at_s, 3), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _unix(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def _cut(text: str, most: int = MOST_CHARACTERS) -> str:
    left_out = len(text) - most
    if left_out <= 0:
        return text
    head = most // 3
    return f"{text[:head]} … {left_out:,} characters left out … {text[head - most :]}"


def _escape(text: str) -> str:
    return _UNSAFE.sub(lambda found: _stands_for(found[0]), text)


def _stands_for(character: str) -> str:
    code = ord(character)
    return _KNOWN.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _unescaped(found: re.Match[str]) -> str:
    newline, tab, _, byte, code = found.groups()
    if newline or tab:
        return "\n" if newline else "\t"
    if byte is None and code is None:
        return "\\"
    number = int(byte or code, 16)
    # half of a pair has no glyph and can't be encoded
    return "�" if 0xD800 <= number < 0xE000 else chr(number)
