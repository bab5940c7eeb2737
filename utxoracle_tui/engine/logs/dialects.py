"""How each program writes the lines of its log: time and level apart from the text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from utxoracle_tui.engine.logs.line import LEVELS, Level, Origin
from utxoracle_tui.own_log.entry import read_entry

LONGEST = 8_192
"""Characters of a line that are kept, but for own entries, which have bounds of their own."""


@dataclass(frozen=True, slots=True)
class Told:
    """A line taken apart."""

    text: str
    level: Level | None = None
    """None where the line has none."""
    at_s: float | None = None
    """Unix seconds, where the line says them, and of which zone they are."""


Dialect = Callable[[str], Told]

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_COMPOSE = re.compile(r"^[\w.-]+\s+\|\s?")
_SYSLOG = re.compile(r"^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [^\s\[]+(?:\[\d+\])?: ")
_ISO = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) (?:- )?")
_PANIC = re.compile(r"thread '.*' panicked at |terminate called|Segmentation fault|AddressSanitizer")

# electrs (stderrlog): `LEVEL - text`; newer builds of Blockstream leave the dash out
_ELECTRS = re.compile(r"^(ERROR|WARN|INFO|DEBUG|TRACE) (?:- )?")
# mempool, backend/src/logger.ts: `Nov 22 10:05:33 [pid] LEVEL: <network> text`, in the local time of the container
_BACKEND = re.compile(r"^[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d \[\d+\] ([A-Z]+): ?")
# MariaDB, sql/log.cc: `2026-11-22 10:05:33 0 [Note] text`; its entrypoint puts a zone and no thread
_DATABASE = re.compile(r"^\d{4}-\d\d-\d\d +\d{1,2}:\d\d:\d\d(?:[+-]\d\d:\d\d)?(?: \d+)? \[(\w+)\] ?")
# Bitcoin Core, src/logging.cpp: `time [thread] [source] [function] [category:level] text`, all but the time optional
_NODE_TAGS = re.compile(r"^((?:\[[\w.:/-]+\] ?)+)")
_NODE_LEVEL = re.compile(r"\[(?:\w+:)?(trace|debug|info|warning|error)\]")
_NODE_CATEGORY = re.compile(
    r"\[(?:addrman|bench|blockstorage|cmpctblock|coindb|estimatefee|http|i2p|ipc|kernel|leveldb|libevent|mempool|"
    r"mempoolrej|net|privatebroadcast|proxy|prune|qt|rand|reindex|rpc|scan|selectcoins|tor|txpackages|txreconciliation|"
    r"validation|walletdb|zmq)\]"
)
_NODE_WORDS = re.compile(r"^(?:\*\*\* |(error|warning): )", re.IGNORECASE)


def own(line: str) -> Told:
    """An entry of this program; what is none is taken as it stands."""
    entry = read_entry(line)
    if entry is None:
        return Told(seen(line[:LONGEST]))
    # where a terminal is narrow, the end of the line is what can be spared
    first = f"{entry.text} ({entry.module})"
    return Told(
        seen(f"{first}\n{entry.trace}" if entry.trace else first), LEVELS.get(entry.level, Level.INFO), entry.at_s
    )


def electrs(line: str) -> Told:
    """A line of electrs, whatever Docker, Compose or journald put before it."""
    text, at_s = _of_docker_file(line[:LONGEST])
    text = seen(text)
    for prefix in (_COMPOSE, _SYSLOG):
        text = prefix.sub("", text, count=1)
    while (found := _ISO.match(text)) is not None:
        at_s = _unix(found[1]) or at_s
        text = text[found.end() :]
    return _levelled(text, _ELECTRS, at_s)


def backend(line: str) -> Told:
    """A line of the mempool backend."""
    return _levelled(seen(line[:LONGEST]), _BACKEND)


def database(line: str) -> Told:
    """A line of MariaDB."""
    return _levelled(seen(line[:LONGEST]), _DATABASE)


def node(line: str) -> Told:
    """A line of Bitcoin Core's debug.log. What belongs to a category, without a level, is for debugging."""
    text = seen(line[:LONGEST])
    found = _ISO.match(text)
    at_s = None if found is None else _unix(found[1])
    if found is not None:
        text = text[found.end() :]
    tags = _NODE_TAGS.match(text)
    if tags is not None:
        level = _NODE_LEVEL.search(tags[1])
        if level is not None:
            return Told(text, LEVELS[level[1].upper()], at_s)
        if _NODE_CATEGORY.search(tags[1]):
            return Told(text, Level.DEBUG, at_s)
    words = _NODE_WORDS.match(text)
    if words is not None:
        return Told(text, LEVELS[(words[1] or "error").upper()], at_s)
    return Told(text, Level.INFO if found is not None else None, at_s)


DIALECTS: Mapping[Origin, Dialect] = MappingProxyType(
    {
        Origin.OWN: own,
        Origin.NODE: node,
        Origin.ELECTRS: electrs,
        Origin.BACKEND: backend,
        Origin.DATABASE: database,
    }
)


def seen(text: str) -> str:
    """The text without what a terminal would obey: colours are taken out, other such characters stand as `·`."""
    return _UNSEEN.sub("·", _ANSI.sub("", text.rstrip("\r\n")).replace("\t", "    "))


def _levelled(text: str, pattern: re.Pattern[str], at_s: float | None = None) -> Told:
    found = pattern.match(text)
    if found is None:
        return Told(text, Level.ERROR if _PANIC.search(text) else None, at_s)
    return Told(text[found.end() :], LEVELS.get(found[1].upper(), Level.INFO), at_s)


def _of_docker_file(line: str) -> tuple[str, float | None]:
    """The line in a file of Docker's json-file driver."""
    if not line.startswith('{"log":'):
        return line, None
    try:
        entry = json.loads(line)
        return str(entry["log"]), _unix(str(entry.get("time", "")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return line, None


def _unix(time: str) -> float | None:
    try:
        return datetime.fromisoformat(time).timestamp()
    except (ValueError, OverflowError):
        return None
