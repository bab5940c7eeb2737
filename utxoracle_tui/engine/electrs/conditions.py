"""What lies over a phase: trouble with the node, the disk, the index, or electrs itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from utxoracle_tui.engine.electrs import evidence as seen
from utxoracle_tui.engine.electrs.disk import Shortage, shortage
from utxoracle_tui.engine.electrs.evidence import Evidence, Metrics, NodeTrouble, Source
from utxoracle_tui.engine.electrs.hearing import Hearing
from utxoracle_tui.engine.electrs.log_lines import Kind
from utxoracle_tui.engine.electrs.memory import Memory, RpcWindow, fresh
from utxoracle_tui.engine.electrs.phases import (
    IDLE_AFTER_S,
    INTACT,
    NOT_RUNNING,
    ORDER,
    STUCK_AFTER_S,
    Cause,
    ConditionKind,
    Phase,
    rank,
)

SLOW_RPC_S = 5.0
"""The mean time of electrs's calls above which the node, or the disk that both share, counts as overloaded."""
RPC_WINDOW_S = 300.0
OVERLOAD_HOLDS_S = 300.0
LAG_BLOCKS, LAG_AFTER_S = 3, 120.0
CAUGHT_UP_BLOCKS = 1
HUNG_AFTER_S = 600.0
REST_SILENT_S = 30.0
CRASHES, CRASHES_WITHIN_S = 3, 900.0
RECENT_S = 90.0
"""Lines about the node come every 3 to 33 s while the trouble lasts."""
PRECACHE_HOLDS_S = 600.0
_UNTIL_ROOM_IS_NO_MATTER = ORDER[: ORDER.index(Phase.LOADING_MEMPOOL)]
"""Phases that are followed by a compaction, or are one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition that holds, with what its sentences need."""

    kind: ConditionKind
    detail: str = ""
    number: float | None = None
    total: float | None = None
    shortage: Shortage | None = None


def note(memory: Memory, evidence: Evidence, now_s: float) -> Memory:
    """The memory with what the conditions count over time."""
    memory = _note_down(memory, evidence)
    memory = _note_rpc(memory, fresh(memory.known.metrics, now_s), now_s)
    return _note_lag(memory, now_s)


def _note_down(memory: Memory, evidence: Evidence) -> Memory:
    refused = memory.known.troubles.get(Source.METRICS)
    was_seen = memory.milestones.counters.cpu_s is not None or memory.milestones.run.reached is not None
    if evidence.metrics is not None or refused is None or not refused.refused or not was_seen:
        return replace(memory, down_since_s=None)
    return replace(memory, down_since_s=memory.down_since_s or refused.at_s)


def _note_rpc(memory: Memory, metrics: Metrics | None, now_s: float) -> Memory:
    queue_full_s = memory.hearing.of_node_at_s.get(Kind.QUEUE_FULL)
    overloaded_s = max(filter(None, (memory.overloaded_at_s, queue_full_s)), default=None)
    window, mean_s = memory.rpc, memory.rpc_mean_s
    if metrics is not None and metrics.rpc and (not window or metrics.at_s > window[-1].at_s):
        newest = RpcWindow(
            metrics.at_s,
            sum(rpc.calls for rpc in metrics.rpc.values()),
            sum(rpc.spent_s for rpc in metrics.rpc.values()),
        )
        if window and newest.calls < window[-1].calls:
            window = ()
        window = tuple(each for each in window if newest.at_s - each.at_s <= RPC_WINDOW_S) or window[-1:]
        mean_s = _mean_s(window, newest)
        window = (*window, newest)
        if mean_s is not None and mean_s > SLOW_RPC_S:
            overloaded_s = now_s
    return replace(memory, rpc=window, rpc_mean_s=mean_s, overloaded_at_s=overloaded_s)


def _mean_s(window: tuple[RpcWindow, ...], newest: RpcWindow) -> float | None:
    """Mean time of the calls of the last minutes; of all since the start, where there is nothing to compare with."""
    oldest = window[0] if window else RpcWindow(newest.at_s, 0, 0.0)
    calls = newest.calls - oldest.calls
    return (newest.spent_s - oldest.spent_s) / calls if calls > 0 else None


def _note_lag(memory: Memory, now_s: float) -> Memory:
    node, rest = fresh(memory.known.node, now_s), fresh(memory.known.rest, now_s)
    if node is None or rest is None or node.blocks is None:
        return replace(memory, behind_since_s=None, lagging_since_s=None)
    behind = node.blocks - rest.height
    moved = rest.height != memory.rest_height
    behind_s = None if behind <= 0 else now_s if moved else memory.behind_since_s or now_s
    if behind <= CAUGHT_UP_BLOCKS:
        lagging_s = None
    elif behind >= LAG_BLOCKS:
        lagging_s = memory.lagging_since_s or now_s
    else:
        lagging_s = memory.lagging_since_s
    return replace(memory, rest_height=rest.height, behind_since_s=behind_s, lagging_since_s=lagging_s)


def find(phase: Phase, memory: Memory, now_s: float) -> list[Finding]:
    """All conditions that hold, the gravest first."""
    running = phase not in NOT_RUNNING
    found = [
        *_of_process(memory, now_s),
        *_of_index(phase, memory),
        *(_of_disk(phase, memory, now_s) if phase is not Phase.NOT_INSTALLED else ()),
    ]
    if running:
        found += [
            *_of_life(phase, memory, now_s),
            *_of_node(phase, memory, now_s),
            *_of_serving(phase, memory, now_s),
            *_of_resume(phase, memory),
        ]
    order = list(ConditionKind)
    return sorted(found, key=lambda finding: order.index(finding.kind))


def _of_process(memory: Memory, now_s: float) -> Iterator[Finding]:
    process = fresh(memory.known.process, now_s)
    recent = [at_s for at_s in memory.milestones.restarts_at_s if now_s - at_s <= CRASHES_WITHIN_S]
    restarting = process is not None and process.status is seen.Status.RESTARTING
    if len(recent) >= CRASHES or (restarting and ((process and process.restarts) or 0) >= CRASHES - 1):
        count = max(len(recent), (process.restarts or 0) if process is not None else 0)
        yield Finding(ConditionKind.CRASH_LOOP, memory.last_words.quoted(120) if memory.last_words else "", count)
    if process is None:
        return
    if process.oom_killed:
        yield Finding(ConditionKind.OUT_OF_MEMORY)
    if process.status is seen.Status.PAUSED:
        yield Finding(ConditionKind.PAUSED)


def _of_index(phase: Phase, memory: Memory) -> Iterator[Finding]:
    milestones, words = memory.milestones, memory.last_words
    if milestones.corruption_twice:
        yield Finding(ConditionKind.CORRUPTED, words.quoted(120) if words is not None else "")
    elif milestones.corruption_at_s is not None:
        yield Finding(ConditionKind.CORRUPTION_SUSPECTED, words.quoted(120) if words is not None else "")
    if words is not None and words.cause in INTACT and (phase in NOT_RUNNING or rank(phase) <= rank(Phase.OPENING)):
        yield Finding(ConditionKind.UNUSABLE, words.cause)


def _of_disk(phase: Phase, memory: Memory, now_s: float) -> Iterator[Finding]:
    short = shortage(phase, memory, now_s)
    if short is not None:
        yield Finding(ConditionKind.DISK_SHORT, shortage=short)
        return
    words, started_s = memory.last_words, memory.milestones.run.started_at_s
    if words is None or words.cause is not Cause.NO_SPACE or phase not in _UNTIL_ROOM_IS_NO_MATTER:
        return
    if started_s is not None and started_s > words.at_s:
        yield Finding(ConditionKind.SPACE_RAN_OUT)


def _of_life(phase: Phase, memory: Memory, now_s: float) -> Iterator[Finding]:
    limit_s = STUCK_AFTER_S.get(phase)
    process = fresh(memory.known.process, now_s)
    paused = process is not None and process.status is seen.Status.PAUSED
    if limit_s is None or paused:
        return
    silent_s = memory.pulse.silent_since_s(now_s)
    if silent_s is not None and now_s - max(silent_s, memory.phase_since_s) >= limit_s:
        asleep = process is not None and process.in_disk_sleep
        yield Finding(ConditionKind.STUCK, "disk" if asleep else "", now_s - silent_s)
        return
    idle_s = memory.pulse.idle_since_s(now_s)
    limit_s = IDLE_AFTER_S * (2 if phase is Phase.PASS_2 else 1)
    if idle_s is not None and now_s - max(idle_s, memory.phase_since_s) >= limit_s:
        yield Finding(ConditionKind.IDLE, number=now_s - idle_s)


def _of_node(phase: Phase, memory: Memory, now_s: float) -> Iterator[Finding]:
    overloaded_s = memory.overloaded_at_s
    if overloaded_s is not None and now_s - overloaded_s <= OVERLOAD_HOLDS_S:
        queue_full_s = memory.hearing.of_node_at_s.get(Kind.QUEUE_FULL)
        full = queue_full_s is not None and now_s - queue_full_s <= OVERLOAD_HOLDS_S
        slow = memory.rpc_mean_s is not None and memory.rpc_mean_s > SLOW_RPC_S
        yield Finding(ConditionKind.NODE_OVERLOADED, "queue" if full else "", memory.rpc_mean_s if slow else None)
    kind = _node_trouble(phase, memory, now_s)
    if kind is ConditionKind.BITCOIND_WARMING:
        node = fresh(memory.known.node, now_s)
        words = node.words if node is not None and node.words else memory.hearing.node_stage
        yield Finding(kind, words)
    elif kind is ConditionKind.BITCOIND_SYNCING:
        blocks, headers = _node_height(memory, now_s)
        yield Finding(kind, number=blocks, total=headers)
    elif kind is not None:
        yield Finding(kind)


def _node_height(memory: Memory, now_s: float) -> tuple[int | None, int | None]:
    if memory.hearing.node_blocks is not None:
        return memory.hearing.node_blocks, memory.hearing.node_headers
    node = fresh(memory.known.node, now_s)
    return (node.blocks, node.headers) if node is not None else (None, None)


_BY_LINE = {
    Kind.CONNECT_FAILED: ConditionKind.BITCOIND_DOWN,
    Kind.RECONNECTING: ConditionKind.BITCOIND_DOWN,
    Kind.COOKIE_UNREADABLE: ConditionKind.BITCOIND_AUTH,
    Kind.NO_REPLY: ConditionKind.BITCOIND_AUTH,
    Kind.WARMING_UP: ConditionKind.BITCOIND_WARMING,
    Kind.WAITING: ConditionKind.BITCOIND_SYNCING,
}
_BY_TROUBLE = {
    NodeTrouble.DOWN: ConditionKind.BITCOIND_DOWN,
    NodeTrouble.WARMING: ConditionKind.BITCOIND_WARMING,
}


def _node_trouble(phase: Phase, memory: Memory, now_s: float) -> ConditionKind | None:
    """What is wrong with the node. electrs's own words come first: its way to the node is not the console's."""
    said = newest_about_node(memory.hearing, now_s)
    if said is not None:
        return _BY_LINE[said]
    node = fresh(memory.known.node, now_s)
    if node is None:
        return None
    if node.trouble is not None:
        return _BY_TROUBLE.get(node.trouble)
    behind = node.blocks is not None and node.headers is not None and node.blocks < node.headers
    if phase is Phase.WAITING and (node.in_ibd or behind):
        return ConditionKind.BITCOIND_SYNCING
    return None


def newest_about_node(hearing: Hearing, now_s: float) -> Kind | None:
    """The newest line about the node, if it is so new that it still holds."""
    lines = [(at_s, kind) for kind, at_s in hearing.of_node_at_s.items() if kind in _BY_LINE]
    if not lines:
        return None
    at_s, kind = max(lines)
    return kind if now_s - at_s <= RECENT_S else None


def _of_serving(phase: Phase, memory: Memory, now_s: float) -> Iterator[Finding]:
    if phase is not Phase.READY:
        return
    rest, node = memory.known.rest, fresh(memory.known.node, now_s)
    if rest is not None and Source.REST in memory.known.troubles and now_s - rest.at_s > REST_SILENT_S:
        yield Finding(ConditionKind.REST_SILENT)
    elif rest is not None and node is not None and node.blocks is not None:
        behind_s, lagging_s = memory.behind_since_s, memory.lagging_since_s
        if behind_s is not None and now_s - behind_s > HUNG_AFTER_S and not _works(memory, behind_s):
            yield Finding(ConditionKind.MAIN_LOOP_HUNG, number=rest.height, total=node.blocks)
        elif lagging_s is not None and now_s - lagging_s > LAG_AFTER_S:
            yield Finding(ConditionKind.LAGGING, number=rest.height, total=node.blocks)
    precaching = memory.hearing.precaching
    if precaching is not None and precaching[0] < precaching[1] and now_s - precaching[2] <= PRECACHE_HOLDS_S:
        yield Finding(ConditionKind.PRECACHING, number=precaching[0], total=precaching[1])


def _works(memory: Memory, since_s: float) -> bool:
    """Whether the main loop has done something since: it counts its batches, and it logs."""
    spoke_s = memory.hearing.spoke_at_s
    if spoke_s is not None and spoke_s > since_s:
        return True
    return memory.pulse.worked_since(since_s)


def _of_resume(phase: Phase, memory: Memory) -> Iterator[Finding]:
    hearing, milestones = memory.hearing, memory.milestones
    if not rank(Phase.OPENING) <= rank(phase) <= rank(Phase.COMPACTING_HISTORY) or milestones.completed_at_s:
        return
    already = max(hearing.adding.already or 0, hearing.indexing.already or 0)
    earlier = [mark for mark in milestones.marks.values() if mark.share_earlier > 0]
    if already or earlier:
        yield Finding(ConditionKind.RESUMING, number=hearing.indexing.already, total=hearing.adding.already)
