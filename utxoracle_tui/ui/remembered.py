"""How the operator has arranged the console, kept from one start to the next.

Who arranges something posts `Arranged`, with the fields of `Remembered` that are others now; the console takes it in
and writes it a moment later. Who is put on the screen looks at `remembered` once.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_type_hints

import msgspec
from filelock import FileLock, Timeout
from textual.dom import DOMNode
from textual.message import Message

from utxoracle_tui.config.paths import state_dir
from utxoracle_tui.durable import private_folder, replace_file
from utxoracle_tui.engine.chart.sorting import SortKey
from utxoracle_tui.engine.logs.line import Level, Origin
from utxoracle_tui.store.statistics import Basis
from utxoracle_tui.ui.chart_view import BY_NAME, ChartView, bounded_view, preset_view

FILE_NAME = "console.json"
VERSION = 1
_MOST_BYTES = 262_144
_MOST_NODES = 20
_PRIVATE = 0o600
_LOCK_WITHIN_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShownSpan:
    """Which span the chart shows: that of a preset; so many seconds up to now; or so many from a moment on."""

    preset: str | None = None
    span_s: float = 0.0
    start_s: float | None = None

    @classmethod
    def of(cls, view: ChartView) -> ShownSpan:
        """What is to be there again of a view: times only if they were chosen, not if they followed the clock."""
        if view.preset is not None:
            return cls(view.preset)
        return cls(None, view.span_s, None if view.follows else view.start_s)

    def view(self, now_s: float) -> ChartView:
        """The span as it is now."""
        if self.preset is not None:
            return preset_view(self.preset if self.preset in BY_NAME else "day", now_s)
        return bounded_view(self.span_s, self.start_s, now_s)


@dataclass(frozen=True, slots=True)
class ChosenTheme:
    """A theme from the palette; it holds for as long as the setting is the one that it was chosen over."""

    name: str
    over: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """All that is remembered, with what a console begins with."""

    view: Literal["chart", "figures", "stack"] = "chart"
    """Of the dashboard, where not all has room."""
    chart: ShownSpan = ShownSpan("day")
    basis: Basis = "block"
    rows_by: SortKey = SortKey.TIME
    rows_downwards: bool = True
    rows_filter: str = ""
    windows: Literal["days", "blocks"] = "days"
    windows_order: str = ""
    """In words; none is the newest first."""
    windows_doubtful: bool = False
    log_least: Level = Level.DEBUG
    log_hidden: frozenset[Origin] = frozenset()
    log_pattern: str = ""
    log_wraps: bool = False
    log_follows: bool = True
    theme: ChosenTheme | None = None


OF_A_NODE = frozenset({"chart", "rows_filter"})
"""What belongs to one node, by its address: times and heights of one network mean nothing on another."""
_AT_FIRST = Remembered()
_TYPES = get_type_hints(Remembered)


class Arranged(Message):
    """The operator has arranged something; `fields` are those of `Remembered` that are others now."""

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__()


def remembered(node: DOMNode) -> Remembered:
    """What is remembered in the console that `node` stands in; what a console begins with, where it is in none."""
    found = getattr(node.app, "remembering", None)
    return found.now if isinstance(found, Remembering) else Remembered()


class Remembering:
    """What is remembered, and its file. Without a path nothing is read or written."""

    def __init__(self, path: Path | None = None, host: str = "", *, writes: bool = True) -> None:
        """`host` is the node's address; without `writes` the file is only read. Blocks on the disk."""
        self._path = path
        self._host = host
        self._writes = writes
        self._waiting: dict[str, object] = {}
        self._lock = threading.Lock()
        self.now = _taken(self._document(tell=True), host) if path is not None else Remembered()

    @property
    def lasts(self) -> bool:
        """Whether what is arranged now will be there again."""
        return self._writes and self._path is not None

    def change(self, changes: dict[str, object]) -> bool:
        """Take in what was arranged; whether there is something to write now."""
        changes = {name: value for name, value in changes.items() if getattr(self.now, name) != value}
        self.now = replace(self.now, **changes)  # type: ignore[arg-type]
        with self._lock:
            self._waiting |= changes
        return bool(changes) and self.lasts

    def start_writing(self) -> threading.Thread:
        """Write what waits, in a thread that holds nobody up at the end."""
        thread = threading.Thread(target=self._write, name="remember the arrangement", daemon=True)
        thread.start()
        return thread

    def _write(self) -> None:
        with self._lock:
            changes, self._waiting = self._waiting, {}
        if not changes or self._path is None or not self._writes:
            return
        try:
            private_folder(self._path.parent)
            lock = FileLock(self._path.with_name(f".{self._path.name}.lock"), mode=_PRIVATE, timeout=_LOCK_WITHIN_S)
            with contextlib.ExitStack() as held:
                # whoever has it for so long hangs
                with contextlib.suppress(Timeout):
                    held.enter_context(lock)
                replace_file(self._path, self._with(changes))
        except OSError as error:
            _log.warning("the arrangement of the console can't be written to %s: %s", self._path, error.strerror)
            with self._lock:
                self._waiting = changes | self._waiting

    def _with(self, changes: dict[str, object]) -> bytes:
        """The file with some fields changed; what other consoles have written there stays."""
        document = self._document()
        if document is None:
            document = {"version": VERSION, "all": {}, "nodes": {}}
            # what was written before may have been lost with it
            before = {name: getattr(self.now, name) for name in _TYPES}
            changes = {name: value for name, value in before.items() if value != getattr(_AT_FIRST, name)} | changes
        of_all, nodes = document["all"], document["nodes"]
        of_node = nodes.pop(self._host, {})
        for name, value in changes.items():
            (of_node if name in OF_A_NODE else of_all)[name] = msgspec.to_builtins(value)
        nodes[self._host] = of_node
        # the one that was arranged last is the last
        document["nodes"] = dict(list(nodes.items())[-_MOST_NODES:])
        return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"

    def _document(self, *, tell: bool = False) -> dict[str, Any] | None:
        """What the file holds; None where there is none, or none that can be used."""
        assert self._path is not None
        try:
            with self._path.open("rb") as file:
                found = msgspec.json.decode(file.read(_MOST_BYTES))
            if not isinstance(found, dict) or not isinstance(found.get("version"), int):
                raise msgspec.ValidationError("it is no arrangement")
            if found["version"] != VERSION:
                raise msgspec.ValidationError(f"it is of version {found['version']}, this program knows {VERSION}")
            if not all(isinstance(found.get(part), dict) for part in ("all", "nodes")):
                raise msgspec.ValidationError("parts of it are missing")
            if not all(isinstance(each, dict) for each in found["nodes"].values()):
                raise msgspec.ValidationError("parts of it are damaged")
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, OSError, RecursionError) as error:
            if tell:
                _log.warning("%s is ignored, and replaced when the console is arranged: %s", self._path, error)
            return None
        return found


def of_this_console(data_dir: Path | None, host: str, *, read_only: bool) -> Remembering:
    """What is remembered where the operator has the files. A console that is only looked at leaves no trace."""
    return Remembering(state_dir(data_dir) / FILE_NAME, host, writes=not read_only)


def _taken(document: dict[str, Any] | None, host: str) -> Remembered:
    """What a file says, field by field: one that can't be used costs no other."""
    now = Remembered()
    if document is None:
        return now
    given = {"all": document["all"], "node": document["nodes"].get(host, {})}
    for name, kind in _TYPES.items():
        place = given["node" if name in OF_A_NODE else "all"]
        if name in place:
            try:
                now = replace(now, **{name: msgspec.convert(place[name], kind)})
            except msgspec.ValidationError as error:
                _log.warning("what is remembered as %s is ignored: %s", name, error)
    return now
