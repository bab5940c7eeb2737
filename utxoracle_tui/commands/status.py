"""`utxoracle-tui status`: the whole stack as a table."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from utxoracle_tui import clock, formats
from utxoracle_tui.commands.node import load_settings
from utxoracle_tui.commands.running import run_until_signal
from utxoracle_tui.commands.stack import asked_once
from utxoracle_tui.commands.stored import likely_store
from utxoracle_tui.config.networks import NETWORKS
from utxoracle_tui.config.paths import data_dir
from utxoracle_tui.config.settings import AUTO, Settings
from utxoracle_tui.engine.electrs.phases import Phase
from utxoracle_tui.engine.electrs.state import State
from utxoracle_tui.engine.stack.document import stack_document
from utxoracle_tui.engine.stack.look import one_look
from utxoracle_tui.engine.stack.reading import TITLES, Overall, Source, SourceReading, Standing
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.engine.stack.stored import StoredStatus, read_stored
from utxoracle_tui.engine.watch.presence import WatchSeen, find_watch_among
from utxoracle_tui.errors import Exit, OperatorError

_EXIT = {
    Overall.READY: Exit.DONE,
    Overall.WORKING: Exit.NOT_VALID,
    Overall.DEGRADED: Exit.NOT_VALID,
    Overall.DOWN: Exit.UNREACHABLE,
}
_GLYPHS = {
    Standing.READY: "●",
    Standing.WORKING: "◐",
    Standing.WAITS: "◌",
    Standing.DEGRADED: "▲",
    Standing.DOWN: "✗",
    Standing.NONE: "–",
}
_WIDTH = 80
_NAME, _STATE, _AGE = 13, 16, 11
_WHAT = _WIDTH - _NAME - _STATE - _AGE


def run(arguments: argparse.Namespace) -> Exit:
    """Look at the stack once and print what there is. Exit code 0: ready; 4: working or degraded; 3: down."""
    settings = load_settings(arguments)
    reading, stored, watch = run_until_signal(_look(settings))
    now_s, wall_s = clock.elapsed_s(), clock.now_s()
    if arguments.json:
        document = stack_document(reading, stored, now_s, wall_s)
        if stored is not None:
            document["store"] |= {"newest_backup": stored.backup_at_s, "watch": _watch_document(watch)}
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        sys.stdout.write(as_table(reading, stored, watch, now_s, wall_s))
    return _EXIT[reading.overall]


async def _look(settings: Settings) -> tuple[StackReading, StoredStatus | None, WatchSeen | None]:
    async with asked_once(settings) as asked:
        return await asyncio.gather(
            one_look(asked), asyncio.to_thread(_stored, settings), asyncio.to_thread(_watch, settings)
        )


def _watch(settings: Settings) -> WatchSeen | None:
    """The watch on the store that is meant, or on any of those that it could be."""
    named = settings.node.network
    folder = data_dir(settings.store.data_dir)
    return find_watch_among(folder / name for name in (NETWORKS if named == AUTO else (named,)))


def _stored(settings: Settings) -> StoredStatus | None:
    """What is stored; None where there is no store, or several that it could be."""
    try:
        store = likely_store(settings)
    except OperatorError:
        return None
    return read_stored(store) if store is not None else None


def as_table(
    reading: StackReading, stored: StoredStatus | None, watch: WatchSeen | None, now_s: float, wall_s: float
) -> str:
    """The table, 80 columns wide; `now_s` is on the clock for spans, `wall_s` in unix seconds."""
    title = f"The stack is {reading.overall.value}."
    lines = [f"{title}{formats.utc_minute(wall_s) + ' UTC':>{_WIDTH - len(title)}}", ""]
    for source in reading.all:
        state = f"{_GLYPHS[source.standing]} {source.word}"
        lines += _row(TITLES[source.source], state, source.sentence, _age(source, now_s, wall_s))
        lines += [line for text in _more(source) for line in _row("", "", text, "")]
    lines += _row("store", *_of_store(stored, wall_s))
    lines += _row("watch", *_of_watch(watch, wall_s))
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _row(name: str, state: str, what: str, age: str) -> list[str]:
    first, *others = textwrap.wrap(what, _WHAT, break_on_hyphens=False) or [""]
    rows = [f"{name:<{_NAME}}{state:<{_STATE}}{first:<{_WHAT}}{age:>{_AGE}}"]
    return rows + [" " * (_NAME + _STATE) + other for other in others]


def _age(source: SourceReading[Any], now_s: float, wall_s: float) -> str:
    if source.source is Source.EXCHANGE:
        price = source.detail.reading if source.detail is not None else None
        return formats.age(max(0.0, wall_s - price.time_s)) if price is not None else ""
    age_s = source.age_s(now_s)
    return formats.age(age_s) if age_s is not None else ""


def _more(source: SourceReading[Any]) -> Iterator[str]:
    """What stands below a row."""
    for trouble in source.troubles:
        yield f"! {trouble}"
    if source.source is Source.ELECTRS and source.standing not in (Standing.READY, Standing.NONE):
        for advice in _advices(source.detail):
            yield f"→ {advice}"
    if source.source is Source.NODE and source.detail is not None:
        for warning in source.detail.warnings:
            yield f"! the node warns: {warning}"


def _advices(state: State | None) -> list[str]:
    """What to do about electrs: about what lies over its phase, else about that."""
    if state is None:
        return []
    advices = [each.advice for each in state.warnings]
    if not advices and state.phase is not Phase.READY:
        advices = [state.advice]
    return list(dict.fromkeys(filter(None, advices)))


def _of_store(stored: StoredStatus | None, wall_s: float) -> tuple[str, str, str]:
    if stored is None:
        return "– none", "Nothing is stored yet.", ""
    if stored.trouble is not None:
        return "▲ trouble", stored.trouble, ""
    backup_s = stored.backup_at_s
    backup = "no backup"
    if backup_s is not None:
        backup = f"newest backup {formats.age(max(0.0, wall_s - backup_s))} ({formats.utc_minute(backup_s)} UTC)"
    if stored.observation_at_s is None:
        return "– empty", f"{stored.network}: no round is stored, {backup}.", ""
    age = formats.age(max(0.0, wall_s - stored.observation_at_s))
    return "● there", f"{stored.network}: newest round {age}, {backup}.", age


def _of_watch(watch: WatchSeen | None, wall_s: float) -> tuple[str, str, str]:
    if watch is None:
        return "– none", "It does not run.", ""
    if not watch.runs:
        return "▲ ended", f"It does not run: process {watch.pid} was ended the hard way.", ""
    if watch.since_s is None:
        return "● runs", "Runs.", ""
    what = f"Runs since {formats.utc_minute(watch.since_s)} UTC (pid {watch.pid})."
    if watch.is_silent(wall_s):
        heard = formats.age(wall_s - watch.beat_s) if watch.beat_s is not None else ""
        return "▲ silent", f"{what} It says nothing any more: its disk may be full, or it hangs.", heard
    return "● runs", what, ""


def _watch_document(watch: WatchSeen | None) -> dict[str, Any]:
    """Times are unix seconds; what isn't known is null."""
    if watch is None:
        return {"runs": False, "pid": None, "since": None, "last_heard": None}
    return {"runs": watch.runs, "pid": watch.pid, "since": watch.since_s, "last_heard": watch.beat_s}
