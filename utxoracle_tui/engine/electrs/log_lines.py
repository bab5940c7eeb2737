"""Lines of electrs's log: what each says, at every verbosity, whatever Docker, Compose or journald put before it.

Texts as in mempool/electrs (src/bin/electrs.rs, src/daemon.rs, src/new_index/*.rs, src/util/block.rs). electrs logs to
stderr as `LEVEL - message`, with `--timestamp` a time before it; newer builds of Blockstream leave the second dash out.
Panics are raw lines; since Rust 1.73 their message is a line of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from utxoracle_tui.engine.electrs.phases import Cause, Db

LONGEST_LINE = 8192
"""Characters of a line that are looked at; the rest of it, if any, says nothing new."""


class Kind(StrEnum):
    """What a line is about."""

    STARTED = "started"
    CONNECT_FAILED = "connect_failed"
    COOKIE_UNREADABLE = "cookie_unreadable"
    NO_REPLY = "no_reply"
    """Wrong credentials: Bitcoin Core leaves an empty 401 and closes after half a minute."""
    WARMING_UP = "warming_up"
    """`text` is what the node says it is at."""
    QUEUE_FULL = "queue_full"
    RECONNECTING = "reconnecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """Blocks of the node (`number`) of its headers (`total`)."""
    OPENING = "opening"
    WERE_ADDED = "were_added"
    """Blocks (`number`) that txstore had when it was opened."""
    WERE_INDEXED = "were_indexed"
    """Blocks (`number`) that history had when it was opened."""
    HEADERS_LOADED = "headers_loaded"
    HEADERS = "headers"
    LEFT_TO_INDEX = "left_to_index"
    """A tip, and how many headers are new to this process (`number`); not how much is left to do."""
    ADDING_FROM = "adding_from"
    """Pass 1 begins: blocks to add (`number`) and where from (`text`)."""
    ADDING = "adding"
    """One batch of pass 1: its new blocks (`number`), 0 where all were there already."""
    ADDED_HEIGHT = "added_height"
    COMPACTING = "compacting"
    COMPACTED = "compacted"
    INDEXING_FROM = "indexing_from"
    INDEXING = "indexing"
    INDEXED_HEIGHT = "indexed_height"
    FLUSHING = "flushing"
    """The update ends: flush, synced tip, headers applied."""
    MEMPOOL = "mempool"
    SERVING = "serving"
    HANDLED = "handled"
    """A request to REST was answered."""
    PRECACHING = "precaching"
    """Scripts done (`number`) of all (`total`)."""
    FATAL = "fatal"
    """Last words; `cause` tells why, as far as they do."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line."""

    kind: Kind
    at_s: float | None = None
    """Unix time that the line itself bears, or that the reader put to it."""
    level: str | None = None
    """None for raw lines."""
    text: str = ""
    """The message; for some kinds the part of it that counts."""
    number: int | None = None
    total: int | None = None
    db: Db | None = None
    cause: Cause | None = None
    dated: bool = False
    """Whether `at_s` was put to it when it was written, and not when it was read."""


_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_COMPOSE = re.compile(r"^\S+\s+\|\s?")
_SYSLOG = re.compile(r"^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [^\s\[]+(?:\[\d+\])?: ")
_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (?:- )?")
_LEVEL = re.compile(r"^(ERROR|WARN|INFO|DEBUG|TRACE) (?:- )?(.*)$", re.DOTALL)

_CAUSES: tuple[tuple[Cause, re.Pattern[str]], ...] = (
    (Cause.CORRUPTION, re.compile(r"Corruption: |missing txo \S+:\d+|missing from store|missing expected blockhash")),
    (Cause.INCOMPATIBLE, re.compile(r"Incompatible database found")),
    (Cause.NO_SPACE, re.compile(r"No space left on device")),
    (Cause.TOO_MANY_FILES, re.compile(r"Too many open files")),
    (Cause.LOCKED, re.compile(r"failed to open RocksDB.*(?:lock|LOCK)|While lock file")),
    (Cause.PERMISSION, re.compile(r"Permission denied")),
    (
        Cause.BLOCK_FILES,
        re.compile(r"failed to index \d+ blocks from blk\*\.dat files|failed to parse blk\*\.dat file"),
    ),
    (Cause.PRUNED, re.compile(r"pruned node is not supported")),
    (Cause.PORT_IN_USE, re.compile(r"failed to start monitoring HTTP server|Address (?:already )?in use")),
)
_LAST_WORDS = re.compile(
    r"thread '.*' panicked at |server failed: |failed to open RocksDB|Result::unwrap\(\)|is not part of the blockchain"
)


def parse_line(line: str, known_at_s: float | None = None, *, dated: bool = True) -> LogEvent | None:
    """What a line says, or None for an empty one.

    `known_at_s` is its time where it bears none itself: when it was written, or, unless `dated`, when it was read.
    """
    text, at_s = _unwrap(line[:LONGEST_LINE])
    if not text:
        return None
    found = _LEVEL.match(text)
    if found is None:
        event = _raw(text)
    else:
        level, message = found.groups()
        event = replace(_levelled(level, message), level=level)
    if at_s is not None:
        return replace(event, at_s=at_s, dated=True)
    return replace(event, at_s=known_at_s, dated=dated and known_at_s is not None)


def _unwrap(line: str) -> tuple[str, float | None]:
    """The line without what others put before it, and its time. The innermost time wins: it is electrs's own."""
    text = line.rstrip("\r\n")
    at_s = None
    if text.startswith('{"log":'):
        text, at_s = _json_file(text)
    text = _ANSI.sub("", text)
    for prefix in (_COMPOSE, _SYSLOG):
        text = prefix.sub("", text, count=1)
    while found := _TIME.match(text):
        at_s = _unix_time(found[1], at_s)
        text = text[found.end() :]
    return text.strip(), at_s


def _json_file(text: str) -> tuple[str, float | None]:
    """The line in a file of Docker's json-file driver."""
    try:
        entry = json.loads(text)
    except ValueError:
        return text, None
    if not isinstance(entry, dict) or not isinstance(entry.get("log"), str):
        return text, None
    return entry["log"].rstrip("\r\n"), _unix_time(str(entry.get("time", "")), None)


def _unix_time(text: str, otherwise: float | None) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return otherwise


def _cause(text: str) -> Cause | None:
    return next((cause for cause, pattern in _CAUSES if pattern.search(text)), None)


def _raw(text: str) -> LogEvent:
    if text.startswith("Config {"):
        return LogEvent(Kind.STARTED, text="Config")
    cause = _cause(text)
    if cause is not None or _LAST_WORDS.search(text):
        return LogEvent(Kind.FATAL, text=text, cause=cause or Cause.OTHER)
    return LogEvent(Kind.OTHER, text=text)


def _levelled(level: str, message: str) -> LogEvent:
    if level == "ERROR":
        # a server also reports as an error what goes wrong with one of its clients
        if _LAST_WORDS.search(message):
            return LogEvent(Kind.FATAL, text=message, cause=_cause(message) or Cause.OTHER)
        return LogEvent(Kind.OTHER, text=message)
    for start, pattern, make in _MESSAGES:
        if message.startswith(start) and (found := pattern.match(message)):
            return make(message, found)
    return LogEvent(Kind.OTHER, text=message)


Make = Callable[[str, "re.Match[str]"], LogEvent]


def _plain(kind: Kind) -> Make:
    return lambda message, _: LogEvent(kind, text=message)


def _worded(kind: Kind) -> Make:
    """The first group is the text."""
    return lambda _, found: LogEvent(kind, text=found[1])


def _counted(kind: Kind) -> Make:
    """The first group is the number, the second, if there is one, the total."""

    def make(message: str, found: re.Match[str]) -> LogEvent:
        numbers = [int(group) for group in found.groups()]
        return LogEvent(kind, text=message, number=numbers[0], total=numbers[1] if len(numbers) > 1 else None)

    return make


def _sourced(kind: Kind) -> Make:
    """The first group is the number, the second where the blocks come from."""
    return lambda _, found: LogEvent(kind, text=found[2], number=int(found[1]))


def _of_db(kind: Kind) -> Make:
    """The first group is the path of a database."""

    def make(message: str, found: re.Match[str]) -> LogEvent:
        name = found[1].rstrip("/").rpartition("/")[2]
        return LogEvent(kind, text=message, db=Db(name) if name in Db.__members__.values() else None)

    return make


_RPC = "reconnecting to bitcoind: "
_MESSAGES: tuple[tuple[str, re.Pattern[str], Make], ...] = tuple(
    (start, re.compile(pattern, re.DOTALL), make)
    for start, pattern, make in (
        ("handle ", r"", _plain(Kind.HANDLED)),
        ("Adding ", r"Adding (\d+) blocks to Indexer", _counted(Kind.ADDING)),
        ("Adding ", r"Adding (\d+) transactions to Mempool", _counted(Kind.MEMPOOL)),
        ("Indexing ", r"Indexing (\d+) blocks with Indexer", _counted(Kind.INDEXING)),
        ("Tx indexing", r"Tx indexing is up to height=(\d+)", _counted(Kind.ADDED_HEIGHT)),
        ("History indexing", r"History indexing is up to height=(\d+)", _counted(Kind.INDEXED_HEIGHT)),
        ("adding ", r"adding transactions from (\d+) blocks using (\w+)", _sourced(Kind.ADDING_FROM)),
        ("indexing ", r"indexing history from (\d+) blocks using (\w+)", _sourced(Kind.INDEXING_FROM)),
        ("starting ", r'starting full compaction on .*path: "([^"]*)"', _of_db(Kind.COMPACTING)),
        ("finished ", r'finished full compaction on .*path: "([^"]*)"', _of_db(Kind.COMPACTED)),
        ("opening DB", r'opening DB at "([^"]*)"', _of_db(Kind.OPENING)),
        ("", r"(\d+) blocks were added", _counted(Kind.WERE_ADDED)),
        ("", r"(\d+) blocks were indexed", _counted(Kind.WERE_INDEXED)),
        ("", r"(\d+) headers were loaded", _counted(Kind.HEADERS_LOADED)),
        ("downloading ", r"downloading (?:all block|new block|\d+ block) headers", _plain(Kind.HEADERS)),
        ("hash=", r"hash=.* \((\d+) left to index\)", _counted(Kind.LEFT_TO_INDEX)),
        ("failed to connect", r"failed to connect daemon", _plain(Kind.CONNECT_FAILED)),
        (_RPC, _RPC + r"failed to read cookie", _plain(Kind.COOKIE_UNREADABLE)),
        (_RPC, _RPC + r"no reply from daemon", _plain(Kind.NO_REPLY)),
        (_RPC, _RPC + r"expected 24 bytes, got 25", _plain(Kind.QUEUE_FULL)),
        (_RPC, _RPC + r'.*"code"\s*:\s*-28\s*,\s*"message"\s*:\s*"([^"]*)"', _worded(Kind.WARMING_UP)),
        (_RPC, _RPC, _plain(Kind.RECONNECTING)),
        ("disconnected from daemon", r"", _plain(Kind.RECONNECTING)),
        ("NetworkInfo {", r"", _plain(Kind.CONNECTED)),
        ("BlockchainInfo {", r"", _plain(Kind.CONNECTED)),
        ("waiting for bitcoind", r"waiting for bitcoind sync.*?: (\d+)/(\d+) blocks", _counted(Kind.WAITING)),
        ("flushing to disk", r"", _plain(Kind.FLUSHING)),
        ("updating synced tip", r"", _plain(Kind.FLUSHING)),
        ("applying ", r"applying (\d+) new headers", _counted(Kind.FLUSHING)),
        ("Error performing initial mempool", r"", _plain(Kind.MEMPOOL)),
        ("REST server running", r"", _plain(Kind.SERVING)),
        ("Electrum RPC server running", r"", _plain(Kind.SERVING)),
        ("", r"(\d+)/(\d+) Processed in ", _counted(Kind.PRECACHING)),
    )
)
