"""The phases of electrs's first sync in their order, the conditions that lie over them, and the limits of both."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Db(StrEnum):
    """The databases under `newindex` (electrs, src/new_index/schema.rs)."""

    TXSTORE = "txstore"
    HISTORY = "history"
    CACHE = "cache"


class Phase(StrEnum):
    """Where the first sync is, or why there is none."""

    UNKNOWN = "unknown"
    NOT_INSTALLED = "not_installed"
    STOPPED = "stopped"
    FAILED = "failed"
    """Ended with an error, or in a loop of crashes."""
    STARTING = "starting"
    WAITING = "waiting_for_bitcoind"
    OPENING = "opening_db"
    HEADERS = "headers"
    PASS_1 = "pass_1"
    """Transactions go to txstore."""
    COMPACTING_TXSTORE = "compacting_txstore"
    PASS_2 = "pass_2"
    """Histories go to history."""
    COMPACTING_HISTORY = "compacting_history"
    LOADING_MEMPOOL = "loading_mempool"
    READY = "ready"


ORDER: tuple[Phase, ...] = (
    Phase.STARTING,
    Phase.WAITING,
    Phase.OPENING,
    Phase.HEADERS,
    Phase.PASS_1,
    Phase.COMPACTING_TXSTORE,
    Phase.PASS_2,
    Phase.COMPACTING_HISTORY,
    Phase.LOADING_MEMPOOL,
    Phase.READY,
)
"""What one process goes through, in order."""

NOT_RUNNING = frozenset({Phase.NOT_INSTALLED, Phase.STOPPED, Phase.FAILED})


def rank(phase: Phase | None) -> int:
    """The place of a phase in `ORDER`; -1 for those that are no part of a sync."""
    return ORDER.index(phase) if phase in ORDER else -1


COMPACTED: Mapping[Phase, Db] = MappingProxyType(
    {Phase.COMPACTING_TXSTORE: Db.TXSTORE, Phase.COMPACTING_HISTORY: Db.HISTORY}
)
"""The database that a phase compacts."""

WEIGHTS: Mapping[Phase, float] = MappingProxyType(
    {
        Phase.PASS_1: 0.25,
        Phase.COMPACTING_TXSTORE: 0.15,
        Phase.PASS_2: 0.45,
        Phase.COMPACTING_HISTORY: 0.15,
    }
)
"""The share of the whole that each long phase takes: a rule of thumb."""

STUCK_AFTER_S: Mapping[Phase, float] = MappingProxyType(
    {
        Phase.PASS_1: 600.0,
        Phase.COMPACTING_TXSTORE: 900.0,
        Phase.PASS_2: 1800.0,
        Phase.COMPACTING_HISTORY: 900.0,
        Phase.LOADING_MEMPOOL: 600.0,
    }
)
"""How long nothing at all may move before a phase counts as stuck."""

IDLE_AFTER_S = 3600.0
"""How long nothing may be counted, while the process lives, before that is remarked on; twice that in pass 2."""


class Status(StrEnum):
    """How a phase stands in the list of all."""

    DONE = "done"
    DONE_EARLIER = "done_earlier"
    """By an earlier process; this one needs not do it again."""
    RUNNING = "running"
    TO_COME = "to_come"


class Severity(StrEnum):
    """How much of the operator's attention a condition wants."""

    INFO = "info"
    WARNING = "warning"
    ALERT = "alert"


class ConditionKind(StrEnum):
    """What lies over a phase and never replaces it."""

    CORRUPTED = "corrupted"
    CORRUPTION_SUSPECTED = "corruption_suspected"
    CRASH_LOOP = "crash_loop"
    UNUSABLE = "unusable"
    """The index can't be opened and is intact."""
    OUT_OF_MEMORY = "out_of_memory"
    STUCK = "stuck"
    MAIN_LOOP_HUNG = "main_loop_hung"
    DISK_SHORT = "disk_short"
    SPACE_RAN_OUT = "space_ran_out"
    """A process before this one ended because the disk was full."""
    PAUSED = "paused"
    BITCOIND_DOWN = "bitcoind_down"
    BITCOIND_AUTH = "bitcoind_auth"
    NODE_OVERLOADED = "node_overloaded"
    REST_SILENT = "rest_silent"
    LAGGING = "lagging"
    IDLE = "idle"
    BITCOIND_WARMING = "bitcoind_warming"
    BITCOIND_SYNCING = "bitcoind_syncing"
    RESUMING = "resuming"
    PRECACHING = "precaching"


SEVERITY: Mapping[ConditionKind, Severity] = MappingProxyType(
    {
        ConditionKind.CORRUPTED: Severity.ALERT,
        ConditionKind.CORRUPTION_SUSPECTED: Severity.WARNING,
        ConditionKind.CRASH_LOOP: Severity.ALERT,
        ConditionKind.UNUSABLE: Severity.ALERT,
        ConditionKind.OUT_OF_MEMORY: Severity.ALERT,
        ConditionKind.STUCK: Severity.ALERT,
        ConditionKind.MAIN_LOOP_HUNG: Severity.ALERT,
        ConditionKind.DISK_SHORT: Severity.ALERT,
        ConditionKind.SPACE_RAN_OUT: Severity.WARNING,
        ConditionKind.PAUSED: Severity.WARNING,
        ConditionKind.BITCOIND_DOWN: Severity.WARNING,
        ConditionKind.BITCOIND_AUTH: Severity.WARNING,
        ConditionKind.NODE_OVERLOADED: Severity.WARNING,
        ConditionKind.REST_SILENT: Severity.WARNING,
        ConditionKind.LAGGING: Severity.WARNING,
        ConditionKind.IDLE: Severity.WARNING,
        ConditionKind.BITCOIND_WARMING: Severity.INFO,
        ConditionKind.BITCOIND_SYNCING: Severity.INFO,
        ConditionKind.RESUMING: Severity.INFO,
        ConditionKind.PRECACHING: Severity.INFO,
    }
)


class Cause(StrEnum):
    """Why electrs ended, as far as its last words tell."""

    CORRUPTION = "corruption"
    LOCKED = "locked"
    NO_SPACE = "no_space"
    TOO_MANY_FILES = "too_many_files"
    PERMISSION = "permission"
    INCOMPATIBLE = "incompatible"
    BLOCK_FILES = "block_files"
    PRUNED = "pruned"
    PORT_IN_USE = "port_in_use"
    OTHER = "other"


INTACT = frozenset({Cause.LOCKED, Cause.NO_SPACE, Cause.TOO_MANY_FILES, Cause.PERMISSION, Cause.INCOMPATIBLE})
"""Causes that keep electrs from opening an index with which nothing is wrong."""
