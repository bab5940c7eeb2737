"""Findings about electrs: what it can't read, what can't be read of it, and what its own watch has found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from urllib.parse import urlsplit

from utxoracle_tui.engine.electrs.advice import AFTER_DEATH
from utxoracle_tui.engine.electrs.evidence import Source, Status
from utxoracle_tui.engine.electrs.log_lines import Kind, parse_line
from utxoracle_tui.engine.electrs.phases import NOT_RUNNING, Cause, ConditionKind, Phase, rank
from utxoracle_tui.engine.electrs.state import State
from utxoracle_tui.engine.stack.electrs import NO_ANSWER
from utxoracle_tui.engine.stack.findings.finding import Finding, Gravity, StackLook
from utxoracle_tui.engine.stack.findings.node import QUEUE_WORDS
from utxoracle_tui.engine.stack.reading import Standing
from utxoracle_tui.sources.http import host_of

NO_KEY = bytes(8)
NOT_ELECTRS_WORDS = "is not electrs's"
"""As the client of electrs puts it."""
ESPLORA = "esplora"
UP_FOR_S = 20.0
"""Its metrics port is open from its first second; so much later it is closed for good."""
TELLING_LINES = 10
"""From fewer lines of a log nothing follows of its levels."""
_VERBOSITY = re.compile(r"^Config \{.*?\bverbosity: (\w+)")
_LEVELS = ("OFF", "ERROR", "WARN", "INFO", "DEBUG", "TRACE")
_INFO, _DEBUG = _LEVELS.index("INFO"), _LEVELS.index("DEBUG")
_CONDITIONS = MappingProxyType(
    {
        ConditionKind.CORRUPTED: (Gravity.ERROR, "electrs's index is corrupt"),
        ConditionKind.CORRUPTION_SUSPECTED: (Gravity.WARNING, "electrs has spoken of corruption"),
        ConditionKind.CRASH_LOOP: (Gravity.ERROR, "electrs crashes again and again"),
        ConditionKind.UNUSABLE: (Gravity.ERROR, "electrs can't open its index, which is intact"),
        ConditionKind.OUT_OF_MEMORY: (Gravity.ERROR, "electrs was killed for want of memory"),
        ConditionKind.STUCK: (Gravity.ERROR, "electrs is stuck"),
        ConditionKind.MAIN_LOOP_HUNG: (Gravity.ERROR, "electrs answers and stands still"),
        ConditionKind.DISK_SHORT: (Gravity.ERROR, "The disk is too small for electrs's compaction"),
        ConditionKind.PAUSED: (Gravity.WARNING, "electrs's container is paused"),
        ConditionKind.BITCOIND_AUTH: (Gravity.ERROR, "electrs's cookie is not that of the running node"),
    }
)


def find(look: StackLook) -> Iterator[Finding]:
    """All of them."""
    state = look.electrs
    if state is None or look.reading.electrs.standing is Standing.NONE:
        return
    yield from _ended(state)
    for condition in state.conditions:
        if condition.kind in _CONDITIONS:
            gravity, what = _CONDITIONS[condition.kind]
            yield Finding(f"electrs_{condition.kind.value}", gravity, what, condition.sentence, condition.advice)
        elif condition.kind is ConditionKind.NODE_OVERLOADED and QUEUE_WORDS not in condition.sentence:
            what = "electrs waits long for Bitcoin Core"
            yield Finding("node_slow", Gravity.WARNING, what, condition.sentence, condition.advice)
    yield from _does_not_reach_node(look, state)
    yield from _obfuscated_block_files(look, state)
    yield from _mute(look, state)
    yield from _metrics_closed(look, state)
    yield from _says_too_little(look, state)
    yield from _something_else(look, state)


def _ended(state: State) -> Iterator[Finding]:
    words = state.memory.last_words
    told_otherwise = words is not None and words.cause is Cause.BLOCK_FILES
    if state.phase is Phase.FAILED and not told_otherwise:
        yield Finding("electrs_failed", Gravity.ERROR, "electrs has ended with an error", state.sentence, state.advice)
    elif state.phase is Phase.STOPPED:
        yield Finding("electrs_stopped", Gravity.WARNING, "electrs doesn't run", state.sentence, state.advice)


def _does_not_reach_node(look: StackLook, state: State) -> Iterator[Finding]:
    down = any(condition.kind is ConditionKind.BITCOIND_DOWN for condition in state.conditions)
    if down and look.reading.node.heard.trouble is None and look.node is not None:
        yield Finding(
            "electrs_misses_the_node",
            Gravity.ERROR,
            "electrs doesn't reach Bitcoin Core, which answers this console",
            f"electrs's log says that it can't connect; the node answers at {look.node.host}.",
            f"Start electrs with --daemon-rpc-addr {look.node.host}; from a container without network_mode: host, "
            "127.0.0.1 is the container itself.",
        )


def _obfuscated_block_files(look: StackLook, state: State) -> Iterator[Finding]:
    key, words = look.block_key, state.memory.last_words
    failed = words is not None and words.cause is Cause.BLOCK_FILES
    metrics, hearing = state.memory.known.metrics, state.memory.hearing
    has_read_some = bool(hearing.adding.blocks or hearing.adding.already or (metrics and metrics.add_batches))
    complete = state.milestones.completed_at_s is not None or state.phase is Phase.READY
    folder = look.settings.node.blocks_dir
    if key is not None and key != NO_KEY and (failed or not (complete or has_read_some)):
        said = f" electrs's last words: “{words.quoted(120)}”." if failed and words is not None else ""
        yield Finding(
            "obfuscated_block_files",
            Gravity.ERROR if failed else Gravity.WARNING,
            "The node's block files are obfuscated, which this electrs can't read"
            if failed
            else "The node's block files are obfuscated, which electrs may not be able to read",
            f"{folder}/xor.dat holds the key {key.hex()}.{said}",
            "Start electrs with --jsonrpc-import (slower), or use a version of it that reads such files. Its index is "
            "intact: don't delete it.",
        )
    elif failed and words is not None:
        yield Finding(
            "unreadable_block_files",
            Gravity.ERROR,
            "electrs can't make sense of the node's block files",
            f"electrs's last words: “{words.quoted(120)}”.",
            AFTER_DEATH[Cause.BLOCK_FILES],
        )


def _mute(look: StackLook, state: State) -> Iterator[Finding]:
    troubles = state.memory.known.troubles
    silent = [
        troubles[source].sentence
        for source in (Source.METRICS, Source.REST)
        if source in troubles and not troubles[source].refused and NOT_ELECTRS_WORDS not in troubles[source].sentence
    ]
    if look.reading.electrs.word == NO_ANSWER:
        said = [troubles[source].sentence for source in (Source.METRICS, Source.REST) if source in troubles]
        what = "electrs doesn't answer, though its log ends with its being ready"
        yield Finding(
            "electrs_no_answer",
            Gravity.ERROR,
            what,
            " ".join(said),
            "Start it (`docker start mempool-electrs`, or its unit), or compare ELECTRS_HTTP_URL and "
            "UTXORACLE_TUI_ELECTRS_METRICS_URL with its --http-addr and --monitoring-addr.",
        )
    elif silent:
        yield Finding(
            "electrs_hangs",
            Gravity.WARNING,
            "electrs takes questions and doesn't answer them",
            " ".join(silent),
            "Look at the load of the machine and at electrs's log; restart it only if that stays so.",
        )


def _metrics_closed(look: StackLook, state: State) -> Iterator[Finding]:
    known = state.memory.known
    trouble = known.troubles.get(Source.METRICS)
    if trouble is None or not trouble.refused or state.phase in NOT_RUNNING:
        return
    process, rest = known.process, known.rest
    runs_long = (
        process is not None
        and process.status is Status.RUNNING
        and process.started_at_s is not None
        and look.at_s - process.started_at_s >= UP_FOR_S
    )
    if not runs_long and rest is None:
        return
    address = host_of(look.settings.electrs.metrics_url or "")
    yield Finding(
        "metrics_closed",
        Gravity.WARNING,
        "electrs's metrics can't be read: they tell best how far its first sync is",
        f"electrs runs, and nothing answers at {address}.",
        f"Start electrs with --monitoring-addr 0.0.0.0:{urlsplit(f'//{address}').port or 4224} (in a container without "
        "network_mode: host, publish that port to 127.0.0.1 as well), or set UTXORACLE_TUI_ELECTRS_METRICS_URL.",
    )


def _says_too_little(look: StackLook, state: State) -> Iterator[Finding]:
    level = verbosity(look.electrs_log or ())
    ready = state.phase is Phase.READY
    if level is None or level >= (_INFO if ready else _DEBUG):
        return
    count = max(0, level - 1)
    other = state.memory.known.metrics is not None or state.memory.known.rocksdb is not None
    grave = level < _INFO and not ready and not other
    yield Finding(
        "electrs_says_too_little",
        Gravity.WARNING if grave else Gravity.NOTE,
        "electrs logs too little to see how far it is",
        f"Its log has lines up to the level {_LEVELS[level]} ({'-' + 'v' * count if count else 'no -v'}).",
        "Start electrs with -vvv the next time that it is started anyway; it need not be restarted for that.",
    )


def verbosity(lines: tuple[str, ...]) -> int | None:
    """The level of a log as a place in OFF, ERROR, …, TRACE: as electrs itself says, else the highest that was seen.

    None where that can't be told.
    """
    seen = -1
    levelled = 0
    for line in reversed(lines):
        event = parse_line(line)
        if event is None:
            continue
        if event.kind is Kind.STARTED:
            found = _VERBOSITY.search(line[line.find("Config {") :])
            if found is not None and found[1].upper() in _LEVELS:
                return _LEVELS.index(found[1].upper())
            break
        if event.level is not None:
            levelled += 1
            seen = max(seen, _LEVELS.index(event.level))
    return seen if levelled >= TELLING_LINES else None


def _something_else(look: StackLook, state: State) -> Iterator[Finding]:
    """What answers at its addresses is not electrs."""
    electrs, backend = look.settings.electrs, look.reading.backend.detail
    esplora = backend is not None and backend.info is not None and backend.info.backend == ESPLORA
    if host_of(electrs.http_url) == host_of(look.settings.mempool.api_url):
        left_to_electrs = "; with BACKEND=esplora the backend answers 404 to blocks/tip/hash and addresses"
        yield Finding(
            "electrs_address_is_the_backend",
            Gravity.ERROR,
            "electrs's address is that of the mempool backend, which doesn't have what only electrs has",
            f"ELECTRS_HTTP_URL and MEMPOOL_API_URL both name {host_of(electrs.http_url)}"
            f"{left_to_electrs if esplora else ''}.",
            "Set ELECTRS_HTTP_URL to electrs's --http-addr (port 3000 on the main network).",
        )
        return
    for source, variable, flag in (
        (Source.REST, "ELECTRS_HTTP_URL", "--http-addr"),
        (Source.METRICS, "UTXORACLE_TUI_ELECTRS_METRICS_URL", "--monitoring-addr"),
    ):
        trouble = state.memory.known.troubles.get(source)
        if trouble is not None and NOT_ELECTRS_WORDS in trouble.sentence:
            what = "Something else answers where electrs should"
            yield Finding("not_electrs", Gravity.ERROR, what, trouble.sentence, f"Set {variable} to electrs's {flag}.")
    if backend is not None and esplora and not backend.live.live and rank(state.phase) < rank(Phase.READY):
        yield Finding(
            "esplora_without_electrs",
            Gravity.NOTE,
            "The backend leaves to electrs what electrs can't answer yet",
            "The backend says backend: esplora and is not in sync; electrs is not ready.",
            "Nothing, if electrs is on its way: both are in sync after its first sync. Until then "
            "MEMPOOL_BACKEND=none gives a backend that needs no electrs.",
        )
